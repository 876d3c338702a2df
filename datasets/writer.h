/* Writers: pictures with their identities, one after the other, into files that others read. A
 * writer is one file with one fsh_writer table at its end, and one line in writers.c. All write
 * below a folder that the caller has made, and renames or removes. */
#ifndef FSH_DATASETS_WRITER_H
#define FSH_DATASETS_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* What is known before the first picture. Borrowed until close. */
typedef struct fsh_writing {
    const char *folder;      /* exists, and is empty */
    char *const *identities; /* names, by label from 0; NULL: labels are not those of a whole job */
    uint64_t identities_n;   /* names, or one more than the largest label */
    uint32_t size;           /* of pictures, px */
    uint64_t per_file;       /* pictures in one file, where there are several; 0: all in one */
} fsh_writing;

/* One picture. They come in the order of labels. Borrowed for the call. */
typedef struct fsh_written {
    const char *identity;
    int64_t label;
    const char *name;   /* within the identity, without ending; ascending by bytes */
    const char *ending; /* "png" */
    const uint8_t *data;
    size_t bytes;
    const char *facts; /* a JSON object: what else is known */
} fsh_written;

typedef struct fsh_writer {
    const char *format, *summary;
    bool keyed;  /* names may hold no dot: what follows one is no part of the key */
    bool folded; /* an identity becomes a folder, so its name must be one */
    fsh_status (*open)(const fsh_writing *writing, void **self, fsh_err *err);
    fsh_status (*put)(void *self, const fsh_written *picture, fsh_err *err);
    /* Finishes where keep, frees, sets *self to NULL, also on failure. NULL is fine. */
    fsh_status (*close)(void **self, bool keep, fsh_err *err);
} fsh_writer;

extern const fsh_writer *const fsh_writers[]; /* ended by NULL */
const fsh_writer *fsh_writer_find(const char *format);

extern const fsh_writer fsh_writer_folders;
extern const fsh_writer fsh_writer_recordio;
extern const fsh_writer fsh_writer_tar;

#endif

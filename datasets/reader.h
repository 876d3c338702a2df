/* Readers: from an input (a folder tree, records, archives) to identities and samples in
 * their fixed order, and from a sample to its bytes. A reader is one file with one fsh_reader table
 * at its end, and one line in readers.c. */
#ifndef FSH_DATASETS_READER_H
#define FSH_DATASETS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/files.h"
#include "base/reason.h"
#include "base/status.h"

/* Receives what a scan finds, in order. Names are any bytes without zero, borrowed for the call. A
 * status other than OK ends the scan with it. */
typedef struct fsh_scan_sink {
    void *self;
    fsh_status (*identity)(void *self, const char *name, fsh_err *err);
    /* A sample of the last identity; name is relative to the identity. */
    fsh_status (*sample)(void *self, const char *name, fsh_err *err);
    /* Something that is no sample: a stray file, a folder without pictures. Only counted and told.
     */
    void (*ignored)(void *self, const char *path, const char *why);
    /* May be NULL. So many were found so far, by a reader that gives them when it has seen all. */
    void (*found)(void *self, uint64_t samples, uint64_t identities);
} fsh_scan_sink;

typedef struct fsh_reader {
    const char *format; /* "folders": input.format of a job */
    const char *summary;
    bool local;    /* only for workers that see the input: its bytes cannot be read beside a
                      coordinator's own work */
    bool in_place; /* a sample is the file input/source: `clean` may move or copy it */
    /* Whether the input looks like one of this format; never fails. */
    bool (*fits)(const char *input);
    /* Identities by byte order of name, samples by byte order of path. Memory: one identity's names
     * and the names of the identities. */
    fsh_status (*scan)(const char *input, const fsh_scan_sink *sink, fsh_err *err);
    /* Reads the encoded bytes of one sample into *data (caller frees). What is wrong with the file
     * itself is a reason (unreadable, not_a_file, vanished, empty, too_large) and returns OK; never
     * follows a link to a pipe or device, never blocks. */
    fsh_status (*load)(const char *input, const char *identity, const char *sample, uint8_t **data,
                       size_t *bytes, fsh_reason *reason, fsh_err *err);
    /* Optional: the path of a sample below the input; without it, it is identity/sample. */
    fsh_status (*source)(const char *identity, const char *sample, char path[FSH_PATH_BYTES],
                         fsh_err *err);
} fsh_reader;

extern const fsh_reader *const fsh_readers[]; /* ended by NULL */
const fsh_reader *fsh_reader_find(const char *format);

/* The one reader that the input looks made for. USAGE where there is none, or several. */
fsh_status fsh_reader_detect(const char *input, const fsh_reader **reader, fsh_err *err);

/* The path of a sample below the input, which stands in shards and keys its random draws. */
fsh_status fsh_reader_source(const fsh_reader *reader, const char *identity, const char *sample,
                             char path[FSH_PATH_BYTES], fsh_err *err);

#endif

/* What the reader `tar` reads with: which tars there are, one opened at a place (by libarchive),
 * and what a label beside a picture says. */
#ifndef FSH_DATASETS_TARS_H
#define FSH_DATASETS_TARS_H

#include <stdbool.h>

#include "base/files.h"
#include "base/reason.h"
#include "datasets/window.h"

struct archive;
struct archive_entry;

/* The tars of an input, in byte order. */
typedef struct fsh_tars {
    bool folder;  /* the input is a folder of them; otherwise it is the one itself */
    char **names; /* in the folder */
    uint32_t n, room;
} fsh_tars;

bool fsh_tars_fit(const char *input);
fsh_status fsh_tars_find(const char *input, fsh_tars *tars, fsh_err *err);
void fsh_tars_fini(fsh_tars *tars);

/* The path of one: of the input itself where name is "". */
fsh_status fsh_tars_path(const char *input, const char *name, char path[FSH_PATH_BYTES],
                         fsh_err *err);

/* Fails with USAGE where the file is compressed, and says how to unpack it; with FORMAT where it is
 * no tar. */
fsh_status fsh_tar_check(fsh_window *window, fsh_err *err);

/* Opens a tar at the beginning of a member; close both with fsh_tar_close. FORMAT: there is none.
 */
fsh_status fsh_tar_open(const char *path, uint64_t at, struct archive **tar, int *file,
                        fsh_err *err);
void fsh_tar_close(struct archive **tar, int file);

/* The path of a member, without "./" and "/" before it; NULL where it has none. Borrowed. */
const char *fsh_tar_path(struct archive_entry *entry);

/* The place of the next member behind a damaged one at `at`, or the size of the file. */
fsh_status fsh_tar_resume(fsh_window *window, uint64_t at, uint64_t *next, fsh_err *err);

/* fsh_reader.load. */
fsh_status fsh_tar_load(const char *input, const char *identity, const char *sample, uint8_t **data,
                        size_t *bytes, fsh_reason *reason, fsh_err *err);

/* Whose a picture is, by the members beside it; the one of highest rank counts. */
typedef struct fsh_tar_label {
    int rank; /* 0: none */
    char text[1024];
} fsh_tar_label;

/* Whether ".cls" and so on is that of a label. */
bool fsh_tar_label_ending(const char *ending);

/* Takes what a label's member says, where it goes before what is known already. What cannot be read
 * says that the picture is nobody's, unless another member knows better. */
void fsh_tar_label_read(fsh_tar_label *label, const char *ending, const char *text, size_t bytes);

#endif

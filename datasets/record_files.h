/* Which files a RecordIO input is: train.rec, or the folder that it lies in, and what may lie
 * beside it. */
#ifndef FSH_DATASETS_RECORD_FILES_H
#define FSH_DATASETS_RECORD_FILES_H

#include <stdbool.h>

#include "base/files.h"
#include "base/status.h"

/* Paths; all but the first may be of nothing. */
typedef struct fsh_record_files {
    char record[FSH_PATH_BYTES], index[FSH_PATH_BYTES];
    char property[FSH_PATH_BYTES], identities[FSH_PATH_BYTES];
} fsh_record_files;

/* USAGE: a folder with several .rec files, or none. */
fsh_status fsh_record_files_find(const char *input, fsh_record_files *f, fsh_err *err);
fsh_status fsh_record_find(const char *input, char path[FSH_PATH_BYTES], fsh_err *err);

/* Whether names say that it is one. */
bool fsh_record_named(const char *input);

#endif

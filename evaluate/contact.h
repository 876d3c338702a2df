/* Contact sheets: pictures of a shard or of index.h5 on one page, to look at. */
#ifndef FSH_EVALUATE_CONTACT_H
#define FSH_EVALUATE_CONTACT_H

#include <stdint.h>

#include "base/args.h"
#include "base/status.h"

/* Fields in the order of the rows of fsh_contact_args, which say units and limits. */
typedef struct fsh_contact_params {
    int64_t rows, columns;
    int64_t cell;
    int64_t variant;
} fsh_contact_params;

extern const fsh_arg fsh_contact_args[];

/* Writes a PNG. Samples are taken at even distances over the whole file, always the same ones. With
 * variant -1 a line shows one sample with all its variants, and `columns` is how many samples stand
 * side by side; otherwise the sheet is a grid of that variant alone. A variant that a sample does
 * not have is a grey square. A file without pictures, or a sheet of over 64 million pixels, fails
 * with USAGE. fsh_vision_init was called before. */
fsh_status fsh_contact_sheet(const char *path, const char *png, const fsh_contact_params *params,
                             fsh_err *err);

#endif

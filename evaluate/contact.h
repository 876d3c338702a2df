/* Contact sheets: pictures of a shard or of index.h5 on one page, to look at. */
#ifndef FSH_EVALUATE_CONTACT_H
#define FSH_EVALUATE_CONTACT_H

#include <stdint.h>

#include "base/status.h"

typedef struct fsh_contact_params {
    int64_t rows;    /* lines of the sheet, from 1 */
    int64_t columns; /* samples in a line, from 1 */
    int64_t cell;    /* side of a picture, px; 0: as it is stored */
    int64_t variant; /* this variant alone; -1: all, side by side */
} fsh_contact_params;

/* Writes a PNG. Samples are taken at even distances over the whole file, always the same ones; all of
 * them where there is room. With
 * variant -1 a line shows one sample with all its variants, and `columns` is how many samples stand
 * side by side; otherwise the sheet is a grid of that variant alone. A variant that a sample does
 * not have is a grey square. A file without pictures, or a sheet of over 64 million pixels, fails
 * with USAGE. fsh_vision_init was called before. */
fsh_status fsh_contact_sheet(const char *path, const char *png, const fsh_contact_params *params,
                             fsh_err *err);

#endif

/* A page of picture files in rows, to look at: what was taken for what. */
#ifndef FSH_EVALUATE_SHEET_H
#define FSH_EVALUATE_SHEET_H

#include <stdint.h>

#include "base/status.h"

/* The colour around a picture. */
typedef enum fsh_frame { FSH_FRAME_NONE, FSH_FRAME_RIGHT, FSH_FRAME_WRONG } fsh_frame;

typedef struct fsh_sheet_cell {
    const char *path; /* NULL: a grey square */
    fsh_frame frame;
} fsh_sheet_cell;

/* Writes a PNG of rows x columns cells, side px each, in the order of lines. Pictures keep their
 * shape; one that cannot be read is a grey square with a cross, and counted in *unreadable (may be
 * NULL). A page of over 64 million pixels fails with USAGE. fsh_vision_init was called before. */
fsh_status fsh_sheet_write(const char *png, const fsh_sheet_cell *cells, uint32_t rows,
                           uint32_t columns, uint32_t side, uint32_t *unreadable, fsh_err *err);

#endif

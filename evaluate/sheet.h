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

/* How cells lie on the page: entries of so many cells, so many entries side by side with a wider
 * gap between them. */
typedef struct fsh_sheet_layout {
    uint32_t entries, cells, across;
    uint32_t side; /* of a picture, px */
} fsh_sheet_layout;

/* Writes a PNG; cells has entries x cells of them, entry after entry, which fill line after line.
 * Pictures keep their shape; one that cannot be read is a grey square with a cross, and counted in
 * *unreadable (may be NULL). A page of over 64 million pixels fails with USAGE. fsh_vision_init was
 * called before. */
fsh_status fsh_sheet_write(const char *png, const fsh_sheet_cell *cells,
                           const fsh_sheet_layout *layout, uint32_t *unreadable, fsh_err *err);

#endif

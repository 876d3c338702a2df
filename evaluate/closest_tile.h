/* The inner loop of the search for the closest row: one vector against sixteen rows, both in 8 bits
 * a component. */
#ifndef FSH_EVALUATE_CLOSEST_TILE_H
#define FSH_EVALUATE_CLOSEST_TILE_H

#include <stdint.h>

enum {
    FSH_CODES_ROWS = 16,  /* of a tile */
    FSH_CODES_STEP = 4,   /* components of a row that lie side by side */
    FSH_CODES_WIDTH = 16, /* widths are multiples of it */
    FSH_CODES_LEVELS = 127
};

/* Of four components after the other the sixteen rows; a code has 128 added to it. A row is scale
 * times its codes, but for a rest whose length is at most error. */
typedef struct fsh_codes_tile {
    const uint8_t *codes; /* width x 16, 64-byte aligned */
    const float *scales, *errors;
    const float *reaches; /* length of the row, and its error once more */
    const float *halves;  /* of the squared length */
    uint32_t width;
} fsh_codes_tile;

/* A vector in the same form, without the 128. */
typedef struct fsh_codes_probe {
    const int8_t *codes; /* width, 4-byte aligned */
    float scale, error, length;
    int32_t sum; /* of the codes */
    float bar;   /* a score that the best row has at least */
} fsh_codes_probe;

/* The score of a row is its product with the vector, less half its squared length. Sets upper and
 * lower to what it may be at most and at least, and returns a bit for each row whose upper is not
 * under the bar; where there is none the two need not be set. */
typedef uint32_t fsh_codes_score(const fsh_codes_tile *tile, const fsh_codes_probe *probe,
                                 float upper[FSH_CODES_ROWS], float lower[FSH_CODES_ROWS]);

/* Of the ones that this processor has the i-th, the fastest first; NULL behind the last, which
 * every processor has. */
fsh_codes_score *fsh_codes_scorer(uint32_t i);

#endif

/* The inner loop of the search: six probes against sixteen rows of the gallery. */
#ifndef FSH_EVALUATE_SEARCH_TILE_H
#define FSH_EVALUATE_SEARCH_TILE_H

#include <stdint.h>

enum { FSH_TILE_PROBES = 6, FSH_TILE_ROWS = 16 };

typedef struct fsh_tile {
    const float *probes;  /* component after component, of six probes each */
    const float *rows;    /* component after component, of sixteen rows each; 64-byte aligned */
    const float *offsets; /* of each row, to be taken from its products */
    uint32_t dimension;
} fsh_tile;

/* scores[16 p + r] = probe p . row r - offsets[r], in float32. Returns a bit for each probe that
 * has a score over its bar; the scores of others need not be written. */
typedef uint32_t fsh_tile_score(const fsh_tile *tile, const float bars[FSH_TILE_PROBES],
                                float scores[FSH_TILE_PROBES * FSH_TILE_ROWS]);

/* The fastest one that this processor has. */
fsh_tile_score *fsh_tile_choose(void);

/* The one that every processor has. */
fsh_tile_score fsh_tile_plain;

#endif

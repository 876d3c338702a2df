#include "stages/distances.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/wide.h"

enum {
    LANES = 8,          /* vectors side by side in one lanes */
    GROUP = 8 * LANES,  /* vectors that are compared at once, so that additions need not wait */
    TILE = 4 * GROUP,   /* vectors that stay in the cache while all others pass */
    PARALLEL_FROM = 256 /* vectors from which threads are worth their start */
};

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

/* A tile of vectors, turned: value d of vector j lies at [j / LANES * dimension + d][j % LANES].
 * Places after the last vector are zero. */
static void
turn_tile(const float *const *vectors, uint32_t n, uint32_t dimension, lanes *tile)
{
    uint32_t j, d;

    memset(tile, 0, (size_t)TILE * dimension * sizeof(float));
    for (j = 0; j < n; j++)
        for (d = 0; d < dimension; d++)
            tile[(size_t)(j / LANES) * dimension + d][j % LANES] = vectors[j][d];
}

/* Adds the distances from one vector to the first n vectors of a tile. */
WIDE static double
sum_distances(const float *vector, const lanes *tile, uint32_t n, uint32_t dimension)
{
    double sum = 0;
    uint32_t from, d, j;

    for (from = 0; from < n; from += GROUP) {
        const lanes *at = tile + (size_t)(from / LANES) * dimension;
        lanes squares[GROUP / LANES] = {0};

        for (d = 0; d < dimension; d++, at++)
            for (j = 0; j < GROUP / LANES; j++) {
                lanes apart = vector[d] - at[(size_t)j * dimension];

                squares[j] += apart * apart;
            }
        for (j = 0; j < GROUP && from + j < n; j++)
            sum += sqrtf(squares[j / LANES][j % LANES]);
    }
    return sum;
}

static void
add_tile(const float *const *vectors, uint32_t n, uint32_t dimension, const lanes *tile,
         uint32_t tile_n, double *sums)
{
    int64_t i;

#pragma omp parallel for schedule(static) if (n >= PARALLEL_FROM)
    for (i = 0; i < (int64_t)n; i++)
        sums[i] += sum_distances(vectors[i], tile, tile_n, dimension);
}

fsh_status
fsh_distances_mean(const float *const *vectors, uint32_t n, uint32_t dimension, float *means)
{
    lanes *tile = aligned_alloc(sizeof *tile, (size_t)TILE * dimension * sizeof(float));
    double *sums = calloc(n, sizeof *sums);
    uint32_t from, i;

    if (!tile || !sums) {
        free(tile);
        free(sums);
        return FSH_MEMORY;
    }
    for (from = 0; from < n; from += TILE) {
        uint32_t tile_n = n - from < TILE ? n - from : TILE;

        turn_tile(vectors + from, tile_n, dimension, tile);
        add_tile(vectors, n, dimension, tile, tile_n, sums);
    }
    for (i = 0; i < n; i++)
        means[i] = (float)(sums[i] / (n - 1));
    free(tile);
    free(sums);
    return FSH_OK;
}

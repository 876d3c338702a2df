#include "stages/cleaning/nearest.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "stages/wide.h"

enum {
    LANES = 8,         /* candidates side by side in one lanes */
    GROUP = 8 * LANES, /* that are compared at once, so that additions need not wait */
    TILE = 4 * GROUP,  /* that stay in the cache while all queries pass */
    BLOCK = 4096,      /* queries whose pairs are collected at once */
    STEP = 24          /* dimensions after which pairs that are far apart are left */
};

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

/* Candidates from `from` on, turned: value d of candidate j lies at [j / LANES * dimension + d][j %
 * LANES]. Places after the last are zero. Returns how many there are. */
static uint32_t
turn_tile(const fsh_directions *of, uint32_t from, uint32_t dimension, lanes *tile)
{
    uint32_t n = of->n - from < TILE ? of->n - from : TILE, j, d;

    memset(tile, 0, (size_t)TILE * dimension * sizeof(float));
    for (j = 0; j < n; j++)
        for (d = 0; d < dimension; d++)
            tile[(size_t)(j / LANES) * dimension + d][j % LANES] =
                of->vectors[(size_t)(from + j) * dimension + d];
    return n;
}

/* Cosines of one query to a whole tile. */
WIDE static void
compare(const float *query, const lanes *tile, uint32_t dimension, float cosines[TILE])
{
    uint32_t from, d, j;

    for (from = 0; from < TILE; from += GROUP) {
        const lanes *at = tile + (size_t)(from / LANES) * dimension;
        lanes sums[GROUP / LANES] = {0};

        for (d = 0; d < dimension; d++, at++)
            for (j = 0; j < GROUP / LANES; j++)
                sums[j] += query[d] * at[(size_t)j * dimension];
        memcpy(cosines + from, sums, sizeof sums);
    }
}

static void
take_best(const float *cosines, const fsh_directions *candidates, uint32_t from, uint32_t n,
          uint32_t group, fsh_nearest *best)
{
    uint32_t j;

    for (j = 0; j < n; j++)
        if (cosines[j] > best->similarity && candidates->groups[from + j] != group)
            *best = (fsh_nearest){from + j, cosines[j]};
}

fsh_status
fsh_nearest_find(const fsh_directions *queries, const fsh_directions *candidates,
                 uint32_t dimension, const fsh_listener *step, fsh_nearest *found)
{
    lanes *tile = aligned_alloc(sizeof *tile, (size_t)TILE * dimension * sizeof(float));
    uint32_t from, n;
    int64_t i;

    if (!tile)
        return FSH_MEMORY;
    for (i = 0; i < (int64_t)queries->n; i++)
        found[i] = (fsh_nearest){FSH_NEAREST_NONE, -2};
    for (from = 0; from < candidates->n; from += TILE) {
        fsh_listener_tell(step, from, candidates->n);
        n = turn_tile(candidates, from, dimension, tile);
#pragma omp parallel for schedule(static) if (queries->n > 64)
        for (i = 0; i < (int64_t)queries->n; i++) {
            float cosines[TILE];

            compare(queries->vectors + (size_t)i * dimension, tile, dimension, cosines);
            take_best(cosines, candidates, from, n, queries->groups[i], &found[i]);
        }
    }
    free(tile);
    return FSH_OK;
}

/* ---- near pairs ---- */

/* Adds to the squared distances of one query to a group of candidates those of the dimensions from
 * `first` to before `end`. Returns the least of them. */
WIDE static float
add_apart(const float *query, const lanes *at, uint32_t dimension, uint32_t first, uint32_t end,
          lanes sums[GROUP / LANES])
{
    float least = INFINITY;
    uint32_t d, j, k;

    for (d = first; d < end; d++)
        for (j = 0; j < GROUP / LANES; j++) {
            lanes apart = query[d] - at[(size_t)j * dimension + d];

            sums[j] += apart * apart;
        }
    for (j = 0; j < GROUP / LANES; j++)
        for (k = 0; k < LANES; k++)
            least = sums[j][k] < least ? sums[j][k] : least;
    return least;
}

/* Places in the tile that are near one query, and how near. */
typedef struct hits {
    uint32_t n;
    uint16_t at[TILE];
    float distance[TILE];
} hits;

/* One block of queries against one tile. */
typedef struct block {
    const fsh_directions *queries;
    uint32_t query, queries_n, from, n, dimension;
    bool twice;    /* queries and candidates are the same */
    float squared; /* the distance that counts */
} block;

static void
collect(const block *of, const lanes *sums, uint32_t from, uint32_t first, hits *found)
{
    uint32_t j;

    for (j = first > from ? first - from : 0; j < GROUP && from + j < of->n; j++) {
        float squared = sums[j / LANES][j % LANES];

        if (squared > of->squared)
            continue;
        found->at[found->n] = (uint16_t)(from + j);
        found->distance[found->n++] = sqrtf(squared);
    }
}

static void
compare_tile(const block *of, const float *query, const lanes *tile, uint32_t first, hits *found)
{
    uint32_t from, d;

    for (from = first / GROUP * GROUP; from < of->n; from += GROUP) {
        const lanes *at = tile + (size_t)(from / LANES) * of->dimension;
        lanes sums[GROUP / LANES] = {0};
        float least = 0;

        for (d = 0; d < of->dimension && least <= of->squared; d += STEP)
            least = add_apart(query, at, of->dimension, d,
                              d + STEP < of->dimension ? d + STEP : of->dimension, sums);
        if (least <= of->squared)
            collect(of, sums, from, first, found);
    }
}

static void
fill_block(const block *of, const lanes *tile, hits *found)
{
    int64_t i;

#pragma omp parallel for schedule(static) if (of->queries_n > 64)
    for (i = 0; i < (int64_t)of->queries_n; i++) {
        uint32_t query = of->query + (uint32_t)i;
        uint32_t first = of->twice && query >= of->from ? query - of->from + 1 : 0;

        found[i].n = 0;
        compare_tile(of, of->queries->vectors + (size_t)query * of->dimension, tile, first,
                     &found[i]);
    }
}

static fsh_status
tell_block(const block *of, const hits *found, fsh_near_pair *each, void *self)
{
    fsh_status status = FSH_OK;
    uint32_t i, j;

    for (i = 0; i < of->queries_n; i++)
        for (j = 0; j < found[i].n && !status; j++)
            status = each(self, of->query + i, of->from + found[i].at[j], found[i].distance[j]);
    return status;
}

/* About how many pairs are compared. */
static uint64_t
pairs_of(const block *of, uint32_t candidates)
{
    uint64_t n = of->queries->n;

    return of->twice ? n * (n + TILE) / 2 : n * candidates;
}

fsh_status
fsh_nearest_pairs(const fsh_directions *queries, const fsh_directions *candidates,
                  uint32_t dimension, float most, const fsh_listener *step, fsh_near_pair *each,
                  void *self)
{
    lanes *tile = aligned_alloc(sizeof *tile, (size_t)TILE * dimension * sizeof(float));
    hits *found = malloc(BLOCK * sizeof *found);
    fsh_status status = tile && found ? FSH_OK : FSH_MEMORY;
    block of = {.queries = queries,
                .dimension = dimension,
                .twice = queries->vectors == candidates->vectors,
                .squared = most * most};
    uint64_t done = 0, all = pairs_of(&of, candidates->n);

    for (; of.from < candidates->n && !status; of.from += TILE) {
        uint32_t end = of.twice && queries->n - of.from > TILE ? of.from + TILE : queries->n;

        of.n = turn_tile(candidates, of.from, dimension, tile);
        for (of.query = 0; of.query < end && !status; of.query += BLOCK) {
            of.queries_n = end - of.query < BLOCK ? end - of.query : BLOCK;
            fill_block(&of, tile, found);
            status = tell_block(&of, found, each, self);
            done += (uint64_t)of.queries_n * of.n;
            fsh_listener_tell(step, done < all ? done : all, all);
        }
    }
    free(tile);
    free(found);
    return status;
}

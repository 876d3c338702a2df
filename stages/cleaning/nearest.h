/* The nearest of many directions, for many directions: exact, in tiles. */
#ifndef FSH_STAGES_CLEANING_NEAREST_H
#define FSH_STAGES_CLEANING_NEAREST_H

#include <stdint.h>

#include "base/status.h"
#include "base/listener.h"

#define FSH_NEAREST_NONE UINT32_MAX

/* Directions of length 1 that belong to groups. Borrowed. */
typedef struct fsh_directions {
    uint32_t n;
    const float *vectors;   /* n x dimension, row after row */
    const uint32_t *groups; /* of each */
} fsh_directions;

typedef struct fsh_nearest {
    uint32_t at; /* place among the candidates, or FSH_NEAREST_NONE */
    float similarity;
} fsh_nearest;

/* found[i] = the candidate of another group that has the greatest cosine to query i; of equal ones
 * the first. Sums are taken in one fixed order, whatever the number of threads. Uses all OpenMP
 * threads. One step (may be NULL): candidates that are compared. MEMORY. */
fsh_status fsh_nearest_find(const fsh_directions *queries, const fsh_directions *candidates,
                            uint32_t dimension, const fsh_listener *step, fsh_nearest *found);

/* Called for a pair, from one thread at a time, in an order that depends on nothing but the
 * numbers. */
typedef fsh_status fsh_near_pair(void *self, uint32_t query, uint32_t candidate, float distance);

/* Calls `each` for every pair of a query and a candidate that are at most `most` apart (Euclidean),
 * groups or not; where both are the same directions each pair comes once, the later as the query's
 * partner. Exact. Most pairs are far apart after a few dimensions and are left there. One step
 * (may be NULL): pairs that are compared. A status other than OK from `each` ends it; MEMORY. */
fsh_status fsh_nearest_pairs(const fsh_directions *queries, const fsh_directions *candidates,
                             uint32_t dimension, float most, const fsh_listener *step, fsh_near_pair *each,
                             void *self);

#endif

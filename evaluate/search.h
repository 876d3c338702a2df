/* Exact nearest neighbours: for each probe the k groups of a gallery that are nearest by Euclidean
 * distance. A group is one person's rows; the nearest of them counts.
 *
 *     fsh_search_new(&gallery, &search, &err);
 *     fsh_search_run(search, probes, n, 5, hits, NULL, &err);
 *     hits[i * 5].group, hits[i * 5].distance        // of probe i, the nearest
 *     fsh_search_free(search);
 *
 * Candidates are found by a blocked matrix product in float32, a few more than k; distances are
 * then computed again in double (evaluate/distance.h), and a bound on what float32 can have got
 * wrong says whether anything that was left out could have been among the k. If so, all distances
 * of that probe are computed in double. So the result is that of sorting all distances, whatever
 * the processor and the number of threads. The matrix of all distances is never held: memory is the
 * gallery, once more, and a block a thread. */
#ifndef FSH_EVALUATE_SEARCH_H
#define FSH_EVALUATE_SEARCH_H

#include <stdint.h>

#include "base/listener.h"
#include "base/status.h"

enum { FSH_SEARCH_NONE = UINT32_MAX, FSH_SEARCH_K_MAX = 256 };

typedef struct fsh_search_gallery {
    const float *vectors;   /* n x dimension, finite */
    const uint32_t *groups; /* of each row, below groups_n; NULL: each row is a group */
    uint32_t n, groups_n, dimension;
} fsh_search_gallery;

typedef struct fsh_search_hit {
    uint32_t group,
        row; /* the nearest group, and its nearest row; NONE where the gallery has fewer than k */
    double distance;
} fsh_search_hit;

typedef struct fsh_search fsh_search;

/* Borrows the arrays of the gallery until fsh_search_free. */
fsh_status fsh_search_new(const fsh_search_gallery *gallery, fsh_search **search, fsh_err *err);
void fsh_search_free(fsh_search *search);

/* Finds the k (1 to FSH_SEARCH_K_MAX) nearest groups of n probes; hits has room for n x k. They
 * stand in order of distance, equal ones in order of their rows in the gallery. All threads of
 * OpenMP take part; probes are told to steps, which may be NULL. */
fsh_status fsh_search_run(fsh_search *search, const float *probes, uint64_t n, uint32_t k,
                          fsh_search_hit *hits, const fsh_listener *steps, fsh_err *err);

/* How many probes of all runs so far needed all distances in double: for tests and the benchmark.
 */
uint64_t fsh_search_fallbacks(const fsh_search *search);

#endif

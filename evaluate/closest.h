/* The nearest row of a gallery to each of a few vectors, exactly and soon: for faces that come one
 * by one, where evaluate/search.h wants many.
 *
 *     fsh_closest_new(&gallery, &closest, &err);
 *     fsh_closest_find(closest, vectors, n, hits);
 *     fsh_closest_free(closest);
 *
 * Rows are kept once more in 8 bits a component, a quarter of the memory that would have to be read
 * otherwise, which is what such a search waits for; all vectors of a call share one reading. Their
 * products with the vector, in whole numbers, and a bound on what rounding can have done to them,
 * leave a few rows that may be the closest; their distances are then computed in double
 * (evaluate/distance.h). So the result is that of computing all of them. */
#ifndef FSH_EVALUATE_CLOSEST_H
#define FSH_EVALUATE_CLOSEST_H

#include <stdbool.h>

#include "evaluate/search.h"

typedef struct fsh_closest fsh_closest;

/* Borrows the arrays of the gallery until fsh_closest_free. Its vectors are finite. */
fsh_status fsh_closest_new(const fsh_search_gallery *gallery, fsh_closest **closest, fsh_err *err);
void fsh_closest_free(fsh_closest *closest); /* NULL is fine */

/* Fills hits[i] for vectors[i], of n. Of rows that are equally near the first one; group and row
 * are FSH_SEARCH_NONE where the gallery is empty. One thread at a time. */
void fsh_closest_find(fsh_closest *closest, const float *const *vectors, uint32_t n,
                      fsh_search_hit *hits);

/* How many distances in double all finds so far needed: for tests and the benchmark. */
uint64_t fsh_closest_distances(const fsh_closest *closest);

/* Takes the i-th way to score that this processor has, for tests; false: there are not so many. */
bool fsh_closest_score_by(fsh_closest *closest, uint32_t i);

#endif

/* Distances between many embeddings. */
#ifndef FSH_STAGES_DISTANCES_H
#define FSH_STAGES_DISTANCES_H

#include <stdint.h>

#include "base/status.h"

/* means[i] = mean Euclidean distance from vector i to the n - 1 others; n >= 2. Memory does not
 * grow with n. Sums are taken in one fixed order, so the result depends neither on the number of
 * threads nor on the width of the processor's registers. Uses all OpenMP threads for large n. Fails
 * with MEMORY. */
fsh_status fsh_distances_mean(const float *const *vectors, uint32_t n, uint32_t dimension,
                              float *means);

#endif

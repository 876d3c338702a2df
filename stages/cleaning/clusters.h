/* Pictures of one folder that agree with each other. The densest picture, with what is like it,
 * gives a direction; what is like that direction gives a better one, three times; what belongs to
 * it is a cluster, and the rest is looked at again (mean shift on the sphere: Fukunaga and
 * Hostetler 1975). No share of wrong pictures is presumed: a majority of wrong ones that do not
 * agree is no cluster. */
#ifndef FSH_STAGES_CLEANING_CLUSTERS_H
#define FSH_STAGES_CLEANING_CLUSTERS_H

#include <stdint.h>

#include "base/status.h"
#include "stages/cleaning/likeness.h"

/* clusters[i] = number of the cluster of picture i, from 0 in the order in which they are found,
 * the densest first; a picture that agrees with none is one by itself. vectors: n x dimension, each
 * of length 1. Returns in *clusters_n how many there are. The time for a folder is n times the
 * number of clusters, not n squared. MEMORY. One thread. */
fsh_status fsh_clusters_find(const fsh_likeness *like, const float *vectors, uint32_t n,
                             uint32_t dimension, uint32_t *clusters, uint32_t *clusters_n);

/* Sum of a times b, in order. */
double fsh_dot(const float *a, const float *b, uint32_t dimension);

/* Cosine of a picture to the direction of `sum`, from which it is taken out first where it is in
 * it; NaN where nothing is left. */
double fsh_likeness_to_sum(const float *vector, const float *sum, uint32_t dimension, int in_it);

#endif

/* y = factor * x + summand, a number each or one for every channel (dimension 1): what batch
 * normalisation is once a network is trained. It goes into the weights of the convolution or matrix
 * before it where there is one. */
#ifndef FSH_STAGES_INFERENCE_AFFINE_H
#define FSH_STAGES_INFERENCE_AFFINE_H

#include "stages/inference/graph.h"

/* Makes an Affine of a node that has read x, gain, shift, mean and variance as inputs, and an
 * epsilon: gain * (x - mean) / sqrt(variance + epsilon) + shift. MODEL where they are not constants
 * of one length. */
fsh_status fsh_affine_normalise(fsh_graph *graph, fsh_operation *node, fsh_err *err);

/* Products and sums with constants become Affine, and every Affine goes into the Conv, Gemm or
 * Affine that it follows alone. */
fsh_status fsh_affine_fold(fsh_graph *graph, fsh_err *err);

#endif

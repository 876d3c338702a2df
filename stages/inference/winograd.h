/* Convolutions of 3 x 3 and stride 1 by minimal filtering, F(4 x 4, 3 x 3) of Lavin and Gray, "Fast
 * algorithms for convolutional neural networks", CVPR 2016: a quarter of the multiplications.
 * oneDNN of version 2.6 has it for AVX-512 only. Numbers lie as oneDNN's nChw8c: groups of eight
 * channels, in each the pixels row by row, in each eight numbers. Rounding errors are about ten
 * times those of the sum as it stands: 1e-6 of the largest number.
 *
 *     fsh_winograd_new(&shape, weights, bias, &winograd, &err);
 *     fsh_winograd_run(winograd, from, to);      one thread at a time: scratch memory is in it
 *     free(winograd); */
#ifndef FSH_STAGES_INFERENCE_WINOGRAD_H
#define FSH_STAGES_INFERENCE_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

typedef struct fsh_winograd_shape {
    size_t pictures;
    size_t inputs, outputs; /* channels, multiples of eight */
    size_t height, width;   /* of the input, px */
    size_t pad; /* px of zeros around it: 0 or 1; what comes out is 2 - 2 * pad smaller */
    bool pool; /* the greatest of two by two px is what comes out, half as high and wide, rounded up
                */
    float least, most; /* what comes out is clamped between: 0 and INFINITY make a ReLU */
} fsh_winograd_shape;

typedef struct fsh_winograd fsh_winograd;

/* weights: outputs x inputs x 3 x 3; bias: outputs, or NULL for zeros. Both are copied. Fails with
 * MEMORY. */
fsh_status fsh_winograd_new(const fsh_winograd_shape *shape, const float *weights,
                            const float *bias, fsh_winograd **winograd, fsh_err *err);

/* from: pictures x inputs/8 x height x width x 8, aligned to 32 bytes as is to. */
void fsh_winograd_run(const void *winograd, const float *from, float *to);

#endif

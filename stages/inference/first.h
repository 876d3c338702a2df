/* The first convolution of a network, 3 x 3 over the three planes of a picture: what comes out is
 * many times what goes in, so the largest of two by two is taken before anything is written, where
 * a network takes it. Numbers come in as planes (NCHW) and go out as oneDNN's nChw8c.
 *
 *     fsh_first_new(&shape, weights, bias, &first, &err);
 *     fsh_first_run(first, from, to);      one thread at a time: scratch memory is in it
 *     free(first); */
#ifndef FSH_STAGES_INFERENCE_FIRST_H
#define FSH_STAGES_INFERENCE_FIRST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

enum { FSH_FIRST_PLANES = 3 };

typedef struct fsh_first_shape {
    size_t pictures;
    size_t outputs;       /* channels, a multiple of eight */
    size_t height, width; /* of the input, px */
    size_t stride;        /* 1 or 2 */
    size_t pad;           /* px of zeros around it: 0 or 1 */
    bool pool; /* the greatest of two by two px is what comes out, half as high and wide, rounded up
                */
    float least, most; /* what comes out is clamped between */
} fsh_first_shape;

typedef struct fsh_first fsh_first;

/* weights: outputs x 3 x 3 x 3; bias: outputs, or NULL for zeros. Both are copied. Fails with
 * MEMORY. */
fsh_status fsh_first_new(const fsh_first_shape *shape, const float *weights, const float *bias,
                         fsh_first **first, fsh_err *err);

/* to: pictures x outputs/8 x height x width x 8, aligned to 32 bytes. */
void fsh_first_run(const void *first, const float *from, float *to);

#endif

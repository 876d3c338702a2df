/* Convolutions that we do ourselves. Numbers lie in groups of as many channels as the kernel has
 * lanes (oneDNN's nChw8c and nChw16c), or channels last (nhwc); those of a picture as planes
 * (nchw).
 *
 *     fsh_winograd_new_8(&convolution, &kernel, &err);
 *     fsh_winograd_run_8(kernel, from, to);      one thread at a time: scratch memory is in it
 *     free(kernel); */
#ifndef FSH_STAGES_INFERENCE_KERNELS_H
#define FSH_STAGES_INFERENCE_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

enum { FSH_PICTURE_PLANES = 3 };

typedef struct fsh_convolution {
    size_t pictures;
    size_t inputs, outputs; /* channels, multiples of the lanes */
    size_t height, width;   /* of the input, px */
    size_t kernel_height, kernel_width;
    size_t stride;
    size_t pad, pad_left;         /* px of zeros above and below, and left and right */
    size_t out_height, out_width; /* before pooling */
    bool pool;            /* the greatest of two by two px is what comes out, half as high and wide,
                             rounded up */
    bool adds;            /* to what lies there; before it is clamped */
    bool channels_last;   /* what comes out, and what goes in but for a picture */
    float least, most;    /* what comes out is clamped between: 0 and INFINITY make a ReLU */
    const float *slopes;  /* PReLU instead of that: outputs numbers; or NULL */
    const float *weights; /* outputs x inputs x kernel x kernel; all three are copied */
    const float *bias;    /* outputs, or NULL for zeros */
} fsh_convolution;

/* Gives a kernel, to be freed. Fails with MEMORY. */
typedef fsh_status fsh_kernel_new(const fsh_convolution *c, void **kernel, fsh_err *err);

/* from and to are aligned to 64 bytes. */
typedef void fsh_kernel_run(const void *kernel, const float *from, float *to);

/* 3 x 3 with stride 1 by minimal filtering, F(4 x 4, 3 x 3) of Lavin and Gray, "Fast algorithms for
 * convolutional neural networks", CVPR 2016: a quarter of the multiplications. Rounding errors are
 * about ten times those of the sum as it stands: 1e-6 of the largest number. */
fsh_kernel_new fsh_winograd_new_8, fsh_winograd_new_16;
fsh_kernel_run fsh_winograd_run_8, fsh_winograd_run_16;

/* The first one of a network, 3 x 3 with stride 1 or 2 over the three planes of a picture: what
 * comes out is many times what goes in, so it is pooled before anything is written. */
fsh_kernel_new fsh_first_new_8, fsh_first_new_16;
fsh_kernel_run fsh_first_run_8, fsh_first_run_16;

/* Any kernel, stride and padding, as a product of matrices; the only one that adds, and takes any
 * number of inputs. Channels last, no pooling. */
fsh_kernel_new fsh_product_new_16;
fsh_kernel_run fsh_product_run_16;

/* 3 x 3 with stride 1 or 2, each channel for itself: inputs is 1. Channels last, no pooling. */
fsh_kernel_new fsh_depthwise_new_16;
fsh_kernel_run fsh_depthwise_run_16;

#endif

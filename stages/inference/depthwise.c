/* Convolutions of 3 x 3 in which each channel is for itself. Compiled with -ffp-contract=fast, like
 * winograd.c. */
#define FSH_LANES 16
#include "stages/inference/kernels.h"

#include <stdlib.h>
#include <string.h>

#include "stages/inference/lanes.h"

enum { TAPS = 9 };

typedef struct depthwise {
    size_t pictures, height, width, stride, pad;
    size_t out_height, out_width;
    size_t groups; /* of channels */
    fsh_finish finish;
    float *weights; /* TAPS x channels */
    float *bias, *slopes;
} depthwise;

fsh_status
fsh_depthwise_new_16(const fsh_convolution *c, void **kernel, fsh_err *err)
{
    size_t head = (sizeof(depthwise) + 63) / 64 * 64, i;
    depthwise *d = aligned_alloc(64, head + (TAPS + 2) * c->outputs * sizeof(float));

    if (!d)
        return fsh_fail(err, FSH_MEMORY, "no memory for the weights of a convolution");
    *d = (depthwise){.pictures = c->pictures,
                     .height = c->height,
                     .width = c->width,
                     .stride = c->stride,
                     .pad = c->pad,
                     .out_height = c->out_height,
                     .out_width = c->out_width,
                     .groups = c->outputs / FSH_LANES,
                     .bias = (float *)((char *)d + head)};
    d->slopes = d->bias + c->outputs;
    d->weights = d->slopes + c->outputs;
    for (i = 0; i < TAPS * c->outputs; i++)
        d->weights[i % TAPS * c->outputs + i / TAPS] = c->weights[i];
    fsh_finish_set(&d->finish, c, d->bias, d->slopes);
    *kernel = d;
    return FSH_OK;
}

/* A pixel at the edge: what is beyond counts nothing. from is of the group. */
FSH_INLINE void
run_edge(const depthwise *d, const fsh_lanes *from, const fsh_lanes w[TAPS], size_t y, size_t x,
         size_t group, fsh_lanes *to)
{
    fsh_lanes sum = {0};
    size_t t;

    for (t = 0; t < TAPS; t++) {
        size_t row = y * d->stride + t / 3 - d->pad, column = x * d->stride + t % 3 - d->pad;

        if (row < d->height && column < d->width)
            sum += from[(row * d->width + column) * d->groups] * w[t];
    }
    fsh_finish_store(&d->finish, &sum, group, to);
}

/* One that sees nothing but the picture; at: the upper left of that. */
FSH_INLINE void
run_inner(const depthwise *d, const fsh_lanes *at, const fsh_lanes w[TAPS], size_t group,
          fsh_lanes *to)
{
    fsh_lanes sum = {0};
    size_t t;

#pragma GCC unroll 9
    for (t = 0; t < TAPS; t++)
        sum += at[(t / 3 * d->width + t % 3) * d->groups] * w[t];
    fsh_finish_store(&d->finish, &sum, group, to);
}

/* Whether the three px from there on are in a picture of that size. */
FSH_INLINE bool
is_inside(const depthwise *d, size_t i, size_t size)
{
    return i * d->stride >= d->pad && i * d->stride - d->pad + 3 <= size;
}

FSH_INLINE void
run_row(const depthwise *d, const fsh_lanes *from, size_t y, size_t group, fsh_lanes *to)
{
    bool inside = is_inside(d, y, d->height);
    fsh_lanes w[TAPS];
    size_t x, t;

    for (t = 0; t < TAPS; t++)
        w[t] = ((const fsh_lanes *)d->weights)[t * d->groups + group];
    for (x = 0; x < d->out_width; x++)
        if (inside && is_inside(d, x, d->width))
            run_inner(d,
                      from + ((y * d->stride - d->pad) * d->width + x * d->stride - d->pad) *
                                 d->groups,
                      w, group, to + x * d->groups);
        else
            run_edge(d, from, w, y, x, group, to + x * d->groups);
}

FSH_WIDE static void
run_picture(const depthwise *d, const fsh_lanes *from, fsh_lanes *to)
{
    size_t y, group;

    for (y = 0; y < d->out_height; y++)
        for (group = 0; group < d->groups; group++)
            run_row(d, from + group, y, group, to + y * d->out_width * d->groups + group);
}

void
fsh_depthwise_run_16(const void *kernel, const float *from, float *to)
{
    const depthwise *d = kernel;
    size_t i;

    for (i = 0; i < d->pictures; i++)
        run_picture(d, (const fsh_lanes *)from + i * d->height * d->width * d->groups,
                    (fsh_lanes *)to + i * d->out_height * d->out_width * d->groups);
}

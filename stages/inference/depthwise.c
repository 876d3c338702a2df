/* Convolutions of 3 x 3 in which each channel is for itself. Compiled with -ffp-contract=fast, like
 * winograd.c. */
#define FSH_LANES 16
#include "stages/inference/kernels.h"

#include <stdlib.h>
#include <string.h>

#include "stages/inference/lanes.h"

enum {
    TAPS = 9,
    COLUMNS = 8 /* px of a row that are made for one group after the other: what they see with all
                   their channels stays in the first cache */
};

typedef struct depthwise {
    size_t pictures, height, width, stride, pad;
    size_t out_height, out_width;
    size_t groups; /* of channels */
    fsh_finish finish;
    float *weights; /* TAPS x channels */
    float *bias, *slopes;
    float *zeros; /* a row */
} depthwise;

fsh_status
fsh_depthwise_new_16(const fsh_convolution *c, void **kernel, fsh_err *err)
{
    size_t head = (sizeof(depthwise) + 63) / 64 * 64, i;
    size_t bytes = head + (TAPS + 2 + c->width) * c->outputs * sizeof(float);
    depthwise *d = aligned_alloc(64, bytes);

    if (!d)
        return fsh_fail(err, FSH_MEMORY, "no memory for the weights of a convolution");
    memset(d, 0, bytes);
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
    d->zeros = d->weights + TAPS * c->outputs;
    for (i = 0; i < TAPS * c->outputs; i++)
        d->weights[i % TAPS * c->outputs + i / TAPS] = c->weights[i];
    fsh_finish_set(&d->finish, c, d->bias, d->slopes);
    *kernel = d;
    return FSH_OK;
}

/* The px of a column in the three rows; zeros beyond the edge, also where the number is a negative
 * that wraps. */
FSH_INLINE void
see_column(const depthwise *d, const fsh_lanes *const row[3], size_t column, fsh_lanes seen[3])
{
    size_t i;

#pragma GCC unroll 3
    for (i = 0; i < 3; i++)
        seen[i] = column < d->width ? row[i][column * d->groups] : (fsh_lanes){0};
}

/* Columns that the next px sees as well are kept. The stride is a constant where this is called. */
FSH_INLINE void
see_next(const depthwise *d, const fsh_lanes *const row[3], size_t first, fsh_lanes seen[3][3],
         const size_t stride)
{
    size_t i, k;

#pragma GCC unroll 3
    for (k = stride; k < 3; k++)
#pragma GCC unroll 3
        for (i = 0; i < 3; i++)
            seen[k - stride][i] = seen[k][i];
#pragma GCC unroll 3
    for (k = 3 - stride; k < 3; k++)
        see_column(d, row, first + k, seen[k]);
}

/* One group of channels of COLUMNS px of a row, or those that are left. */
FSH_INLINE void
run_group(const depthwise *d, const fsh_lanes *const row[3], size_t first, size_t group,
          fsh_lanes *to, const size_t stride)
{
    size_t end = d->out_width - first < COLUMNS ? d->out_width : first + COLUMNS;
    fsh_lanes w[TAPS], seen[3][3];
    size_t x, t;

#pragma GCC unroll 9
    for (t = 0; t < TAPS; t++)
        w[t] = ((const fsh_lanes *)d->weights)[t * d->groups + group];
    for (t = 0; t < 3; t++)
        see_column(d, row, (first - 1) * stride + t - d->pad, seen[t]);
    for (x = first; x < end; x++) {
        fsh_lanes sum = {0};

        see_next(d, row, x * stride - d->pad, seen, stride);
#pragma GCC unroll 9
        for (t = 0; t < TAPS; t++)
            sum += seen[t % 3][t / 3] * w[t];
        fsh_finish_store(&d->finish, &sum, group, to + x * d->groups);
    }
}

FSH_INLINE void
run_columns(const depthwise *d, const fsh_lanes *const row[3], size_t first, fsh_lanes *to,
            const size_t stride)
{
    size_t group;

    for (group = 0; group < d->groups; group++) {
        const fsh_lanes *at[3] = {row[0] + group, row[1] + group, row[2] + group};

        run_group(d, at, first, group, to + group, stride);
    }
}

FSH_INLINE void
run_row(const depthwise *d, const fsh_lanes *from, size_t y, fsh_lanes *to)
{
    const fsh_lanes *row[3];
    size_t first, i;

    for (i = 0; i < 3; i++) {
        size_t seen = y * d->stride + i - d->pad;

        row[i] =
            seen < d->height ? from + seen * d->width * d->groups : (const fsh_lanes *)d->zeros;
    }
    for (first = 0; first < d->out_width; first += COLUMNS)
        if (d->stride == 1)
            run_columns(d, row, first, to, 1);
        else
            run_columns(d, row, first, to, 2);
}

FSH_WIDE static void
run_picture(const depthwise *d, const fsh_lanes *from, fsh_lanes *to)
{
    size_t y;

    for (y = 0; y < d->out_height; y++)
        run_row(d, from, y, to + y * d->out_width * d->groups);
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

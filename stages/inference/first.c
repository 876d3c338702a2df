#include "stages/inference/first.h"

#include <stdlib.h>
#include <string.h>

#include "stages/inference/eight.h"
#include "stages/wide.h"

/* Compiled with -ffp-contract=fast, like winograd.c. */

enum {
    TAPS = 3 * 3 * FSH_FIRST_PLANES,
    COLUMNS = 6, /* px in a row that are made at once, of two groups of outputs: 12 sums fill the
                    registers */
    PANEL =
        2 * FSH_LANES /* outputs that are made at once; those of a last half panel are made twice */
};

struct fsh_first {
    fsh_first_shape shape;
    size_t full_height, full_width; /* before pooling */
    size_t out_height, out_width;
    size_t row, plane; /* floats of the padded picture; its rows go on behind the edge, for a whole
                          block of columns */
    float *weights;    /* panels x TAPS x PANEL */
    float *bias;       /* panels x PANEL */
    float *padded;
};

/* ---- what is prepared ---- */

static size_t
panels(const fsh_first_shape *shape)
{
    return (shape->outputs + PANEL - 1) / PANEL;
}

static void
set_weights(fsh_first *f, const float *weights, const float *bias)
{
    size_t output, tap;

    for (output = 0; output < f->shape.outputs; output++) {
        float *panel = f->weights + output / PANEL * TAPS * PANEL;

        for (tap = 0; tap < TAPS; tap++)
            panel[tap * PANEL + output % PANEL] = weights[output * TAPS + tap];
        if (bias)
            f->bias[output] = bias[output];
    }
}

static void
set_sizes(fsh_first *f, const fsh_first_shape *shape)
{
    f->shape = *shape;
    f->full_height = (shape->height + 2 * shape->pad - 3) / shape->stride + 1;
    f->full_width = (shape->width + 2 * shape->pad - 3) / shape->stride + 1;
    f->out_height = shape->pool ? (f->full_height + 1) / 2 : f->full_height;
    f->out_width = shape->pool ? (f->full_width + 1) / 2 : f->full_width;
    f->row = shape->width + 2 * shape->pad + COLUMNS * shape->stride;
    f->plane = f->row * (shape->height + 2 * shape->pad);
}

fsh_status
fsh_first_new(const fsh_first_shape *shape, const float *weights, const float *bias,
              fsh_first **first, fsh_err *err)
{
    size_t head = (sizeof(fsh_first) + 63) / 64 * 64, wide = panels(shape) * PANEL, bytes;
    fsh_first sizes = {0}, *f;

    set_sizes(&sizes, shape);
    bytes = head + ((TAPS + 1) * wide + FSH_FIRST_PLANES * sizes.plane) * sizeof(float);
    f = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!f)
        return fsh_fail(err, FSH_MEMORY, "no memory for the first convolution");
    memset(f, 0, bytes);
    *f = sizes;
    f->weights = (float *)((char *)f + head);
    f->bias = f->weights + TAPS * wide;
    f->padded = f->bias + wide;
    set_weights(f, weights, bias);
    *first = f;
    return FSH_OK;
}

/* The zeros around the picture are there from the beginning. */
static void
pad(const fsh_first *f, const float *from)
{
    const fsh_first_shape *shape = &f->shape;
    size_t plane, y;

    for (plane = 0; plane < FSH_FIRST_PLANES; plane++)
        for (y = 0; y < shape->height; y++)
            memcpy(f->padded + plane * f->plane + (y + shape->pad) * f->row + shape->pad,
                   from + (plane * shape->height + y) * shape->width, shape->width * sizeof *from);
}

/* ---- what is run ---- */

/* Sums of COLUMNS px of one panel; at: the upper left of what the first of them sees. */
FSH_INLINE void
sum_block(const fsh_first *f, const float *at, size_t stride, const fsh_eight *weights,
          fsh_eight out[COLUMNS][2])
{
    fsh_eight sum[COLUMNS][2] = {{{0}}};
    size_t plane, y, x, c;

    for (plane = 0; plane < FSH_FIRST_PLANES; plane++)
        for (y = 0; y < 3; y++)
        /* Taken together, the taps of a row would share what they see and spill the sums. */
#pragma GCC unroll 1
            for (x = 0; x < 3; x++, weights += 2) {
                const float *seen = at + plane * f->plane + y * f->row + x;

#pragma GCC unroll 6
                for (c = 0; c < COLUMNS; c++) {
                    sum[c][0] += seen[c * stride] * weights[0];
                    sum[c][1] += seen[c * stride] * weights[1];
                }
            }
#pragma GCC unroll 6
    for (c = 0; c < COLUMNS; c++) {
        out[c][0] = sum[c][0];
        out[c][1] = sum[c][1];
    }
}

FSH_INLINE void
sum_row(const fsh_first *f, size_t y, size_t x, const fsh_eight *weights, fsh_eight out[COLUMNS][2])
{
    size_t stride = f->shape.stride;
    const float *at = f->padded + y * stride * f->row + x * stride;

    if (stride == 1)
        sum_block(f, at, 1, weights, out);
    else
        sum_block(f, at, 2, weights, out);
}

/* Writes px x of row y of both groups of a panel. */
FSH_INLINE void
store(const fsh_first *f, size_t panel, const fsh_eight sums[2], size_t y, size_t x, fsh_eight *to)
{
    size_t group;

    for (group = 0; group < 2 && panel * PANEL + group * FSH_LANES < f->shape.outputs; group++)
        fsh_eight_finish(&sums[group], (const fsh_eight *)f->bias + 2 * panel + group,
                         f->shape.least, f->shape.most,
                         to + ((2 * panel + group) * f->out_height + y) * f->out_width + x);
}

FSH_INLINE void
run_row(const fsh_first *f, size_t panel, size_t y, fsh_eight *to)
{
    const fsh_eight *weights = (const fsh_eight *)f->weights + panel * TAPS * 2;
    fsh_eight sums[COLUMNS][2];
    size_t x, c;

    for (x = 0; x < f->full_width; x += COLUMNS) {
        sum_row(f, y, x, weights, sums);
        for (c = 0; c < COLUMNS && x + c < f->full_width; c++)
            store(f, panel, sums[c], y, x + c, to);
    }
}

/* Each of a: the greater of it and b. */
FSH_INLINE void
take_greater(fsh_eight a[2], const fsh_eight b[2])
{
    fsh_eight_greater(&a[0], &b[0]);
    fsh_eight_greater(&a[1], &b[1]);
}

/* Two rows to one. */
FSH_INLINE void
run_pooled_row(const fsh_first *f, size_t panel, size_t y, fsh_eight *to)
{
    const fsh_eight *weights = (const fsh_eight *)f->weights + panel * TAPS * 2;
    fsh_eight upper[COLUMNS][2], lower[COLUMNS][2];
    size_t x, c;

    for (x = 0; x < f->full_width; x += COLUMNS) {
        sum_row(f, y, x, weights, upper);
        if (y + 1 < f->full_height)
            sum_row(f, y + 1, x, weights, lower);
        for (c = 0; c < COLUMNS && x + c < f->full_width; c++)
            if (y + 1 < f->full_height)
                take_greater(upper[c], lower[c]);
        for (c = 0; c < COLUMNS && x + c < f->full_width; c += 2) {
            if (x + c + 1 < f->full_width)
                take_greater(upper[c], upper[c + 1]);
            store(f, panel, upper[c], y / 2, (x + c) / 2, to);
        }
    }
}

WIDE static void
run_picture(const fsh_first *f, fsh_eight *to)
{
    size_t panel, y;

    for (panel = 0; panel < panels(&f->shape); panel++)
        for (y = 0; y < f->full_height; y += f->shape.pool ? 2 : 1)
            if (f->shape.pool)
                run_pooled_row(f, panel, y, to);
            else
                run_row(f, panel, y, to);
}

void
fsh_first_run(const void *first, const float *from, float *to)
{
    const fsh_first *f = first;
    size_t i;

    for (i = 0; i < f->shape.pictures; i++) {
        pad(f, from + i * FSH_FIRST_PLANES * f->shape.height * f->shape.width);
        run_picture(f, (fsh_eight *)(to + i * f->shape.outputs * f->out_height * f->out_width));
    }
}

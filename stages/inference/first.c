#include "stages/inference/kernels.h"

#include <stdlib.h>
#include <string.h>

#include "stages/inference/lanes.h"

/* Compiled with -ffp-contract=fast, like winograd.c; first16.c compiles it once more. */

enum {
    TAPS = 3 * 3 * FSH_PICTURE_PLANES,
    COLUMNS = 6 * FSH_LANES / 8, /* px in a row that are made at once, of two groups of outputs: 12
                                    or 24 sums fill the registers */
    PANEL = 2 * FSH_LANES        /* outputs that are made at once; a last panel may be a half */
};

typedef struct first {
    size_t pictures, outputs, height, width, stride, pad;
    bool pool;
    size_t full_height, full_width; /* before pooling */
    size_t out_width;
    size_t row, plane; /* floats of the padded picture; its rows go on behind the edge, for a whole
                          block of columns */
    fsh_places out;
    fsh_finish finish;
    float *weights; /* panels x TAPS x PANEL */
    float *bias, *slopes;
    float *padded;
} first;

/* ---- what is prepared ---- */

static size_t
panels(const first *f)
{
    return (f->outputs + PANEL - 1) / PANEL;
}

static void
set_weights(first *f, const float *weights)
{
    size_t output, tap;

    for (output = 0; output < f->outputs; output++) {
        float *panel = f->weights + output / PANEL * TAPS * PANEL;

        for (tap = 0; tap < TAPS; tap++)
            panel[tap * PANEL + output % PANEL] = weights[output * TAPS + tap];
    }
}

static first
make_sizes(const fsh_convolution *c)
{
    size_t out_height = c->pool ? (c->out_height + 1) / 2 : c->out_height;
    size_t out_width = c->pool ? (c->out_width + 1) / 2 : c->out_width;
    size_t row = c->width + 2 * c->pad + COLUMNS * c->stride;

    return (first){
        .pictures = c->pictures,
        .outputs = c->outputs,
        .height = c->height,
        .width = c->width,
        .stride = c->stride,
        .pad = c->pad,
        .pool = c->pool,
        .full_height = c->out_height,
        .full_width = c->out_width,
        .out_width = out_width,
        .row = row,
        .plane = row * (c->height + 2 * c->pad),
        .out = fsh_places_of(c->channels_last, c->outputs, out_height * out_width),
    };
}

fsh_status
FSH_LANES_NAME(fsh_first_new)(const fsh_convolution *c, void **kernel, fsh_err *err)
{
    first sizes = make_sizes(c), *f;
    size_t head = (sizeof(first) + 63) / 64 * 64, wide = panels(&sizes) * PANEL;
    size_t bytes = head + ((TAPS + 2) * wide + FSH_PICTURE_PLANES * sizes.plane) * sizeof(float);

    f = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!f)
        return fsh_fail(err, FSH_MEMORY, "no memory for the first convolution");
    memset(f, 0, bytes);
    *f = sizes;
    f->weights = (float *)((char *)f + head);
    f->bias = f->weights + TAPS * wide;
    f->slopes = f->bias + wide;
    f->padded = f->slopes + wide;
    set_weights(f, c->weights);
    fsh_finish_set(&f->finish, c, f->bias, f->slopes);
    *kernel = f;
    return FSH_OK;
}

/* The zeros around the picture are there from the beginning. */
static void
pad(const first *f, const float *from)
{
    size_t plane, y;

    for (plane = 0; plane < FSH_PICTURE_PLANES; plane++)
        for (y = 0; y < f->height; y++)
            memcpy(f->padded + plane * f->plane + (y + f->pad) * f->row + f->pad,
                   from + (plane * f->height + y) * f->width, f->width * sizeof *from);
}

/* ---- what is run ---- */

/* Sums of COLUMNS px of one panel; at: the upper left of what the first of them sees. Stride and
 * groups, 1 or 2, are constants where this is called. */
FSH_INLINE void
sum_block(const first *f, const float *at, const fsh_lanes *weights, fsh_lanes out[COLUMNS][2],
          const size_t stride, const size_t groups)
{
    fsh_lanes sum[COLUMNS][2] = {{{0}}};
    size_t plane, y, x, c, g;

    for (plane = 0; plane < FSH_PICTURE_PLANES; plane++)
        for (y = 0; y < 3; y++)
#pragma GCC unroll 1
            for (x = 0; x < 3; x++, weights += 2) {
                const float *seen = at + plane * f->plane + y * f->row + x;

#pragma GCC unroll 12
                for (c = 0; c < COLUMNS; c++)
#pragma GCC unroll 2
                    for (g = 0; g < groups; g++)
                        sum[c][g] += seen[c * stride] * weights[g];
            }
#pragma GCC unroll 12
    for (c = 0; c < COLUMNS; c++)
#pragma GCC unroll 2
        for (g = 0; g < groups; g++)
            out[c][g] = sum[c][g];
}

FSH_INLINE void
sum_row(const first *f, size_t y, size_t x, const fsh_lanes *weights, fsh_lanes out[COLUMNS][2],
        const size_t groups)
{
    const float *at = f->padded + y * f->stride * f->row + x * f->stride;

    if (f->stride == 1)
        sum_block(f, at, weights, out, 1, groups);
    else
        sum_block(f, at, weights, out, 2, groups);
}

/* Writes px x of row y of the groups of a panel. */
FSH_INLINE void
store(const first *f, size_t panel, const fsh_lanes sums[2], size_t y, size_t x, fsh_lanes *to,
      const size_t groups)
{
    size_t i;

    for (i = 0; i < groups; i++) {
        size_t group = 2 * panel + i;

        fsh_finish_store(&f->finish, &sums[i], group,
                         to + group * f->out.group + (y * f->out_width + x) * f->out.pixel);
    }
}

FSH_INLINE void
run_row(const first *f, size_t panel, size_t y, fsh_lanes *to, const size_t groups)
{
    const fsh_lanes *weights = (const fsh_lanes *)f->weights + panel * TAPS * 2;
    fsh_lanes sums[COLUMNS][2];
    size_t x, c;

    for (x = 0; x < f->full_width; x += COLUMNS) {
        sum_row(f, y, x, weights, sums, groups);
        for (c = 0; c < COLUMNS && x + c < f->full_width; c++)
            store(f, panel, sums[c], y, x + c, to, groups);
    }
}

/* Each of a: the greater of it and b. */
FSH_INLINE void
take_greater(fsh_lanes a[2], const fsh_lanes b[2], const size_t groups)
{
    size_t g;

    for (g = 0; g < groups; g++)
        fsh_lanes_greater(&a[g], &b[g]);
}

/* Two rows to one. */
FSH_INLINE void
run_pooled_row(const first *f, size_t panel, size_t y, fsh_lanes *to, const size_t groups)
{
    const fsh_lanes *weights = (const fsh_lanes *)f->weights + panel * TAPS * 2;
    fsh_lanes upper[COLUMNS][2], lower[COLUMNS][2];
    size_t x, c;

    for (x = 0; x < f->full_width; x += COLUMNS) {
        sum_row(f, y, x, weights, upper, groups);
        if (y + 1 < f->full_height)
            sum_row(f, y + 1, x, weights, lower, groups);
        for (c = 0; c < COLUMNS && x + c < f->full_width; c++)
            if (y + 1 < f->full_height)
                take_greater(upper[c], lower[c], groups);
        for (c = 0; c < COLUMNS && x + c < f->full_width; c += 2) {
            if (x + c + 1 < f->full_width)
                take_greater(upper[c], upper[c + 1], groups);
            store(f, panel, upper[c], y / 2, (x + c) / 2, to, groups);
        }
    }
}

FSH_INLINE void
run_panel(const first *f, size_t panel, fsh_lanes *to, const size_t groups)
{
    size_t y;

    for (y = 0; y < f->full_height; y += f->pool ? 2 : 1)
        if (f->pool)
            run_pooled_row(f, panel, y, to, groups);
        else
            run_row(f, panel, y, to, groups);
}

FSH_WIDE static void
run_picture(const first *f, fsh_lanes *to)
{
    size_t panel;

    for (panel = 0; panel < panels(f); panel++)
        if (f->outputs - panel * PANEL < PANEL)
            run_panel(f, panel, to, 1);
        else
            run_panel(f, panel, to, 2);
}

void
FSH_LANES_NAME(fsh_first_run)(const void *kernel, const float *from, float *to)
{
    const first *f = kernel;
    size_t i;

    for (i = 0; i < f->pictures; i++) {
        pad(f, from + i * FSH_PICTURE_PLANES * f->height * f->width);
        run_picture(f, (fsh_lanes *)to + i * f->out.picture);
    }
}

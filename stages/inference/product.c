/* Convolutions as a product of matrices whose rows are where the px lie already: a row for each px
 * that comes out, in it the px that it sees, each with all its channels; zeros where it looks
 * beyond the edge. Compiled with -ffp-contract=fast, like winograd.c. */
#define FSH_LANES 16
#include "stages/inference/kernels.h"

#include <stdlib.h>
#include <string.h>

#include "stages/inference/multiply.h"

typedef struct product {
    size_t rows, taps, inputs, outputs;
    bool adds;
    fsh_finish finish;
    float *weights; /* panels of (taps x inputs) x outputs */
    float *bias, *slopes;
    float *zeros;  /* inputs */
    int32_t *seen; /* rows x taps: floats from the beginning, or -1 for zeros */
} product;

/* ---- what is prepared ---- */

static void
set_weights(product *p, const float *weights)
{
    size_t output, input, tap;

    for (output = 0; output < p->outputs; output++)
        for (input = 0; input < p->inputs; input++)
            for (tap = 0; tap < p->taps; tap++)
                p->weights[fsh_panel_at(p->taps * p->inputs, p->outputs, tap * p->inputs + input,
                                        output)] =
                    weights[(output * p->inputs + input) * p->taps + tap];
}

/* What the px at y, x of a picture sees first. */
static void
set_row(const fsh_convolution *c, size_t picture, size_t y, size_t x, int32_t *seen)
{
    size_t i, k;

    for (i = 0; i < c->kernel_height; i++)
        for (k = 0; k < c->kernel_width; k++) {
            size_t row = y * c->stride + i - c->pad, column = x * c->stride + k - c->pad_left;
            size_t at = (picture * c->height + row) * c->width + column;

            *seen++ = row < c->height && column < c->width ? (int32_t)(at * c->inputs) : -1;
        }
}

static void
set_seen(product *p, const fsh_convolution *c)
{
    size_t row;

    for (row = 0; row < p->rows; row++)
        set_row(c, row / (c->out_height * c->out_width), row / c->out_width % c->out_height,
                row % c->out_width, p->seen + row * p->taps);
}

/* Weights, bias, slopes, zeros and the table behind it. */
static product *
allocate(const product *sizes)
{
    size_t head = (sizeof *sizes + 63) / 64 * 64, table = sizes->rows * sizes->taps;
    size_t floats = (sizes->taps * sizes->inputs + 2) * sizes->outputs + sizes->inputs + table;
    size_t bytes = head + (floats * sizeof(float) + 63) / 64 * 64;
    product *p = aligned_alloc(64, bytes);

    if (!p)
        return NULL;
    memset(p, 0, bytes);
    *p = *sizes;
    p->bias = (float *)((char *)p + head);
    p->slopes = p->bias + p->outputs;
    p->weights = p->slopes + p->outputs;
    p->zeros = p->weights + p->taps * p->inputs * p->outputs;
    p->seen = (int32_t *)(p->zeros + p->inputs);
    return p;
}

fsh_status
fsh_product_new_16(const fsh_convolution *c, void **kernel, fsh_err *err)
{
    product sizes = {.rows = c->pictures * c->out_height * c->out_width,
                     .taps = c->kernel_height * c->kernel_width,
                     .inputs = c->inputs,
                     .outputs = c->outputs,
                     .adds = c->adds};
    product *p = allocate(&sizes);

    if (!p)
        return fsh_fail(err, FSH_MEMORY, "no memory for the weights of a convolution");
    set_weights(p, c->weights);
    set_seen(p, c);
    fsh_finish_set(&p->finish, c, p->bias, p->slopes);
    *kernel = p;
    return FSH_OK;
}

/* ---- what is run ---- */

/* What the px of a tap are in each of the rows; zeros in those that there are not. */
FSH_INLINE void
find_rows(const product *p, const float *from, size_t row, size_t tap, const float *at[FSH_ROWS])
{
    size_t r;

    for (r = 0; r < FSH_ROWS; r++) {
        int32_t seen = row + r < p->rows ? p->seen[(row + r) * p->taps + tap] : -1;

        at[r] = seen < 0 ? p->zeros : from + seen;
    }
}

/* Not unrolled: the sums, which must be, are copied. */
FSH_INLINE void
store_block(const product *p, fsh_lanes done[FSH_ROWS][FSH_VECTORS], size_t row, size_t first,
            float *to, size_t vectors)
{
    size_t rows = p->rows - row < FSH_ROWS ? p->rows - row : FSH_ROWS, r, v;

#pragma GCC unroll 1
    for (r = 0; r < rows; r++)
#pragma GCC unroll 1
        for (v = 0; v < vectors; v++) {
            fsh_lanes *out = (fsh_lanes *)(to + (row + r) * p->outputs + first) + v;

            if (p->adds)
                done[r][v] += *out;
            fsh_finish_store(&p->finish, &done[r][v], first / FSH_LANES + v, out);
        }
}

/* How many vectors is a constant where this is called. */
FSH_INLINE void
run_block(const product *p, const float *from, size_t row, size_t first, float *to,
          const size_t vectors)
{
    const fsh_lanes *weights = (const fsh_lanes *)(p->weights + first * p->taps * p->inputs);
    fsh_lanes sum[FSH_ROWS][FSH_VECTORS] = {{{0}}}, done[FSH_ROWS][FSH_VECTORS];
    const float *at[FSH_ROWS];
    size_t tap, r, v;

    for (tap = 0; tap < p->taps; tap++, weights += p->inputs * vectors) {
        find_rows(p, from, row, tap, at);
        fsh_multiply(at, weights, p->inputs, sum, FSH_ROWS, vectors);
    }
#pragma GCC unroll 6
    for (r = 0; r < FSH_ROWS; r++)
#pragma GCC unroll 4
        for (v = 0; v < vectors; v++)
            done[r][v] = sum[r][v];
    store_block(p, done, row, first, to, vectors);
}

FSH_INLINE void
run_panel(const product *p, const float *from, size_t first, float *to, const size_t vectors)
{
    size_t row;

    for (row = 0; row < p->rows; row += FSH_ROWS)
        run_block(p, from, row, first, to, vectors);
}

FSH_WIDE static void
run(const product *p, const float *from, float *to)
{
    size_t first;

    for (first = 0; first < p->outputs; first += FSH_PANEL)
        switch (fsh_panel_vectors(p->outputs, first)) {
        case 1: run_panel(p, from, first, to, 1); break;
        case 2: run_panel(p, from, first, to, 2); break;
        case 3: run_panel(p, from, first, to, 3); break;
        default: run_panel(p, from, first, to, 4);
        }
}

void
fsh_product_run_16(const void *kernel, const float *from, float *to)
{
    run(kernel, from, to);
}

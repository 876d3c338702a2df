#include "stages/inference/winograd.h"

#include <stdlib.h>
#include <string.h>

#include "stages/inference/eight.h"
#include "stages/wide.h"

/* Compiled with -ffp-contract=fast: a multiplication with its addition is one instruction where
 * there is one. */

enum {
    TILE = 6, /* px of the input; 4 of the output */
    STEP = 4,
    POINTS = TILE * TILE,
    ROWS = 6,              /* tiles that are multiplied at once: 6 x 2 sums fill the registers */
    BLOCK = 4 * ROWS,      /* tiles whose transforms fit in the second cache */
    PANEL = 2 * FSH_LANES, /* outputs that are multiplied at once */
    CACHE_LINE = 16        /* floats */
};

struct fsh_winograd {
    fsh_winograd_shape shape;
    size_t full_height, full_width; /* before pooling */
    size_t out_height, out_width, tiles_across, tiles;
    size_t seen_point,
        sums_point; /* floats from one point to the next, an odd number of cache lines: the points
                       of one tile would fall on each other in the cache otherwise */
    float *weights; /* POINTS x panels x inputs x (PANEL, in a last half panel FSH_LANES) */
    float *bias;    /* outputs */
    float *seen;    /* POINTS x (BLOCK x inputs): transformed pixels */
    float *sums;    /* POINTS x (BLOCK x outputs) */
};

/* ---- what is prepared ---- */

/* G g G^T: six by six of three by three. */
static void
transform_weights(const float g[9], float out[POINTS])
{
    static const double G[TILE][3] = {{1. / 4, 0, 0},
                                      {-1. / 6, -1. / 6, -1. / 6},
                                      {-1. / 6, 1. / 6, -1. / 6},
                                      {1. / 24, 1. / 12, 1. / 6},
                                      {1. / 24, -1. / 12, 1. / 6},
                                      {0, 0, 1}};
    int i, j, k, l;

    for (i = 0; i < TILE; i++)
        for (j = 0; j < TILE; j++) {
            double sum = 0;

            for (k = 0; k < 3; k++)
                for (l = 0; l < 3; l++)
                    sum += G[i][k] * (double)g[3 * k + l] * G[j][l];
            out[TILE * i + j] = (float)sum;
        }
}

/* Where the weight of a pair of channels lies within one point. */
static size_t
weight_at(const fsh_winograd_shape *shape, size_t output, size_t input)
{
    size_t panel = output / PANEL * PANEL;
    size_t width = shape->outputs - panel < PANEL ? FSH_LANES : PANEL;

    return panel * shape->inputs + input * width + output - panel;
}

static void
set_weights(fsh_winograd *w, const float *weights)
{
    const fsh_winograd_shape *shape = &w->shape;
    float points[POINTS];
    size_t output, input, p;

    for (output = 0; output < shape->outputs; output++)
        for (input = 0; input < shape->inputs; input++) {
            transform_weights(weights + 9 * (output * shape->inputs + input), points);
            for (p = 0; p < POINTS; p++)
                w->weights[p * shape->inputs * shape->outputs + weight_at(shape, output, input)] =
                    points[p];
        }
}

static size_t
odd_lines(size_t floats)
{
    return ((floats + CACHE_LINE - 1) / CACHE_LINE | 1) * CACHE_LINE;
}

fsh_status
fsh_winograd_new(const fsh_winograd_shape *shape, const float *weights, const float *bias,
                 fsh_winograd **winograd, fsh_err *err)
{
    size_t pairs = shape->inputs * shape->outputs, head = (sizeof(fsh_winograd) + 63) / 64 * 64;
    size_t seen = odd_lines(BLOCK * shape->inputs), sums = odd_lines(BLOCK * shape->outputs);
    size_t floats = POINTS * (pairs + seen + sums) + shape->outputs;
    size_t bytes = head + (floats * sizeof(float) + 63) / 64 * 64;
    fsh_winograd *w = aligned_alloc(64, bytes);

    if (!w)
        return fsh_fail(err, FSH_MEMORY, "no memory for the weights of a convolution");
    memset(w, 0, bytes);
    w->shape = *shape;
    w->full_height = shape->height + 2 * shape->pad - 2;
    w->full_width = shape->width + 2 * shape->pad - 2;
    w->out_height = shape->pool ? (w->full_height + 1) / 2 : w->full_height;
    w->out_width = shape->pool ? (w->full_width + 1) / 2 : w->full_width;
    w->tiles_across = (w->full_width + STEP - 1) / STEP;
    w->tiles = w->tiles_across * ((w->full_height + STEP - 1) / STEP);
    w->weights = (float *)((char *)w + head);
    w->seen = w->weights + POINTS * pairs;
    w->sums = w->seen + POINTS * seen;
    w->bias = w->sums + POINTS * sums;
    w->seen_point = seen;
    w->sums_point = sums;
    set_weights(w, weights);
    if (bias)
        memcpy(w->bias, bias, shape->outputs * sizeof *bias);
    *winograd = w;
    return FSH_OK;
}

/* ---- pixels in ---- */

/* B^T d of one row or column: d[0], d[stride] ... to t. */
FSH_INLINE void
transform_pixels(const fsh_eight *d, size_t stride, fsh_eight *t, size_t t_stride)
{
    fsh_eight a = d[4 * stride] - 4 * d[2 * stride], b = d[3 * stride] - 4 * d[stride];
    fsh_eight c = d[4 * stride] - d[2 * stride], e = 2 * (d[3 * stride] - d[stride]);

    t[0] = 4 * d[0] - 5 * d[2 * stride] + d[4 * stride];
    t[t_stride] = a + b;
    t[2 * t_stride] = a - b;
    t[3 * t_stride] = c + e;
    t[4 * t_stride] = c - e;
    t[5 * t_stride] = 4 * d[stride] - 5 * d[3 * stride] + d[5 * stride];
}

FSH_INLINE void
transform_tile(const fsh_eight *pixels, size_t row, fsh_eight *out, size_t point)
{
    fsh_eight half[POINTS];
    size_t i, j;

    for (j = 0; j < TILE; j++)
        transform_pixels(pixels + j, row, half + j, TILE);
    for (i = 0; i < TILE; i++)
        transform_pixels(half + TILE * i, 1, out + TILE * i * point, point);
}

/* The tile at top, left, which may reach over the edges: zeros lie there. */
static void
copy_tile(const fsh_winograd_shape *shape, const fsh_eight *plane, ptrdiff_t top, ptrdiff_t left,
          fsh_eight out[POINTS])
{
    ptrdiff_t i, j;

    for (i = 0; i < TILE; i++)
        for (j = 0; j < TILE; j++) {
            ptrdiff_t y = top + i, x = left + j;
            bool inside =
                y >= 0 && x >= 0 && y < (ptrdiff_t)shape->height && x < (ptrdiff_t)shape->width;

            out[TILE * i + j] = inside ? plane[y * (ptrdiff_t)shape->width + x] : (fsh_eight){0};
        }
}

WIDE static void
see_tile(const fsh_winograd *w, const float *from, size_t tile, fsh_eight *out)
{
    const fsh_winograd_shape *shape = &w->shape;
    ptrdiff_t top = (ptrdiff_t)(tile / w->tiles_across * STEP) - (ptrdiff_t)shape->pad;
    ptrdiff_t left = (ptrdiff_t)(tile % w->tiles_across * STEP) - (ptrdiff_t)shape->pad;
    bool inside = top >= 0 && left >= 0 && top + TILE <= (ptrdiff_t)shape->height &&
                  left + TILE <= (ptrdiff_t)shape->width;
    size_t pixels = shape->height * shape->width, point = w->seen_point / FSH_LANES, group;
    fsh_eight edge[POINTS];

    for (group = 0; group < shape->inputs / FSH_LANES; group++) {
        const fsh_eight *plane = (const fsh_eight *)from + group * pixels;

        if (inside) {
            transform_tile(plane + top * (ptrdiff_t)shape->width + left, shape->width, out + group,
                           point);
        } else {
            copy_tile(shape, plane, top, left, edge);
            transform_tile(edge, TILE, out + group, point);
        }
    }
}

/* ---- products ---- */

/* sums[6 tiles][panel] = seen[6 tiles][inputs] x weights[inputs][panel], the panel 1 or 2 vectors
 * wide: a constant where this is called, so that the sums stay in registers. */
FSH_INLINE void
multiply_panel(const float *seen, const fsh_eight *weights, size_t inputs, float *sums,
               size_t outputs, const size_t vectors)
{
    fsh_eight sum[ROWS][2] = {{{0}}};
    size_t k, r, v;

    for (k = 0; k < inputs; k++) {
#pragma GCC unroll 6
        for (r = 0; r < ROWS; r++)
#pragma GCC unroll 2
            for (v = 0; v < vectors; v++)
                sum[r][v] += seen[r * inputs + k] * weights[k * vectors + v];
    }
#pragma GCC unroll 6
    for (r = 0; r < ROWS; r++)
#pragma GCC unroll 2
        for (v = 0; v < vectors; v++)
            *(fsh_eight *)(sums + r * outputs + v * FSH_LANES) = sum[r][v];
}

/* All points of the first n tiles of a block, n made a multiple of ROWS. */
WIDE static void
multiply(const fsh_winograd *w, size_t n)
{
    size_t inputs = w->shape.inputs, outputs = w->shape.outputs, point, panel, tile;

    for (point = 0; point < POINTS; point++)
        for (panel = 0; panel < outputs; panel += PANEL) {
            const fsh_eight *weights =
                (const fsh_eight *)(w->weights + point * inputs * outputs + panel * inputs);

            for (tile = 0; tile < n; tile += ROWS) {
                const float *seen = w->seen + point * w->seen_point + tile * inputs;
                float *sums = w->sums + point * w->sums_point + tile * outputs + panel;

                if (outputs - panel < PANEL)
                    multiply_panel(seen, weights, inputs, sums, outputs, 1);
                else
                    multiply_panel(seen, weights, inputs, sums, outputs, 2);
            }
        }
}

/* ---- pixels out ---- */

/* A^T m of one row or column. */
FSH_INLINE void
transform_sums(const fsh_eight *m, size_t stride, fsh_eight *t, size_t t_stride)
{
    fsh_eight a = m[stride] + m[2 * stride], b = m[stride] - m[2 * stride];
    fsh_eight c = m[3 * stride] + m[4 * stride], e = m[3 * stride] - m[4 * stride];

    t[0] = m[0] + a + c;
    t[t_stride] = b + 2 * e;
    t[2 * t_stride] = a + 4 * c;
    t[3 * t_stride] = b + 8 * e + m[5 * stride];
}

/* What a tile gives to one group of eight outputs: rows x columns of the four by four are inside.
 */
typedef struct area {
    size_t y, x, rows, columns;
} area;

FSH_INLINE void
store(const fsh_winograd *w, const fsh_eight *sum, const fsh_eight *bias, fsh_eight *to)
{
    fsh_eight_finish(sum, bias, w->shape.least, w->shape.most, to);
}

FSH_INLINE void
store_all(const fsh_winograd *w, const fsh_eight done[STEP * STEP], const area *in,
          const fsh_eight *bias, fsh_eight *plane)
{
    size_t i, j;

    for (i = 0; i < in->rows; i++)
        for (j = 0; j < in->columns; j++)
            store(w, &done[STEP * i + j], bias, plane + (in->y + i) * w->out_width + in->x + j);
}

/* The greatest of two by two, at the edges of what there is of them. */
FSH_INLINE void
store_greatest(const fsh_winograd *w, const fsh_eight done[STEP * STEP], const area *in,
               const fsh_eight *bias, fsh_eight *plane)
{
    size_t i, j, k;

    for (i = 0; i < in->rows; i += 2)
        for (j = 0; j < in->columns; j += 2) {
            fsh_eight most = done[STEP * i + j];

            for (k = 1; k < 4; k++)
                if (i + k / 2 < in->rows && j + k % 2 < in->columns)
                    fsh_eight_greater(&most, &done[STEP * (i + k / 2) + j + k % 2]);
            store(w, &most, bias, plane + (in->y + i) / 2 * w->out_width + (in->x + j) / 2);
        }
}

FSH_INLINE void
finish_group(const fsh_winograd *w, const fsh_eight *sums, const area *in, const fsh_eight *bias,
             fsh_eight *plane)
{
    size_t point = w->sums_point / FSH_LANES, i;
    fsh_eight half[STEP * TILE], done[STEP * STEP];

    for (i = 0; i < TILE; i++)
        transform_sums(sums + i * point, TILE * point, half + i, TILE);
    for (i = 0; i < STEP; i++)
        transform_sums(half + TILE * i, 1, done + STEP * i, 1);
    if (w->shape.pool)
        store_greatest(w, done, in, bias, plane);
    else
        store_all(w, done, in, bias, plane);
}

static size_t
at_most_step(size_t n)
{
    return n < STEP ? n : STEP;
}

WIDE static void
finish_tile(const fsh_winograd *w, size_t tile, const fsh_eight *sums, fsh_eight *to)
{
    size_t y = tile / w->tiles_across * STEP, x = tile % w->tiles_across * STEP, group;
    area in = {y, x, at_most_step(w->full_height - y), at_most_step(w->full_width - x)};

    for (group = 0; group < w->shape.outputs / FSH_LANES; group++)
        finish_group(w, sums + group, &in, (const fsh_eight *)w->bias + group,
                     to + group * w->out_height * w->out_width);
}

/* ---- */

static void
run_picture(const fsh_winograd *w, const float *from, float *to)
{
    size_t first, i;

    for (first = 0; first < w->tiles; first += BLOCK) {
        size_t n = w->tiles - first < BLOCK ? w->tiles - first : BLOCK;

        for (i = 0; i < n; i++)
            see_tile(w, from, first + i, (fsh_eight *)(w->seen + i * w->shape.inputs));
        multiply(w, n);
        for (i = 0; i < n; i++)
            finish_tile(w, first + i, (const fsh_eight *)(w->sums + i * w->shape.outputs),
                        (fsh_eight *)to);
    }
}

void
fsh_winograd_run(const void *winograd, const float *from, float *to)
{
    const fsh_winograd *w = winograd;
    const fsh_winograd_shape *shape = &w->shape;
    size_t i;

    for (i = 0; i < shape->pictures; i++)
        run_picture(w, from + i * shape->inputs * shape->height * shape->width,
                    to + i * shape->outputs * w->out_height * w->out_width);
}

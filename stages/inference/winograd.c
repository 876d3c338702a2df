#include "stages/inference/kernels.h"

#include <stdlib.h>
#include <string.h>

#include "stages/inference/multiply.h"

/* Compiled with -ffp-contract=fast: a multiplication with its addition is one instruction where
 * there is one. winograd16.c compiles it once more. */

enum {
    TILE = 6, /* px of the input; 4 of the output */
    STEP = 4,
    POINTS = TILE * TILE,
    BLOCK = 4 * FSH_ROWS, /* tiles whose transforms fit in the second cache */
    CACHE_LINE = 16       /* floats */
};

typedef struct winograd {
    size_t pictures, inputs, outputs, height, width, pad;
    bool pool;
    size_t used;                    /* inputs that have weights: those behind them have none */
    size_t full_height, full_width; /* before pooling */
    size_t out_width;
    size_t tiles_across, tiles; /* of a picture */
    fsh_places in, out;
    size_t seen_point,
        sums_point; /* floats from one point to the next, an odd number of cache lines: the points
                       of one tile would fall on each other in the cache otherwise */
    fsh_finish finish;
    float *weights; /* POINTS x panels of used x outputs */
    float *bias, *slopes;
    float *seen; /* POINTS x (BLOCK x inputs): transformed pixels */
    float *sums; /* POINTS x (BLOCK x outputs) */
} winograd;

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

static void
set_weights(winograd *w, const float *weights)
{
    float points[POINTS];
    size_t output, input, p;

    for (output = 0; output < w->outputs; output++)
        for (input = 0; input < w->used; input++) {
            transform_weights(weights + 9 * (output * w->inputs + input), points);
            for (p = 0; p < POINTS; p++)
                w->weights[p * w->used * w->outputs +
                           fsh_panel_at(w->used, w->outputs, input, output)] = points[p];
        }
}

static size_t
count_used(const fsh_convolution *c)
{
    size_t used = 1, input, i;

    for (i = 0; i < c->outputs; i++)
        for (input = used; input < c->inputs; input++) {
            const float *w = c->weights + 9 * (i * c->inputs + input);
            size_t k = 0;

            while (k < 9 && w[k] == 0)
                k++;
            used = k < 9 ? input + 1 : used;
        }
    return used;
}

static size_t
odd_lines(size_t floats)
{
    return ((floats + CACHE_LINE - 1) / CACHE_LINE | 1) * CACHE_LINE;
}

static winograd
make_sizes(const fsh_convolution *c)
{
    size_t out_height = c->pool ? (c->out_height + 1) / 2 : c->out_height;
    size_t out_width = c->pool ? (c->out_width + 1) / 2 : c->out_width;
    size_t tiles_across = (c->out_width + STEP - 1) / STEP;

    return (winograd){
        .pictures = c->pictures,
        .inputs = c->inputs,
        .outputs = c->outputs,
        .height = c->height,
        .width = c->width,
        .pad = c->pad,
        .pool = c->pool,
        .used = count_used(c),
        .full_height = c->out_height,
        .full_width = c->out_width,
        .out_width = out_width,
        .tiles_across = tiles_across,
        .tiles = tiles_across * ((c->out_height + STEP - 1) / STEP),
        .in = fsh_places_of(c->channels_last, c->inputs, c->height * c->width),
        .out = fsh_places_of(c->channels_last, c->outputs, out_height * out_width),
        .seen_point = odd_lines(BLOCK * c->inputs),
        .sums_point = odd_lines(BLOCK * c->outputs),
        .finish = {.least = c->least, .most = c->most},
    };
}

/* Weights and scratch memory behind it. */
static winograd *
allocate(const winograd *sizes)
{
    size_t head = (sizeof(winograd) + 63) / 64 * 64, pairs = sizes->used * sizes->outputs;
    size_t floats = POINTS * (pairs + sizes->seen_point + sizes->sums_point) + 2 * sizes->outputs;
    size_t bytes = head + (floats * sizeof(float) + 63) / 64 * 64;
    winograd *w = aligned_alloc(64, bytes);

    if (!w)
        return NULL;
    memset(w, 0, bytes);
    *w = *sizes;
    w->bias = (float *)((char *)w + head);
    w->slopes = w->bias + w->outputs;
    w->weights = w->slopes + w->outputs;
    w->seen = w->weights + POINTS * pairs;
    w->sums = w->seen + POINTS * w->seen_point;
    return w;
}

fsh_status
FSH_LANES_NAME(fsh_winograd_new)(const fsh_convolution *c, void **kernel, fsh_err *err)
{
    winograd sizes = make_sizes(c), *w = allocate(&sizes);

    if (!w)
        return fsh_fail(err, FSH_MEMORY, "no memory for the weights of a convolution");
    set_weights(w, c->weights);
    fsh_finish_set(&w->finish, c, w->bias, w->slopes);
    *kernel = w;
    return FSH_OK;
}

/* ---- pixels in ---- */

/* B^T d of one row or column: d[0], d[stride] ... to t. */
FSH_INLINE void
transform_pixels(const fsh_lanes *d, size_t stride, fsh_lanes *t, size_t t_stride)
{
    fsh_lanes a = d[4 * stride] - 4 * d[2 * stride], b = d[3 * stride] - 4 * d[stride];
    fsh_lanes c = d[4 * stride] - d[2 * stride], e = 2 * (d[3 * stride] - d[stride]);

    t[0] = 4 * d[0] - 5 * d[2 * stride] + d[4 * stride];
    t[t_stride] = a + b;
    t[2 * t_stride] = a - b;
    t[3 * t_stride] = c + e;
    t[4 * t_stride] = c - e;
    t[5 * t_stride] = 4 * d[stride] - 5 * d[3 * stride] + d[5 * stride];
}

FSH_INLINE void
transform_tile(const fsh_lanes *pixels, size_t row, size_t pixel, fsh_lanes *out, size_t point)
{
    fsh_lanes half[POINTS];
    size_t i, j;

    for (j = 0; j < TILE; j++)
        transform_pixels(pixels + j * pixel, row, half + j, TILE);
    for (i = 0; i < TILE; i++)
        transform_pixels(half + TILE * i, 1, out + TILE * i * point, point);
}

/* The tile at top, left, which may reach over the edges: zeros lie there. */
FSH_INLINE void
copy_tile(const winograd *w, const fsh_lanes *plane, ptrdiff_t top, ptrdiff_t left,
          fsh_lanes out[POINTS])
{
    ptrdiff_t i, j;

    for (i = 0; i < TILE; i++)
        for (j = 0; j < TILE; j++) {
            ptrdiff_t y = top + i, x = left + j;
            bool inside = y >= 0 && x >= 0 && y < (ptrdiff_t)w->height && x < (ptrdiff_t)w->width;

            out[TILE * i + j] = inside ? plane[(size_t)(y * (ptrdiff_t)w->width + x) * w->in.pixel]
                                       : (fsh_lanes){0};
        }
}

/* Tiles are counted through all pictures. */
FSH_WIDE static void
see_tile(const winograd *w, const float *from, size_t number, fsh_lanes *out)
{
    size_t tile = number % w->tiles, point = w->seen_point / FSH_LANES, group;
    ptrdiff_t top = (ptrdiff_t)(tile / w->tiles_across * STEP) - (ptrdiff_t)w->pad;
    ptrdiff_t left = (ptrdiff_t)(tile % w->tiles_across * STEP) - (ptrdiff_t)w->pad;
    bool inside = top >= 0 && left >= 0 && top + TILE <= (ptrdiff_t)w->height &&
                  left + TILE <= (ptrdiff_t)w->width;
    const fsh_lanes *plane = (const fsh_lanes *)from + number / w->tiles * w->in.picture;
    fsh_lanes edge[POINTS];

    for (group = 0; group * FSH_LANES < w->used; group++, plane += w->in.group) {
        if (inside) {
            transform_tile(plane + ((size_t)top * w->width + (size_t)left) * w->in.pixel,
                           w->width * w->in.pixel, w->in.pixel, out + group, point);
        } else {
            copy_tile(w, plane, top, left, edge);
            transform_tile(edge, TILE, 1, out + group, point);
        }
    }
}

/* ---- products ---- */

FSH_INLINE void
multiply_panel(const winograd *w, const float *seen, const fsh_lanes *weights, float *sums,
               const size_t vectors)
{
    fsh_lanes sum[FSH_ROWS][FSH_VECTORS] = {{{0}}};
    const float *row[FSH_ROWS];
    size_t r, v;

    for (r = 0; r < FSH_ROWS; r++)
        row[r] = seen + r * w->inputs;
    fsh_multiply(row, weights, w->used, sum, FSH_ROWS, vectors);
#pragma GCC unroll 6
    for (r = 0; r < FSH_ROWS; r++)
#pragma GCC unroll 4
        for (v = 0; v < vectors; v++)
            *(fsh_lanes *)(sums + r * w->outputs + v * FSH_LANES) = sum[r][v];
}

/* The number of vectors as a constant. */
FSH_INLINE void
multiply_some(const winograd *w, const float *seen, const fsh_lanes *weights, float *sums,
              size_t vectors)
{
    if (vectors == 1)
        multiply_panel(w, seen, weights, sums, 1);
    else if (FSH_VECTORS == 2 || vectors == 2)
        multiply_panel(w, seen, weights, sums, 2);
#if FSH_LANES == 16
    else if (vectors == 3)
        multiply_panel(w, seen, weights, sums, 3);
    else
        multiply_panel(w, seen, weights, sums, 4);
#endif
}

/* All points of the first n tiles of a block, n made a multiple of FSH_ROWS. */
FSH_WIDE static void
multiply(const winograd *w, size_t n)
{
    size_t point, first, tile;

    for (point = 0; point < POINTS; point++)
        for (first = 0; first < w->outputs; first += FSH_PANEL) {
            size_t vectors = fsh_panel_vectors(w->outputs, first);
            const float *weights = w->weights + (point * w->outputs + first) * w->used;

            for (tile = 0; tile < n; tile += FSH_ROWS)
                multiply_some(w, w->seen + point * w->seen_point + tile * w->inputs,
                              (const fsh_lanes *)weights,
                              w->sums + point * w->sums_point + tile * w->outputs + first, vectors);
        }
}

/* ---- pixels out ---- */

/* A^T m of one row or column. */
FSH_INLINE void
transform_sums(const fsh_lanes *m, size_t stride, fsh_lanes *t, size_t t_stride)
{
    fsh_lanes a = m[stride] + m[2 * stride], b = m[stride] - m[2 * stride];
    fsh_lanes c = m[3 * stride] + m[4 * stride], e = m[3 * stride] - m[4 * stride];

    t[0] = m[0] + a + c;
    t[t_stride] = b + 2 * e;
    t[2 * t_stride] = a + 4 * c;
    t[3 * t_stride] = b + 8 * e + m[5 * stride];
}

/* What a tile gives to one group of outputs: rows x columns of the four by four are inside. */
typedef struct area {
    size_t y, x, rows, columns;
} area;

FSH_INLINE void
store_all(const winograd *w, const fsh_lanes done[STEP * STEP], const area *in, size_t group,
          fsh_lanes *plane)
{
    size_t i, j;

    for (i = 0; i < in->rows; i++)
        for (j = 0; j < in->columns; j++)
            fsh_finish_store(&w->finish, &done[STEP * i + j], group,
                             plane + ((in->y + i) * w->out_width + in->x + j) * w->out.pixel);
}

/* The greatest of two by two, at the edges of what there is of them. */
FSH_INLINE void
store_greatest(const winograd *w, const fsh_lanes done[STEP * STEP], const area *in, size_t group,
               fsh_lanes *plane)
{
    size_t i, j, k;

    for (i = 0; i < in->rows; i += 2)
        for (j = 0; j < in->columns; j += 2) {
            fsh_lanes most = done[STEP * i + j];

            for (k = 1; k < 4; k++)
                if (i + k / 2 < in->rows && j + k % 2 < in->columns)
                    fsh_lanes_greater(&most, &done[STEP * (i + k / 2) + j + k % 2]);
            fsh_finish_store(&w->finish, &most, group,
                             plane +
                                 ((in->y + i) / 2 * w->out_width + (in->x + j) / 2) * w->out.pixel);
        }
}

FSH_INLINE void
finish_group(const winograd *w, const fsh_lanes *sums, const area *in, size_t group,
             fsh_lanes *plane)
{
    size_t point = w->sums_point / FSH_LANES, i;
    fsh_lanes half[STEP * TILE], done[STEP * STEP];

    for (i = 0; i < TILE; i++)
        transform_sums(sums + i * point, TILE * point, half + i, TILE);
    for (i = 0; i < STEP; i++)
        transform_sums(half + TILE * i, 1, done + STEP * i, 1);
    if (w->pool)
        store_greatest(w, done, in, group, plane);
    else
        store_all(w, done, in, group, plane);
}

static size_t
at_most_step(size_t n)
{
    return n < STEP ? n : STEP;
}

FSH_WIDE static void
finish_tile(const winograd *w, size_t number, const fsh_lanes *sums, float *to)
{
    size_t tile = number % w->tiles, group;
    size_t y = tile / w->tiles_across * STEP, x = tile % w->tiles_across * STEP;
    area in = {y, x, at_most_step(w->full_height - y), at_most_step(w->full_width - x)};
    fsh_lanes *plane = (fsh_lanes *)to + number / w->tiles * w->out.picture;

    for (group = 0; group < w->outputs / FSH_LANES; group++)
        finish_group(w, sums + group, &in, group, plane + group * w->out.group);
}

/* ---- */

void
FSH_LANES_NAME(fsh_winograd_run)(const void *kernel, const float *from, float *to)
{
    const winograd *w = kernel;
    size_t all = w->tiles * w->pictures, first, i;

    for (first = 0; first < all; first += BLOCK) {
        size_t n = all - first < BLOCK ? all - first : BLOCK;

        for (i = 0; i < n; i++)
            see_tile(w, from, first + i, (fsh_lanes *)(w->seen + i * w->inputs));
        multiply(w, n);
        for (i = 0; i < n; i++)
            finish_tile(w, first + i, (const fsh_lanes *)(w->sums + i * w->outputs), to);
    }
}

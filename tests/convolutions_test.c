/* The convolutions of our own beside the sum as it is written down. Three channels lie as planes,
 * others in groups of eight. */
#include <math.h>

#include "stages/inference/first.h"
#include "stages/inference/winograd.h"
#include "tests/testing.h"

typedef struct convolution {
    size_t pictures, inputs, outputs, height, width, stride, pad;
    bool pool;
    float least, most;
    const float *weights, *bias, *from;
} convolution;

static float *
numbers(size_t n, uint32_t state)
{
    float *out = aligned_alloc(64, (n * sizeof *out + 63) / 64 * 64);
    size_t i;

    for (i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        out[i] = (float)(state >> 8) / (1 << 23) - 1;
    }
    return out;
}

static size_t
full(const convolution *c, size_t side)
{
    return (side + 2 * c->pad - 3) / c->stride + 1;
}

static size_t
pooled(const convolution *c, size_t side)
{
    return c->pool ? (full(c, side) + 1) / 2 : full(c, side);
}

/* Where channel k of pixel y, x lies in groups of eight channels. */
static size_t
grouped(size_t k, size_t y, size_t x, size_t height, size_t width)
{
    return ((k / 8 * height + y) * width + x) * 8 + k % 8;
}

/* A pixel of the input; zero beyond the edge, also where the number is a negative that wraps. */
static double
pixel(const convolution *c, size_t picture, size_t k, size_t y, size_t x)
{
    const float *from = c->from + picture * c->inputs * c->height * c->width;

    if (y >= c->height || x >= c->width)
        return 0;
    return from[c->inputs == FSH_FIRST_PLANES ? (k * c->height + y) * c->width + x
                                              : grouped(k, y, x, c->height, c->width)];
}

/* One number of the convolution, before pooling. */
static float
expected(const convolution *c, size_t picture, size_t o, size_t y, size_t x)
{
    double sum = c->bias ? c->bias[o] : 0;
    size_t k, t;

    for (k = 0; k < c->inputs; k++)
        for (t = 0; t < 9; t++)
            sum += (double)c->weights[(o * c->inputs + k) * 9 + t] *
                   pixel(c, picture, k, y * c->stride + t / 3 - c->pad,
                         x * c->stride + t % 3 - c->pad);
    return fminf(fmaxf((float)sum, c->least), c->most);
}

static float
greatest(const convolution *c, size_t picture, size_t o, size_t y, size_t x)
{
    float most = -INFINITY;
    size_t k;

    for (k = 0; k < 4; k++)
        if (2 * y + k / 2 < full(c, c->height) && 2 * x + k % 2 < full(c, c->width))
            most = fmaxf(most, expected(c, picture, o, 2 * y + k / 2, 2 * x + k % 2));
    return most;
}

static void
check(const convolution *c, const float *got)
{
    size_t height = pooled(c, c->height), width = pooled(c, c->width), p, o, y, x;

    for (p = 0; p < c->pictures; p++)
        for (o = 0; o < c->outputs; o++)
            for (y = 0; y < height; y++)
                for (x = 0; x < width; x++) {
                    float want = (c->pool ? greatest : expected)(c, p, o, y, x);
                    float found =
                        got[p * c->outputs * height * width + grouped(o, y, x, height, width)];

                    if (!(fabsf(found - want) <= 2e-4f))
                        fail_msg("%g instead of %g in channel %zu at %zu, %zu", (double)found,
                                 (double)want, o, y, x);
                }
}

static void
run_first(const convolution *c, float *to)
{
    fsh_first_shape shape = {c->pictures, c->outputs, c->height, c->width, c->stride,
                             c->pad,      c->pool,    c->least,  c->most};
    fsh_first *first;
    fsh_err err = {""};

    assert_ok(fsh_first_new(&shape, c->weights, c->bias, &first, &err), err);
    fsh_first_run(first, c->from, to);
    free(first);
}

static void
run_winograd(const convolution *c, float *to)
{
    fsh_winograd_shape shape = {c->pictures, c->inputs, c->outputs, c->height, c->width,
                                c->pad,      c->pool,   c->least,   c->most};
    fsh_winograd *winograd;
    fsh_err err = {""};

    assert_ok(fsh_winograd_new(&shape, c->weights, c->bias, &winograd, &err), err);
    fsh_winograd_run(winograd, c->from, to);
    free(winograd);
}

/* Runs all shapes, with bias and without. */
static void
compare(const convolution *shapes, size_t n, void (*run)(const convolution *, float *))
{
    size_t i;

    for (i = 0; i < 2 * n; i++) {
        convolution c = shapes[i / 2];
        float *weights = numbers(c.inputs * c.outputs * 9, 1), *bias = numbers(c.outputs, 2);
        float *from = numbers(c.pictures * c.inputs * c.height * c.width, 3);
        float *to = numbers(c.pictures * c.outputs * pooled(&c, c.height) * pooled(&c, c.width), 4);

        c.weights = weights;
        c.bias = i % 2 ? bias : NULL;
        c.from = from;
        run(&c, to);
        check(&c, to);
        free(weights);
        free(bias);
        free(from);
        free(to);
    }
}

#define ANY -INFINITY, INFINITY
#define SHAPE(...)                                                                                 \
    {                                                                                              \
        __VA_ARGS__, NULL, NULL, NULL                                                              \
    }

/* Every size of the last tile, panels that are whole and half, more and fewer tiles than a block.
 */
static void
winograd_gives_the_sums_of_the_convolution(void **unused)
{
    static const convolution shapes[] = {
        SHAPE(1, 8, 8, 3, 3, 1, 0, false, ANY),
        SHAPE(1, 8, 16, 1, 1, 1, 1, false, ANY),
        SHAPE(1, 16, 24, 6, 9, 1, 1, false, 0, INFINITY),
        SHAPE(1, 8, 8, 7, 5, 1, 0, false, -0.5f, 0.5f),
        SHAPE(3, 16, 16, 5, 8, 1, 1, false, 0, 6),
        SHAPE(1, 24, 40, 26, 27, 1, 1, false, ANY),
        SHAPE(1, 8, 8, 9, 7, 1, 1, true, 0, INFINITY),
        SHAPE(2, 16, 24, 10, 13, 1, 1, true, ANY),
        SHAPE(1, 8, 16, 12, 6, 1, 0, true, ANY),
    };

    (void)unused;
    compare(shapes, sizeof shapes / sizeof *shapes, run_winograd);
}

static void
the_first_convolution_gives_the_sums_of_the_convolution(void **unused)
{
    static const convolution shapes[] = {
        SHAPE(1, 3, 8, 3, 3, 1, 0, false, ANY),
        SHAPE(1, 3, 16, 1, 1, 1, 1, false, ANY),
        SHAPE(2, 3, 24, 7, 11, 1, 1, false, 0, INFINITY),
        SHAPE(1, 3, 32, 12, 13, 2, 1, false, -0.5f, 0.5f),
        SHAPE(1, 3, 16, 13, 15, 2, 0, false, ANY),
        SHAPE(1, 3, 8, 8, 12, 1, 1, true, ANY),
        SHAPE(2, 3, 40, 9, 7, 1, 1, true, 0, INFINITY),
        SHAPE(1, 3, 16, 11, 14, 2, 1, true, ANY),
    };

    (void)unused;
    compare(shapes, sizeof shapes / sizeof *shapes, run_first);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(winograd_gives_the_sums_of_the_convolution),
        cmocka_unit_test(the_first_convolution_gives_the_sums_of_the_convolution),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Winograd's convolution beside the sum as it is written down. */
#include <math.h>

#include "stages/inference/winograd.h"
#include "tests/testing.h"

static float
number(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / (1 << 23) - 1;
}

static float *
numbers(size_t n, uint32_t seed)
{
    float *out = aligned_alloc(64, (n * sizeof *out + 63) / 64 * 64);
    size_t i;

    for (i = 0; i < n; i++)
        out[i] = number(&seed);
    return out;
}

/* Where channel c of pixel y, x lies in groups of eight channels. */
static size_t
at(size_t c, size_t y, size_t x, size_t height, size_t width)
{
    return ((c / 8 * height + y) * width + x) * 8 + c % 8;
}

/* One number of the convolution, before pooling. */
static float
expected(const fsh_winograd_shape *s, const float *weights, const float *bias, const float *from, size_t o, size_t y,
         size_t x)
{
    double sum = bias ? bias[o] : 0;
    size_t c, k;

    for (c = 0; c < s->inputs; c++)
        for (k = 0; k < 9; k++) {
            size_t row = y + k / 3 - s->pad, column = x + k % 3 - s->pad;

            if (row < s->height && column < s->width) /* beyond the edge, also as the negative that wraps */
                sum += (double)weights[(o * s->inputs + c) * 9 + k] * from[at(c, row, column, s->height, s->width)];
        }
    return fminf(fmaxf((float)sum, s->least), s->most);
}

static float
greatest(const fsh_winograd_shape *s, const float *weights, const float *bias, const float *from, size_t o, size_t y,
         size_t x)
{
    size_t height = s->height + 2 * s->pad - 2, width = s->width + 2 * s->pad - 2, k;
    float most = -INFINITY;

    for (k = 0; k < 4; k++)
        if (2 * y + k / 2 < height && 2 * x + k % 2 < width)
            most = fmaxf(most, expected(s, weights, bias, from, o, 2 * y + k / 2, 2 * x + k % 2));
    return most;
}

static void
compare(const fsh_winograd_shape *s, const float *weights, const float *bias)
{
    size_t height = s->height + 2 * s->pad - 2, width = s->width + 2 * s->pad - 2, o, y, x, p;
    float *from = numbers(s->pictures * s->inputs * s->height * s->width, 3), *to;
    fsh_winograd *winograd;
    fsh_err err = {""};

    if (s->pool)
        height = (height + 1) / 2, width = (width + 1) / 2;
    to = numbers(s->pictures * s->outputs * height * width, 4);
    assert_ok(fsh_winograd_new(s, weights, bias, &winograd, &err), err);
    fsh_winograd_run(winograd, from, to);
    for (p = 0; p < s->pictures; p++)
        for (o = 0; o < s->outputs; o++)
            for (y = 0; y < height; y++)
                for (x = 0; x < width; x++) {
                    const float *picture = from + p * s->inputs * s->height * s->width;
                    float want = (s->pool ? greatest : expected)(s, weights, bias, picture, o, y, x);
                    float got = to[p * s->outputs * height * width + at(o, y, x, height, width)];

                    if (!(fabsf(got - want) <= 2e-4f))
                        fail_msg("%g instead of %g in channel %zu at %zu, %zu", (double)got, (double)want, o, y, x);
                }
    free(winograd);
    free(from);
    free(to);
}

/* Every size of the last tile, panels that are whole and half, more and fewer tiles than a block. */
static const fsh_winograd_shape shapes[] = {
    {1, 8, 8, 3, 3, 0, false, -INFINITY, INFINITY},  {1, 8, 16, 1, 1, 1, false, -INFINITY, INFINITY},
    {1, 16, 24, 6, 9, 1, false, 0, INFINITY},        {1, 8, 8, 7, 5, 0, false, -0.5f, 0.5f},
    {3, 16, 16, 5, 8, 1, false, 0, 6},               {1, 24, 40, 26, 27, 1, false, -INFINITY, INFINITY},
    {1, 8, 8, 9, 7, 1, true, 0, INFINITY},           {2, 16, 24, 10, 13, 1, true, -INFINITY, INFINITY},
    {1, 8, 16, 12, 6, 0, true, -INFINITY, INFINITY},
};

static void
winograd_gives_the_sums_of_the_convolution(void **unused)
{
    size_t i;

    (void)unused;
    for (i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        float *weights = numbers(shapes[i].inputs * shapes[i].outputs * 9, 1);
        float *bias = numbers(shapes[i].outputs, 2);

        compare(&shapes[i], weights, bias);
        compare(&shapes[i], weights, NULL);
        free(weights);
        free(bias);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(winograd_gives_the_sums_of_the_convolution)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

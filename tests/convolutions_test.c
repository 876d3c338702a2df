/* The convolutions of our own beside the sum as it is written down, with eight lanes and with
 * sixteen: on any processor, for what AVX-512 has is compiled for others as well. */
#include <math.h>

#include "stages/inference/kernels.h"
#include "tests/testing.h"

/* A convolution, its numbers, and what does it. */
typedef struct trial {
    fsh_convolution c;
    size_t lanes;
    bool picture, depthwise; /* three planes go in; each channel is for itself */
    fsh_kernel_new *make;
    fsh_kernel_run *run;
    const float *from, *before; /* what goes in, and what lay where it comes out */
} trial;

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
pooled(const fsh_convolution *c, size_t side)
{
    return c->pool ? (side + 1) / 2 : side;
}

/* Where channel k of pixel y, x of a picture lies. */
static size_t
place(const trial *t, size_t channels, size_t k, size_t y, size_t x, size_t height, size_t width)
{
    if (t->c.channels_last)
        return (y * width + x) * channels + k;
    return ((k / t->lanes * height + y) * width + x) * t->lanes + k % t->lanes;
}

/* A pixel of the input; zero beyond the edge, also where the number is a negative that wraps. */
static double
pixel(const trial *t, size_t picture, size_t k, size_t y, size_t x)
{
    const fsh_convolution *c = &t->c;
    size_t channels = t->depthwise ? c->outputs : c->inputs;
    const float *from = t->from + picture * channels * c->height * c->width;

    if (y >= c->height || x >= c->width)
        return 0;
    return from[t->picture ? (k * c->height + y) * c->width + x
                           : place(t, channels, k, y, x, c->height, c->width)];
}

static float
finished(const fsh_convolution *c, size_t o, double sum)
{
    if (c->slopes)
        return (float)(sum > 0 ? sum : sum * (double)c->slopes[o]);
    return fminf(fmaxf((float)sum, c->least), c->most);
}

/* One number of the convolution, before pooling. */
static float
expected(const trial *t, size_t picture, size_t o, size_t y, size_t x)
{
    const fsh_convolution *c = &t->c;
    size_t taps = c->kernel_height * c->kernel_width, k, i;
    double sum = c->bias ? c->bias[o] : 0;

    for (k = 0; k < c->inputs; k++)
        for (i = 0; i < taps; i++)
            sum += (double)c->weights[(o * c->inputs + k) * taps + i] *
                   pixel(t, picture, t->depthwise ? o : k,
                         y * c->stride + i / c->kernel_width - c->pad,
                         x * c->stride + i % c->kernel_width - c->pad_left);
    if (c->adds)
        sum += t->before[picture * c->outputs * c->out_height * c->out_width +
                         place(t, c->outputs, o, y, x, c->out_height, c->out_width)];
    return finished(c, o, sum);
}

static float
greatest(const trial *t, size_t picture, size_t o, size_t y, size_t x)
{
    float most = -INFINITY;
    size_t k;

    for (k = 0; k < 4; k++)
        if (2 * y + k / 2 < t->c.out_height && 2 * x + k % 2 < t->c.out_width)
            most = fmaxf(most, expected(t, picture, o, 2 * y + k / 2, 2 * x + k % 2));
    return most;
}

static void
check(const trial *t, const float *got)
{
    const fsh_convolution *c = &t->c;
    size_t height = pooled(c, c->out_height), width = pooled(c, c->out_width), p, o, y, x;

    for (p = 0; p < c->pictures; p++)
        for (o = 0; o < c->outputs; o++)
            for (y = 0; y < height; y++)
                for (x = 0; x < width; x++) {
                    float want = (c->pool ? greatest : expected)(t, p, o, y, x);
                    float found = got[p * c->outputs * height * width +
                                      place(t, c->outputs, o, y, x, height, width)];

                    if (!(fabsf(found - want) <= 2e-4f))
                        fail_msg("%g instead of %g in channel %zu at %zu, %zu", (double)found,
                                 (double)want, o, y, x);
                }
}

/* Twice: nothing stays of the first time. */
static void
run(const trial *t, size_t n)
{
    float *to = numbers(n, 4);
    fsh_err err = {""};
    void *kernel;
    int i;

    assert_ok(t->make(&t->c, &kernel, &err), err);
    for (i = 0; i < 2; i++) {
        memcpy(to, t->before, n * sizeof *to);
        t->run(kernel, t->from, to);
    }
    check(t, to);
    free(kernel);
    free(to);
}

/* With bias and without. */
static void
try(trial t)
{
    fsh_convolution *c = &t.c;
    size_t taps = c->kernel_height * c->kernel_width;
    float *weights = numbers(c->inputs * c->outputs * taps, 1), *bias = numbers(c->outputs, 2);
    size_t channels = t.depthwise ? c->outputs : c->inputs, n;
    float *from = numbers(c->pictures * channels * c->height * c->width, 3), *before;

    c->out_height = (c->height + 2 * c->pad - c->kernel_height) / c->stride + 1;
    c->out_width = (c->width + 2 * c->pad_left - c->kernel_width) / c->stride + 1;
    n = c->pictures * c->outputs * pooled(c, c->out_height) * pooled(c, c->out_width);
    t.before = before = numbers(n, 5);
    t.from = from;
    c->weights = weights;
    run(&t, n);
    c->bias = bias;
    run(&t, n);
    c->slopes = c->pool ? NULL : bias;
    run(&t, n);
    free(weights);
    free(bias);
    free(from);
    free(before);
}

/* A shape of few words: the kernels of a kind that it is for differ in lanes and layout. */
typedef struct shape {
    size_t pictures, inputs, outputs, height, width, stride, pad;
    bool pool;
    float least, most;
} shape;

static trial
trial_of(const shape *s, size_t lanes, bool channels_last)
{
    return (trial){.c = {.pictures = s->pictures,
                         .inputs = s->inputs * lanes / 8,
                         .outputs = s->outputs * lanes / 8,
                         .height = s->height,
                         .width = s->width,
                         .kernel_height = 3,
                         .kernel_width = 3,
                         .stride = s->stride,
                         .pad = s->pad,
                         .pad_left = s->pad,
                         .pool = s->pool,
                         .channels_last = channels_last,
                         .least = s->least,
                         .most = s->most},
                   .lanes = lanes};
}

#define ANY -INFINITY, INFINITY

typedef struct kernel {
    fsh_kernel_new *make;
    fsh_kernel_run *run;
} kernel;

/* A kernel for eight lanes and the same for sixteen, in both layouts. */
static void
try_both(const shape *s, bool picture, const kernel kernels[2])
{
    int i;

    for (i = 0; i < 4; i++) {
        trial t = trial_of(s, 8u << i / 2, i % 2);

        t.picture = picture;
        t.c.inputs = picture ? FSH_PICTURE_PLANES : t.c.inputs;
        t.make = kernels[i / 2].make;
        t.run = kernels[i / 2].run;
        try(t);
    }
}

/* Every size of the last tile, panels of every width, more and fewer tiles than a block. Channels
 * of eight lanes: with sixteen there are twice as many. */
static void
winograd_gives_the_sums_of_the_convolution(void **unused)
{
    static const shape shapes[] = {
        {1, 8, 8, 3, 3, 1, 0, false, ANY},           {1, 8, 16, 1, 1, 1, 1, false, ANY},
        {1, 16, 24, 6, 9, 1, 1, false, 0, INFINITY}, {1, 8, 8, 7, 5, 1, 0, false, -0.5f, 0.5f},
        {3, 16, 16, 5, 8, 1, 1, false, 0, 6},        {1, 24, 40, 26, 27, 1, 1, false, ANY},
        {1, 8, 8, 9, 7, 1, 1, true, 0, INFINITY},    {2, 16, 24, 10, 13, 1, 1, true, ANY},
        {1, 8, 16, 12, 6, 1, 0, true, ANY},
    };
    static const kernel kernels[] = {{fsh_winograd_new_8, fsh_winograd_run_8}, {fsh_winograd_new_16, fsh_winograd_run_16}};
    size_t i;

    (void)unused;
    for (i = 0; i < sizeof shapes / sizeof *shapes; i++)
        try_both(&shapes[i], false, kernels);
}

static void
the_first_convolution_gives_the_sums_of_the_convolution(void **unused)
{
    static const shape shapes[] = {
        {1, 3, 8, 3, 3, 1, 0, false, ANY},           {1, 3, 16, 1, 1, 1, 1, false, ANY},
        {2, 3, 24, 7, 11, 1, 1, false, 0, INFINITY}, {1, 3, 32, 12, 13, 2, 1, false, -0.5f, 0.5f},
        {1, 3, 16, 13, 15, 2, 0, false, ANY},        {1, 3, 8, 8, 12, 1, 1, true, ANY},
        {2, 3, 40, 9, 7, 1, 1, true, 0, INFINITY},   {1, 3, 16, 11, 14, 2, 1, true, ANY},
    };
    static const kernel kernels[] = {{fsh_first_new_8, fsh_first_run_8}, {fsh_first_new_16, fsh_first_run_16}};
    size_t i;

    (void)unused;
    for (i = 0; i < sizeof shapes / sizeof *shapes; i++)
        try_both(&shapes[i], true, kernels);
}

/* Rows left over by every number, panels of every width, kernels of every kind. */
static void
products_give_the_sums_of_the_convolution(void **unused)
{
    static const shape shapes[] = {
        {1, 3, 8, 1, 1, 1, 0, false, ANY},   {1, 8, 16, 2, 4, 1, 0, false, 0, INFINITY},
        {2, 5, 24, 3, 3, 1, 0, false, 0, 6}, {1, 16, 32, 5, 2, 2, 0, false, ANY},
        {3, 8, 40, 4, 7, 1, 0, false, ANY},  {1, 8, 48, 5, 5, 1, 0, false, ANY},
    };
    static const size_t kernels[][4] = {{1, 1, 0, 0}, {3, 3, 1, 1}, {1, 7, 0, 3}, {3, 1, 1, 0}};
    size_t i, k;

    (void)unused;
    for (i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (k = 0; k < sizeof kernels / sizeof *kernels; k++) {
            trial t = trial_of(&shapes[i], 16, true);

            t.c.inputs = shapes[i].inputs;
            t.c.kernel_height = kernels[k][0];
            t.c.kernel_width = kernels[k][1];
            t.c.pad = kernels[k][2];
            t.c.pad_left = kernels[k][3];
            t.c.adds = i % 2;
            t.make = fsh_product_new_16;
            t.run = fsh_product_run_16;
            try(t);
        }
}

static void
depthwise_gives_the_sums_of_the_convolution(void **unused)
{
    static const shape shapes[] = {
        {1, 1, 8, 3, 3, 1, 0, false, ANY},          {2, 1, 16, 1, 1, 1, 1, false, ANY},
        {1, 1, 24, 6, 5, 2, 1, false, 0, 6},        {2, 1, 8, 7, 9, 1, 1, false, ANY},
        {1, 1, 16, 8, 7, 2, 0, false, 0, INFINITY},
    };
    size_t i;

    (void)unused;
    for (i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        trial t = trial_of(&shapes[i], 16, true);

        t.depthwise = true;
        t.c.inputs = 1;
        t.make = fsh_depthwise_new_16;
        t.run = fsh_depthwise_run_16;
        try(t);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(winograd_gives_the_sums_of_the_convolution),
        cmocka_unit_test(the_first_convolution_gives_the_sums_of_the_convolution),
        cmocka_unit_test(products_give_the_sums_of_the_convolution),
        cmocka_unit_test(depthwise_gives_the_sums_of_the_convolution),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

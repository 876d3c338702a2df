#include "stages/press.h"

#include <math.h>

#include "stages/wide.h"

enum {
    SIDE = 8,
    BLOCK = SIDE * SIDE,
    TOGETHER = 16, /* blocks that are compressed at once */
    WIDTH = TOGETHER * SIDE
};

/* A step so large that nothing is left. */
static const float nothing_left = 1e9f;

/* ---- steps of a photograph at another scale ---- */

/* Where a coefficient of the picture lies in the blocks of the photograph. */
static float
place_of(int32_t k, double scale, int32_t sampling)
{
    return (float)(k * scale * sampling);
}

static float
step_between(const uint16_t steps[BLOCK], float row, float column)
{
    int32_t top = fsh_clampi((int32_t)row, 0, SIDE - 2);
    int32_t left = fsh_clampi((int32_t)column, 0, SIDE - 2);
    const uint16_t *at = &steps[SIDE * top + left];
    float fy = fsh_clampf(row - (float)top, 0, 1), fx = fsh_clampf(column - (float)left, 0, 1);

    return (1 - fy) * ((1 - fx) * at[0] + fx * at[1]) +
           fy * ((1 - fx) * at[SIDE] + fx * at[SIDE + 1]);
}

/* What is quantised away is noise of some power for every pixel and frequency: a block of the
 * picture covers 1 / (across * down) of a block's pixels, and goes so many times further. */
static void
scale_steps(const uint16_t steps[BLOCK], double across, double down, const int32_t sampling[2],
            float scaled[BLOCK])
{
    float by = (float)sqrt(across * down * sampling[0] * sampling[1]);
    int32_t i;

    for (i = 0; i < BLOCK; i++) {
        float column = place_of(i % SIDE, across, sampling[0]);
        float row = place_of(i / SIDE, down, sampling[1]);

        scaled[i] = column > SIDE - 0.5f || row > SIDE - 0.5f
                        ? nothing_left
                        : by * step_between(steps, row, column);
    }
}

void
fsh_press_make(const fsh_jpeg_tables *tables, const fsh_affine *map, fsh_press *press)
{
    static const int32_t full[2] = {1, 1};
    const int32_t sampling[2] = {tables->across, tables->down};
    double across = hypot(map->m[0], map->m[3]), down = hypot(map->m[1], map->m[4]);

    scale_steps(tables->light, across, down, full, press->light);
    scale_steps(tables->colour, across, down, sampling, press->colour);
}

/* ---- blocks, some side by side: SIDE rows of WIDTH samples ---- */

/* cos(k pi / 16) / 2 */
static const float c1 = 0.49039264f, c2 = 0.46193977f, c3 = 0.41573481f, c4 = 0.35355339f,
                   c5 = 0.27778512f, c6 = 0.19134172f, c7 = 0.09754516f;

/* The orthonormal cosine transform down every column. */
static inline void
transform(const float *restrict in, float *restrict out)
{
    int32_t x;

    for (x = 0; x < WIDTH; x++) {
        const float *a = in + x;
        float s0 = a[0] + a[7 * WIDTH], s1 = a[WIDTH] + a[6 * WIDTH],
              s2 = a[2 * WIDTH] + a[5 * WIDTH], s3 = a[3 * WIDTH] + a[4 * WIDTH];
        float d0 = a[0] - a[7 * WIDTH], d1 = a[WIDTH] - a[6 * WIDTH],
              d2 = a[2 * WIDTH] - a[5 * WIDTH], d3 = a[3 * WIDTH] - a[4 * WIDTH];

        out[x] = c4 * ((s0 + s3) + (s1 + s2));
        out[x + WIDTH] = c1 * d0 + c3 * d1 + (c5 * d2 + c7 * d3);
        out[x + 2 * WIDTH] = c2 * (s0 - s3) + c6 * (s1 - s2);
        out[x + 3 * WIDTH] = c3 * d0 - c7 * d1 - (c1 * d2 + c5 * d3);
        out[x + 4 * WIDTH] = c4 * ((s0 + s3) - (s1 + s2));
        out[x + 5 * WIDTH] = c5 * d0 - c1 * d1 + (c7 * d2 + c3 * d3);
        out[x + 6 * WIDTH] = c6 * (s0 - s3) - c2 * (s1 - s2);
        out[x + 7 * WIDTH] = c7 * d0 - c5 * d1 + (c3 * d2 - c1 * d3);
    }
}

/* And back. */
static inline void
transform_back(const float *restrict in, float *restrict out)
{
    int32_t x;

    for (x = 0; x < WIDTH; x++) {
        const float *a = in + x;
        float a1 = a[WIDTH], a2 = a[2 * WIDTH], a3 = a[3 * WIDTH], a5 = a[5 * WIDTH],
              a6 = a[6 * WIDTH], a7 = a[7 * WIDTH];
        float p = c4 * (a[0] + a[4 * WIDTH]), q = c4 * (a[0] - a[4 * WIDTH]);
        float r = c2 * a2 + c6 * a6, t = c6 * a2 - c2 * a6;
        float d0 = c1 * a1 + c3 * a3 + (c5 * a5 + c7 * a7),
              d1 = c3 * a1 - c7 * a3 - (c1 * a5 + c5 * a7),
              d2 = c5 * a1 - c1 * a3 + (c7 * a5 + c3 * a7),
              d3 = c7 * a1 - c5 * a3 + (c3 * a5 - c1 * a7);

        out[x] = p + r + d0;
        out[x + WIDTH] = q + t + d1;
        out[x + 2 * WIDTH] = q - t + d2;
        out[x + 3 * WIDTH] = p - r + d3;
        out[x + 4 * WIDTH] = p - r - d3;
        out[x + 5 * WIDTH] = q - t - d2;
        out[x + 6 * WIDTH] = q + t - d1;
        out[x + 7 * WIDTH] = p + r - d0;
    }
}

/* Rows and columns of every block are exchanged. */
static inline void
transpose(const float *restrict in, float *restrict out)
{
    int32_t block, x, y;

    for (block = 0; block < WIDTH; block += SIDE)
        for (y = 0; y < SIDE; y++)
            for (x = 0; x < SIDE; x++)
                out[x * WIDTH + block + y] = in[y * WIDTH + block + x];
}

/* Whole multiples of the steps. Adding and taking away 1.5 * 2^23 rounds to a whole number. */
static inline void
round_to(const float *restrict steps, float *restrict values)
{
    static const float rounder = 12582912;
    int32_t i;

    for (i = 0; i < SIDE * WIDTH; i++) {
        float multiple = values[i] / steps[i] + rounder;

        values[i] = (multiple - rounder) * steps[i];
    }
}

/* steps lie as the coefficients do here, with rows and columns exchanged. */
WIDE static void
quantise(const float *steps, float *samples)
{
    float spare[SIDE * WIDTH];

    transform(samples, spare);
    transpose(spare, samples);
    transform(samples, spare);
    round_to(steps, spare);
    transform_back(spare, samples);
    transpose(samples, spare);
    transform_back(spare, samples);
}

/* The blocks that wait to be compressed, and the steps for all of them. */
typedef struct bench {
    fsh_image *image;
    struct place {
        int32_t x, y;
    } at[TOGETHER]; /* upper left corners */
    int32_t n;
    float light[SIDE * WIDTH], colour[SIDE * WIDTH];
    float planes[3][SIDE * WIDTH];
} bench;

/* Red, green and blue; pixels beyond the border are those at it. */
static void
load(bench *b)
{
    const fsh_image *image = b->image;
    int32_t k, x, y, c;

    for (k = 0; k < b->n; k++)
        for (y = 0; y < SIDE; y++) {
            int32_t row = fsh_clampi(b->at[k].y + y, 0, image->height - 1), left = b->at[k].x;

            for (x = 0; x < SIDE; x++) {
                int32_t column = fsh_clampi(left + x, 0, image->width - 1);
                const uint8_t *pixel = fsh_image_at(image, column, row);

                for (c = 0; c < 3; c++)
                    b->planes[c][y * WIDTH + k * SIDE + x] = pixel[c];
            }
        }
}

/* To brightness (less 128) and two differences of colour. */
WIDE static void
split(float planes[3][SIDE * WIDTH])
{
    int32_t i;

    for (i = 0; i < SIDE * WIDTH; i++) {
        float red = planes[0][i], green = planes[1][i], blue = planes[2][i];
        float luma = 0.299f * red + 0.587f * green + 0.114f * blue;

        planes[0][i] = luma - 128;
        planes[1][i] = (blue - luma) * 0.56433f;
        planes[2][i] = (red - luma) * 0.71327f;
    }
}

static inline float
bounded(float value)
{
    value = value > 0 ? value : 0;
    value = value < 255 ? value : 255;
    return value + 0.5f;
}

/* And back, ready to be cut to a byte. */
WIDE static void
join(float planes[3][SIDE * WIDTH])
{
    int32_t i;

    for (i = 0; i < SIDE * WIDTH; i++) {
        float luma = planes[0][i] + 128, blue = planes[1][i], red = planes[2][i];

        planes[0][i] = bounded(luma + 1.402f * red);
        planes[1][i] = bounded(luma - 0.344136f * blue - 0.714136f * red);
        planes[2][i] = bounded(luma + 1.772f * blue);
    }
}

static void
store(const bench *b)
{
    fsh_image *image = b->image;
    int32_t k, x, y, c;

    for (k = 0; k < b->n; k++) {
        int32_t wide = fsh_clampi(image->width - b->at[k].x, 0, SIDE),
                high = fsh_clampi(image->height - b->at[k].y, 0, SIDE);

        for (y = 0; y < high; y++)
            for (x = 0; x < wide; x++) {
                uint8_t *pixel = fsh_image_at(image, b->at[k].x + x, b->at[k].y + y);

                for (c = 0; c < 3; c++)
                    pixel[c] = (uint8_t)b->planes[c][y * WIDTH + k * SIDE + x];
            }
    }
}

static void
press_waiting(bench *b)
{
    load(b);
    split(b->planes);
    quantise(b->light, b->planes[0]);
    quantise(b->colour, b->planes[1]);
    quantise(b->colour, b->planes[2]);
    join(b->planes);
    store(b);
    b->n = 0;
}

static void
lay_steps(const float steps[BLOCK], float strength, float *rows)
{
    int32_t i;

    for (i = 0; i < SIDE * WIDTH; i++)
        rows[i] = strength * steps[SIDE * (i % SIDE) + i / WIDTH];
}

static bool
shows(const fsh_image *colour, int32_t left, int32_t top)
{
    int32_t right = fsh_clampi(left + SIDE, 0, colour->width), x, y;

    for (y = top; y < top + SIDE && y < colour->height; y++)
        for (x = left; x < right; x++)
            if (fsh_image_at(colour, x, y)[3])
                return true;
    return false;
}

void
fsh_press_layer(const fsh_press *press, float strength, const fsh_layer *layer, fsh_image *image)
{
    const fsh_box *drawn = &layer->drawn;
    bench b = {.image = image};
    int32_t x, y;

    if (!(strength > 0))
        return;
    lay_steps(press->light, strength, b.light);
    lay_steps(press->colour, strength, b.colour);
    for (y = drawn->y / SIDE * SIDE; y < drawn->y + drawn->height; y += SIDE)
        for (x = drawn->x / SIDE * SIDE; x < drawn->x + drawn->width; x += SIDE) {
            if (!shows(&layer->colour, x, y))
                continue;
            b.at[b.n++] = (struct place){x, y};
            if (b.n == TOGETHER)
                press_waiting(&b);
        }
    if (b.n > 0)
        press_waiting(&b);
}

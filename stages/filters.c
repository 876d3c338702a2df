#include "stages/filters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/wide.h"

enum {
    PIXEL = 3,        /* bytes */
    BEFORE = 1,       /* px of border to the left and above */
    BORDER = 3,       /* px of border in all: 1 before, 2 after */
    OVERREAD = 16,    /* bytes that the last wide load may touch after the picture */
    STRIP = 512,      /* bytes that are blurred at once */
    PICKS = 64,       /* pixels whose places are worked out at once */
    FRACTION = 16     /* steps between two pixels */
};

struct fsh_filter_space {
    int32_t width, height; /* px, of the picture */
    size_t stride;         /* bytes from row to row of bordered */
    uint8_t *bordered;     /* the picture in a border that is always black */
    uint8_t *line;         /* a row and FSH_FILTER_BLUR_MAX / 2 mirrored pixels on each side */
};

fsh_status
fsh_filter_space_new(int32_t width, int32_t height, fsh_filter_space **space)
{
    fsh_filter_space *made = calloc(1, sizeof *made);

    if (!made)
        return FSH_MEMORY;
    made->width = width;
    made->height = height;
    made->stride = (size_t)(width + BORDER) * PIXEL;
    made->bordered = calloc(made->stride * (size_t)(height + BORDER) + OVERREAD, 1);
    made->line = calloc((size_t)(width + FSH_FILTER_BLUR_MAX) * PIXEL, 1);
    if (!made->bordered || !made->line) {
        fsh_filter_space_free(made);
        return FSH_MEMORY;
    }
    *space = made;
    return FSH_OK;
}

void
fsh_filter_space_free(fsh_filter_space *space)
{
    if (!space)
        return;
    free(space->bordered);
    free(space->line);
    free(space);
}

static uint8_t *
bordered_row(const fsh_filter_space *space, int32_t y)
{
    return space->bordered + (size_t)(y + BEFORE) * space->stride + BEFORE * PIXEL;
}

static void
fill_bordered(fsh_filter_space *space, const fsh_image *image)
{
    int32_t y;

    for (y = 0; y < space->height; y++)
        memcpy(bordered_row(space, y), fsh_image_at(image, 0, y), (size_t)space->width * PIXEL);
}

/* ---- warp ---------------------------------------------------------------------------------------- */

/* Vectors as GCC and Clang know them on every processor. */
typedef uint64_t pair __attribute__((vector_size(16)));
typedef uint8_t bytes8 __attribute__((vector_size(8)));
typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef uint16_t lanes8 __attribute__((vector_size(16)));
typedef uint16_t lanes16 __attribute__((vector_size(32)));

/* A straight walk through the source, in 1/65536 px, kept inside low to high. */
typedef struct walk {
    int32_t x, y, step_x, step_y;
    int32_t low, high_x, high_y;
} walk;

/* Where the pixels of a piece of a row come from: the byte of the upper left neighbour, and how far the
 * place is to the right of it and below it, in 1/FRACTION px. */
typedef struct picks {
    int32_t offset[PICKS];
    int32_t right[PICKS], below[PICKS];
} picks;

static int32_t
to_fixed(double value)
{
    return (int32_t)lrint(value * 65536);
}

static inline int32_t
within(int32_t value, int32_t low, int32_t high)
{
    value = value < low ? low : value;
    return value > high ? high : value;
}

static inline void
pick_places(const walk *at, int32_t from, int32_t n, int32_t stride, picks *out)
{
    int32_t i;

    for (i = 0; i < n; i++) {
        int32_t x = within(at->x + (from + i) * at->step_x, at->low, at->high_x) + 2048;
        int32_t y = within(at->y + (from + i) * at->step_y, at->low, at->high_y) + 2048;

        out->offset[i] = (y >> 16) * stride + (x >> 16) * PIXEL;
        out->right[i] = (x >> 12) & (FRACTION - 1);
        out->below[i] = (y >> 12) & (FRACTION - 1);
    }
}

/* Weights by fraction, for two neighbouring pixels in the lanes r g b r g b 0 0. */
typedef struct weights {
    lanes8 right[FRACTION], below[FRACTION];
} weights;

static void
fill_weights(weights *table)
{
    uint16_t i, lane;

    for (i = 0; i < FRACTION; i++) {
        for (lane = 0; lane < 8; lane++) {
            table->right[i][lane] = lane < 3 ? FRACTION - i : lane < 6 ? i : 0;
            table->below[i][lane] = i;
        }
    }
}

#define LOAD_LANES(a, b) \
    __builtin_convertvector((bytes16)(pair){load_8(a), load_8(b)}, lanes16)
#define JOIN(a, b) \
    __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)

static inline uint64_t
load_8(const uint8_t *from)
{
    uint64_t value;

    memcpy(&value, from, sizeof value);
    return value;
}

/* Makes pixels i and i + 1 of a piece, both at once: in each half of a vector lies one of them with its
 * right neighbour. Sums stay below 256 * FRACTION * FRACTION = 65536. Writes 8 bytes, of which 6 count. */
static inline void
blend_two(const uint8_t *origin, size_t stride, const picks *place, int32_t i, const weights *table,
          uint8_t *to)
{
    const uint8_t *a = origin + place->offset[i], *b = origin + place->offset[i + 1];
    lanes16 upper = LOAD_LANES(a, b), lower = LOAD_LANES(a + stride, b + stride);
    lanes16 below = JOIN(table->below[place->below[i]], table->below[place->below[i + 1]]);
    lanes16 right = JOIN(table->right[place->right[i]], table->right[place->right[i + 1]]);
    lanes16 left = (upper * FRACTION + (lower - upper) * below) * right;
    lanes16 next = __builtin_shufflevector(left, left, 3, 4, 5, 6, 7, 7, 7, 7, 11, 12, 13, 14, 15,
                                           15, 15, 15);
    lanes8 packed = __builtin_shufflevector((left + next + 128) >> 8, below, 0, 1, 2, 8, 9, 10, 3, 3);
    bytes8 value = __builtin_convertvector(packed, bytes8);

    memcpy(to, &value, 8);
}

WIDE static void
warp_row(const fsh_filter_space *space, const walk *at, const weights *table, uint8_t *row)
{
    const uint8_t *origin = bordered_row(space, 0);
    int32_t from, n, i;
    picks place;

    for (from = 0; from < space->width; from += n) {
        n = space->width - from < PICKS ? space->width - from : PICKS;
        pick_places(at, from, n + (n & 1), (int32_t)space->stride, &place);
        for (i = 0; i < n; i += 2)
            blend_two(origin, space->stride, &place, i, table, row + (from + i) * PIXEL);
    }
}

void
fsh_filter_warp(fsh_filter_space *space, fsh_image *image, const fsh_affine *map,
                fsh_filter_border border)
{
    int32_t reach = border == FSH_FILTER_BLACK ? 1 : 0, y;
    uint8_t *row = space->line;
    weights table;
    fsh_affine back;

    if (fsh_affine_invert(map, &back))
        return;
    fill_bordered(space, image);
    fill_weights(&table);
    for (y = 0; y < space->height; y++) {
        walk at = {to_fixed(back.m[1] * y + back.m[2]),  to_fixed(back.m[4] * y + back.m[5]),
                   to_fixed(back.m[0]),                  to_fixed(back.m[3]),
                   -reach * 65536,                       (space->width - 1 + reach) * 65536,
                   (space->height - 1 + reach) * 65536};

        warp_row(space, &at, &table, row);
        memcpy(fsh_image_at(image, 0, y), row, (size_t)space->width * PIXEL);
    }
}

/* ---- blur ---------------------------------------------------------------------------------------- */

/* One half of a symmetric kernel, the middle first, in 1/256, whose sum over both halves is 256. */
static void
fill_kernel(int32_t radius, uint16_t half[FSH_FILTER_BLUR_MAX / 2 + 1])
{
    double sigma = 0.3 * (radius - 1) + 0.8, value[FSH_FILTER_BLUR_MAX / 2 + 1], sum = 0;
    int32_t i, rest = 256;

    for (i = 0; i <= radius; i++) {
        value[i] = exp(-i * i / (2 * sigma * sigma));
        sum += i ? 2 * value[i] : value[i];
    }
    for (i = 1; i <= radius; i++) {
        half[i] = (uint16_t)lrint(256 * value[i] / sum);
        rest -= 2 * half[i];
    }
    half[0] = (uint16_t)rest;
}

/* to[i] = the middle row at i, with the rows of the kernel on both sides of it: the same loop blurs along
 * a line, where the neighbours are a pixel away, and across lines. Strips keep the sums in registers. */
WIDE static void
blur_rows(const uint8_t *const *before, const uint8_t *middle, const uint8_t *const *after,
          const uint16_t *half, int32_t radius, size_t bytes, uint8_t *to)
{
    uint16_t sum[STRIP];
    size_t from, n, i;
    int32_t k;

    for (from = 0; from < bytes; from += STRIP) {
        n = bytes - from < STRIP ? bytes - from : STRIP;
        for (i = 0; i < n; i++)
            sum[i] = (uint16_t)(middle[from + i] * half[0] + 128);
        for (k = 1; k <= radius; k++)
            for (i = 0; i < n; i++)
                sum[i] = (uint16_t)(sum[i] + (before[k][from + i] + after[k][from + i]) * half[k]);
        for (i = 0; i < n; i++)
            to[from + i] = (uint8_t)(sum[i] >> 8);
    }
}

/* Place mirrored about the outermost pixels, for any distance. */
static int32_t
mirrored(int32_t place, int32_t n)
{
    if (n == 1)
        return 0;
    while (place < 0 || place >= n)
        place = place < 0 ? -place : 2 * (n - 1) - place;
    return place;
}

static void
blur_along(const fsh_filter_space *space, const uint8_t *row, const uint16_t *half, int32_t radius,
           uint8_t *to)
{
    const uint8_t *before[FSH_FILTER_BLUR_MAX / 2 + 1], *after[FSH_FILTER_BLUR_MAX / 2 + 1];
    uint8_t *middle = space->line + radius * PIXEL;
    int32_t n = space->width, k;

    memcpy(middle, row, (size_t)n * PIXEL);
    for (k = 1; k <= radius; k++) {
        memcpy(middle - k * PIXEL, row + mirrored(-k, n) * PIXEL, PIXEL);
        memcpy(middle + (n - 1 + k) * PIXEL, row + mirrored(n - 1 + k, n) * PIXEL, PIXEL);
        before[k] = middle - k * PIXEL;
        after[k] = middle + k * PIXEL;
    }
    blur_rows(before, middle, after, half, radius, (size_t)n * PIXEL, to);
}

static void
blur_across(const fsh_filter_space *space, int32_t y, const uint16_t *half, int32_t radius,
            uint8_t *to)
{
    const uint8_t *before[FSH_FILTER_BLUR_MAX / 2 + 1], *after[FSH_FILTER_BLUR_MAX / 2 + 1];
    int32_t k;

    for (k = 1; k <= radius; k++) {
        before[k] = bordered_row(space, mirrored(y - k, space->height));
        after[k] = bordered_row(space, mirrored(y + k, space->height));
    }
    blur_rows(before, bordered_row(space, y), after, half, radius, (size_t)space->width * PIXEL, to);
}

void
fsh_filter_blur(fsh_filter_space *space, fsh_image *image, int32_t kernel)
{
    uint16_t half[FSH_FILTER_BLUR_MAX / 2 + 1];
    int32_t radius = kernel / 2, y;

    if (radius == 0)
        return;
    fill_kernel(radius, half);
    for (y = 0; y < space->height; y++)
        blur_along(space, fsh_image_at(image, 0, y), half, radius, bordered_row(space, y));
    for (y = 0; y < space->height; y++)
        blur_across(space, y, half, radius, fsh_image_at(image, 0, y));
}

/* ---- scale --------------------------------------------------------------------------------------- */

WIDE static void
scale_bytes(uint8_t *data, size_t bytes, uint32_t factor)
{
    size_t i;

    for (i = 0; i < bytes; i++) {
        uint32_t value = (data[i] * factor + 2048) >> 12;

        data[i] = (uint8_t)(value > 255 ? 255 : value);
    }
}

void
fsh_filter_scale(fsh_image *image, double factor)
{
    scale_bytes(image->data, fsh_image_bytes(image), (uint32_t)lrint(factor * 4096));
}

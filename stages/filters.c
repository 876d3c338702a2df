#include "stages/filters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/wide.h"

enum {
    PIXEL = 3,     /* bytes */
    BEFORE = 1,    /* px of border to the left and above */
    BORDER = 3,    /* px of border in all: 1 before, 2 after */
    OVERREAD = 16, /* bytes that the last wide load may touch after the picture */
    STRIP = 512,   /* bytes that are blurred at once */
    PICKS = 64,    /* pixels whose places are worked out at once */
    FRACTION = 16  /* steps between two pixels */
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

/* ---- warp ---- */

/* Four pixels at a time, in vectors as GCC and Clang know them on every processor; AVX2 has each of
 * these steps as one instruction. */
typedef uint32_t words __attribute__((vector_size(16)));
typedef uint64_t quad __attribute__((vector_size(32)));
typedef uint16_t lanes __attribute__((vector_size(32)));
typedef uint8_t octets __attribute__((vector_size(32)));

/* A straight walk through the source, in 1/65536 px, kept inside low to high. */
typedef struct walk {
    int32_t x, y, step_x, step_y;
    int32_t low, high_x, high_y;
} walk;

/* Where the pixels of a piece of a row come from: the byte of the upper left neighbour, and a byte
 * each for how far the place is below it, to the right of it, and to the left of the next, in
 * 1/FRACTION px. */
typedef struct picks {
    int32_t offset[PICKS];
    uint32_t weights[PICKS];
} picks;

enum { BELOW, RIGHT, LEFT }; /* which byte of the weights */

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
        uint32_t right = (uint32_t)(x >> 12) & (FRACTION - 1);
        uint32_t below = (uint32_t)(y >> 12) & (FRACTION - 1);

        out->offset[i] = (y >> 16) * stride + (x >> 16) * PIXEL;
        out->weights[i] = below << 8 * BELOW | right << 8 * RIGHT | (FRACTION - right) << 8 * LEFT;
    }
}

static inline uint64_t
load_8(const uint8_t *from)
{
    uint64_t value;

    memcpy(&value, from, sizeof value);
    return value;
}

/* In each quarter of a vector lies one pixel. FOUR rearranges the 8 bytes of every quarter,
 * FOUR_LANES its 4 lanes of 16 bits. */
#define FOUR(v, a, b, c, d, e, f, g, h)                                                            \
    __builtin_shufflevector(v, v, a, b, c, d, e, f, g, h, 8 + a, 8 + b, 8 + c, 8 + d, 8 + e,       \
                            8 + f, 8 + g, 8 + h, 16 + a, 16 + b, 16 + c, 16 + d, 16 + e, 16 + f,   \
                            16 + g, 16 + h, 24 + a, 24 + b, 24 + c, 24 + d, 24 + e, 24 + f,        \
                            24 + g, 24 + h)
#define FOUR_LANES(v, a, b, c, d)                                                                  \
    __builtin_shufflevector(v, v, a, b, c, d, 4 + a, 4 + b, 4 + c, 4 + d, 8 + a, 8 + b, 8 + c,     \
                            8 + d, 12 + a, 12 + b, 12 + c, 12 + d)

/* A lane of 16 bits for each of three weights; byte 7 of the weights is zero. */
#define LANES_OF(weights, a, b, c) (lanes) FOUR(weights, a, 7, b, 7, c, 7, 7, 7)

/* Makes pixels i to i + 3 of a piece. A pixel and its right neighbour are the bytes r g b R G B and
 * two more; the even ones, r b G, and the odd ones, g R B, are weighed apart. Sums stay below 65536,
 * which is 256 times the square of FRACTION. Writes 14 bytes, of which 12 count. */
static inline void
blend_four(const uint8_t *origin, size_t stride, const picks *place, int32_t i, uint8_t *to)
{
    const uint8_t *a = origin + place->offset[i], *b = origin + place->offset[i + 1];
    const uint8_t *c = origin + place->offset[i + 2], *d = origin + place->offset[i + 3];
    lanes upper = (lanes)(quad){load_8(a), load_8(b), load_8(c), load_8(d)};
    lanes lower = (lanes)(quad){load_8(a + stride), load_8(b + stride), load_8(c + stride),
                                load_8(d + stride)};
    lanes even = upper & 255, odd = upper >> 8, below;
    uint64_t made[4];
    octets weights, packed;
    words word;

    memcpy(&word, place->weights + i, sizeof word);
    weights = (octets) __builtin_convertvector(word, quad);
    below = LANES_OF(weights, BELOW, BELOW, BELOW);
    even =
        (even * FRACTION + ((lower & 255) - even) * below) * LANES_OF(weights, LEFT, LEFT, RIGHT);
    odd = (odd * FRACTION + ((lower >> 8) - odd) * below) * LANES_OF(weights, LEFT, RIGHT, RIGHT);
    even += FOUR_LANES(odd, 1, 2, 0, 3) + FRACTION * FRACTION / 2; /* r b g */
    packed = (octets)(even >> 8);
    packed = __builtin_shufflevector(packed, packed, 0, 4, 2, 8, 12, 10, 7, 7, 7, 7, 7, 7, 7, 7, 7,
                                     7, 16, 20, 18, 24, 28, 26, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7);
    memcpy(made, &packed, sizeof made);
    memcpy(to, &made[0], sizeof made[0]);
    memcpy(to + 2 * PIXEL, &made[2], sizeof made[2]);
}

WIDE static void
warp_row(const fsh_filter_space *space, const walk *at, uint8_t *row)
{
    const uint8_t *origin = bordered_row(space, 0);
    int32_t from, n, i;
    picks place;

    for (from = 0; from < space->width; from += n) {
        n = space->width - from < PICKS ? space->width - from : PICKS;
        pick_places(at, from, (n + 3) / 4 * 4, (int32_t)space->stride, &place);
        for (i = 0; i < n; i += 4)
            blend_four(origin, space->stride, &place, i, row + (from + i) * PIXEL);
    }
}

void
fsh_filter_warp(fsh_filter_space *space, fsh_image *image, const fsh_affine *map,
                fsh_filter_border border)
{
    int32_t reach = border == FSH_FILTER_BLACK ? 1 : 0, y;
    uint8_t *row = space->line;
    fsh_affine back;

    if (fsh_affine_invert(map, &back))
        return;
    fill_bordered(space, image);
    for (y = 0; y < space->height; y++) {
        walk at = {to_fixed(back.m[1] * y + back.m[2]),
                   to_fixed(back.m[4] * y + back.m[5]),
                   to_fixed(back.m[0]),
                   to_fixed(back.m[3]),
                   -reach * 65536,
                   (space->width - 1 + reach) * 65536,
                   (space->height - 1 + reach) * 65536};

        warp_row(space, &at, row);
        memcpy(fsh_image_at(image, 0, y), row, (size_t)space->width * PIXEL);
    }
}

/* ---- blur ---- */

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

/* to[i] = the middle row at i, with the rows of the kernel on both sides of it: the same loop blurs
 * along a line, where the neighbours are a pixel away, and across lines. Strips keep the sums in
 * registers. */
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
    blur_rows(before, bordered_row(space, y), after, half, radius, (size_t)space->width * PIXEL,
              to);
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

/* ---- scale ---- */

/* factor in 1/2048. The upper half of a 16-bit product is twice the value without its fraction,
 * from which rounding is exact; processors have an instruction for it. */
WIDE static void
scale_bytes(uint8_t *data, size_t bytes, uint16_t factor)
{
    size_t i;

    for (i = 0; i < bytes; i++) {
        uint16_t twice = (uint16_t)((uint32_t)(uint16_t)(data[i] << 6) * factor >> 16);
        uint16_t value = (uint16_t)((twice + 1) >> 1);

        data[i] = (uint8_t)(value > 255 ? 255 : value);
    }
}

void
fsh_filter_scale(fsh_image *image, double factor)
{
    scale_bytes(image->data, fsh_image_bytes(image), (uint16_t)lrint(factor * 2048));
}

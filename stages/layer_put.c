/* A finished layer: its grain, its shadow, and how it comes on to the picture. */
#include <string.h>

#include "stages/layer_parts.h"
#include "stages/wide.h"

/* Mixes the bits of a number (Mueller's hash). */
static inline uint32_t
scramble(uint32_t x)
{
    x = (x ^ (x >> 16)) * 0x45d9f3bu;
    x = (x ^ (x >> 16)) * 0x45d9f3bu;
    return x ^ (x >> 16);
}

/* noise becomes that of n pixels from this place on, in 4096ths where alpha is full. The sum of
 * four even numbers from 0 to 255 has a deviation of 147.8 and is nearly normal. */
WIDE static void
make_noise(uint32_t place, int32_t scale, int32_t n, uint32_t *noise)
{
    int32_t i;

    for (i = 0; i < n; i++) {
        uint32_t bits = scramble(place + (uint32_t)i);
        uint32_t sum = (bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24);

        noise[i] = (uint32_t)(((int32_t)sum - 510) * scale);
    }
}

static void
add_noise(const uint32_t *noise, int32_t n, uint8_t *pixel)
{
    int32_t i, c;

    for (i = 0; i < n; i++, pixel += 4) {
        int32_t by;

        if (!pixel[3])
            continue;
        by = ((int32_t)noise[i] * pixel[3] / 255 + 2048) >> 12;
        for (c = 0; c < 3; c++)
            pixel[c] = (uint8_t)fsh_clampi(pixel[c] + by, 0, pixel[3]);
    }
}

void
fsh_layer_grain(fsh_layer *layer, float deviation, uint32_t seed)
{
    int32_t scale = (int32_t)(4096 * fsh_clampf(deviation, 0, 100) / 147.8f), y;
    const fsh_box *box = &layer->drawn;

    for (y = box->y; y < box->y + box->height && scale > 0; y++) {
        make_noise(seed + (uint32_t)(y * layer->colour.width + box->x), scale, box->width,
                   layer->sums);
        add_noise(layer->sums, box->width, fsh_image_at(&layer->colour, box->x, y));
    }
}

/* Whether a row shows anything; columns becomes what it and those before it show. */
WIDE static uint32_t
see_row(const uint8_t *row, int32_t n, uint32_t *columns)
{
    uint32_t any = 0;
    int32_t x;

    for (x = 0; x < n; x++) {
        columns[x] |= row[4 * x + 3];
        any |= row[4 * x + 3];
    }
    return any;
}

/* Bounds of what can be seen, grown by margin; empty where nothing can. */
static fsh_box
find_shown(fsh_layer *layer, int32_t margin)
{
    const fsh_box *box = &layer->drawn;
    int32_t left = 0, right = box->width, top = -1, bottom = -1, y;
    fsh_box shown;

    memset(layer->sums, 0, (size_t)box->width * sizeof *layer->sums);
    for (y = box->y; y < box->y + box->height; y++)
        if (see_row(fsh_image_at(&layer->colour, box->x, y), box->width, layer->sums)) {
            top = top < 0 ? y : top;
            bottom = y + 1;
        }
    if (top < 0)
        return (fsh_box){0, 0, 0, 0};
    while (!layer->sums[left])
        left++;
    while (!layer->sums[right - 1])
        right--;
    shown = (fsh_box){box->x + left - margin, top - margin, right - left + 2 * margin,
                      bottom - top + 2 * margin};
    return fsh_box_clip(&shown, layer->colour.width);
}

/* A row of running means: goes out when a later row of values comes in. */
WIDE static void
step_row(const uint8_t *in, const uint8_t *out, uint32_t part, int32_t n, uint32_t *sums,
         uint8_t *to)
{
    int32_t x;

    for (x = 0; x < n; x++) {
        to[x] = (uint8_t)((sums[x] * part) >> 20);
        sums[x] += (uint32_t)in[x] - (uint32_t)out[x];
    }
}

static void
add_row(const uint8_t *row, int32_t n, uint32_t *sums)
{
    int32_t x;

    for (x = 0; x < n; x++)
        sums[x] += row[x];
}

/* Running means down over 2 * radius + 1 rows of width x height values, those at the ends repeated.
 */
static void
blur_down(const uint8_t *from, int32_t width, int32_t height, int32_t radius, uint32_t *sums,
          uint8_t *to)
{
    /* sum / count: the product is right for every sum of up to 255 * count. */
    uint32_t count = 2 * (uint32_t)radius + 1, part = (1u << 20) / count + 1;
    int32_t i;

    for (i = 0; i < width; i++)
        sums[i] = count / 2;
    for (i = -radius; i <= radius; i++)
        add_row(from + fsh_clampi(i, 0, height - 1) * width, width, sums);
    for (i = 0; i < height; i++)
        step_row(from + fsh_clampi(i + radius + 1, 0, height - 1) * width,
                 from + fsh_clampi(i - radius, 0, height - 1) * width, part, width, sums,
                 to + i * width);
}

/* to becomes from with rows and columns exchanged; both are packed. In blocks, which stay in the
 * cache. */
static void
transpose(const uint8_t *from, int32_t width, int32_t height, uint8_t *to)
{
    enum { BLOCK = 16 };
    int32_t x, y, i, k;

    for (y = 0; y < height; y += BLOCK)
        for (x = 0; x < width; x += BLOCK)
            for (i = y; i < y + BLOCK && i < height; i++)
                for (k = x; k < x + BLOCK && k < width; k++)
                    to[k * height + i] = from[i * width + k];
}

/* shade becomes the alpha of colour in a box at whose edges there is nothing, packed, blurred over
 * about radius px. */
static void
make_shade(fsh_layer *layer, const fsh_box *box, int32_t radius)
{
    uint8_t *shade = layer->shade.data, *spare = layer->spare.data;
    int32_t x, y;

    for (y = 0; y < box->height; y++) {
        const uint8_t *row = fsh_image_at(&layer->colour, box->x, box->y + y);

        for (x = 0; x < box->width; x++)
            shade[y * box->width + x] = row[4 * x + 3];
    }
    blur_down(shade, box->width, box->height, radius, layer->sums, spare);
    blur_down(spare, box->width, box->height, radius, layer->sums, shade);
    transpose(shade, box->width, box->height, spare);
    blur_down(spare, box->height, box->width, radius, layer->sums, shade);
    blur_down(shade, box->height, box->width, radius, layer->sums, spare);
    transpose(spare, box->height, box->width, shade);
}

/* One pixel of the layer on to the picture, over is what lies above it; bright is what the shadow
 * leaves, in 65536ths. */
static inline void
put_pixel(const uint8_t *own, const uint8_t *over, uint32_t bright, uint8_t *pixel)
{
    int32_t keep = (int32_t)(bright * (255u - own[3]) / 255), clear = 257 * (255 - over[3]) + 1, c;

    for (c = 0; c < 3; c++)
        pixel[c] = (uint8_t)fsh_clampi(
            ((pixel[c] - over[c]) * keep + own[c] * clear + over[c] * 65536 + 32768) >> 16, 0, 255);
}

/* dark is how dark the shadow is, in 65536ths for each of 255. */
static void
put_row(const uint8_t *own, const uint8_t *over, const uint8_t *shade, uint32_t dark, int32_t n,
        uint8_t *pixel)
{
    static const uint8_t nothing[4] = {0, 0, 0, 0};
    int32_t x;

    for (x = 0; x < n; x++, own += 4, pixel += 3) {
        const uint8_t *above = over && over[4 * x + 3] ? over + 4 * x : nothing;

        if (own[3] == 255 && !above[3])
            memcpy(pixel, own, 3);
        else if (own[3] || shade[x])
            put_pixel(own, above, 65536 - shade[x] * dark, pixel);
    }
}

void
fsh_layer_put(fsh_layer *layer, const fsh_image *front, const fsh_shadow *shadow, fsh_image *image)
{
    fsh_box box = find_shown(layer, 2 * shadow->radius + shadow->drop + 1);
    int32_t y;

    if (box.width == 0)
        return;
    make_shade(layer, &box, shadow->radius);
    for (y = 0; y < box.height; y++)
        put_row(fsh_image_at(&layer->colour, box.x, box.y + y),
                front ? fsh_image_at(front, box.x, box.y + y) : NULL,
                layer->shade.data + (y > shadow->drop ? y - shadow->drop : 0) * box.width,
                (uint32_t)(65536 / 255.0f * fsh_clampf(shadow->dark, 0, 1)), box.width,
                fsh_image_at(image, box.x, box.y + y));
}

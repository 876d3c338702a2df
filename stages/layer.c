#include "stages/layer_parts.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { CELL = 4 /* px: the warp is evaluated at the corners of cells and linear between */, CURVE_PARTS = 12 };

fsh_status
fsh_layer_init(fsh_layer *layer, int32_t size)
{
    fsh_status status;

    memset(layer, 0, sizeof *layer);
    status = fsh_image_init(&layer->colour, size, size, 4);
    if (!status)
        status = fsh_image_init(&layer->shade, size, size, 1);
    if (!status)
        status = fsh_image_init(&layer->spare, size, size, 1);
    if (!status)
        layer->corners = calloc(2 * ((size_t)size / CELL + 2), sizeof *layer->corners);
    if (!status && !layer->corners)
        status = FSH_MEMORY;
    if (status)
        fsh_layer_fini(layer);
    return status;
}

void
fsh_layer_fini(fsh_layer *layer)
{
    fsh_image_fini(&layer->colour);
    fsh_image_fini(&layer->shade);
    fsh_image_fini(&layer->spare);
    free(layer->corners);
    layer->corners = NULL;
}

void
fsh_layer_clear(fsh_layer *layer)
{
    memset(layer->colour.data, 0, fsh_image_bytes(&layer->colour));
}

void
fsh_light_at(const fsh_light *light, fsh_point at, float gain[3])
{
    float ax = light->at[1].x - light->at[0].x, ay = light->at[1].y - light->at[0].y;
    float t = ((at.x - light->at[0].x) * ax + (at.y - light->at[0].y) * ay) / (ax * ax + ay * ay + 1e-3f);
    int c;

    t = fsh_clampf(t, 0, 1);
    for (c = 0; c < 3; c++)
        gain[c] = light->gain[0][c] + t * (light->gain[1][c] - light->gain[0][c]);
}

void
fsh_layer_paint(uint8_t *pixel, const float colour[4], float saturation, const float gain[3])
{
    float grey = 0.299f * colour[0] + 0.587f * colour[1] + 0.114f * colour[2];
    float keep = 1 - colour[3] * (1 / 255.0f);
    int c;

    for (c = 0; c < 3; c++) {
        float lit = fminf((grey + saturation * (colour[c] - grey)) * gain[c], colour[3]);

        pixel[c] = (uint8_t)((float)pixel[c] * keep + lit + 0.5f);
    }
    pixel[3] = (uint8_t)((float)pixel[3] * keep + colour[3] + 0.5f);
}

/* floorf is a call where the processor is any x86-64. */
static inline int32_t
floor_of(float x)
{
    int32_t whole = (int32_t)x;

    return whole - (x < (float)whole);
}

static inline void
add_pixel(const uint8_t *pixel, float weight, float colour[4])
{
    int c;

    for (c = 0; c < 4; c++)
        colour[c] += weight * (float)pixel[c];
}

/* Adds share of a level at a place in its pixels: bilinear, transparent outside. */
static void
add_sample(const fsh_image *level, float x, float y, float share, float colour[4])
{
    int32_t left = floor_of(x), top = floor_of(y), i;
    float fx = x - (float)left, fy = y - (float)top;
    float weights[4] = {share * (1 - fx) * (1 - fy), share * fx * (1 - fy), share * (1 - fx) * fy, share * fx * fy};

    if (left >= 0 && top >= 0 && left + 1 < level->width && top + 1 < level->height) {
        const uint8_t *above = fsh_image_at(level, left, top), *below = fsh_image_at(level, left, top + 1);

        add_pixel(above, weights[0], colour);
        add_pixel(above + 4, weights[1], colour);
        add_pixel(below, weights[2], colour);
        add_pixel(below + 4, weights[3], colour);
        return;
    }
    for (i = 0; i < 4; i++) {
        int32_t px = left + (i & 1), py = top + (i >> 1);

        if (px >= 0 && py >= 0 && px < level->width && py < level->height)
            add_pixel(fsh_image_at(level, px, py), weights[i], colour);
    }
}

void
fsh_template_sample(const fsh_template *template, fsh_point at, float level, float colour[4])
{
    uint32_t k = (uint32_t)level;
    float share = level - (float)k;
    int pass;

    memset(colour, 0, 4 * sizeof *colour);
    for (pass = 0; pass < 2; pass++) {
        float scale = 1 / (float)(1u << (k + (uint32_t)pass));
        float weight = pass ? share : 1 - share;

        if (weight > 0)
            add_sample(&template->levels[k + (uint32_t)pass], (at.x + 0.5f) * scale - 0.5f,
                       (at.y + 0.5f) * scale - 0.5f, weight, colour);
    }
}

float
fsh_template_level(const fsh_template *template, fsh_point across, fsh_point down, float blur)
{
    float square = (across.x * across.x + across.y * across.y + down.x * down.x + down.y * down.y) / 2;
    float level = 0.5f * log2f(square + 1e-6f) + blur;

    return fsh_clampf(level, (float)template->finest, (float)template->levels_n - 1);
}

/* One cell, whose corners in the template are given: upper left, upper right, lower left, lower right. */
static void
draw_cell(fsh_layer *layer, const fsh_template *template, int32_t left, int32_t top,
          const fsh_point *corner[4], const fsh_light *light, float blur)
{
    fsh_point across = {corner[1]->x - corner[0]->x, corner[1]->y - corner[0]->y};
    fsh_point down = {corner[2]->x - corner[0]->x, corner[2]->y - corner[0]->y};
    fsh_point twist = {corner[3]->x - corner[2]->x - across.x, corner[3]->y - corner[2]->y - across.y};
    fsh_point step[2] = {{across.x / CELL, across.y / CELL}, {down.x / CELL, down.y / CELL}};
    float level = fsh_template_level(template, step[0], step[1], blur), gain[3], colour[4];
    int32_t i, size = layer->colour.width;

    if (!(across.x * down.y - across.y * down.x > 0))
        return;
    fsh_light_at(light, (fsh_point){(float)left + CELL / 2, (float)top + CELL / 2}, gain);
    for (i = 0; i < CELL * CELL; i++) {
        int32_t x = left + i % CELL, y = top + i / CELL;
        float fx = (float)(i % CELL) / CELL, fy = (float)(i / CELL) / CELL;
        fsh_point at = {corner[0]->x + fx * across.x + fy * (down.x + fx * twist.x),
                        corner[0]->y + fx * across.y + fy * (down.y + fx * twist.y)};

        if (x >= size || y >= size)
            continue;
        fsh_template_sample(template, at, level, colour);
        if (colour[3] > 0)
            fsh_layer_paint(fsh_image_at(&layer->colour, x, y), colour, light->saturation, gain);
    }
}

/* A cell can be left out when the template's visible part is beyond one of its sides. */
static bool
sees_nothing(const fsh_template *template, const fsh_point *corner[4])
{
    float slack = 2.0f * (float)(1u << template->finest);
    float left = fminf(fminf(corner[0]->x, corner[1]->x), fminf(corner[2]->x, corner[3]->x));
    float right = fmaxf(fmaxf(corner[0]->x, corner[1]->x), fmaxf(corner[2]->x, corner[3]->x));
    float top = fminf(fminf(corner[0]->y, corner[1]->y), fminf(corner[2]->y, corner[3]->y));
    float bottom = fmaxf(fmaxf(corner[0]->y, corner[1]->y), fmaxf(corner[2]->y, corner[3]->y));

    slack += right - left + bottom - top;
    return right < -slack || bottom < -slack || left > (float)template->width + slack ||
           top > (float)template->height + slack;
}

void
fsh_layer_draw(fsh_layer *layer, const fsh_template *template, const fsh_warp *warp, const fsh_box *box,
               const fsh_light *light, float blur)
{
    int32_t size = layer->colour.width, x, y, i, columns;
    int32_t left = fsh_clampi(box->x, 0, size), right = fsh_clampi(box->x + box->width, 0, size);
    int32_t top = fsh_clampi(box->y, 0, size), bottom = fsh_clampi(box->y + box->height, 0, size);
    fsh_point *above = layer->corners, *below;

    columns = (right - left + CELL - 1) / CELL;
    below = above + columns + 1;
    for (y = top; y < bottom + CELL; y += CELL) {
        for (x = 0; x <= columns; x++)
            below[x] = fsh_warp_apply(warp, (fsh_point){(float)(left + x * CELL), (float)y});
        for (i = 0; i < columns && y > top; i++) {
            const fsh_point *corner[4] = {&above[i], &above[i + 1], &below[i], &below[i + 1]};

            if (!sees_nothing(template, corner))
                draw_cell(layer, template, left + i * CELL, y - CELL, corner, light, blur);
        }
        memcpy(above, below, ((size_t)columns + 1) * sizeof *above);
    }
}

fsh_point
fsh_curve_at(const fsh_curve *curve, float t)
{
    float a = (1 - t) * (1 - t), b = 2 * t * (1 - t), c = t * t;

    return (fsh_point){a * curve->first.x + b * curve->middle.x + c * curve->last.x,
                       a * curve->first.y + b * curve->middle.y + c * curve->last.y};
}

/* Distance of a point to the curve, and the place along it (0 to 1) where it is nearest. */
static float
curve_distance(const fsh_point joints[CURVE_PARTS + 1], fsh_point point, float *along)
{
    float best = INFINITY;
    int i;

    for (i = 0; i < CURVE_PARTS; i++) {
        float ex = joints[i + 1].x - joints[i].x, ey = joints[i + 1].y - joints[i].y;
        float dx = point.x - joints[i].x, dy = point.y - joints[i].y;
        float t = fsh_clampf((dx * ex + dy * ey) / (ex * ex + ey * ey + 1e-6f), 0, 1);
        float distance = hypotf(dx - t * ex, dy - t * ey);

        if (distance < best) {
            best = distance;
            *along = ((float)i + t) / CURVE_PARTS;
        }
    }
    return best;
}

void
fsh_layer_curve(fsh_layer *layer, const fsh_curve *curve, const fsh_light *light)
{
    fsh_point joints[CURVE_PARTS + 1], low, high;
    int32_t x, y, size = layer->colour.width;
    float reach = curve->width / 2 + 1;
    int i, c;

    for (i = 0; i <= CURVE_PARTS; i++)
        joints[i] = fsh_curve_at(curve, (float)i / CURVE_PARTS);
    low = (fsh_point){fminf(curve->first.x, fminf(curve->middle.x, curve->last.x)) - reach,
                      fminf(curve->first.y, fminf(curve->middle.y, curve->last.y)) - reach};
    high = (fsh_point){fmaxf(curve->first.x, fmaxf(curve->middle.x, curve->last.x)) + reach,
                       fmaxf(curve->first.y, fmaxf(curve->middle.y, curve->last.y)) + reach};
    for (y = (int32_t)fsh_clampf(low.y, 0, (float)size); (float)y <= high.y && y < size; y++)
        for (x = (int32_t)fsh_clampf(low.x, 0, (float)size); (float)x <= high.x && x < size; x++) {
            fsh_point at = {(float)x, (float)y};
            float along = 0, gain[3], colour[4];
            float cover = fsh_clampf(curve->width / 2 + 0.5f - curve_distance(joints, at, &along), 0, 1);

            /* A line thinner than a pixel is drawn as one that is one pixel wide and fainter. */
            cover *= fminf(curve->width, 1);
            if (cover <= 0)
                continue;
            cover *= curve->alpha[0] + fmaxf(2 * along - 1, 0) * (curve->alpha[1] - curve->alpha[0]);
            for (c = 0; c < 3; c++)
                colour[c] = curve->colour[c] * cover;
            colour[3] = 255 * cover;
            fsh_light_at(light, at, gain);
            fsh_layer_paint(fsh_image_at(&layer->colour, x, y), colour, light->saturation, gain);
        }
}

/* Mixes the bits of a number (Mueller's hash). */
static uint32_t
scramble(uint32_t x)
{
    x = (x ^ (x >> 16)) * 0x45d9f3bu;
    x = (x ^ (x >> 16)) * 0x45d9f3bu;
    return x ^ (x >> 16);
}

void
fsh_layer_grain(fsh_layer *layer, float deviation, uint32_t seed)
{
    int32_t i, n = layer->colour.width * layer->colour.height, c;

    for (i = 0; i < n && deviation > 0; i++) {
        uint8_t *pixel = layer->colour.data + 4 * i;
        uint32_t bits;
        float noise;

        if (pixel[3] == 0)
            continue;
        /* The sum of four even numbers from 0 to 255 has a deviation of 147.8 and is nearly normal. */
        bits = scramble(seed + (uint32_t)i);
        noise = (float)((bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24)) - 510;
        noise *= deviation / 147.8f * (float)pixel[3] / 255;
        for (c = 0; c < 3; c++)
            pixel[c] = (uint8_t)fsh_clampf((float)pixel[c] + noise + 0.5f, 0, pixel[3]);
    }
}

/* A running mean of 2 * radius + 1 values, those at the ends repeated. */
static void
blur_line(const uint8_t *from, int32_t step, int32_t n, int32_t radius, uint8_t *to)
{
    /* sum / count: the product is right for every sum of up to 255 * count. */
    uint32_t count = 2 * (uint32_t)radius + 1, part = (1u << 20) / count + 1, sum = count / 2;
    int32_t i;

    for (i = -radius; i <= radius; i++)
        sum += from[fsh_clampi(i, 0, n - 1) * step];
    for (i = 0; i < n; i++) {
        to[i * step] = (uint8_t)((sum * part) >> 20);
        sum += (uint32_t)from[fsh_clampi(i + radius + 1, 0, n - 1) * step];
        sum -= (uint32_t)from[fsh_clampi(i - radius, 0, n - 1) * step];
    }
}

/* Bounds of what can be seen, grown by margin; empty where nothing can. */
static fsh_box
find_shown(const fsh_image *colour, int32_t margin)
{
    int32_t size = colour->width, left = size, right = 0, top = size, bottom = 0, x, y;

    for (y = 0; y < size; y++)
        for (x = 0; x < size; x++)
            if (fsh_image_at(colour, x, y)[3]) {
                left = x < left ? x : left;
                right = x > right ? x : right;
                top = y < top ? y : top;
                bottom = y;
            }
    if (left == size)
        return (fsh_box){0, 0, 0, 0};
    left = fsh_clampi(left - margin, 0, size);
    top = fsh_clampi(top - margin, 0, size);
    return (fsh_box){left, top, fsh_clampi(right + 1 + margin, 0, size) - left,
                     fsh_clampi(bottom + 1 + margin, 0, size) - top};
}

/* shade becomes the alpha of colour, blurred over about radius px, in a box at whose edges there is nothing. */
static void
make_shade(fsh_layer *layer, const fsh_box *box, int32_t radius)
{
    int32_t i, x, size = layer->colour.width, pass, right = box->x + box->width, bottom = box->y + box->height;

    for (i = box->y; i < bottom; i++)
        for (x = box->x; x < right; x++)
            *fsh_image_at(&layer->shade, x, i) = fsh_image_at(&layer->colour, x, i)[3];
    for (pass = 0; pass < 2; pass++) {
        for (i = box->y; i < bottom; i++)
            blur_line(fsh_image_at(&layer->shade, box->x, i), 1, box->width, radius,
                      fsh_image_at(&layer->spare, box->x, i));
        for (i = box->x; i < right; i++)
            blur_line(fsh_image_at(&layer->spare, i, box->y), size, box->height, radius,
                      fsh_image_at(&layer->shade, i, box->y));
    }
}

/* One pixel of the layer, over is what lies above it. */
static void
put_pixel(const uint8_t *own, const uint8_t *over, float dark, uint8_t *pixel)
{
    float keep = (1 - dark) * (1 - (float)own[3] / 255), clear = 1 - (float)over[3] / 255;
    int c;

    if (own[3] == 0 && dark <= 0)
        return;
    for (c = 0; c < 3; c++)
        pixel[c] = (uint8_t)fsh_clampf((float)(pixel[c] - over[c]) * keep + (float)own[c] * clear + (float)over[c] + 0.5f,
                                       0, 255);
}

void
fsh_layer_put(fsh_layer *layer, const fsh_image *front, float shadow, fsh_image *image)
{
    static const uint8_t nothing[4] = {0, 0, 0, 0};
    int32_t x, y, size = image->width, radius = size / 56 + 1, drop = size / 80;
    fsh_box box = find_shown(&layer->colour, 2 * radius + drop + 1);

    if (box.width == 0)
        return;
    make_shade(layer, &box, radius);
    for (y = box.y; y < box.y + box.height; y++)
        for (x = box.x; x < box.x + box.width; x++) {
            uint8_t shade = *fsh_image_at(&layer->shade, x, y - drop >= box.y ? y - drop : box.y);

            put_pixel(fsh_image_at(&layer->colour, x, y), front ? fsh_image_at(front, x, y) : nothing,
                      shadow * (float)shade / 255, fsh_image_at(image, x, y));
        }
}

void
fsh_layer_stamp(const fsh_layer *layer, fsh_image *image)
{
    int32_t i, n = image->width * image->height, c;

    for (i = 0; i < n; i++) {
        const uint8_t *own = layer->colour.data + 4 * i;

        for (c = 0; c < 3 && own[3] > FSH_TEMPLATE_OPAQUE; c++)
            image->data[3 * i + c] = (uint8_t)((own[c] * 255 + own[3] / 2) / own[3] > 255
                                                   ? 255 : (own[c] * 255 + own[3] / 2) / own[3]);
    }
}

#include "stages/layer_parts.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "stages/texel.h"

enum { CELL = 4 /* px: the warp is evaluated at the corners of cells and linear between */ };

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
    if (!status)
        layer->sums = calloc((size_t)size, sizeof *layer->sums);
    if (!status && (!layer->corners || !layer->sums))
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
    free(layer->sums);
    layer->corners = NULL;
    layer->sums = NULL;
}

void
fsh_layer_clear(fsh_layer *layer)
{
    const fsh_box *drawn = &layer->drawn;
    int32_t y;

    for (y = drawn->y; y < drawn->y + drawn->height; y++)
        memset(fsh_image_at(&layer->colour, drawn->x, y), 0, 4 * (size_t)drawn->width);
    layer->drawn = (fsh_box){0, 0, 0, 0};
}

fsh_box
fsh_box_clip(const fsh_box *box, int32_t size)
{
    int32_t left = fsh_clampi(box->x, 0, size), top = fsh_clampi(box->y, 0, size);

    return (fsh_box){left, top, fsh_clampi(box->x + box->width, left, size) - left,
                     fsh_clampi(box->y + box->height, top, size) - top};
}

fsh_box
fsh_layer_touch(fsh_layer *layer, const fsh_box *box)
{
    fsh_box part = fsh_box_clip(box, layer->colour.width), *drawn = &layer->drawn;
    int32_t right = drawn->x + drawn->width, bottom = drawn->y + drawn->height;

    if (part.width == 0 || part.height == 0)
        return part;
    if (drawn->width == 0) {
        *drawn = part;
        return part;
    }
    right = right > part.x + part.width ? right : part.x + part.width;
    bottom = bottom > part.y + part.height ? bottom : part.y + part.height;
    drawn->x = drawn->x < part.x ? drawn->x : part.x;
    drawn->y = drawn->y < part.y ? drawn->y : part.y;
    drawn->width = right - drawn->x;
    drawn->height = bottom - drawn->y;
    return part;
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
    int32_t i, size = layer->colour.width;
    fsh_sampler sampler;
    fsh_tint tint;
    float gain[3];

    if (!(across.x * down.y - across.y * down.x > 0))
        return;
    fsh_light_at(light, (fsh_point){(float)left + CELL / 2, (float)top + CELL / 2}, gain);
    tint = fsh_tint_make(gain, light->saturation);
    fsh_sampler_set(&sampler, template, fsh_template_level(template, step[0], step[1], blur));
    for (i = 0; i < CELL * CELL; i++) {
        int32_t x = left + i % CELL, y = top + i / CELL;
        float fx = (float)(i % CELL) / CELL, fy = (float)(i / CELL) / CELL;
        fsh_point at = {corner[0]->x + fx * across.x + fy * (down.x + fx * twist.x),
                        corner[0]->y + fx * across.y + fy * (down.y + fx * twist.y)};
        fsh_texel colour;

        if (x >= size || y >= size)
            continue;
        colour = fsh_sampler_take(&sampler, at);
        if (fsh_texel_alpha(colour))
            fsh_texel_paint(colour, &tint, fsh_image_at(&layer->colour, x, y));
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
    fsh_box part = fsh_layer_touch(layer, box);
    int32_t left = part.x, right = part.x + part.width, top = part.y, bottom = part.y + part.height, x, y, i, columns;
    fsh_point *above = layer->corners, *below;

    if (part.width == 0 || part.height == 0)
        return;
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

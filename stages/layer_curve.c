/* Curves: straps and the arms of glasses. */
#include <math.h>

#include "stages/layer_parts.h"
#include "stages/texel.h"

enum { PARTS = 12 };

fsh_point
fsh_curve_at(const fsh_curve *curve, float t)
{
    float a = (1 - t) * (1 - t), b = 2 * t * (1 - t), c = t * t;

    return (fsh_point){a * curve->first.x + b * curve->middle.x + c * curve->last.x,
                       a * curve->first.y + b * curve->middle.y + c * curve->last.y};
}

/* Squared distance of a point to a straight part, and the place along that where it is nearest. */
static float
part_distance(const fsh_point ends[2], fsh_point point, float *along)
{
    float ex = ends[1].x - ends[0].x, ey = ends[1].y - ends[0].y;
    float dx = point.x - ends[0].x, dy = point.y - ends[0].y;
    float t = fsh_clampf((dx * ex + dy * ey) / (ex * ex + ey * ey + 1e-6f), 0, 1);

    dx -= t * ex;
    dy -= t * ey;
    *along = t;
    return dx * dx + dy * dy;
}

/* Squared distance to a part, where no neighbour is nearer: else infinite. So each pixel is painted
 * by one part. */
static float
own_distance(const fsh_point joints[PARTS + 1], int i, fsh_point point, float *along)
{
    float own = part_distance(joints + i, point, along), other;

    if (i > 0 && part_distance(joints + i - 1, point, &other) <= own)
        return INFINITY;
    return i + 1 < PARTS && part_distance(joints + i + 1, point, &other) < own ? INFINITY : own;
}

static void
paint(fsh_layer *layer, const fsh_curve *curve, const fsh_light *light, fsh_point at, float along,
      float cover)
{
    float gain[3], colour[4];
    fsh_tint tint;
    int c;

    cover *= curve->alpha[0] + fmaxf(2 * along - 1, 0) * (curve->alpha[1] - curve->alpha[0]);
    for (c = 0; c < 3; c++)
        colour[c] = curve->colour[c] * cover;
    colour[3] = 255 * cover;
    fsh_light_at(light, at, gain);
    tint = fsh_tint_make(gain, light->saturation);
    fsh_texel_paint(fsh_texel_make(colour), &tint,
                    fsh_image_at(&layer->colour, (int32_t)at.x, (int32_t)at.y));
}

static fsh_box
part_bounds(const fsh_point ends[2], float reach)
{
    float left = fminf(ends[0].x, ends[1].x) - reach, top = fminf(ends[0].y, ends[1].y) - reach;
    float right = fmaxf(ends[0].x, ends[1].x) + reach, bottom = fmaxf(ends[0].y, ends[1].y) + reach;

    left = fsh_clampf(left, -1e6f, 1e6f);
    top = fsh_clampf(top, -1e6f, 1e6f);
    return (fsh_box){(int32_t)floorf(left), (int32_t)floorf(top),
                     (int32_t)ceilf(fminf(right - left, 1e6f)) + 1,
                     (int32_t)ceilf(fminf(bottom - top, 1e6f)) + 1};
}

static void
draw_part(fsh_layer *layer, const fsh_curve *curve, const fsh_light *light,
          const fsh_point joints[PARTS + 1], int i)
{
    float half = curve->width / 2 + 0.5f, along;
    fsh_box whole = part_bounds(joints + i, half), box = fsh_layer_touch(layer, &whole);
    int32_t x, y;

    for (y = box.y; y < box.y + box.height; y++)
        for (x = box.x; x < box.x + box.width; x++) {
            fsh_point at = {(float)x, (float)y};
            float square = own_distance(joints, i, at, &along);

            /* A line thinner than a pixel is drawn as one that is one pixel wide and fainter. */
            if (square < half * half)
                paint(layer, curve, light, at, ((float)i + along) / PARTS,
                      fminf(half - sqrtf(square), 1) * fminf(curve->width, 1));
        }
}

void
fsh_layer_curve(fsh_layer *layer, const fsh_curve *curve, const fsh_light *light)
{
    fsh_point joints[PARTS + 1];
    int i;

    for (i = 0; i <= PARTS; i++)
        joints[i] = fsh_curve_at(curve, (float)i / PARTS);
    for (i = 0; i < PARTS; i++)
        draw_part(layer, curve, light, joints, i);
}

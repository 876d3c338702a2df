#include "stages/lens.h"

#include <math.h>

/* Under this turn (degrees) the ridge of the nose hides nothing of the lenses. */
static const float hides_from = 12;

static fsh_box
clip(const fsh_box *box, int32_t size)
{
    int32_t left = fsh_clampi(box->x, 0, size), top = fsh_clampi(box->y, 0, size);

    return (fsh_box){left, top, fsh_clampi(box->x + box->width, 0, size) - left,
                     fsh_clampi(box->y + box->height, 0, size) - top};
}

void
fsh_lens_dense(fsh_layer *layer, const fsh_box *box, float lenses)
{
    fsh_box part = clip(box, layer->colour.width);
    uint8_t alpha[256];
    float gain[256];
    int32_t x, y, i, c;

    alpha[0] = 0;
    gain[0] = 0;
    for (i = 1; i < 256; i++) {
        float denser = 255 * (1 - powf(1 - (float)i / 255, lenses));

        alpha[i] = (uint8_t)(denser + 0.5f);
        gain[i] = denser / (float)i;
    }
    for (y = part.y; y < part.y + part.height; y++)
        for (x = part.x; x < part.x + part.width; x++) {
            uint8_t *pixel = fsh_image_at(&layer->colour, x, y);
            uint8_t was = pixel[3];

            pixel[3] = alpha[was];
            for (c = 0; c < 3; c++)
                pixel[c] = (uint8_t)fminf(gain[was] * (float)pixel[c] + 0.5f, pixel[3]);
        }
}

static float
bell(float value)
{
    return expf(-value * value);
}

/* How bright the reflection is at a place of the lens; 0 from its bounds on. */
static float
glare_at(const fsh_glare *glare, float cosine, float sine, float u, float v)
{
    float along = cosine * u + sine * v,
          inside = fsh_clampf(3 * (1 - u * u * u * u - v * v * v * v), 0, 1);
    float streak = bell((along - glare->at) / glare->width);
    float thin = 0.5f * bell((along - glare->at - 2.4f * glare->width) / (0.4f * glare->width));

    return glare->strength * inside * fminf(streak + thin + glare->sky * fsh_clampf(-v, 0, 1), 1);
}

static void
lay_over(uint8_t *pixel, float share, float level)
{
    int c;

    for (c = 0; c < 4; c++) {
        float more = (c < 3 ? 255 * level : 255) - (float)pixel[c];

        pixel[c] = (uint8_t)((float)pixel[c] + share * fmaxf(more, 0) + 0.5f);
    }
}

/* One lens: its centre and its bounds to the right and below, as seen. */
static void
mirror_lens(fsh_layer *layer, const fsh_point seen[3], const fsh_glare *glare)
{
    fsh_point across = {seen[1].x - seen[0].x, seen[1].y - seen[0].y};
    fsh_point down = {seen[2].x - seen[0].x, seen[2].y - seen[0].y};
    float area = across.x * down.y - across.y * down.x, cosine = cosf(glare->slant),
          sine = sinf(glare->slant);
    float wide = fabsf(across.x) + fabsf(down.x), high = fabsf(across.y) + fabsf(down.y);
    fsh_box whole = {(int32_t)floorf(seen[0].x - wide), (int32_t)floorf(seen[0].y - high),
                     (int32_t)(2 * wide) + 2, (int32_t)(2 * high) + 2};
    fsh_box part = clip(&whole, layer->colour.width);
    int32_t x, y;

    if (!(area > 1))
        return;
    for (y = part.y; y < part.y + part.height; y++)
        for (x = part.x; x < part.x + part.width; x++) {
            float dx = (float)x - seen[0].x, dy = (float)y - seen[0].y;
            float u = (dx * down.y - dy * down.x) / area,
                  v = (dy * across.x - dx * across.y) / area;
            float share = fabsf(u) < 1 && fabsf(v) < 1 ? glare_at(glare, cosine, sine, u, v) : 0;

            if (share > 0)
                lay_over(fsh_image_at(&layer->colour, x, y), share, glare->level);
        }
}

void
fsh_lens_mirror(fsh_layer *layer, const fsh_frame *frame, const fsh_point *anchors,
                const fsh_glare *glare)
{
    float wide = anchors[FSH_FRAME_LENS_END].x - anchors[FSH_FRAME_LEFT_LENS].x;
    float high = anchors[FSH_FRAME_LENS_END].y - anchors[FSH_FRAME_LEFT_LENS].y;
    int lens;

    for (lens = FSH_FRAME_LEFT_LENS; lens <= FSH_FRAME_RIGHT_LENS; lens++) {
        const fsh_point *centre = &anchors[lens];
        fsh_point seen[3] = {fsh_frame_see(frame, *centre),
                             fsh_frame_see(frame, (fsh_point){centre->x + wide, centre->y}),
                             fsh_frame_see(frame, (fsh_point){centre->x, centre->y + high})};

        mirror_lens(layer, seen, glare);
    }
}

/* How far a point lies to the right of the line from first to last (which runs down), px. */
static float
right_of(fsh_point first, fsh_point last, fsh_point point)
{
    float dx = last.x - first.x, dy = last.y - first.y;

    return ((point.x - first.x) * dy - (point.y - first.y) * dx) / fmaxf(hypotf(dx, dy), 1e-3f);
}

void
fsh_lens_hide(fsh_layer *layer, const fsh_frame *frame, const fsh_box *box, fsh_point nasion,
              fsh_point tip)
{
    fsh_box part = clip(box, layer->colour.width);
    float far = frame->head->yaw > 0 ? 1 : -1, flank = 2.5f * frame->head->scale;
    fsh_point upper = fsh_frame_see(frame, frame->middle);
    fsh_point lower =
        fsh_frame_see(frame, (fsh_point){frame->middle.x, frame->middle.y + frame->half});
    int32_t x, y, c;

    if (fabsf(frame->head->yaw) < hides_from)
        return;
    for (y = part.y; y < part.y + part.height; y++)
        for (x = part.x; x < part.x + part.width; x++) {
            fsh_point at = {(float)x, (float)y};
            float beyond = far * right_of(upper, lower, at),
                  before = flank - far * right_of(nasion, tip, at);
            float hidden = fsh_clampf(beyond + 0.5f, 0, 1) * fsh_clampf(before + 0.5f, 0, 1);
            bool below =
                (at.x - nasion.x) * (tip.x - nasion.x) + (at.y - nasion.y) * (tip.y - nasion.y) > 0;
            uint8_t *pixel = fsh_image_at(&layer->colour, x, y);

            for (c = 0; c < 4 && below && hidden > 0; c++)
                pixel[c] = (uint8_t)((float)pixel[c] * (1 - hidden) + 0.5f);
        }
}

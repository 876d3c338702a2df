#include "stages/lens.h"

#include <math.h>

#include "stages/layer_parts.h"

/* Under this turn (degrees) the ridge of the nose hides nothing of the lenses. */
static const float hides_from = 12;

void
fsh_lens_dense(fsh_layer *layer, const fsh_box *box, float lenses)
{
    fsh_box part = fsh_box_clip(box, layer->colour.width);
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

/* Both streaks of a reflection across the lens, from -REACH to REACH. */
enum { STREAK_PARTS = 96 };
static const float reach = 1.5f;

static void
make_streaks(const fsh_glare *glare, float streaks[STREAK_PARTS + 2])
{
    int i;

    for (i = 0; i < STREAK_PARTS + 2; i++) {
        float along = reach * (2.0f * (float)i / STREAK_PARTS - 1) - glare->at;

        streaks[i] = bell(along / glare->width) +
                     0.5f * bell((along - 2.4f * glare->width) / (0.4f * glare->width));
    }
}

/* How bright the reflection is at a place of the lens; 0 from its bounds on. */
static float
glare_at(const fsh_glare *glare, const float *streaks, float along, float u, float v)
{
    float inside = fsh_clampf(3 * (1 - u * u * u * u - v * v * v * v), 0, 1);
    float place = (along / reach + 1) * (STREAK_PARTS / 2);
    int i = (int)place;
    float streak = streaks[i] + (place - (float)i) * (streaks[i + 1] - streaks[i]);
    float all = streak + glare->sky * fsh_clampf(-v, 0, 1);

    return glare->strength * inside * (all < 1 ? all : 1);
}

static void
lay_over(uint8_t *pixel, float share, float level)
{
    int c;

    for (c = 0; c < 4; c++) {
        float more = (c < 3 ? 255 * level : 255) - (float)pixel[c];

        pixel[c] = (uint8_t)((float)pixel[c] + share * (more > 0 ? more : 0) + 0.5f);
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
    fsh_box part = fsh_layer_touch(layer, &whole);
    float streaks[STREAK_PARTS + 2];
    int32_t x, y;

    if (!(area > 1))
        return;
    make_streaks(glare, streaks);
    for (y = part.y; y < part.y + part.height; y++)
        for (x = part.x; x < part.x + part.width; x++) {
            float dx = (float)x - seen[0].x, dy = (float)y - seen[0].y;
            float u = (dx * down.y - dy * down.x) / area,
                  v = (dy * across.x - dx * across.y) / area;
            float share = fabsf(u) < 1 && fabsf(v) < 1
                              ? glare_at(glare, streaks, cosine * u + sine * v, u, v)
                              : 0;

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

/* A line that runs down: how far a point lies to the right of it, px. */
typedef struct edge {
    float x, y, rest;
} edge;

static edge
make_edge(fsh_point first, fsh_point last)
{
    float dx = last.x - first.x, dy = last.y - first.y, length = fmaxf(hypotf(dx, dy), 1e-3f);

    return (edge){dy / length, -dx / length, (first.y * dx - first.x * dy) / length};
}

static inline float
right_of(const edge *e, float x, float y)
{
    return x * e->x + y * e->y + e->rest;
}

void
fsh_lens_hide(fsh_layer *layer, const fsh_frame *frame, const fsh_box *box, fsh_point nasion,
              fsh_point tip)
{
    fsh_box part = fsh_box_clip(box, layer->colour.width);
    float far = frame->head->yaw > 0 ? 1 : -1, flank = 2.5f * frame->head->scale;
    fsh_point upper = fsh_frame_see(frame, frame->middle);
    fsh_point lower =
        fsh_frame_see(frame, (fsh_point){frame->middle.x, frame->middle.y + frame->half});
    edge front = make_edge(upper, lower), ridge = make_edge(nasion, tip);
    int32_t x, y, c;

    if (fabsf(frame->head->yaw) < hides_from)
        return;
    for (y = part.y; y < part.y + part.height; y++)
        for (x = part.x; x < part.x + part.width; x++) {
            float beyond = far * right_of(&front, (float)x, (float)y),
                  before = flank - far * right_of(&ridge, (float)x, (float)y);
            float hidden = fsh_clampf(beyond + 0.5f, 0, 1) * fsh_clampf(before + 0.5f, 0, 1);
            bool below = ((float)x - nasion.x) * (tip.x - nasion.x) +
                             ((float)y - nasion.y) * (tip.y - nasion.y) >
                         0;
            uint8_t *pixel = fsh_image_at(&layer->colour, x, y);

            for (c = 0; c < 4 && below && hidden > 0; c++)
                pixel[c] = (uint8_t)((float)pixel[c] * (1 - hidden) + 0.5f);
        }
}

/* How a face is lit, from one photograph of it. Skin alone would take dark skin for a dark room,
 * the brightest parts of the picture alone a face in the shade for one in the sun; so both count,
 * and the brightest places of the face itself, which shine on any skin, most. */
#include <math.h>
#include <string.h>

#include "stages/worn.h"

/* How bright each is where white things are as bright as they can be (sRGB). */
static const float skin_full = 165, shine_full = 232, picture_full = 235;

/* What the cues say is compressed: really worn white masks are from 160 to 235 bright in pictures
 * whose skin goes from 75 to 210 (docs/synthesis.md). */
static const float compression = 0.6f, level_low = 0.45f, level_high = 1.12f;

/* Hue of skin: in the middle, and the range of nine tenths of LFW. Within it, it is a person's;
 * beyond, it is the light's. */
static const float hue_middle[3] = {1.22f, 0.94f, 0.77f}, hue_low[3] = {1.10f, 0.87f, 0.60f},
                   hue_high[3] = {1.36f, 0.98f, 0.90f};

/* Adds the colours of a small square of skin, weighted by how much of it is to be seen. */
static void
add_skin(const fsh_canvas *canvas, fsh_point at, float radius, float sum[4])
{
    int32_t x, y, c, size = canvas->image.width, r = (int32_t)radius;
    int32_t cx = (int32_t)lroundf(at.x), cy = (int32_t)lroundf(at.y);

    for (y = fsh_clampi(cy - r, 0, size); y <= cy + r && y < size; y++)
        for (x = fsh_clampi(cx - r, 0, size); x <= cx + r && x < size; x++) {
            const uint8_t *pixel = fsh_image_at(&canvas->image, x, y);

            if (canvas->front && fsh_image_at(canvas->front, x, y)[3] > 24)
                continue;
            for (c = 0; c < 3; c++)
                sum[c] += pixel[c];
            sum[3] += 1;
        }
}

bool
fsh_skin_measure(const fsh_canvas *canvas, const fsh_pose *pose, int side, float colour[3])
{
    static const int outer_eye[2] = {36, 45}, lower_lid[2] = {41, 46}, wing[2] = {31, 35},
                     jaw[2] = {1, 15};
    const fsh_point *p = canvas->landmarks;
    float sum[4] = {0, 0, 0, 0}, radius = 0.05f * pose->height;
    int c;

    add_skin(canvas, fsh_point_mix(p[outer_eye[side]], p[jaw[side]], 0.4f), radius, sum);
    add_skin(canvas, fsh_point_mix(p[lower_lid[side]], p[wing[side]], 0.35f), radius, sum);
    for (c = 0; c < 3; c++)
        colour[c] = sum[c] / fmaxf(sum[3], 1);
    return sum[3] > 0;
}

/* Brightness that one in so many of the counted pixels is over. */
static float
bright_end(const uint32_t counts[256], uint32_t n, uint32_t one_in)
{
    uint32_t seen = 0;
    int value;

    for (value = 255; value > 0 && seen * one_in < n; value--)
        seen += counts[value];
    return (float)value;
}

static float
picture_bright(const fsh_image *image)
{
    uint32_t counts[256] = {0}, n = 0;
    int32_t x, y;

    for (y = 0; y < image->height; y += 2)
        for (x = 0; x < image->width; x += 2, n++)
            counts[fsh_image_at(image, x, y)[1]]++;
    return bright_end(counts, n, 20);
}

/* How bright forehead, nose and cheekbones shine: a grid between brows and cheeks. */
static float
face_shine(const fsh_canvas *canvas, const fsh_pose *pose)
{
    enum { ACROSS = 24, DOWN = 16 };
    const fsh_point *p = canvas->landmarks;
    fsh_point upper[2] = {fsh_pose_point(pose, p[17], 0, -0.2f * pose->height),
                          fsh_pose_point(pose, p[26], 0, -0.2f * pose->height)};
    int32_t last = canvas->image.width - 1, i;
    uint32_t counts[256] = {0}, n = 0;

    for (i = 0; i < ACROSS * DOWN; i++) {
        float u = ((float)(i % ACROSS) + 0.5f) / ACROSS, v = ((float)(i / ACROSS) + 0.5f) / DOWN;
        fsh_point at =
            fsh_point_mix(fsh_point_mix(upper[0], upper[1], u), fsh_point_mix(p[2], p[14], u), v);
        int32_t x = fsh_clampi((int32_t)at.x, 0, last), y = fsh_clampi((int32_t)at.y, 0, last);
        const uint8_t *pixel = fsh_image_at(&canvas->image, x, y);

        if (canvas->front && fsh_image_at(canvas->front, x, y)[3] > 24)
            continue;
        counts[(77 * pixel[0] + 150 * pixel[1] + 29 * pixel[2]) / 256]++;
        n++;
    }
    return bright_end(counts, n, 33);
}

/* Light on the whole face: what white is multiplied with. */
static float
light_level(const fsh_canvas *canvas, const fsh_pose *pose, const float skin[3])
{
    float shine = face_shine(canvas, pose), bright = fmaxf(picture_bright(&canvas->image), shine);
    float cue = 0.2f * fsh_luma(skin) / skin_full + 0.5f * shine / shine_full +
                0.3f * bright / picture_full;

    return fsh_clampf(powf(cue, compression), level_low, level_high);
}

static float
light_hue(float skin, int channel)
{
    float strange = skin / fsh_clampf(skin, hue_low[channel], hue_high[channel]);

    return fsh_clampf(powf(skin / hue_middle[channel], 0.15f) * powf(strange, 0.45f), 0.86f, 1.14f);
}

/* Gain of one side: the light on the face, more or less of it as this side is brighter or darker
 * than both, and a hint of the hue of the light. */
static void
set_gain(const float skin[3], const float both[3], float level, float saturation, float strength,
         float gain[3])
{
    float side = fsh_clampf(fsh_luma(skin) / fmaxf(fsh_luma(both), 1), 0.5f, 1.5f);
    int c;

    level = fsh_clampf(level * (1 + 0.7f * (side - 1)), 0.25f, level_high);
    for (c = 0; c < 3; c++) {
        float hue = light_hue(fmaxf(skin[c], 1) / fmaxf(fsh_luma(skin), 1), c);

        gain[c] = 1 + strength * (level * (1 + saturation * (hue - 1)) - 1);
    }
}

fsh_light
fsh_light_measure(const fsh_canvas *canvas, const fsh_pose *pose, float strength)
{
    const fsh_point *p = canvas->landmarks;
    fsh_light light = {{p[2], p[14]}, {{1, 1, 1}, {1, 1, 1}}, 1};
    float skin[2][3], low, high, mean[3], level;
    bool seen[2];
    int side, c;

    for (side = 0; side < 2; side++)
        seen[side] = fsh_skin_measure(canvas, pose, side, skin[side]);
    if (!seen[0] && !seen[1])
        return light;
    for (side = 0; side < 2; side++)
        if (!seen[side])
            memcpy(skin[side], skin[1 - side], sizeof skin[side]);
    for (c = 0; c < 3; c++)
        mean[c] = (skin[0][c] + skin[1][c]) / 2;
    low = fminf(mean[0], fminf(mean[1], mean[2]));
    high = fmaxf(mean[0], fmaxf(mean[1], mean[2]));
    /* Skin in colour differs by a sixth or more between red and blue; in grey photographs by
     * nothing. */
    light.saturation = fsh_clampf(((high - low) / fmaxf(high, 1) - 0.02f) / 0.1f, 0, 1);
    level = light_level(canvas, pose, mean);
    for (side = 0; side < 2; side++)
        set_gain(skin[side], mean, level, light.saturation, strength, light.gain[side]);
    light.saturation = 1 - strength * (1 - light.saturation);
    return light;
}

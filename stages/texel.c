#include "stages/texel.h"

enum { FRACTION = 256 };

void
fsh_sampler_set(fsh_sampler *sampler, const fsh_template *template, float level)
{
    uint32_t k = (uint32_t)level, i;

    sampler->shares[1] = (uint32_t)((level - (float)k) * 256 + 0.5f);
    sampler->shares[0] = 256 - sampler->shares[1];
    for (i = 0; i < 2; i++) {
        float scale = 1 / (float)(1u << (k + i));

        sampler->levels[i] = &template->levels[k + i];
        sampler->scales[i] = FRACTION * scale;
        sampler->offsets[i] = FRACTION * (0.5f * scale - 0.5f);
    }
}

/* At the edge: what is outside is nothing. */
static fsh_texel
take_edge(const fsh_image *level, int32_t left, int32_t top, uint32_t fx, uint32_t fy)
{
    uint32_t both = (fx * fy + 128) >> 8;
    const uint32_t weights[4] = {256 - fx - fy + both, fx - both, fy - both, both};
    fsh_texel sum = 0;
    int i;

    for (i = 0; i < 4; i++) {
        int32_t x = left + (i & 1), y = top + (i >> 1);

        if (x >= 0 && y >= 0 && x < level->width && y < level->height)
            sum += weights[i] * fsh_texel_load(fsh_image_at(level, x, y));
    }
    return sum;
}

/* Bilinear, x and y in FRACTIONs of a pixel. */
static inline fsh_texel
take_level(const fsh_image *level, int32_t x, int32_t y)
{
    int32_t left = x >> 8, top = y >> 8;
    uint32_t fx = (uint32_t)x & 255, fy = (uint32_t)y & 255;
    const uint8_t *at;

    if (left < 0 || top < 0 || left + 1 >= level->width || top + 1 >= level->height)
        return take_edge(level, left, top, fx, fy);
    at = fsh_image_at(level, left, top);
    return fsh_texel_between(at, at + 4 * (size_t)level->width, fx, fy);
}

/* A lane's whole part, rounded. */
static inline fsh_texel
whole(fsh_texel sum)
{
    return (sum + 0x0080008000800080u) >> 8 & 0x00ff00ff00ff00ffu;
}

/* Floor, of what an int32_t can hold. */
static inline int32_t
floor_of(float x)
{
    int32_t cut = (int32_t)fsh_clampf(x, -1e9f, 1e9f);

    return cut - (x < (float)cut);
}

static inline fsh_texel
take(const fsh_sampler *s, int i, fsh_point at)
{
    return take_level(s->levels[i], floor_of(at.x * s->scales[i] + s->offsets[i]),
                      floor_of(at.y * s->scales[i] + s->offsets[i]));
}

fsh_texel
fsh_sampler_take(const fsh_sampler *s, fsh_point at)
{
    if (!s->shares[1])
        return take(s, 0, at);
    return s->shares[0] * whole(take(s, 0, at)) + s->shares[1] * whole(take(s, 1, at));
}

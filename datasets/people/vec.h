/* Small arithmetic of the renderer: smooth steps, keyed noise. Vectors: x to the right, y up, z to the viewer. Inside datasets/people
 * only. */
#ifndef FSH_DATASETS_PEOPLE_VEC_H
#define FSH_DATASETS_PEOPLE_VEC_H

#include <stdint.h>

#include "base/vec.h"

static inline float
fsh_mixf(float a, float b, float t)
{
    return a + (b - a) * t;
}

/* 0 up to low, 1 from high on, smooth between; low may be over high, which turns it round. */
static inline float
fsh_step(float low, float high, float x)
{
    float t = (x - low) / (high - low);

    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return t * t * (3 - 2 * t);
}

/* A hill of height 1 over (cx, cy), 0 from about two radii on. */
static inline float
fsh_hill(float x, float y, float cx, float cy, float rx, float ry)
{
    float dx = (x - cx) / rx, dy = (y - cy) / ry, left = 1 - 0.25f * (dx * dx + dy * dy);

    return left > 0 ? left * left * left : 0;
}

/* The same on both sides of the face. */
static inline float
fsh_hills(float x, float y, float cx, float cy, float rx, float ry)
{
    return fsh_hill(fabsf(x), y, cx, cy, rx, ry);
}

/* Value noise, 0 to 1, smooth over cells of side 1. */
float fsh_noise2(float x, float y, uint32_t key);

/* Two octaves of it. */
static inline float
fsh_noise2x2(float x, float y, uint32_t key)
{
    return 0.65f * fsh_noise2(x, y, key) + 0.35f * fsh_noise2(2.03f * x, 2.03f * y, key + 1);
}

#endif

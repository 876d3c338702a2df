/* Small arithmetic of the renderer: vectors in space, smooth steps, keyed noise. Inside datasets/people
 * only. x to the right, y up, z to the viewer. */
#ifndef FSH_DATASETS_PEOPLE_VEC_H
#define FSH_DATASETS_PEOPLE_VEC_H

#include <math.h>
#include <stdint.h>

typedef struct fsh_vec3 {
    float x, y, z;
} fsh_vec3;

static inline fsh_vec3
fsh_vec3_add(fsh_vec3 a, fsh_vec3 b)
{
    return (fsh_vec3){a.x + b.x, a.y + b.y, a.z + b.z};
}

static inline fsh_vec3
fsh_vec3_sub(fsh_vec3 a, fsh_vec3 b)
{
    return (fsh_vec3){a.x - b.x, a.y - b.y, a.z - b.z};
}

static inline fsh_vec3
fsh_vec3_scale(fsh_vec3 a, float s)
{
    return (fsh_vec3){a.x * s, a.y * s, a.z * s};
}

static inline float
fsh_vec3_dot(fsh_vec3 a, fsh_vec3 b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static inline fsh_vec3
fsh_vec3_cross(fsh_vec3 a, fsh_vec3 b)
{
    return (fsh_vec3){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

/* To length 1; a vector without length stays. */
static inline fsh_vec3
fsh_vec3_unit(fsh_vec3 a)
{
    float n = sqrtf(fsh_vec3_dot(a, a));

    return n > 1e-9f ? fsh_vec3_scale(a, 1 / n) : a;
}

/* A mix of a and b, colours too: a where t is 0. */
static inline fsh_vec3
fsh_vec3_mix(fsh_vec3 a, fsh_vec3 b, float t)
{
    return fsh_vec3_add(a, fsh_vec3_scale(fsh_vec3_sub(b, a), t));
}

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

/* Vectors in space. */
#ifndef FSH_BASE_VEC_H
#define FSH_BASE_VEC_H

#include <math.h>

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

#endif

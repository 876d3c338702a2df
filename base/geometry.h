/* Points and affine maps in the plane. x to the right, y down, pixel centres at whole numbers. */
#ifndef FSH_BASE_GEOMETRY_H
#define FSH_BASE_GEOMETRY_H

#include <stdint.h>

#include "base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fsh_point {
    float x, y;
} fsh_point;

typedef struct fsh_box {
    int32_t x, y, width, height; /* px */
} fsh_box;

/* x' = m[0] x + m[1] y + m[2],  y' = m[3] x + m[4] y + m[5] */
typedef struct fsh_affine {
    double m[6];
} fsh_affine;

fsh_point fsh_affine_apply(const fsh_affine *map, fsh_point point);

/* The map that does first, then second. */
fsh_affine fsh_affine_then(const fsh_affine *first, const fsh_affine *second);

/* The map back. A map without one (no area) fails with FORMAT. */
fsh_status fsh_affine_invert(const fsh_affine *map, fsh_affine *inverse);

/* Least-squares similarity (rotation, one scale, shift, no mirroring) that takes from[i] to to[i]
 * (Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
 * PAMI 1991). n >= 2; points that all coincide fail with FORMAT. */
fsh_status fsh_affine_similarity(const fsh_point *from, const fsh_point *to, uint32_t n,
                                 fsh_affine *map);

/* The map that stretches box onto a width x height picture, edges onto edges. */
fsh_affine fsh_affine_from_box(const fsh_box *box, double width, double height);

fsh_point fsh_points_mean(const fsh_point *points, uint32_t n);

static inline float
fsh_clampf(float value, float low, float high)
{
    return value < low ? low : value > high ? high : value;
}

static inline int32_t
fsh_clampi(int32_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : value;
}

#ifdef __cplusplus
}
#endif
#endif

/* Thin-plate splines: the smoothest map of the plane that takes given points to given points (Bookstein,
 * "Principal warps: thin-plate splines and the decomposition of deformations", PAMI 1989). */
#ifndef FSH_STAGES_WARP_H
#define FSH_STAGES_WARP_H

#include <stdint.h>

#include "base/geometry.h"
#include "base/status.h"

enum { FSH_WARP_POINTS_MAX = 16 };

typedef struct fsh_warp {
    uint32_t n;
    fsh_point centres[FSH_WARP_POINTS_MAX];
    float bend[FSH_WARP_POINTS_MAX][2]; /* weight of each centre */
    float flat[3][2];                   /* constant, x, y */
} fsh_warp;

/* The warp that takes from[i] to to[i]; 3 <= n <= FSH_WARP_POINTS_MAX. Points that (nearly) coincide or
 * lie on one line fail with FORMAT. */
fsh_status fsh_warp_fit(const fsh_point *from, const fsh_point *to, uint32_t n, fsh_warp *warp);

/* The warp that takes one box to another, edges on edges. */
void fsh_warp_between_boxes(const fsh_box *from, const fsh_box *to, fsh_warp *warp);

fsh_point fsh_warp_apply(const fsh_warp *warp, fsh_point point);

#endif

#include "base/geometry.h"

#include <math.h>

fsh_point
fsh_affine_apply(const fsh_affine *map, fsh_point point)
{
    const double *m = map->m;
    fsh_point out = {(float)(m[0] * point.x + m[1] * point.y + m[2]),
                     (float)(m[3] * point.x + m[4] * point.y + m[5])};
    return out;
}

fsh_affine
fsh_affine_then(const fsh_affine *first, const fsh_affine *second)
{
    const double *a = first->m, *b = second->m;
    fsh_affine out = {{b[0] * a[0] + b[1] * a[3], b[0] * a[1] + b[1] * a[4],
                       b[0] * a[2] + b[1] * a[5] + b[2], b[3] * a[0] + b[4] * a[3],
                       b[3] * a[1] + b[4] * a[4], b[3] * a[2] + b[4] * a[5] + b[5]}};
    return out;
}

fsh_status
fsh_affine_invert(const fsh_affine *map, fsh_affine *inverse)
{
    const double *m = map->m;
    double det = m[0] * m[4] - m[1] * m[3];
    fsh_affine out;

    if (!(fabs(det) > 1e-12))
        return FSH_FORMAT;
    out.m[0] = m[4] / det;
    out.m[1] = -m[1] / det;
    out.m[3] = -m[3] / det;
    out.m[4] = m[0] / det;
    out.m[2] = -(out.m[0] * m[2] + out.m[1] * m[5]);
    out.m[5] = -(out.m[3] * m[2] + out.m[4] * m[5]);
    *inverse = out;
    return FSH_OK;
}

fsh_point
fsh_points_mean(const fsh_point *points, uint32_t n)
{
    double x = 0, y = 0;
    fsh_point mean;
    uint32_t i;

    for (i = 0; i < n; i++) {
        x += points[i].x;
        y += points[i].y;
    }
    mean.x = (float)(x / n);
    mean.y = (float)(y / n);
    return mean;
}

/* In two dimensions Umeyama's solution is one complex division: scale and rotation a + ib are
 * sum(conj(from) * to) / sum(|from|^2) of the centred points. */
fsh_status
fsh_affine_similarity(const fsh_point *from, const fsh_point *to, uint32_t n, fsh_affine *map)
{
    fsh_point from_mean = fsh_points_mean(from, n), to_mean = fsh_points_mean(to, n);
    double re = 0, im = 0, norm = 0, a, b;
    uint32_t i;

    for (i = 0; i < n; i++) {
        double fx = from[i].x - from_mean.x, fy = from[i].y - from_mean.y;
        double tx = to[i].x - to_mean.x, ty = to[i].y - to_mean.y;

        re += fx * tx + fy * ty;
        im += fx * ty - fy * tx;
        norm += fx * fx + fy * fy;
    }
    if (!(norm > 1e-9))
        return FSH_FORMAT;
    a = re / norm;
    b = im / norm;
    *map = (fsh_affine){{a, -b, to_mean.x - a * from_mean.x + b * from_mean.y, b, a,
                         to_mean.y - b * from_mean.x - a * from_mean.y}};
    return FSH_OK;
}

/* The left edge of the first pixel is at -0.5, hence the half pixels. */
fsh_affine
fsh_affine_from_box(const fsh_box *box, double width, double height)
{
    double sx = width / box->width, sy = height / box->height;
    fsh_affine map = {{sx, 0, (0.5 - box->x) * sx - 0.5, 0, sy, (0.5 - box->y) * sy - 0.5}};
    return map;
}

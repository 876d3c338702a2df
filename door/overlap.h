/* How far two boxes are one. */
#ifndef FSH_DOOR_OVERLAP_H
#define FSH_DOOR_OVERLAP_H

#include <math.h>

#include "base/geometry.h"

/* Share of their union that two boxes have in common. */
static inline double
fsh_box_overlap(const fsh_box *a, const fsh_box *b)
{
    double left = fmax(a->x, b->x), top = fmax(a->y, b->y);
    double right = fmin((double)a->x + a->width, (double)b->x + b->width);
    double bottom = fmin((double)a->y + a->height, (double)b->y + b->height);
    double shared = fmax(right - left, 0) * fmax(bottom - top, 0);
    double all = (double)a->width * a->height + (double)b->width * b->height - shared;

    return all > 0 ? shared / all : 0;
}

#endif

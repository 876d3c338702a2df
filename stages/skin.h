/* Where every point of a head's surface takes its colour from when the head has been turned: from
 * where it is seen in the photograph, or from the other side of the face where that shows more of
 * it.
 *
 *     fsh_skin_dress(&skin, &bent, &head, &turned, 0.5f, &photograph); */
#ifndef FSH_STAGES_SKIN_H
#define FSH_STAGES_SKIN_H

#include "base/image.h"
#include "stages/outline.h"
#include "stages/surface.h"

/* What is between the vertices of a triangle: where a point is seen in the photograph, where its
 * other side is, the share of that in its colour, how surely it is part of the head, and what the
 * colours are multiplied with. */
enum {
    FSH_SKIN_SEEN_X,
    FSH_SKIN_SEEN_Y,
    FSH_SKIN_OTHER_X,
    FSH_SKIN_OTHER_Y,
    FSH_SKIN_OTHER,
    FSH_SKIN_SHOWN,
    FSH_SKIN_GAIN,
    FSH_SKIN_OTHER_GAIN, /* red, green, blue */
    FSH_SKIN_USED = FSH_SKIN_OTHER_GAIN + 3,
    FSH_SKIN_VALUES = (FSH_SKIN_USED + 3) / 4 * 4 /* fours are taken together */
};

typedef struct fsh_skin_vertex {
    float x, y, z; /* after the turn, px */
    float values[FSH_SKIN_VALUES];
} fsh_skin_vertex;

typedef struct fsh_skin {
    fsh_skin_vertex vertices[FSH_SURFACE_N];
    fsh_outline before, after; /* of what is shown, in the photograph and after the turn */
} fsh_skin;

/* light, 0 to 1: how far the light stays where it is while the head turns. */
void fsh_skin_dress(fsh_skin *skin, const fsh_bent *bent, const fsh_head *head,
                    const fsh_head *turned, float light, const fsh_image *photograph);

static inline float
fsh_smooth_step(float low, float high, float x)
{
    float t = fsh_clampf((x - low) / (high - low), 0, 1);

    return t * t * (3 - 2 * t);
}

#endif

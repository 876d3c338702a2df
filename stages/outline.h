/* How far a head reaches in every direction of a picture, from a centre inside of it. */
#ifndef FSH_STAGES_OUTLINE_H
#define FSH_STAGES_OUTLINE_H

#include "base/geometry.h"

enum { FSH_OUTLINE_N = 72 };

typedef struct fsh_outline {
    fsh_point centre;
    float reach[FSH_OUTLINE_N + 1]; /* px at angles from 0 on, the last as the first */
} fsh_outline;

void fsh_outline_begin(fsh_outline *outline, fsh_point centre);

/* The head reaches at least to this point. */
void fsh_outline_add(fsh_outline *outline, fsh_point point);

/* Fills directions that no point was in and makes the line smooth. */
void fsh_outline_end(fsh_outline *outline);

/* The place of a direction in reach, 0 to FSH_OUTLINE_N. */
float fsh_outline_place(float dx, float dy);

float fsh_outline_reach(const fsh_outline *outline, float place);

#endif

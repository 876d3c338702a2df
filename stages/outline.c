#include "stages/outline.h"

#include <math.h>
#include <string.h>

static const float two_pi = 6.2831853f;

void
fsh_outline_begin(fsh_outline *outline, fsh_point centre)
{
    memset(outline, 0, sizeof *outline);
    outline->centre = centre;
}

/* The angle to the nearer axis, of a slope from 0 to 1: within 0.0002 (Hastings, "Approximations
 * for digital computers", 1955). */
static float
small_angle(float slope)
{
    float square = slope * slope;

    return slope *
           (0.9998660f +
            square * (-0.3302995f +
                      square * (0.1801410f + square * (-0.0851330f + 0.0208351f * square))));
}

/* As atan2f, about. */
static float
angle_of(float dx, float dy)
{
    float ax = fabsf(dx), ay = fabsf(dy), high = ax > ay ? ax : ay, low = ax > ay ? ay : ax;
    float angle = small_angle(low / (high + 1e-30f));

    angle = ax > ay ? angle : two_pi / 4 - angle;
    angle = dx < 0 ? two_pi / 2 - angle : angle;
    return dy < 0 ? -angle : angle;
}

float
fsh_outline_place(float dx, float dy)
{
    float turns = angle_of(dx, dy) / two_pi;

    return fsh_clampf((turns < 0 ? turns + 1 : turns) * FSH_OUTLINE_N, 0, FSH_OUTLINE_N);
}

void
fsh_outline_add(fsh_outline *outline, fsh_point point)
{
    float dx = point.x - outline->centre.x, dy = point.y - outline->centre.y;
    int at = (int)(fsh_outline_place(dx, dy) + 0.5f) % FSH_OUTLINE_N;

    outline->reach[at] = fmaxf(outline->reach[at], sqrtf(dx * dx + dy * dy));
}

/* Directions without a point get what lies between their neighbours. */
static void
fill(float *reach)
{
    int i, before, after;

    for (i = 0; i < FSH_OUTLINE_N; i++) {
        if (reach[i] > 0)
            continue;
        for (before = 1;
             before < FSH_OUTLINE_N && reach[(i + FSH_OUTLINE_N - before) % FSH_OUTLINE_N] <= 0;)
            before++;
        for (after = 1; after < FSH_OUTLINE_N && reach[(i + after) % FSH_OUTLINE_N] <= 0;)
            after++;
        reach[i] = ((float)after * reach[(i + FSH_OUTLINE_N - before) % FSH_OUTLINE_N] +
                    (float)before * reach[(i + after) % FSH_OUTLINE_N]) /
                   (float)(before + after);
    }
}

void
fsh_outline_end(fsh_outline *outline)
{
    float kept[FSH_OUTLINE_N];
    int i, pass;

    fill(outline->reach);
    for (pass = 0; pass < 2; pass++) {
        memcpy(kept, outline->reach, sizeof kept);
        for (i = 0; i < FSH_OUTLINE_N; i++)
            outline->reach[i] = 0.25f * kept[(i + FSH_OUTLINE_N - 1) % FSH_OUTLINE_N] +
                                0.5f * kept[i] + 0.25f * kept[(i + 1) % FSH_OUTLINE_N];
    }
    outline->reach[FSH_OUTLINE_N] = outline->reach[0];
}

float
fsh_outline_reach(const fsh_outline *outline, float place)
{
    int at = place < FSH_OUTLINE_N ? (int)place : FSH_OUTLINE_N - 1;
    float share = place - (float)at;

    return outline->reach[at] + share * (outline->reach[at + 1] - outline->reach[at]);
}

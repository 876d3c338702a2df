/* What lenses do to the light, on a layer that already shows the front of the glasses: how dense
 * their tint is, what they mirror, and what of them the nose hides. */
#ifndef FSH_STAGES_LENS_H
#define FSH_STAGES_LENS_H

#include "stages/frame.h"
#include "stages/layer.h"

/* A window or a lamp mirrored as a slanting streak with a thinner one beside it, and the sky above.
 * Places are in lenses: -1 and 1 at their bounds. */
typedef struct fsh_glare {
    float strength;  /* 0 none, 1 covers what is behind */
    float level;     /* of its light, 0 to 1: white */
    float at, width; /* of the streak, along slant */
    float slant;     /* radians */
    float sky;       /* share of the strength that the upper edge has */
} fsh_glare;

/* Makes what is half transparent in box as dark as that many of such lenses behind each other. */
void fsh_lens_dense(fsh_layer *layer, const fsh_box *box, float lenses);

/* Draws the same reflection on both lenses; anchors are those of the template. */
void fsh_lens_mirror(fsh_layer *layer, const fsh_frame *frame, const fsh_point *anchors,
                     const fsh_glare *glare);

/* Takes away in box what lies behind the nose of a turned head: what of the far half would be seen
 * on the near side of the nose's ridge, from nasion to tip. */
void fsh_lens_hide(fsh_layer *layer, const fsh_frame *frame, const fsh_box *box, fsh_point nasion,
                   fsh_point tip);

#endif

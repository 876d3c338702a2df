/* When a face has to be looked at again for a mask, and what was told before in between: the
 * detector that tells masks takes several times as long as the one that finds faces.
 *
 *     fsh_masks masks = {.every_s = 0.5};
 *     asked = fsh_masks_begin(&masks, seconds, &photo);
 *     if (asked) ...                          sets mask_class of the photo's faces
 *     fsh_masks_end(&masks, seconds, asked, &photo);
 *
 * A face is looked at in the first frames that it is in, until these agree, and then every so many
 * seconds. It is the same face as long as its box stays about where it was from frame to frame. */
#ifndef FSH_DOOR_MASKS_H
#define FSH_DOOR_MASKS_H

#include <stdbool.h>

#include "stages/stage.h"

/* Faces that are remembered; further ones are looked at in every frame. */
enum { FSH_MASKS_MAX = 128 };

typedef struct fsh_masks_face {
    fsh_box box;
    double seen_s, asked_s;
    int8_t mask_class;
    uint32_t asks_left; /* before it is trusted */
    bool taken;         /* by a face of this frame */
} fsh_masks_face;

typedef struct fsh_masks {
    double every_s; /* 0: in every frame */
    fsh_masks_face faces[FSH_MASKS_MAX];
    uint32_t n;
    uint32_t of[FSH_MASKS_MAX]; /* the remembered face of each of the photo */
} fsh_masks;

/* Whether the frame has to be looked at for masks. Frames come in their order; seconds never go
 * back. */
bool fsh_masks_begin(fsh_masks *masks, double seconds, const fsh_photo *photo);

/* Notes what was told in a frame that was looked at, and gives faces that nothing was told of what
 * is known of them from before. */
void fsh_masks_end(fsh_masks *masks, double seconds, bool asked, fsh_photo *photo);

#endif

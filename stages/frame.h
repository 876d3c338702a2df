/* Where the front of a pair of glasses is on a head. It rests on the nose, bends back towards the
 * temples, and leans in below; it is seen as a camera at some metre sees it: what is nearer is
 * larger.
 *
 *     fsh_frame_place(&head, canvas->landmarks, template->anchors, &fit, &frame);
 *     hinge = fsh_frame_see(&frame, template->anchors[FSH_FRAME_LEFT_HINGE]);
 */
#ifndef FSH_STAGES_FRAME_H
#define FSH_STAGES_FRAME_H

#include "stages/head.h"

/* Anchors of a template of glasses, in the order of its card. LENS_END lies at the right and lower
 * bounds of the left lens. */
enum {
    FSH_FRAME_LEFT_LENS,
    FSH_FRAME_RIGHT_LENS,
    FSH_FRAME_BRIDGE,
    FSH_FRAME_LEFT_HINGE,
    FSH_FRAME_RIGHT_HINGE,
    FSH_FRAME_LENS_END,
    FSH_FRAME_ANCHORS
};

/* How it sits there, as drawn at random. */
typedef struct fsh_frame_fit {
    float tilt; /* radians */
    float scale;
    float drop; /* of the lens centres below the eyes, shares of the distance of the eyes */
} fsh_frame_fit;

typedef struct fsh_frame {
    const fsh_head *head; /* borrowed */
    fsh_point middle;     /* in the template: x of the bridge, y of the lenses */
    float half;           /* from there to a lens in the template, px */
    float step;           /* the same on the head, mm */
    float sine, cosine;   /* of the tilt */
    fsh_vec3 seat;        /* of middle on the head, mm */
    fsh_point shift;      /* px: how far eyes and nose lie from where the fitted head has them */
} fsh_frame;

void fsh_frame_place(const fsh_head *head, const fsh_point *landmarks, const fsh_point *anchors,
                     const fsh_frame_fit *fit, fsh_frame *frame);

/* Where a point of the template is seen, px of the picture. */
fsh_point fsh_frame_see(const fsh_frame *frame, fsh_point point);

/* Where a place of the head is seen, shifted like the frame. */
fsh_point fsh_frame_see_head(const fsh_frame *frame, fsh_head_place place);

#endif

/* How a head is turned, and where in space the parts of a face are, from its 68 landmarks.
 *
 *     fsh_head head;
 *     if (fsh_head_fit_canvas(canvas, &head) == FSH_REASON_NONE && fabsf(head.yaw) < 45)
 *         ear = fsh_head_see(&head, fsh_head_part(&head, FSH_HEAD_LEFT_EAR_ROOT));
 *
 * A generic face is fitted by least squares: 68 mean points and a few modes in which faces differ
 * (width, length, jaw, mouth, ...), seen by scaled orthography, as photographs from some metres
 * are. Landmarks of the jaw that lie on the far side of a turned head are points of its outline and
 * no fixed places of the cheek; they are compared with the outline of the fitted face.
 *
 * Source of the numbers (head_shape.def): structure from motion over landmarks of photographs of
 * LFW, and the parametric head of datasets/people warped to them for what landmarks do not show
 * (training/head). Mean shape and modes only; no single face can be got back from them.
 *
 * The head's frame: millimetres, eye centres 63 apart; origin between the eyes; x to the right of
 * the picture
 * ("left" is what is left in the picture when the head looks at us), y down, z towards the viewer.
 * All functions are pure, allocate nothing, and run on any thread. */
#ifndef FSH_STAGES_HEAD_H
#define FSH_STAGES_HEAD_H

#include "base/vec.h"
#include "stages/stage.h"

enum { FSH_HEAD_MODES = 8 };

/* Places of a head that landmarks do not give: x, y, z and modes are rows of head_shape.def. */
typedef enum fsh_head_place {
#define PLACE(name, text) FSH_HEAD_##name,
#include "stages/head_places.def"
#undef PLACE
    FSH_HEAD_PLACES
} fsh_head_place;

typedef struct fsh_head {
    float yaw, pitch,
        roll; /* degrees; to the right of the picture, up, clockwise; 0: looks at us, upright */
    float turn[3][3]; /* rotation: rows give x, y, z of the picture from x, y, z of the head */
    float scale;      /* px of a mm, the mean of across and down */
    float wide; /* crops may be stretched: px of a mm are scale * wide across, scale / wide down */
    fsh_point centre;                 /* where the origin is seen, px */
    float shape[FSH_HEAD_MODES];      /* standard deviations from the mean face */
    fsh_vec3 points[FSH_LANDMARKS_N]; /* the landmarks in the head's frame as the model has them */
    float residual; /* root mean square distance between landmarks and where the model is seen, in
                       distances of the eyes (63 mm): how far the landmarks are believable. Usual
                       faces: under 0.05 */
} fsh_head;

/* Over this the landmarks are not those of the face: 32 of 3,598 photographs of LFW are, nearly all of
 * them with a mouth on a cheek, a jaw in the hair, or such. */
#define FSH_HEAD_RESIDUAL_MAX 0.055f

/* Fits the head. stretch is how much wider than high a square of the photograph is in the picture.
 * BAD_LANDMARKS where they are not finite, of no size, or residual is over FSH_HEAD_RESIDUAL_MAX;
 * the angles then mean nothing. Takes about 25 us. */
fsh_reason fsh_head_fit(const fsh_point landmarks[FSH_LANDMARKS_N], float stretch, fsh_head *head);

/* The same for a stored picture, which knows from which crop it was made. */
fsh_reason fsh_head_fit_canvas(const fsh_canvas *canvas, fsh_head *head);

/* The same head turned and rolled otherwise (degrees); it turns about its origin. */
void fsh_head_turn(fsh_head *head, float yaw, float pitch, float roll);

/* Sets points from shape. */
void fsh_head_shape(fsh_head *head);

/* A place of this head, in its frame. */
fsh_vec3 fsh_head_part(const fsh_head *head, fsh_head_place place);

/* Which way the skin looks there, in the head's frame, length 1. */
fsh_vec3 fsh_head_part_normal(fsh_head_place place);

/* Where a point of the head's frame is seen, px. */
fsh_point fsh_head_see(const fsh_head *head, fsh_vec3 place);

/* The same with its depth: z in px towards the viewer, 0 at the origin. */
fsh_vec3 fsh_head_see_deep(const fsh_head *head, fsh_vec3 place);

/* How much a direction of the head's frame looks at us: 1 straight, 0 from the side, under 0 away.
 */
float fsh_head_facing(const fsh_head *head, fsh_vec3 direction);

#endif

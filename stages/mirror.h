/* Mirror images of faces. */
#ifndef FSH_STAGES_MIRROR_H
#define FSH_STAGES_MIRROR_H

#include "stages/stage.h"

/* Gives landmarks that lie in a mirror image already the names that they have there: the right eye
 * has become a left one. */
void fsh_mirror_names(fsh_point landmarks[FSH_LANDMARKS_N]);

/* The picture and its landmarks become their mirror image. What was put on stays with the face, but
 * front is no longer where it was: NULL. */
void fsh_mirror_canvas(fsh_canvas *canvas);

#endif

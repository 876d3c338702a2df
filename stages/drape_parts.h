/* What laying a mask on a head consists of. */
#ifndef FSH_STAGES_DRAPE_PARTS_H
#define FSH_STAGES_DRAPE_PARTS_H

#include "stages/drape.h"

/* Rows of the mesh are at even steps of t between these; lines 0 to 3 are at whole numbers. */
#define FSH_DRAPE_T_LOW  (-0.45f)
#define FSH_DRAPE_T_HIGH 3.25f

/* Stretches the far half of a turned head's mask to the outline of the face. */
void fsh_drape_far_side(const fsh_head *head, const fsh_point *landmarks, fsh_mesh *mesh);

/* Pulls the upper part down as far as its edge would come over an eye. */
void fsh_drape_spare_eyes(const fsh_head *head, const fsh_point *landmarks,
                          const fsh_template *template, fsh_mesh *mesh);

#endif

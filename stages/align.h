/* The positions that faces are aligned to. */
#ifndef FSH_STAGES_ALIGN_H
#define FSH_STAGES_ALIGN_H

#include <stdint.h>

#include "base/geometry.h"
#include "base/status.h"

/* ArcFace's five points (eye, eye, nose, mouth corner, mouth corner, image left first) on a picture
 * of size x size: the 112 px template, scaled. */
void fsh_arcface_template(uint32_t size, fsh_point out[5]);

/* The similarity that takes the five points of a face onto the template of a width x height
 * picture. One that is narrower than high shows the middle of the height x height template. Points
 * that coincide fail with FORMAT. */
fsh_status fsh_arcface_map(const fsh_point five[5], uint32_t width, uint32_t height,
                           fsh_affine *map);

#endif

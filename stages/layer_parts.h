/* What the drawing functions of layers share. */
#ifndef FSH_STAGES_LAYER_PARTS_H
#define FSH_STAGES_LAYER_PARTS_H

#include "stages/layer.h"

/* The part of a box that lies in a picture of size x size. */
fsh_box fsh_box_clip(const fsh_box *box, int32_t size);

/* Multiplier of each channel at a point. */
void fsh_light_at(const fsh_light *light, fsh_point at, float gain[3]);

/* Level at which a pixel of the template is as large as one of the picture, where a step of one
 * pixel across and one down are these in the template. */
float fsh_template_level(const fsh_template *template, fsh_point across, fsh_point down,
                         float blur);

#endif

/* What the drawing functions of layers share. */
#ifndef FSH_STAGES_LAYER_PARTS_H
#define FSH_STAGES_LAYER_PARTS_H

#include "stages/layer.h"

/* Draws a premultiplied colour (0-255) over a pixel, lit. */
void fsh_layer_paint(uint8_t *pixel, const float colour[4], float saturation, const float gain[3]);

/* The template at a place in pixels of its file, seen at a level between two kept ones. */
void fsh_template_sample(const fsh_template *template, fsh_point at, float level, float colour[4]);

/* Multiplier of each channel at a point. */
void fsh_light_at(const fsh_light *light, fsh_point at, float gain[3]);

/* Level at which a pixel of the template is as large as one of the picture, where a step of one
 * pixel across and one down are these in the template. */
float fsh_template_level(const fsh_template *template, fsh_point across, fsh_point down,
                         float blur);

#endif

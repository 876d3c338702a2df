/* What is put on a photograph is compressed as the photograph was: a JPEG leaves out what is faint
 * and fine, spreads the ends of colours, and ripples beside edges. The photograph's own steps are
 * known from its file; here they are taken to the blocks of 8 x 8 px of a stored picture, which
 * shows it at another scale.
 *
 *     fsh_press_make(&tables, &map, &press);
 *     fsh_press_layer(&press, 1, layer, &image);
 */
#ifndef FSH_STAGES_PRESS_H
#define FSH_STAGES_PRESS_H

#include "base/geometry.h"
#include "stages/layer.h"
#include "stages/vision/decode.h"

/* Steps of the coefficients (of an orthonormal cosine transform) of a block, by row and column. */
typedef struct fsh_press {
    float light[64], colour[64];
} fsh_press;

/* map leads from the photograph to the picture. What the picture could show but the photograph does
 * not contain gets a step that leaves nothing of it. */
void fsh_press_make(const fsh_jpeg_tables *tables, const fsh_affine *map, fsh_press *press);

/* Compresses the blocks of image (RGB) in which the layer shows something. Steps are multiplied by
 * strength; 0 leaves the picture as it is. */
void fsh_press_layer(const fsh_press *press, float strength, const fsh_layer *layer,
                     fsh_image *image);

#endif

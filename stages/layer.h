/* A transparent sheet as large as the picture, on which masks and glasses are drawn before they are put
 * on the face with their shadow. One per thread; nothing is allocated after fsh_layer_init.
 *
 *     fsh_layer_clear(layer);
 *     fsh_layer_draw(layer, template, &warp, &box, &light, blur);
 *     fsh_layer_put(layer, canvas->front, &shadow, &canvas->image);
 */
#ifndef FSH_STAGES_LAYER_H
#define FSH_STAGES_LAYER_H

#include "stages/templates.h"
#include "stages/warp.h"

/* Light on the face: what a colour is multiplied with at two places, changing evenly from one to the
 * other, after it was drawn towards grey. */
typedef struct fsh_light {
    fsh_point at[2];
    float gain[2][3];
    float saturation; /* 1 leaves colours, 0 makes them grey as in a black-and-white photograph */
} fsh_light;

typedef struct fsh_layer {
    fsh_image colour; /* premultiplied RGBA */
    fsh_image shade, spare; /* one channel: shadow of colour, and what it is made from */
    fsh_point *corners;     /* two rows of cell corners */
    uint32_t *sums;         /* one for each column */
    fsh_box drawn;          /* outside of it colour is empty */
} fsh_layer;

/* A curve from first to last that bends towards middle (a quadratic Bezier curve). */
typedef struct fsh_curve {
    fsh_point first, middle, last;
    float width;      /* px */
    float colour[3];  /* 0-255 */
    float alpha[2];   /* at its ends; constant over the first half, then even */
} fsh_curve;

/* Makes a layer for pictures of size x size. Fails with MEMORY, and then leaves nothing behind. */
fsh_status fsh_layer_init(fsh_layer *layer, int32_t size);
void fsh_layer_fini(fsh_layer *layer);

void fsh_layer_clear(fsh_layer *layer);

/* The part of a box that lies in the layer; from now on something may be drawn there. */
fsh_box fsh_layer_touch(fsh_layer *layer, const fsh_box *box);

/* Draws the part of the template that falls into box (clipped to the layer) over what is there. warp takes pixels of
 * the layer to pixels of the template's file. blur is in halvings: 1 is as if the template were drawn at
 * half the resolution. Parts that the warp turns inside out are left out. */
void fsh_layer_draw(fsh_layer *layer, const fsh_template *template, const fsh_warp *warp,
                    const fsh_box *box, const fsh_light *light, float blur);

/* Draws a curve with smooth edges over what is there. */
void fsh_layer_curve(fsh_layer *layer, const fsh_curve *curve, const fsh_light *light);

/* A place of a curve: t from 0 (first) to 1. */
fsh_point fsh_curve_at(const fsh_curve *curve, float t);

/* Adds noise of a standard deviation (0-255) to what is there, the same for the same seed. */
void fsh_layer_grain(fsh_layer *layer, float deviation, uint32_t seed);

/* A soft shadow: 0 none to 1 black, over how many px, how many px further down. */
typedef struct fsh_shadow {
    float dark;
    int32_t radius, drop;
} fsh_shadow;

/* Puts the layer on image (RGB, of the same size) above its shadow, but under front, where that is
 * not NULL. */
void fsh_layer_put(fsh_layer *layer, const fsh_image *front, const fsh_shadow *shadow,
                   fsh_image *image);

/* Makes image out of pixels of colour whose alpha is over FSH_TEMPLATE_OPAQUE, fully, and its own others. */
void fsh_layer_stamp(const fsh_layer *layer, fsh_image *image);

#endif

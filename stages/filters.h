/* Plain picture filters on RGB pictures, in place and in fixed point: a picture gives the same
 * bytes on every machine and with every compiler. One filter space serves one thread at a time, so
 * that nothing is allocated per picture.
 *
 *     fsh_filter_space *space;
 *     fsh_filter_space_new(112, 112, &space);
 *     fsh_filter_warp(space, &image, &turn, FSH_FILTER_BLACK);
 *     fsh_filter_space_free(space);
 */
#ifndef FSH_STAGES_FILTERS_H
#define FSH_STAGES_FILTERS_H

#include <stdint.h>

#include "base/geometry.h"
#include "base/image.h"
#include "base/status.h"

enum {
    FSH_FILTER_SIDE_MAX = 8192, /* px; coordinates of a warp are 32-bit fixed point */
    FSH_FILTER_BLUR_MAX = 31    /* px, width of the largest blur */
};

/* What lies outside the picture. */
typedef enum fsh_filter_border { FSH_FILTER_BLACK, FSH_FILTER_REPEAT } fsh_filter_border;

typedef struct fsh_filter_space fsh_filter_space;

/* Makes room for pictures of exactly width x height, each 1 to FSH_FILTER_SIDE_MAX px; free with
 * fsh_filter_space_free. Fails with MEMORY. */
fsh_status fsh_filter_space_new(int32_t width, int32_t height, fsh_filter_space **space);
void fsh_filter_space_free(fsh_filter_space *space);

/* Moves every pixel by map, which has a map back and leaves the size of the picture as it is.
 * Bilinear, to a sixteenth of a pixel. */
void fsh_filter_warp(fsh_filter_space *space, fsh_image *image, const fsh_affine *map,
                     fsh_filter_border border);

/* Gaussian blur with an odd kernel of 1 to FSH_FILTER_BLUR_MAX px and the sigma that OpenCV gives
 * to it, 0.3 ((kernel - 1) / 2 - 1) + 0.8. The border is mirrored about its outermost pixels. */
void fsh_filter_blur(fsh_filter_space *space, fsh_image *image, int32_t kernel);

/* Multiplies every value by factor, 0 to 16, rounds and clips. */
void fsh_filter_scale(fsh_image *image, double factor);

#endif

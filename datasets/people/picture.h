/* A picture of a drawn person: figure, camera, light, what is behind, lens and grain.
 *
 *     fsh_easel *easel;
 *     fsh_easel_open(250, &easel);                       one a thread
 *     fsh_easel_draw(easel, &person, &moment, &image, five);
 *     fsh_easel_close(easel);
 */
#ifndef FSH_DATASETS_PEOPLE_PICTURE_H
#define FSH_DATASETS_PEOPLE_PICTURE_H

#include "base/geometry.h"
#include "base/image.h"
#include "datasets/people/figure.h"

typedef struct fsh_easel fsh_easel;

/* For square pictures of so many px. Fails with MEMORY. */
fsh_status fsh_easel_open(uint32_t size, fsh_easel **easel);
void fsh_easel_close(fsh_easel *easel);

/* Draws into *image (zeroed or of an earlier call; owned by the caller). five: where eyes, tip of the nose and corners of
 * the mouth are in it, px; NULL: not wanted. person NULL: only what is behind people. */
fsh_status fsh_easel_draw(fsh_easel *easel, const fsh_person *person, const fsh_moment *moment,
                          fsh_image *image, fsh_point five[FSH_FIVE]);

#endif

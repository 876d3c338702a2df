/* A photographed face seen from elsewhere: the surface of its head, with the photograph on it, is
 * drawn as it is seen after a turn; what is around it is moved along, less and less towards the
 * edges of the picture.
 *
 *     fsh_view_draw(view, &bent, &head, &turned, &canvas->image, &canvas->scratch);
 *     fsh_view_landmarks(view, &bent, &turned, canvas->landmarks);
 *
 * Skin that the photograph does not show is taken from the other side of the face, in the light
 * that falls on this one; between them the picture goes over evenly. */
#ifndef FSH_STAGES_VIEW_H
#define FSH_STAGES_VIEW_H

#include "base/image.h"
#include "stages/surface.h"

typedef struct fsh_view fsh_view; /* one per thread */

/* For pictures of size x size. Fails with MEMORY. Close accepts NULL. */
fsh_status fsh_view_open(int32_t size, fsh_view **view);
void fsh_view_close(fsh_view *view);

/* Draws from as it looks when the head stands as turned instead of as head into *to, which has the
 * same size. light, 0 to 1: how far the light stays where it is while the head turns. */
void fsh_view_draw(fsh_view *view, const fsh_bent *bent, const fsh_head *head,
                   const fsh_head *turned, float light, const fsh_image *from, fsh_image *to);

/* Where the landmarks are in the picture that was drawn last: those of the jaw on its outline where
 * that lies before them, as the landmark model finds them. */
void fsh_view_landmarks(const fsh_view *view, const fsh_bent *bent, const fsh_head *turned,
                        fsh_point landmarks[FSH_LANDMARKS_N]);

#endif

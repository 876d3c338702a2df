/* Frames to faces with embeddings, by the stages of this project: detect, landmarks, embed. In two
 * halves, so that one frame is embedded while the next one is looked at.
 *
 *     fsh_eyes_open(&options, &eyes, &err);
 *     fsh_eyes_detect(eyes, 0, &image, &photo, &err);
 *     fsh_eyes_look_for_masks(eyes, 0, &image, &photo, &err);     only where that is wanted
 *     fsh_eyes_embed(eyes, 0, &photo, &err);           faces without a reason have an embedding
 *     fsh_photo_fini(&photo);
 *     fsh_eyes_close(&eyes);
 *
 * Many threads at once, each with its number; the two halves of one number may be two threads. */
#ifndef FSH_DOOR_EYES_H
#define FSH_DOOR_EYES_H

#include "stages/models.h"
#include "stages/stage.h"

typedef struct fsh_eyes_options {
    const char *embedder; /* card */
    const char *detector; /* card; "": the first one that the embedder's card recommends */
    const char
        *masks; /* card of a detector that tells masks, where `detector` does not; "": none */
    const char *device;
    bool flip;        /* add the embedding of the mirror image */
    bool landmarks;   /* 68 for every face, also where five would do */
    int64_t min_face; /* px: a face with a shorter side is none */
    uint32_t threads;
} fsh_eyes_options;

typedef struct fsh_eyes fsh_eyes;

fsh_status fsh_eyes_open(const fsh_eyes_options *options, fsh_eyes **eyes, fsh_err *err);
void fsh_eyes_close(fsh_eyes **eyes); /* NULL is fine */

/* "mobilefacenet_y1 SHA256", as embeddings files name their model, and the same of the detector. */
const char *fsh_eyes_model(const fsh_eyes *eyes);
const char *fsh_eyes_detector(const fsh_eyes *eyes);
uint32_t fsh_eyes_dimension(const fsh_eyes *eyes);

/* Distance under which the embedder's card says that a face is known. */
double fsh_eyes_threshold(const fsh_eyes *eyes);

/* Whether it is told if a mask is worn; and whether only by fsh_eyes_look_for_masks. */
bool fsh_eyes_tell_masks(const fsh_eyes *eyes);
bool fsh_eyes_tell_masks_apart(const fsh_eyes *eyes);

/* Fills *photo, which the caller frees with fsh_photo_fini. A picture without a face has none: that
 * is no failure. A face that cannot be embedded has its reason; one that is too small is left out.
 */
fsh_status fsh_eyes_detect(fsh_eyes *eyes, uint32_t thread, const fsh_image *image, uint64_t key,
                           fsh_photo *photo, fsh_err *err);

/* Sets mask_class of the faces by the detector that tells masks, where there is one apart; of a
 * face that this does not see it stays. */
fsh_status fsh_eyes_look_for_masks(fsh_eyes *eyes, uint32_t thread, const fsh_image *image,
                                   fsh_photo *photo, fsh_err *err);
fsh_status fsh_eyes_embed(fsh_eyes *eyes, uint32_t thread, fsh_photo *photo, fsh_err *err);

/* Like fsh_eyes_detect where it is known already where the one face is. */
fsh_status fsh_eyes_take(fsh_eyes *eyes, uint32_t thread, const fsh_image *image,
                         const fsh_box *box, const fsh_point five[5], fsh_photo *photo,
                         fsh_err *err);

#endif

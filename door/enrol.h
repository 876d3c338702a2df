/* Pictures of people into a gallery: rows of an embeddings file, of the picture and of its twins.
 *
 *     fsh_enrol_picture(&enrol, "Anna", "anna/1.jpg", &image, &err);
 *
 * A twin's source is that of its picture with #masks, #glasses or #sunglasses behind it. */
#ifndef FSH_DOOR_ENROL_H
#define FSH_DOOR_ENROL_H

#include "door/eyes.h"
#include "door/twins.h"
#include "shards/embeddings.h"

typedef struct fsh_enrol {
    fsh_eyes *eyes;   /* opened with landmarks where there are twins */
    fsh_twins *twins; /* NULL: none */
    bool only_twins;  /* the pictures themselves are there already */
    fsh_embeddings *gallery;
    uint64_t made[FSH_TWINS_N], missed[FSH_TWINS_N]; /* twins; missed: that could not be drawn */
} fsh_enrol;

/* Adds the face that is nearest to the middle of the picture. One that has none, or that cannot be
 * embedded, is a rejected row of the gallery. One thread at a time. */
fsh_status fsh_enrol_picture(fsh_enrol *enrol, const char *name, const char *source,
                             const fsh_image *image, fsh_err *err);

/* Whether a row is a twin, by its source. */
bool fsh_enrol_is_twin(const char *source, fsh_twin_kind *kind);

#endif

/* Pictures of people into a gallery: rows of an embeddings file, of the picture and of its twins.
 *
 *     fsh_enrol_picture pictures[] = {{"Anna", "anna/1.jpg", "/home/me/staff/anna/1.jpg"}};
 *     fsh_enrol_pictures(&enrol, pictures, 1, &err);
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
    uint32_t threads; /* that both were opened for */
    bool only_twins;  /* the pictures themselves are there already */
    fsh_embeddings *gallery;
    uint64_t made[FSH_TWINS_N], missed[FSH_TWINS_N]; /* twins; missed: that could not be drawn */
} fsh_enrol;

typedef struct fsh_enrol_picture {
    const char *name, *source, *path; /* as the rows have them, and where the file is */
} fsh_enrol_picture;

/* Adds of each of n pictures the face that is nearest to its middle, in their order, by all threads
 * at once. A picture that has none, or whose face cannot be embedded, is a rejected row of the
 * gallery. A file that cannot be read is a failure; pictures before it are there. Memory: rows of n
 * pictures once more. */
fsh_status fsh_enrol_pictures(fsh_enrol *enrol, const fsh_enrol_picture *pictures, uint32_t n,
                              fsh_err *err);

/* Whether a row is a twin, by its source. */
bool fsh_enrol_is_twin(const char *source, fsh_twin_kind *kind);

#endif

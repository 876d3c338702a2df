#include "door/enrol.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/hash.h"
#include "door/overlap.h"

bool
fsh_enrol_is_twin(const char *source, fsh_twin_kind *kind)
{
    const char *mark = strrchr(source, '#');
    int i;

    for (i = 0; mark && i < FSH_TWINS_N; i++)
        if (strcmp(mark + 1, fsh_twin_names[i]) == 0) {
            *kind = (fsh_twin_kind)i;
            return true;
        }
    return false;
}

/* As the stage `detect` chooses with faces: centre. */
static fsh_face *
central(fsh_photo *photo, const fsh_image *image)
{
    fsh_face *best = NULL;
    double nearest = INFINITY;
    uint32_t i;

    for (i = 0; i < photo->faces_n; i++) {
        fsh_face *face = &photo->faces[i];
        double away = hypot(2.0 * face->face.x + face->face.width - image->width,
                            2.0 * face->face.y + face->face.height - image->height);

        if (away < nearest) {
            nearest = away;
            best = face;
        }
    }
    return best;
}

static fsh_status
add(fsh_enrol *enrol, const char *name, const char *source, const fsh_face *face, fsh_err *err)
{
    if (face && face->reason == FSH_REASON_NONE)
        return fsh_embeddings_add(enrol->gallery, name, source, face->embedding, err);
    return fsh_embeddings_reject(enrol->gallery, name, source,
                                 face ? face->reason : FSH_REASON_NO_FACE, face ? face->value : NAN,
                                 err);
}

/* The face that the detector finds in the twin where the picture's was: who comes in a mask is seen
 * by the same detector. Where it finds none the face is taken by the picture's points. */
static fsh_status
see_twin(fsh_enrol *enrol, const fsh_twin *twin, fsh_photo *photo, fsh_face **face, fsh_err *err)
{
    fsh_status status = fsh_eyes_detect(enrol->eyes, 0, &twin->image, 0, photo, err);
    double best = 0.3;
    uint32_t i;

    *face = NULL;
    for (i = 0; i < photo->faces_n && !status; i++) {
        double shared = fsh_box_overlap(&photo->faces[i].face, &twin->face);

        if (shared > best && photo->faces[i].reason == FSH_REASON_NONE) {
            best = shared;
            *face = &photo->faces[i];
        }
    }
    if (status || *face)
        return status;
    fsh_photo_fini(photo);
    status = fsh_eyes_take(enrol->eyes, &twin->image, &twin->face, twin->five, photo, err);
    if (!status)
        *face = &photo->faces[0];
    return status;
}

static fsh_status
add_twin(fsh_enrol *enrol, const char *name, const char *source, fsh_twin_kind kind,
         const fsh_twin *twin, fsh_err *err)
{
    char named[FSH_PATH_BYTES];
    fsh_photo photo = {0};
    fsh_face *face = NULL;
    fsh_status status = see_twin(enrol, twin, &photo, &face, err);

    if (!status)
        status = fsh_eyes_embed(enrol->eyes, 0, &photo, err);
    if (!status && face->reason == FSH_REASON_NONE) {
        snprintf(named, sizeof named, "%s#%s", source, fsh_twin_names[kind]);
        status = fsh_embeddings_add(enrol->gallery, name, named, face->embedding, err);
        enrol->made[kind]++;
    } else {
        enrol->missed[kind]++;
    }
    fsh_photo_fini(&photo);
    return status;
}

static fsh_status
add_twins(fsh_enrol *enrol, const char *name, const char *source, const fsh_image *image,
          const fsh_face *face, fsh_err *err)
{
    fsh_twin twin = {0};
    fsh_status status = FSH_OK;
    int kind;

    for (kind = 0; kind < FSH_TWINS_N && !status; kind++) {
        if (!fsh_twins_has(enrol->twins, (fsh_twin_kind)kind))
            continue;
        if (fsh_twins_draw(enrol->twins, (fsh_twin_kind)kind, image, face, &twin))
            enrol->missed[kind]++;
        else
            status = add_twin(enrol, name, source, (fsh_twin_kind)kind, &twin, err);
    }
    fsh_image_fini(&twin.image);
    return status;
}

fsh_status
fsh_enrol_picture(fsh_enrol *enrol, const char *name, const char *source, const fsh_image *image,
                  fsh_err *err)
{
    uint64_t key = fsh_hash_key(source, strlen(source));
    fsh_photo photo;
    fsh_face *face;
    fsh_status status = fsh_eyes_detect(enrol->eyes, 0, image, key, &photo, err);

    if (status)
        return status;
    face = central(&photo, image);
    status = fsh_eyes_embed(enrol->eyes, 0, &photo, err);
    if (!status && !enrol->only_twins)
        status = add(enrol, name, source, face, err);
    if (!status && enrol->twins && face)
        status = add_twins(enrol, name, source, image, face, err);
    fsh_photo_fini(&photo);
    return status;
}

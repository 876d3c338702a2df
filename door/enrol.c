#include "door/enrol.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/hash.h"
#include "door/overlap.h"
#include "door/picture.h"

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

/* What has come of a picture: its own row, and one for each twin. */
enum { OWN = FSH_TWINS_N, ROWS_N };

typedef enum row_state { ROW_NONE, ROW_MADE, ROW_MISSED } row_state;

typedef struct outcome {
    row_state states[ROWS_N];
    fsh_reason reason; /* why its own row was missed */
    float value;
    float *vectors; /* ROWS_N x dimension */
    fsh_status status;
    fsh_err err;
} outcome;

/* One thread at its work. */
typedef struct looking {
    fsh_enrol *enrol;
    uint32_t thread;
    fsh_image image;
    fsh_twin twin;
} looking;

static void
put(const fsh_enrol *enrol, outcome *out, int row, const fsh_face *face)
{
    uint32_t dimension = enrol->gallery->dimension;

    out->states[row] = face && face->reason == FSH_REASON_NONE ? ROW_MADE : ROW_MISSED;
    if (out->states[row] == ROW_MADE)
        memcpy(out->vectors + (size_t)row * dimension, face->embedding,
               dimension * sizeof *out->vectors);
}

/* The face that the detector finds in the twin where the picture's was: who comes in a mask is seen
 * by the same detector. Where it finds none the face is taken by the picture's points. */
static fsh_status
see_twin(const looking *at, fsh_photo *photo, fsh_face **face, fsh_err *err)
{
    const fsh_twin *twin = &at->twin;
    fsh_status status = fsh_eyes_detect(at->enrol->eyes, at->thread, &twin->image, 0, photo, err);
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
    status = fsh_eyes_take(at->enrol->eyes, at->thread, &twin->image, &twin->face, twin->five,
                           photo, err);
    if (!status)
        *face = &photo->faces[0];
    return status;
}

static fsh_status
embed_twin(const looking *at, int kind, outcome *out, fsh_err *err)
{
    fsh_photo photo = {0};
    fsh_face *face = NULL;
    fsh_status status = see_twin(at, &photo, &face, err);

    if (!status)
        status = fsh_eyes_embed(at->enrol->eyes, at->thread, &photo, err);
    if (!status)
        put(at->enrol, out, kind, face);
    fsh_photo_fini(&photo);
    return status;
}

static fsh_status
make_twins(looking *at, const fsh_face *face, outcome *out, fsh_err *err)
{
    fsh_twins *twins = at->enrol->twins;
    fsh_status status = FSH_OK;
    int kind;

    for (kind = 0; kind < FSH_TWINS_N && !status; kind++) {
        if (!fsh_twins_has(twins, (fsh_twin_kind)kind))
            continue;
        if (fsh_twins_draw(twins, at->thread, (fsh_twin_kind)kind, &at->image, face, &at->twin))
            out->states[kind] = ROW_MISSED;
        else
            status = embed_twin(at, kind, out, err);
    }
    return status;
}

static fsh_status
embed_picture(looking *at, const char *source, outcome *out, fsh_err *err)
{
    uint64_t key = fsh_hash_key(source, strlen(source));
    fsh_photo photo;
    fsh_face *face;
    fsh_status status = fsh_eyes_detect(at->enrol->eyes, at->thread, &at->image, key, &photo, err);

    if (status)
        return status;
    face = central(&photo, &at->image);
    status = fsh_eyes_embed(at->enrol->eyes, at->thread, &photo, err);
    if (!status && !at->enrol->only_twins) {
        put(at->enrol, out, OWN, face);
        out->reason = face ? face->reason : FSH_REASON_NO_FACE;
        out->value = face ? face->value : NAN;
    }
    if (!status && at->enrol->twins && face)
        status = make_twins(at, face, out, err);
    fsh_photo_fini(&photo);
    return status;
}

static void
look(looking *at, const fsh_enrol_picture *picture, outcome *out)
{
    out->vectors = calloc((size_t)ROWS_N * at->enrol->gallery->dimension, sizeof *out->vectors);
    out->status = out->vectors ? fsh_picture_read(picture->path, &at->image, &out->err)
                               : fsh_fail(&out->err, FSH_MEMORY, "out of memory");
    if (!out->status)
        out->status = embed_picture(at, picture->source, out, &out->err);
}

/* Each thread takes the next picture that nobody has. */
static void
look_at_all(fsh_enrol *enrol, const fsh_enrol_picture *pictures, uint32_t n, outcome *outcomes)
{
    uint32_t threads = enrol->threads < n ? enrol->threads : n, thread;
    atomic_uint next = 0;

#pragma omp parallel for num_threads((int)threads) schedule(static, 1)
    for (thread = 0; thread < threads; thread++) {
        looking at = {.enrol = enrol, .thread = thread};
        uint32_t i;

        while ((i = atomic_fetch_add(&next, 1)) < n)
            look(&at, &pictures[i], &outcomes[i]);
        fsh_image_fini(&at.image);
        fsh_image_fini(&at.twin.image);
    }
}

static fsh_status
add_twin(fsh_enrol *enrol, const fsh_enrol_picture *picture, const outcome *out, int kind,
         fsh_err *err)
{
    char named[FSH_PATH_BYTES];

    enrol->made[kind] += out->states[kind] == ROW_MADE;
    enrol->missed[kind] += out->states[kind] == ROW_MISSED;
    if (out->states[kind] != ROW_MADE)
        return FSH_OK;
    snprintf(named, sizeof named, "%s#%s", picture->source, fsh_twin_names[kind]);
    return fsh_embeddings_add(enrol->gallery, picture->name, named,
                              out->vectors + (size_t)kind * enrol->gallery->dimension, err);
}

static fsh_status
add(fsh_enrol *enrol, const fsh_enrol_picture *picture, const outcome *out, fsh_err *err)
{
    fsh_embeddings *gallery = enrol->gallery;
    fsh_status status = FSH_OK;
    int kind;

    if (out->status) {
        *err = out->err;
        return out->status;
    }
    if (out->states[OWN] == ROW_MADE)
        status = fsh_embeddings_add(gallery, picture->name, picture->source,
                                    out->vectors + (size_t)OWN * gallery->dimension, err);
    else if (out->states[OWN] == ROW_MISSED)
        status = fsh_embeddings_reject(gallery, picture->name, picture->source, out->reason,
                                       out->value, err);
    for (kind = 0; kind < FSH_TWINS_N && !status; kind++)
        status = add_twin(enrol, picture, out, kind, err);
    return status;
}

fsh_status
fsh_enrol_pictures(fsh_enrol *enrol, const fsh_enrol_picture *pictures, uint32_t n, fsh_err *err)
{
    outcome *outcomes = calloc(n + 1ul, sizeof *outcomes);
    fsh_status status = FSH_OK;
    uint32_t i;

    if (!outcomes)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    look_at_all(enrol, pictures, n, outcomes);
    for (i = 0; i < n && !status; i++)
        status = add(enrol, &pictures[i], &outcomes[i], err);
    for (i = 0; i < n; i++)
        free(outcomes[i].vectors);
    free(outcomes);
    return status;
}

/* What a stage is. A job runs its stages over one unit (some whole identities) in three phases:
 *
 *   ANALYSE     one photograph at a time -> facts about each face in it (box, landmarks, embedding).
 *               The photograph is then dropped: only the facts, some hundred bytes a face, are kept for
 *               the whole unit, so memory does not grow with the size of an identity. What is cheaper for
 *               several faces at once (a network with many weights) is put off and done for a few together.
 *   SELECT      one identity, or all identities of the unit, facts only -> which faces are rejected, and why.
 *   SYNTHESISE  one stored picture at a time, for the faces that are left: the photograph is decoded
 *               again, the face is cut out at the output size, and each chain of `variants` runs on a copy.
 *
 * A stage is one file with one fsh_stage table at its end, and one line in table.c. A stage has exactly
 * one of analyse, select, select_all, synthesise. Stages never print, never read a clock or the environment, have no
 * globals, start no threads, and draw random numbers only from the generator that they are given.
 *
 * Threads: open and close run on one thread. analyse, finish and synthesise run on many at once; `thread`, from
 * 0 to env->threads - 1, says which copy of a library object that is not thread-safe may be used. */
#ifndef FSH_STAGES_STAGE_H
#define FSH_STAGES_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/args.h"
#include "base/geometry.h"
#include "base/image.h"
#include "base/reason.h"
#include "base/rng.h"
#include "base/status.h"

enum {
    FSH_LANDMARKS_N = 68,      /* iBUG order: 0-16 jaw, 17-26 brows, 27-35 nose, 36-47 eyes, 48-67 mouth */
    FSH_EMBEDDING_MAX = 512,   /* dimensions */
    FSH_TOGETHER_MAX = 16,     /* photographs that are finished together */
    FSH_WORN_BYTES = 160,      /* of the text that says what was put on */
    FSH_MASK_CLASS_UNKNOWN = -1,
    FSH_MASK_CLASS_MASK = 0,   /* as the AIZOO detector numbers them */
    FSH_MASK_CLASS_NO_MASK = 1
};

/* What is known about one face. Coordinates are in the upright source picture, px. */
typedef struct fsh_face {
    uint64_t key;      /* keys the random draws; sample_id in the shard */
    uint32_t sample;   /* row of the unit that it comes from */
    fsh_reason reason; /* FSH_REASON_NONE while it is to be delivered */
    float value;       /* that goes with the reason (a distance, a size); NaN where none */
    fsh_box face;      /* as the detector found it */
    fsh_box crop;      /* with margin, clipped to the picture: /box in the shard */
    fsh_box landmark_box;       /* what the landmark model is given: set by detect from its card */
    fsh_point five[5];          /* eye, eye, nose, mouth corner, mouth corner, image left first */
    bool has_five;              /* five came from the detector or, after `landmarks`, from the 68 */
    fsh_point landmarks[FSH_LANDMARKS_N];
    bool has_landmarks;
    bool aligned;               /* cut out by similarity onto the template instead of by crop */
    bool flagged;               /* by clean: delivered although suspect */
    float score;                /* of the detector */
    int8_t mask_class;          /* FSH_MASK_CLASS_* */
    float mean_distance;        /* to the identity's other images; NaN before clean */
    float *embedding;           /* L2-normalised, env->dimension floats, owned by the unit; NULL before embed */
    fsh_image shown;            /* owned; the face as a stage keeps it from analyse to finish */
} fsh_face;

/* One photograph while it is analysed. A stage that finds that nothing can be delivered sets reason. */
typedef struct fsh_photo {
    const fsh_image *image; /* RGB, upright, borrowed; NULL when it is finished */
    uint64_t key;
    uint32_t sample;
    fsh_reason reason; /* for the photograph as a whole: no_face */
    float value;
    fsh_face *faces; /* owned by the photo; detect makes them, in its order of preference */
    uint32_t faces_n;
} fsh_photo;

/* Adds a zeroed face with key, sample, NaN distances and unknown mask class. Face 0 has the photo's key, the
 * others keys made from it. NULL when out of memory. */
fsh_face *fsh_photo_add_face(fsh_photo *photo);
void fsh_photo_fini(fsh_photo *photo);

/* The faces of one identity that have no reason yet, in order. Borrowed. */
typedef struct fsh_group {
    fsh_face *const *faces;
    uint32_t n;
    uint64_t key; /* of the identity: keys random draws */
} fsh_group;

struct fsh_press;

/* One stored picture while it is synthesised. */
typedef struct fsh_canvas {
    fsh_image image;   /* size x size RGB, owned by the runner, changed in place */
    fsh_image scratch; /* a second picture to work into, any content and size; may be swapped with image */
    fsh_point landmarks[FSH_LANDMARKS_N]; /* in image, px; a stage that moves pixels moves these too */
    bool has_landmarks;
    const fsh_image *front; /* premultiplied RGBA, as large as image: glasses that were put on before, under which
                               a mask goes; borrowed from their stage, NULL where none. The runner sets
                               it to NULL before each variant, a stage that moves pixels too */
    const struct fsh_press *press; /* how the photograph was compressed, at the scale of image; borrowed,
                                      NULL where it was not, or nobody knows */
    char worn[FSH_WORN_BYTES]; /* what stages have put on or tried to: fsh_wardrobe_note adds to it; "" before each variant */
    const fsh_face *face; /* the facts, borrowed */
    fsh_rng rng;          /* of this stage, sample and variant */
} fsh_canvas;

struct fsh_models;

/* What every stage of a job is opened with. */
typedef struct fsh_stage_env {
    uint64_t seed;
    uint32_t size;                   /* of the stored pictures, px */
    uint32_t threads;
    uint32_t dimension;              /* of the embeddings; set by `embed` when it is opened */
    double clean_threshold;          /* mean distance that the embedder's card recommends; set by `embed` */
    const struct fsh_models *models; /* which cards the job names, and where to look for them */
    const char *templates;           /* folder with masks/, glasses/, sunglasses/ */
} fsh_stage_env;

typedef enum fsh_phase { FSH_PHASE_ANALYSE, FSH_PHASE_SELECT, FSH_PHASE_SYNTHESISE } fsh_phase;

/* Facts that stages need and give. */
enum { FSH_FACT_FACE = 1, FSH_FACT_LANDMARKS = 2, FSH_FACT_EMBEDDING = 4, FSH_FACT_FIVE = 8 };

typedef struct fsh_stage {
    const char *name;    /* stable: part of the job hash */
    const char *summary; /* one line for `faceshard stages` */
    uint32_t id;         /* stable: keys the random draws; never used again */
    uint32_t version;    /* goes up when the same input and parameters give other bytes */
    fsh_phase phase;
    unsigned needs, gives; /* FSH_FACT_*; what is missing is put in with its defaults before this stage */
    const fsh_arg *args;   /* rows of the parameters, ended by FSH_ARG_END */
    size_t params_size;    /* the job allocates it and fills it from the rows */

    /* Optional. Loads models and templates into *state. Called once, before anything else. May set the
     * fields of env that say so. Errors name the file and the remedy. */
    fsh_status (*open)(fsh_stage_env *env, const void *params, void **state, fsh_err *err);

    /* Optional. Frees the state; NULL is fine. */
    void (*close)(void *state);

    /* ANALYSE. Adds to the facts of one photograph. A face that cannot be used gets a reason and stays
     * in the list. A status other than OK means that the stage itself is broken and stops the unit;
     * a bad picture never does. */
    fsh_status (*analyse)(void *state, const void *params, uint32_t thread, fsh_photo *photo,
                          fsh_err *err);

    /* ANALYSE. Optional, both or neither. finish ends what analyse has put off, for at most FSH_TOGETHER_MAX
     * photographs, whose pictures are gone by then: analyse leaves what it needs of them in the faces. What is
     * found out about a face does not depend on which others are finished with it. together says how many
     * photographs it is worth waiting for. */
    uint32_t (*together)(const void *state);
    fsh_status (*finish)(void *state, const void *params, uint32_t thread, fsh_photo *const *photos,
                         uint32_t n, fsh_err *err);

    /* SELECT. Sees one identity and sets reasons. */
    fsh_status (*select)(void *state, const void *params, const fsh_stage_env *env, const fsh_group *group,
                         fsh_err *err);

    /* SELECT. Sees all identities of the unit, in order, and sets reasons: for what cannot be judged
     * without the other identities. Called once a unit, with those that have a face. */
    fsh_status (*select_all)(void *state, const void *params, const fsh_stage_env *env, const fsh_group *groups,
                             uint32_t n, fsh_err *err);

    /* SYNTHESISE. Changes image and landmarks in place. FSH_REASON_NONE, or why this variant cannot be
     * made from this face. Takes the same number of draws whatever they say, where that is possible. */
    fsh_reason (*synthesise)(void *state, const void *params, uint32_t thread, fsh_canvas *canvas);
} fsh_stage;

/* All stages, in the order of the pipeline; ended by NULL. */
extern const fsh_stage *const fsh_stages[];

/* The stage with this name, or NULL. */
const fsh_stage *fsh_stage_find(const char *name);

#endif

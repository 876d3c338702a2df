/* embed: a vector of length one for each face; faces of one person lie near each other. How a face
 * is presented to the model says the model's card, whatever the stored crop looks like. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/align.h"
#include "stages/inference/net.h"
#include "stages/models.h"
#include "stages/table.h"
#include "stages/vision/decode.h"

/* What one thread works with. */
typedef struct embedder {
    fsh_net *net;
    fsh_face *faces[FSH_TOGETHER_MAX]; /* that are run at once */
    uint32_t n;
} embedder;

typedef struct embed_state {
    fsh_card card;
    uint32_t threads;
    embedder embedders[]; /* one a thread */
} embed_state;

typedef struct embed_params {
    bool flip;
} embed_params;

static const fsh_arg args[] = {
    FSH_ARG_BOOL(embed_params, flip, "no",
                 "embed the mirror image too, and add both before the length is made one"),
    FSH_ARG_END};

static void
embed_close(void *opaque)
{
    embed_state *state = opaque;
    uint32_t i;

    for (i = 0; state && i < state->threads; i++)
        fsh_net_close(state->embedders[i].net);
    free(state);
}

static fsh_status
check_card(const fsh_card *card, fsh_err *err)
{
    if (card->backend == FSH_BACKEND_DLIB || card->backend == FSH_BACKEND_BUILTIN)
        return fsh_fail(err, FSH_USAGE, "card %s: embedders run in opencv, onednn or torch", card->name);
    if (!card->width || !card->height || !card->dimension)
        return fsh_fail(err, FSH_USAGE, "card %s: an embedder needs width, height and dimension",
                        card->name);
    return FSH_OK;
}

static fsh_status
embed_open(fsh_stage_env *env, const void *params, void **out, fsh_err *err)
{
    embed_state *state = calloc(1, sizeof *state + env->threads * sizeof *state->embedders);
    fsh_status status;
    uint32_t i;

    (void)params;
    if (!state)
        return fsh_fail(err, FSH_MEMORY, "no memory for embedders");
    state->threads = env->threads;
    status = fsh_card_load(env->models, env->models->embedder, FSH_TASK_EMBED, &state->card, err);
    if (!status)
        status = check_card(&state->card, err);
    for (i = 0; !status && i < env->threads; i++)
        status = fsh_net_open_several(&state->card, (uint32_t)state->card.at_once,
                                      &state->embedders[i].net, err);
    if (status) {
        embed_close(state);
        return status;
    }
    env->dimension = (uint32_t)state->card.dimension;
    env->clean_threshold = state->card.distance_threshold;
    *out = state;
    return FSH_OK;
}

/* Draws the face as the card wants it; FORMAT where its points or its crop allow no picture. */
static fsh_status
present(const fsh_card *card, const fsh_face *face, const fsh_image *photo, fsh_image *input)
{
    fsh_affine map;

    if (card->present == FSH_PRESENT_CROP)
        map = fsh_affine_from_box(&face->crop, (double)card->width, (double)card->height);
    else if (!face->has_five ||
             fsh_arcface_map(face->five, (uint32_t)card->width, (uint32_t)card->height, &map))
        return FSH_FORMAT;
    return fsh_image_warp(photo, &map, (int32_t)card->width, (int32_t)card->height,
                          FSH_BORDER_BLACK, input);
}

/* Scales to length one where the card wants that. False where the vector has no length or is not
 * finite. */
static bool
finish(float *vector, size_t n, bool normalise)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < n; i++)
        sum += (double)vector[i] * vector[i];
    if (!isfinite(sum) || !(sum > 1e-20))
        return false;
    for (i = 0; normalise && i < n; i++)
        vector[i] = (float)(vector[i] / sqrt(sum));
    return true;
}

static void
add(float *sum, const float *vector, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        sum[i] += vector[i];
}

/* Adds what the model makes of the pictures to the faces' vectors. */
static fsh_status
run(const embed_state *state, embedder *e, fsh_err *err)
{
    const fsh_image *pictures[FSH_TOGETHER_MAX];
    size_t dimension = (size_t)state->card.dimension;
    fsh_tensor output;
    fsh_status status;
    uint32_t i;

    for (i = 0; i < e->n; i++)
        pictures[i] = &e->faces[i]->shown;
    status = fsh_net_run_several(e->net, pictures, e->n, &output, 1, err);
    if (status)
        return status;
    if (output.n != dimension)
        return fsh_fail(err, FSH_MODEL, "%s: %zu numbers instead of the card's %lld",
                        state->card.file_path, output.n, (long long)state->card.dimension);
    for (i = 0; i < e->n; i++)
        add(e->faces[i]->embedding, output.data + i * dimension, dimension);
    return FSH_OK;
}

static void
mirror(fsh_image *image)
{
    int32_t x, y, c;

    for (y = 0; y < image->height; y++)
        for (x = 0; x < image->width / 2; x++)
            for (c = 0; c < 3; c++) {
                uint8_t *left = fsh_image_at(image, x, y) + c;
                uint8_t *right = fsh_image_at(image, image->width - 1 - x, y) + c;
                uint8_t kept = *left;

                *left = *right;
                *right = kept;
            }
}

/* With `flip` as insightface's evaluation does it: the sum of what the picture and its mirror image
 * give. */
static fsh_status
embed_gathered(const embed_state *state, const embed_params *params, embedder *e, fsh_err *err)
{
    size_t dimension = (size_t)state->card.dimension;
    fsh_status status = run(state, e, err);
    uint32_t i;

    for (i = 0; i < e->n && params->flip; i++)
        mirror(&e->faces[i]->shown);
    if (!status && params->flip)
        status = run(state, e, err);
    for (i = 0; i < e->n && !status; i++) {
        fsh_face *face = e->faces[i];

        fsh_image_fini(&face->shown);
        if (!finish(face->embedding, dimension, state->card.normalise)) {
            memset(face->embedding, 0, dimension * sizeof *face->embedding);
            face->reason = FSH_REASON_NO_EMBEDDING;
        }
    }
    e->n = 0;
    return status;
}

/* What is left of the photograph for the model: the face as it is to see it. */
static fsh_status
embed_analyse(void *opaque, const void *params, uint32_t thread, fsh_photo *photo, fsh_err *err)
{
    const embed_state *state = opaque;
    fsh_status status;
    uint32_t i;

    (void)params, (void)thread;
    for (i = 0; i < photo->faces_n; i++) {
        fsh_face *face = &photo->faces[i];

        if (face->reason != FSH_REASON_NONE)
            continue;
        status = present(&state->card, face, photo->image, &face->shown);
        if (status == FSH_FORMAT) {
            face->reason = FSH_REASON_BAD_LANDMARKS;
            continue;
        }
        face->embedding = calloc((size_t)state->card.dimension, sizeof *face->embedding);
        if (status || !face->embedding)
            return fsh_fail(err, FSH_MEMORY, "no memory for an embedding");
    }
    return FSH_OK;
}

static uint32_t
embed_together(const void *opaque)
{
    const embed_state *state = opaque;

    return (uint32_t)state->card.at_once;
}

static fsh_status
embed_finish(void *opaque, const void *opaque_params, uint32_t thread, fsh_photo *const *photos,
             uint32_t n, fsh_err *err)
{
    const embed_params *params = opaque_params;
    embed_state *state = opaque;
    embedder *e = &state->embedders[thread];
    fsh_status status = FSH_OK;
    uint32_t i, k;

    e->n = 0;
    for (i = 0; i < n && !status; i++)
        for (k = 0; k < photos[i]->faces_n && !status; k++) {
            fsh_face *face = &photos[i]->faces[k];

            if (face->reason == FSH_REASON_NONE)
                e->faces[e->n++] = face;
            if (e->n == (uint32_t)state->card.at_once)
                status = embed_gathered(state, params, e, err);
        }
    return status || !e->n ? status : embed_gathered(state, params, e, err);
}

const fsh_stage fsh_stage_embed = {
    .name = "embed",
    .summary = "gives each face a vector that is near to those of the same person",
    .id = 4,
    .version = 1,
    .phase = FSH_PHASE_ANALYSE,
    .needs = FSH_FACT_FACE | FSH_FACT_FIVE,
    .gives = FSH_FACT_EMBEDDING,
    .args = args,
    .params_size = sizeof(embed_params),
    .open = embed_open,
    .close = embed_close,
    .analyse = embed_analyse,
    .together = embed_together,
    .finish = embed_finish,
};

/* clean: removes images that do not show the person of their folder. The rule `mean_distance`: the
 * mean Euclidean distance from an image to the identity's other images is over the threshold. An
 * identity with one image is kept. The distance is noted for every image, kept or not. */
#include "stages/clean.h"

#include <math.h>
#include <stdlib.h>

#include "stages/distances.h"
#include "stages/table.h"

struct params {
    int32_t method;
    double threshold;
    int32_t action; /* fsh_clean_action */
};

static const fsh_arg rows[] = {
    FSH_ARG_CHOICE(struct params, method, "mean_distance", "mean_distance",
                   "rule by which an image is found mislabelled"),
    FSH_ARG_REAL_AUTO(struct params, threshold, 0, 2, "auto",
                      "mean distance that is too far; auto: as the embedder's card recommends"),
    FSH_ARG_CHOICE(struct params, action, "drop|move|copy|flag", "drop",
                   "what is done with what was found"),
    FSH_ARG_END};

fsh_clean_action
fsh_clean_get_action(const void *params)
{
    return (fsh_clean_action)((const struct params *)params)->action;
}

static void
judge(fsh_face *face, double threshold, fsh_clean_action action)
{
    if (!(face->mean_distance > threshold))
        return;
    face->value = face->mean_distance;
    if (action == FSH_CLEAN_FLAG)
        face->flagged = true;
    else
        face->reason = FSH_REASON_MISLABELLED;
}

/* Faces that have an embedding, in order; the others take no part. */
static uint32_t
gather(fsh_face *const *faces, uint32_t n, fsh_face **with, const float **vectors)
{
    uint32_t i, count = 0;

    for (i = 0; i < n; i++) {
        if (faces[i]->embedding) {
            with[count] = faces[i];
            vectors[count++] = faces[i]->embedding;
        }
    }
    return count;
}

static fsh_status
measure(fsh_face **faces, const float *const *vectors, uint32_t n, uint32_t dimension)
{
    float *means = malloc(n * sizeof *means);
    fsh_status status = means ? fsh_distances_mean(vectors, n, dimension, means) : FSH_MEMORY;
    uint32_t i;

    for (i = 0; !status && i < n; i++)
        faces[i]->mean_distance = means[i];
    free(means);
    return status;
}

static fsh_status
clean(void *state, const void *params, const fsh_stage_env *env, fsh_face *const *faces, uint32_t n,
      uint64_t identity_key, fsh_err *err)
{
    const struct params *p = params;
    double threshold = isnan(p->threshold) ? env->clean_threshold : p->threshold;
    fsh_face **with = malloc((size_t)n * sizeof *with + 1);
    const float **vectors = malloc((size_t)n * sizeof *vectors + 1);
    fsh_status status = with && vectors ? FSH_OK : FSH_MEMORY;
    uint32_t count = status ? 0 : gather(faces, n, with, vectors), i;

    (void)state;
    (void)identity_key;
    if (count > 1)
        status = measure(with, vectors, count, env->dimension);
    if (status)
        fsh_fail(err, status, "clean: out of memory for an identity of %u images", n);
    for (i = 0; !status && count > 1 && i < count; i++)
        judge(with[i], threshold, fsh_clean_get_action(params));
    free(with);
    free(vectors);
    return status;
}

const fsh_stage fsh_stage_clean = {
    .name = "clean",
    .summary = "rejects images that are too far from the other images of their identity",
    .id = 10,
    .version = 1,
    .phase = FSH_PHASE_SELECT,
    .needs = FSH_FACT_EMBEDDING,
    .args = rows,
    .params_size = sizeof(struct params),
    .select = clean,
};

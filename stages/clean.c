/* clean: removes images that do not show the person of their folder. Two rules:
 *
 *   mean_distance  the mean Euclidean distance from an image to the identity's other images is over
 * the threshold. An identity with one image is kept. robust         cleaning/robust.h, with the
 * identities of the unit as those that an image may belong to. What is not sure is delivered and
 * flagged, whatever the action.
 *
 * The mean distance is noted for every image, kept or not. */
#include "stages/clean.h"

#include <math.h>
#include <stdlib.h>

#include "stages/cleaning/robust.h"
#include "stages/distances.h"
#include "stages/table.h"

typedef enum method { MEAN_DISTANCE, ROBUST } method;

struct params {
    int32_t method; /* enum method */
    double threshold;
    int32_t action; /* fsh_clean_action */
};

static const fsh_arg rows[] = {
    FSH_ARG_CHOICE(struct params, method, "mean_distance|robust", "mean_distance",
                   "rule by which an image is found mislabelled"),
    FSH_ARG_REAL_AUTO(struct params, threshold, 0, 2, "auto",
                      "mean distance that is too far; auto: as the embedder's card recommends; "
                      "robust asks it only "
                      "where a unit has too few people to measure"),
    FSH_ARG_CHOICE(struct params, action, "drop|move|copy|flag", "drop",
                   "what is done with what was found; what is not sure is flagged"),
    FSH_ARG_END};

bool
fsh_clean_is_by_distance(const void *params, double *threshold)
{
    const struct params *p = params;

    *threshold = p->threshold;
    return p->method == MEAN_DISTANCE;
}

fsh_clean_action
fsh_clean_get_action(const void *params)
{
    return (fsh_clean_action)((const struct params *)params)->action;
}

/* The faces of a unit that have an embedding, by identity; the others take no part. */
typedef struct album {
    fsh_face **faces;
    const float **vectors;
    uint32_t *starts; /* groups_n + 1 */
    uint32_t n, groups_n;
} album;

static fsh_status
album_init(album *of, const fsh_group *groups, uint32_t n)
{
    size_t faces_n = 0;
    uint32_t k, i;

    for (k = 0; k < n; k++)
        faces_n += groups[k].n;
    of->groups_n = n;
    of->faces = malloc((faces_n + 1) * sizeof *of->faces);
    of->vectors = malloc((faces_n + 1) * sizeof *of->vectors);
    of->starts = malloc(((size_t)n + 1) * sizeof *of->starts);
    if (!of->faces || !of->vectors || !of->starts)
        return FSH_MEMORY;
    for (k = 0; k < n; k++) {
        of->starts[k] = of->n;
        for (i = 0; i < groups[k].n; i++)
            if (groups[k].faces[i]->embedding) {
                of->faces[of->n] = groups[k].faces[i];
                of->vectors[of->n++] = groups[k].faces[i]->embedding;
            }
    }
    of->starts[n] = of->n;
    return FSH_OK;
}

static void
album_fini(album *of)
{
    free(of->faces);
    free(of->vectors);
    free(of->starts);
}

/* The mean distances of one identity of at least two images. */
static fsh_status
measure(const album *of, uint32_t group, uint32_t dimension)
{
    uint32_t first = of->starts[group], n = of->starts[group + 1] - first, i;
    float *means = malloc(n * sizeof *means);
    fsh_status status =
        means ? fsh_distances_mean(of->vectors + first, n, dimension, means) : FSH_MEMORY;

    for (i = 0; !status && i < n; i++)
        of->faces[first + i]->mean_distance = means[i];
    free(means);
    return status;
}

static fsh_status
measure_all(const album *of, uint32_t dimension)
{
    fsh_status status = FSH_OK;
    uint32_t k;

    for (k = 0; k < of->groups_n && !status; k++)
        if (of->starts[k + 1] - of->starts[k] > 1)
            status = measure(of, k, dimension);
    return status;
}

static void
reject(fsh_face *face, fsh_clean_action action)
{
    face->value = face->mean_distance;
    if (action == FSH_CLEAN_FLAG)
        face->flagged = true;
    else
        face->reason = FSH_REASON_MISLABELLED;
}

/* A face that has no mean distance is not over any threshold. */
static void
judge_by_mean(const album *of, double threshold, fsh_clean_action action)
{
    uint32_t i;

    for (i = 0; i < of->n; i++)
        if (of->faces[i]->mean_distance > threshold)
            reject(of->faces[i], action);
}

static fsh_status
judge_by_crowd(const album *of, uint32_t dimension, double threshold, fsh_clean_action action,
               fsh_err *err)
{
    fsh_crowd crowd = {of->n, dimension, of->groups_n, of->vectors, of->starts, NULL};
    fsh_found found;
    fsh_status status = fsh_robust_find(&crowd, threshold, &found, err);
    uint32_t i;

    if (status)
        return status;
    for (i = 0; i < of->n; i++) {
        fsh_verdict verdict = fsh_finding_verdict(found.pictures[i].finding);

        if (verdict == FSH_VERDICT_REMOVE)
            reject(of->faces[i], action);
        else if (verdict == FSH_VERDICT_UNSURE)
            of->faces[i]->flagged = true;
    }
    fsh_robust_fini(&found);
    return FSH_OK;
}

static fsh_status
clean(void *state, const void *params, const fsh_stage_env *env, const fsh_group *groups,
      uint32_t n, fsh_err *err)
{
    const struct params *p = params;
    double threshold = isnan(p->threshold) ? env->clean_threshold : p->threshold;
    album of = {0};
    fsh_status status = album_init(&of, groups, n);

    (void)state;
    if (!status)
        status = measure_all(&of, env->dimension);
    if (status)
        fsh_fail(err, status, "clean: out of memory for %u identities", n);
    else if (p->method == ROBUST)
        status = judge_by_crowd(&of, env->dimension, threshold, fsh_clean_get_action(p), err);
    else
        judge_by_mean(&of, threshold, fsh_clean_get_action(p));
    album_fini(&of);
    return status;
}

const fsh_stage fsh_stage_clean = {
    .name = "clean",
    .summary = "rejects images that do not show the person of their identity",
    .id = 10,
    .version = 1,
    .phase = FSH_PHASE_SELECT,
    .needs = FSH_FACT_EMBEDDING,
    .args = rows,
    .params_size = sizeof(struct params),
    .select_all = clean,
};

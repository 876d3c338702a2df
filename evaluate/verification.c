#include "evaluate/verification.h"

#include <math.h>
#include <stdlib.h>

#include "evaluate/distance.h"
#include "evaluate/lookup.h"

const char *
fsh_metric_text(fsh_metric metric)
{
    return metric == FSH_METRIC_L2 ? "L2" : "squared L2";
}

/* How many components the names of the pictures have: 2 in pairs.txt, 1 in a .bin set. */
static uint32_t
count_parts(const fsh_pairs *pairs)
{
    const char *at;
    uint32_t n = 1;

    for (at = pairs->pictures[0]; *at; at++)
        n += *at == '/';
    return n;
}

static void
judge_pair(fsh_verification *v, const fsh_embeddings *e, const fsh_lookup *lookup, uint32_t i)
{
    const fsh_pair *pair = &v->pairs->at[i];
    const char *first = v->pairs->pictures[pair->first], *second = v->pairs->pictures[pair->second];
    uint64_t a = 0, b = 0;
    const char *why = fsh_lookup_find(lookup, first, &a),
               *why_second = fsh_lookup_find(lookup, second, &b);
    double distance;

    if (why || why_second) {
        v->skipped[v->skipped_n++] = (fsh_skipped){i, why ? first : second, why ? why : why_second};
        return;
    }
    distance = fsh_distance_squared(e->vectors + a * e->dimension, e->vectors + b * e->dimension,
                                    e->dimension);
    fsh_scores_add(&v->scores, v->metric == FSH_METRIC_L2 ? sqrt(distance) : distance, pair->same,
                   pair->fold);
}

static fsh_status
judge(fsh_verification *v, const fsh_embeddings *e, fsh_err *err)
{
    fsh_lookup *lookup;
    fsh_status status = fsh_lookup_new(e, count_parts(v->pairs), &lookup, err);
    uint32_t i;

    if (status)
        return status;
    for (i = 0; i < v->pairs->n; i++)
        judge_pair(v, e, lookup, i);
    fsh_lookup_free(lookup);
    status = fsh_roc_make(&v->scores, &v->roc, err);
    if (status)
        return fsh_fail_within(err, status, "%u of %u pairs skipped", v->skipped_n, v->pairs->n);
    return fsh_protocol_run(&v->scores, v->folds, &v->accuracy, err);
}

fsh_status
fsh_verification_run(const fsh_pairs *pairs, const fsh_embeddings *e, fsh_metric metric,
                     fsh_verification *out, fsh_err *err)
{
    fsh_verification v = {.pairs = pairs, .metric = metric};
    fsh_status status = fsh_scores_init(&v.scores, pairs->n, pairs->folds_n, err);

    v.skipped = malloc((pairs->n + 1ul) * sizeof *v.skipped);
    v.folds = calloc(pairs->folds_n + 1ul, sizeof *v.folds);
    if (!status && (!v.skipped || !v.folds))
        status = fsh_fail(err, FSH_MEMORY, "out of memory for %u pairs", pairs->n);
    if (!status)
        status = judge(&v, e, err);
    if (status)
        fsh_verification_fini(&v);
    else
        *out = v;
    return status;
}

void
fsh_verification_fini(fsh_verification *v)
{
    free(v->skipped);
    free(v->folds);
    fsh_scores_fini(&v->scores);
    fsh_roc_fini(&v->roc);
    *v = (fsh_verification){0};
}

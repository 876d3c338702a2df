#include "evaluate/cleaning.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluate/cleaning_parts.h"
#include "stages/distances.h"

/* ---- order ---- */

static int
compare_rows(const void *a, const void *b, void *self)
{
    const fsh_embeddings *e = self;
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    int order = strcmp(e->names[x], e->names[y]);

    if (order == 0)
        order = strcmp(e->sources[x], e->sources[y]);
    return order ? order : (x > y) - (x < y);
}

/* Rows by identity and source; the first place of each identity, and behind them n. */
static fsh_status
sort_rows(const fsh_embeddings *e, uint64_t **rows, uint32_t **starts, uint32_t *identities_n,
          fsh_err *err)
{
    uint64_t i;

    if (e->n >= UINT32_MAX)
        return fsh_fail(err, FSH_FORMAT, "%llu embeddings are more than can be cleaned at once",
                        (unsigned long long)e->n);
    *rows = malloc((e->n + 1) * sizeof **rows);
    *starts = malloc((e->n + 1) * sizeof **starts);
    if (!*rows || !*starts)
        return fsh_fail(err, FSH_MEMORY, "out of memory for %llu embeddings",
                        (unsigned long long)e->n);
    for (i = 0; i < e->n; i++)
        (*rows)[i] = i;
    qsort_r(*rows, e->n, sizeof **rows, compare_rows, (void *)e);
    for (i = 0, *identities_n = 0; i < e->n; i++)
        if (i == 0 || strcmp(e->names[(*rows)[i]], e->names[(*rows)[i - 1]]) != 0)
            (*starts)[(*identities_n)++] = (uint32_t)i;
    (*starts)[*identities_n] = (uint32_t)e->n;
    return FSH_OK;
}

static fsh_status
sort_all(fsh_cleaning *of, fsh_err *err)
{
    uint64_t *rows = NULL;
    fsh_status status = sort_rows(of->embeddings, &rows, &of->starts, &of->identities_n, err);
    uint32_t k, i;

    of->n = status ? 0 : (uint32_t)of->embeddings->n;
    of->pictures = calloc((size_t)of->n + 1, sizeof *of->pictures);
    if (!status && !of->pictures)
        status = fsh_fail(err, FSH_MEMORY, "out of memory for %u pictures", of->n);
    for (k = 0; !status && k < of->identities_n; k++)
        for (i = of->starts[k]; i < of->starts[k + 1]; i++) {
            of->pictures[i].row = rows[i];
            of->pictures[i].identity = k;
            of->pictures[i].mean_distance = NAN;
        }
    free(rows);
    if (!status && of->against)
        status =
            sort_rows(of->against, &of->against_rows, &of->against_starts, &of->against_n, err);
    return status;
}

/* ---- verdicts ---- */

static fsh_status
measure(fsh_cleaning *of, const float *const *vectors)
{
    float *means = malloc(((size_t)of->n + 1) * sizeof *means);
    fsh_status status = means ? FSH_OK : FSH_MEMORY;
    uint32_t k, i;

    for (k = 0; k < of->identities_n && !status; k++) {
        uint32_t first = of->starts[k], n = of->starts[k + 1] - first;

        if (n > 1)
            status = fsh_distances_mean(vectors + first, n, of->embeddings->dimension, means);
        for (i = 0; i < n && n > 1 && !status; i++)
            of->pictures[first + i].mean_distance = means[i];
    }
    free(means);
    return status;
}

static fsh_finding
find_by_mean(const fsh_cleaning *of, const fsh_cleaning_picture *picture)
{
    if (isnan(picture->mean_distance))
        return FSH_FINDING_ALONE;
    return picture->mean_distance > of->options.threshold ? FSH_FINDING_FAR : FSH_FINDING_FITS;
}

static void
judge(fsh_cleaning *of)
{
    uint32_t i;

    for (i = 0; i < of->n; i++) {
        fsh_cleaning_picture *picture = &of->pictures[i];

        picture->found = of->found.pictures[i];
        if (of->options.method == FSH_CLEANING_MEAN_DISTANCE) {
            picture->found.finding = find_by_mean(of, picture);
            picture->found.suggested = false;
        }
        picture->verdict = fsh_finding_verdict(picture->found.finding);
    }
}

static fsh_status
find_wrong(fsh_cleaning *of, fsh_err *err)
{
    uint32_t dimension = of->embeddings->dimension, i;
    const float **vectors = malloc(((size_t)of->n + 1) * sizeof *vectors);
    fsh_crowd crowd = {of->n, dimension, of->identities_n, vectors, of->starts, of->options.steps};
    fsh_status status;

    if (!vectors)
        return fsh_fail(err, FSH_MEMORY, "out of memory for %u pictures", of->n);
    for (i = 0; i < of->n; i++)
        vectors[i] = of->embeddings->vectors + of->pictures[i].row * dimension;
    status = measure(of, vectors);
    if (status)
        fsh_fail(err, status, "out of memory for %u pictures", of->n);
    else
        status = fsh_robust_find(&crowd, of->options.threshold, &of->found, err);
    if (!status)
        judge(of);
    free(vectors);
    return status;
}

/* ---- all of it ---- */

fsh_status
fsh_cleaning_run(const fsh_embeddings *e, const fsh_embeddings *against,
                 const fsh_cleaning_options *options, fsh_cleaning *out, fsh_err *err)
{
    fsh_status status;

    *out = (fsh_cleaning){.embeddings = e, .against = against, .options = *options};
    if (against && against->dimension != e->dimension)
        return fsh_fail(
            err, FSH_FORMAT,
            "embeddings of %u dimensions cannot be compared to those of %u: are they of one model?",
            e->dimension, against->dimension);
    status = sort_all(out, err);
    if (!status)
        status = find_wrong(out, err);
    if (!status)
        status = fsh_cleaning_find_same(out, err);
    if (!status)
        status = fsh_cleaning_find_near(out, err);
    if (status)
        fsh_cleaning_fini(out);
    return status;
}

void
fsh_cleaning_fini(fsh_cleaning *cleaning)
{
    free(cleaning->pictures);
    free(cleaning->starts);
    free(cleaning->against_rows);
    free(cleaning->against_starts);
    free(cleaning->duplicates);
    free(cleaning->copies);
    free(cleaning->same);
    free(cleaning->overlap);
    fsh_robust_fini(&cleaning->found);
    *cleaning = (fsh_cleaning){0};
}

const char *
fsh_cleaning_name(const fsh_cleaning *of, uint32_t identity)
{
    return of->embeddings->names[of->pictures[of->starts[identity]].row];
}

const char *
fsh_cleaning_source(const fsh_cleaning *of, uint32_t picture)
{
    return of->embeddings->sources[of->pictures[picture].row];
}

const char *
fsh_cleaning_against_name(const fsh_cleaning *of, uint32_t identity)
{
    return of->against->names[of->against_rows[of->against_starts[identity]]];
}

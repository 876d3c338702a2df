#include "evaluate/identify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluate/distance.h"
#include "evaluate/protocol.h"

const char *const fsh_dir_names[FSH_DIR_N] = {"1e-1", "1e-2", "1e-3"};
static const double dir_targets[FSH_DIR_N] = {1e-1, 1e-2, 1e-3};

static bool
is_right(const fsh_outcome *outcome)
{
    return outcome->person != FSH_PEOPLE_NONE && outcome->nearest == outcome->person;
}

static fsh_status
check(const fsh_embeddings *gallery, const fsh_embeddings *probes, fsh_err *err)
{
    if (!gallery->n || !probes->n)
        return fsh_fail(err, FSH_FORMAT, "%s: nobody could be embedded",
                        gallery->n ? "the probes" : "the gallery");
    if (gallery->n >= UINT32_MAX || probes->n >= UINT32_MAX)
        return fsh_fail(err, FSH_FORMAT, "more than %u pictures", UINT32_MAX - 1);
    if (gallery->dimension != probes->dimension)
        return fsh_fail(err, FSH_FORMAT,
                        "embeddings of the gallery have %u numbers, those of the probes %u: embed "
                        "both by one model",
                        gallery->dimension, probes->dimension);
    if (strcmp(gallery->model, probes->model) != 0)
        return fsh_fail(
            err, FSH_FORMAT,
            "the gallery was embedded by '%s', the probes by '%s': embed both by one model",
            gallery->model, probes->model);
    if (gallery->flip != probes->flip)
        return fsh_fail(err, FSH_FORMAT,
                        "one of gallery and probes was embedded with --flip: embed both alike");
    return FSH_OK;
}

/* Who the probe is, and how far from it. */
static void
find_own(fsh_identification *of, fsh_outcome *outcome, uint64_t probe, const uint32_t *first_rows,
         const uint32_t *next_rows)
{
    const float *vector = of->probes->vectors + probe * of->probes->dimension;
    uint32_t row, dimension = of->probes->dimension;

    outcome->person = fsh_people_find(&of->people, of->probes->names[probe]);
    outcome->own_row = FSH_PEOPLE_NONE;
    outcome->own_distance = NAN;
    if (outcome->person == FSH_PEOPLE_NONE) {
        of->outside_n++;
        return;
    }
    of->inside_n++;
    for (row = first_rows[outcome->person]; row != FSH_PEOPLE_NONE; row = next_rows[row]) {
        double distance = sqrt(fsh_distance_squared(
            vector, of->gallery->vectors + (size_t)row * dimension, dimension));

        if (!(distance >= outcome->own_distance)) {
            outcome->own_distance = distance;
            outcome->own_row = row;
        }
    }
}

/* Chains the rows of each person, in order. */
static void
chain_rows(const fsh_people *people, uint32_t rows_n, uint32_t *first_rows, uint32_t *next_rows)
{
    uint32_t i;

    for (i = 0; i < people->n; i++)
        first_rows[i] = FSH_PEOPLE_NONE;
    for (i = rows_n; i-- > 0;) {
        next_rows[i] = first_rows[people->of_rows[i]];
        first_rows[people->of_rows[i]] = i;
    }
}

static fsh_status
find_all_own(fsh_identification *of, fsh_err *err)
{
    uint32_t rows_n = (uint32_t)of->gallery->n;
    uint32_t *first_rows = malloc((of->people.n + 1ul) * sizeof *first_rows),
             *next_rows = malloc((rows_n + 1ul) * sizeof *next_rows);
    fsh_status status = FSH_OK;
    uint64_t i;

    if (!first_rows || !next_rows)
        status = fsh_fail(err, FSH_MEMORY, "out of memory for %u people", of->people.n);
    if (!status)
        chain_rows(&of->people, rows_n, first_rows, next_rows);
    for (i = 0; i < of->probes->n && !status; i++)
        find_own(of, &of->outcomes[i], i, first_rows, next_rows);
    free(first_rows);
    free(next_rows);
    return status;
}

static void
take_hits(fsh_outcome *outcome, const fsh_search_hit *hits, uint32_t k)
{
    uint32_t i;

    outcome->nearest = hits[0].group;
    outcome->nearest_row = hits[0].row;
    outcome->distance = hits[0].distance;
    outcome->rank = 0;
    for (i = 0; i < k && !outcome->rank; i++)
        if (outcome->person != FSH_PEOPLE_NONE && hits[i].group == outcome->person)
            outcome->rank = i + 1;
}

static fsh_status
search(fsh_identification *of, const fsh_listener *steps, fsh_err *err)
{
    const fsh_search_gallery gallery = {of->gallery->vectors, of->people.of_rows,
                                        (uint32_t)of->gallery->n, of->people.n,
                                        of->gallery->dimension};
    uint32_t k = of->people.n < FSH_IDENTIFY_RANKS ? of->people.n : FSH_IDENTIFY_RANKS;
    fsh_search_hit *hits = malloc(of->probes->n * k * sizeof *hits);
    fsh_search *made = NULL;
    fsh_status status = hits ? FSH_OK
                             : fsh_fail(err, FSH_MEMORY, "out of memory for %llu probes",
                                        (unsigned long long)of->probes->n);
    uint64_t i;

    if (!status)
        status = fsh_search_new(&gallery, &made, err);
    if (!status)
        status =
            fsh_search_run(made, of->probes->vectors, of->probes->n, k, hits, steps, err);
    for (i = 0; i < of->probes->n && !status; i++)
        take_hits(&of->outcomes[i], hits + i * k, k);
    fsh_search_free(made);
    free(hits);
    return status;
}

static fsh_identify_counts
count_at(const fsh_identification *of, double threshold)
{
    fsh_identify_counts counts = {.threshold = threshold};
    uint64_t i;

    for (i = 0; i < of->probes->n; i++) {
        const fsh_outcome *outcome = &of->outcomes[i];

        if (!(outcome->distance < threshold))
            counts.unknown++;
        else if (is_right(outcome))
            counts.correct++;
        else {
            counts.incorrect++;
            counts.outside_accepted += outcome->person == FSH_PEOPLE_NONE;
        }
    }
    return counts;
}

static void
count_ranks(fsh_identification *of)
{
    uint64_t i;
    uint32_t rank;

    for (i = 0; i < of->probes->n; i++)
        for (rank = of->outcomes[i].rank; rank && rank <= FSH_IDENTIFY_RANKS; rank++)
            of->cmc[rank - 1]++;
}

static int
compare_outcomes(const void *a, const void *b)
{
    double x = ((const fsh_outcome *)a)->distance, y = ((const fsh_outcome *)b)->distance;

    return (x > y) - (x < y);
}

/* A threshold that takes in all up to the outcome i of a sorted list, and none behind it. */
static double
threshold_behind(const fsh_outcome *sorted, uint64_t n, uint64_t i)
{
    double here = sorted[i].distance,
           next = i + 1 < n ? sorted[i + 1].distance : nextafter(here, INFINITY);
    double middle = here + (next - here) / 2;

    return middle > here ? middle : next;
}

static void
find_best(fsh_identification *of, const fsh_outcome *sorted)
{
    uint64_t n = of->probes->n, right = of->outside_n, best = right, i;
    double threshold = 0;

    for (i = 0; i < n; i++) {
        right += is_right(&sorted[i]);
        right -= sorted[i].person == FSH_PEOPLE_NONE;
        if (right > best && (i + 1 == n || sorted[i + 1].distance > sorted[i].distance)) {
            best = right;
            threshold = threshold_behind(sorted, n, i);
        }
    }
    of->best = count_at(of, threshold);
}

/* The threshold lies at the first outside person who may not pass any more. */
static void
find_dir(fsh_identification *of, const fsh_outcome *sorted, uint32_t which)
{
    uint64_t allowed = fsh_far_allows((uint32_t)of->outside_n, dir_targets[which]), outside = 0,
             right = 0, i;
    fsh_dir *dir = &of->dir[which];

    *dir = (fsh_dir){NAN, INFINITY, allowed > 0};
    if (!of->outside_n || !of->inside_n)
        return;
    for (i = 0; i < of->probes->n && isinf(dir->threshold); i++)
        if (sorted[i].person == FSH_PEOPLE_NONE && outside++ == allowed)
            dir->threshold = sorted[i].distance;
    for (i = 0; i < of->probes->n && sorted[i].distance < dir->threshold; i++)
        right += is_right(&sorted[i]);
    dir->dir = (double)right / (double)of->inside_n;
}

static fsh_status
judge_sorted(fsh_identification *of, fsh_err *err)
{
    fsh_outcome *sorted = malloc(of->probes->n * sizeof *sorted);
    uint32_t i;

    if (!sorted)
        return fsh_fail(err, FSH_MEMORY, "out of memory for %llu probes",
                        (unsigned long long)of->probes->n);
    memcpy(sorted, of->outcomes, of->probes->n * sizeof *sorted);
    qsort(sorted, of->probes->n, sizeof *sorted, compare_outcomes);
    find_best(of, sorted);
    for (i = 0; i < FSH_DIR_N; i++)
        find_dir(of, sorted, i);
    free(sorted);
    return FSH_OK;
}

/* A mistake while they are sorted: the probe, and how near the wrong person is. */
typedef struct mistake {
    double distance;
    uint32_t probe;
} mistake;

static int
compare_mistakes(const void *a, const void *b)
{
    const mistake *x = a, *y = b;

    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return (x->probe > y->probe) - (x->probe < y->probe);
}

static fsh_status
gather_mistakes(fsh_identification *of, fsh_err *err)
{
    mistake *found = malloc(of->probes->n * sizeof *found);
    uint32_t i;

    of->mistakes = malloc(of->probes->n * sizeof *of->mistakes);
    if (!found || !of->mistakes) {
        free(found);
        return fsh_fail(err, FSH_MEMORY, "out of memory for %llu probes",
                        (unsigned long long)of->probes->n);
    }
    for (i = 0; i < of->probes->n; i++)
        if (!is_right(&of->outcomes[i]))
            found[of->mistakes_n++] = (mistake){of->outcomes[i].distance, i};
    qsort(found, of->mistakes_n, sizeof *found, compare_mistakes);
    for (i = 0; i < of->mistakes_n; i++)
        of->mistakes[i] = found[i].probe;
    free(found);
    return FSH_OK;
}

static fsh_status
judge(fsh_identification *of, const double *thresholds, fsh_err *err)
{
    fsh_status status;
    uint32_t i;

    for (i = 0; i < of->thresholds_n; i++)
        of->thresholds[i] = count_at(of, thresholds[i]);
    count_ranks(of);
    status = judge_sorted(of, err);
    return status ? status : gather_mistakes(of, err);
}

fsh_status
fsh_identify_run(const fsh_embeddings *gallery, const fsh_embeddings *probes,
                 const double *thresholds, uint32_t thresholds_n, const fsh_listener *steps,
                 fsh_identification *out, fsh_err *err)
{
    fsh_identification of = {.gallery = gallery, .probes = probes, .thresholds_n = thresholds_n};
    fsh_status status = check(gallery, probes, err);

    if (status)
        return status;
    of.outcomes = malloc(probes->n * sizeof *of.outcomes);
    of.thresholds = malloc((thresholds_n + 1ul) * sizeof *of.thresholds);
    if (!of.outcomes || !of.thresholds)
        status = fsh_fail(err, FSH_MEMORY, "out of memory for %llu probes",
                          (unsigned long long)probes->n);
    if (!status)
        status = fsh_people_init(&of.people, gallery->names, (uint32_t)gallery->n, err);
    if (!status)
        status = find_all_own(&of, err);
    if (!status)
        status = search(&of, steps, err);
    if (!status)
        status = judge(&of, thresholds, err);
    if (status)
        fsh_identify_fini(&of);
    else
        *out = of;
    return status;
}

void
fsh_identify_fini(fsh_identification *result)
{
    fsh_people_fini(&result->people);
    free(result->outcomes);
    free(result->thresholds);
    free(result->mistakes);
    *result = (fsh_identification){0};
}

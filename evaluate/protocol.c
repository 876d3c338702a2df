/* Accuracy and VAL by folds. Everything is counted in whole numbers: for each fold and threshold
 * how many pairs of either kind are accepted, so that "all other folds" is a subtraction. */
#include "evaluate/protocol.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { ACCURACY_STEPS = 400, VAL_STEPS = 4000, KINDS = 2 };

static const double accuracy_step = 0.01, val_step = 0.001, val_far = 1e-3;

fsh_status
fsh_scores_init(fsh_scores *scores, uint32_t n, uint32_t folds_n, fsh_err *err)
{
    *scores = (fsh_scores){.distances = malloc((n + 1ul) * sizeof(double)),
                           .same = malloc((n + 1ul) * sizeof(bool)),
                           .folds = malloc((n + 1ul) * sizeof(uint32_t)),
                           .folds_n = folds_n};
    if (scores->distances && scores->same && scores->folds)
        return FSH_OK;
    fsh_scores_fini(scores);
    return fsh_fail(err, FSH_MEMORY, "out of memory for %u pairs", n);
}

void
fsh_scores_add(fsh_scores *scores, double distance, bool same, uint32_t fold)
{
    scores->distances[scores->n] = distance;
    scores->same[scores->n] = same;
    scores->folds[scores->n++] = fold;
}

void
fsh_scores_fini(fsh_scores *scores)
{
    free(scores->distances);
    free(scores->same);
    free(scores->folds);
    *scores = (fsh_scores){0};
}

/* accepted[fold][kind][k]: pairs of the fold under threshold k * step; the row behind the last fold
 * is that of all. n[fold][kind]: pairs of the fold. */
typedef struct counts {
    uint32_t *accepted, *n;
    uint32_t folds_n, steps;
    double step;
} counts;

static uint32_t *
accepted_of(const counts *of, uint32_t fold, bool same)
{
    return of->accepted + ((size_t)fold * KINDS + same) * of->steps;
}

/* The first threshold that accepts this distance, or `steps` where none does. The guess is right to
 * one step. */
static uint32_t
first_over(const counts *of, double distance)
{
    double guess = floor(distance / of->step) - 1;
    uint32_t k = guess < 0 ? 0 : guess >= of->steps ? of->steps : (uint32_t)guess;

    while (k < of->steps && !(distance < k * of->step))
        k++;
    return k;
}

static void
add_up(const counts *of)
{
    uint32_t fold, kind, k;

    for (fold = 0; fold < of->folds_n; fold++)
        for (kind = 0; kind < KINDS; kind++) {
            uint32_t *row = accepted_of(of, fold, kind), *all = accepted_of(of, of->folds_n, kind);

            for (k = 1; k < of->steps; k++)
                row[k] += row[k - 1];
            for (k = 0; k < of->steps; k++)
                all[k] += row[k];
            of->n[of->folds_n * KINDS + kind] += of->n[fold * KINDS + kind];
        }
}

static fsh_status
count(const fsh_scores *scores, double step, uint32_t steps, counts *of, fsh_err *err)
{
    uint32_t i;

    *of = (counts){.folds_n = scores->folds_n, .steps = steps, .step = step};
    of->accepted = calloc((scores->folds_n + 1ul) * KINDS * steps, sizeof *of->accepted);
    of->n = calloc((scores->folds_n + 1ul) * KINDS, sizeof *of->n);
    if (!of->accepted || !of->n)
        return fsh_fail(err, FSH_MEMORY, "out of memory for %u folds", scores->folds_n);
    for (i = 0; i < scores->n; i++) {
        uint32_t k = first_over(of, scores->distances[i]);

        if (k < steps)
            accepted_of(of, scores->folds[i], scores->same[i])[k]++;
        of->n[scores->folds[i] * KINDS + scores->same[i]]++;
    }
    add_up(of);
    return FSH_OK;
}

static void
counts_fini(counts *of)
{
    free(of->accepted);
    free(of->n);
}

/* Pairs of a kind in all folds but this one; of the fold itself where it is the only one. */
static uint32_t
others_n(const counts *of, uint32_t fold, bool same)
{
    uint32_t all = of->n[of->folds_n * KINDS + same];

    return of->folds_n == 1 ? all : all - of->n[fold * KINDS + same];
}

static uint32_t
others_accepted(const counts *of, uint32_t fold, bool same, uint32_t k)
{
    uint32_t all = accepted_of(of, of->folds_n, same)[k];

    return of->folds_n == 1 ? all : all - accepted_of(of, fold, same)[k];
}

static uint32_t
best_threshold(const counts *of, uint32_t fold)
{
    uint32_t best = 0, best_right = 0, k;

    for (k = 0; k < of->steps; k++) {
        uint32_t right = others_accepted(of, fold, true, k) + others_n(of, fold, false) -
                         others_accepted(of, fold, false, k);

        if (right > best_right) {
            best_right = right;
            best = k;
        }
    }
    return best;
}

static uint32_t
val_threshold(const counts *of, uint32_t fold)
{
    uint32_t allowed = fsh_far_allows(others_n(of, fold, false), val_far), best = 0, k;

    for (k = 0; k < of->steps && others_accepted(of, fold, false, k) <= allowed; k++)
        best = k;
    return best;
}

static double
share(uint32_t part, uint32_t of)
{
    return of ? (double)part / of : NAN;
}

static void
judge_accuracy(const counts *of, fsh_fold *folds)
{
    uint32_t i;

    for (i = 0; i < of->folds_n; i++) {
        uint32_t k = best_threshold(of, i), same = of->n[i * KINDS + true],
                 other = of->n[i * KINDS + false];
        uint32_t right = accepted_of(of, i, true)[k] + other - accepted_of(of, i, false)[k];
        bool chosen = others_n(of, i, true) + others_n(of, i, false) > 0;

        folds[i].pairs = same + other;
        folds[i].accuracy = chosen ? share(right, same + other) : NAN;
        folds[i].threshold = chosen ? k * of->step : NAN;
    }
}

static void
judge_val(const counts *of, fsh_fold *folds)
{
    uint32_t i;

    for (i = 0; i < of->folds_n; i++) {
        uint32_t k = val_threshold(of, i);
        bool chosen = others_n(of, i, false) > 0;

        folds[i].val = chosen ? share(accepted_of(of, i, true)[k], of->n[i * KINDS + true]) : NAN;
        folds[i].far = chosen ? share(accepted_of(of, i, false)[k], of->n[i * KINDS + false]) : NAN;
        folds[i].val_threshold = chosen ? k * of->step : NAN;
    }
}

/* Mean and population standard deviation of the values that are there; returns how many. */
static uint32_t
mean_of(const fsh_fold *folds, uint32_t folds_n, size_t offset, double *mean, double *std)
{
    double sum = 0, squares = 0;
    uint32_t i, n = 0;

    for (i = 0; i < folds_n; i++) {
        double value = *(const double *)((const char *)&folds[i] + offset);

        if (!isnan(value)) {
            sum += value;
            n++;
        }
    }
    *mean = n ? sum / n : NAN;
    for (i = 0; i < folds_n; i++) {
        double value = *(const double *)((const char *)&folds[i] + offset);

        if (!isnan(value))
            squares += (value - *mean) * (value - *mean);
    }
    *std = n ? sqrt(squares / n) : NAN;
    return n;
}

static void
sum_up(const fsh_fold *folds, uint32_t folds_n, fsh_accuracy *total)
{
    double unused;

    total->held_out = folds_n > 1;
    total->folds_n =
        mean_of(folds, folds_n, offsetof(fsh_fold, accuracy), &total->mean, &total->std);
    total->standard_error = total->folds_n > 1 ? total->std / sqrt(total->folds_n - 1.0) : NAN;
    mean_of(folds, folds_n, offsetof(fsh_fold, threshold), &total->threshold, &unused);
    mean_of(folds, folds_n, offsetof(fsh_fold, val), &total->val, &total->val_std);
    mean_of(folds, folds_n, offsetof(fsh_fold, far), &total->far, &unused);
}

fsh_status
fsh_protocol_run(const fsh_scores *scores, fsh_fold *folds, fsh_accuracy *total, fsh_err *err)
{
    counts of;
    fsh_status status = count(scores, accuracy_step, ACCURACY_STEPS, &of, err);

    memset(folds, 0, scores->folds_n * sizeof *folds);
    if (!status)
        judge_accuracy(&of, folds);
    counts_fini(&of);
    if (status)
        return status;
    status = count(scores, val_step, VAL_STEPS, &of, err);
    if (!status)
        judge_val(&of, folds);
    counts_fini(&of);
    if (!status)
        sum_up(folds, scores->folds_n, total);
    return status;
}

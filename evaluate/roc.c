/* The curve of a verification, and what is read off it: AUC, EER, TAR at FAR. */
#include <math.h>
#include <stdlib.h>

#include "evaluate/protocol.h"

const char *const fsh_far_names[FSH_TAR_N] = {"1e-1", "1e-2", "1e-3", "1e-4"};
const double fsh_far_targets[FSH_TAR_N] = {1e-1, 1e-2, 1e-3, 1e-4};

typedef struct score {
    double distance;
    bool same;
} score;

static int
compare_scores(const void *a, const void *b)
{
    double x = ((const score *)a)->distance, y = ((const score *)b)->distance;

    return (x > y) - (x < y);
}

uint32_t
fsh_far_allows(uint32_t n, double target)
{
    uint32_t k = (uint32_t)(target * n);

    while (k < n && (double)(k + 1) / n <= target)
        k++;
    while (k > 0 && (double)k / n > target)
        k--;
    return k;
}

/* A step of the curve for every distance that occurs; `wins` grows by the pairs (same, other) in
 * which same is nearer, twice, and by the equal ones, once. */
static void
draw(const score *sorted, uint32_t n, fsh_roc *roc)
{
    uint64_t same = 0, other = 0;
    double twice_wins = 0;
    uint32_t i = 0;

    roc->distance[0] = -INFINITY;
    roc->far[0] = roc->tar[0] = 0;
    roc->n = 1;
    while (i < n) {
        uint64_t same_here = 0, other_here = 0;
        double distance = sorted[i].distance;

        for (; i < n && sorted[i].distance == distance; i++) {
            same_here += sorted[i].same;
            other_here += !sorted[i].same;
        }
        twice_wins += (double)other_here * (double)(2 * same + same_here);
        same += same_here;
        other += other_here;
        roc->distance[roc->n] = distance;
        roc->far[roc->n] = (double)other / roc->other_n;
        roc->tar[roc->n++] = (double)same / roc->same_n;
    }
    roc->auc = twice_wins / 2 / ((double)roc->same_n * roc->other_n);
}

/* Of far - (1 - tar), which grows from -1 to 1, the place where it is 0. */
static double
find_eer(const fsh_roc *roc)
{
    uint32_t i = 1;
    double before, here;

    while (roc->far[i] + roc->tar[i] < 1)
        i++;
    before = 1 - roc->far[i - 1] - roc->tar[i - 1];
    here = roc->far[i] + roc->tar[i] - 1;
    return roc->far[i - 1] + (roc->far[i] - roc->far[i - 1]) * (before / (before + here));
}

static void
find_tar(fsh_roc *roc)
{
    uint32_t t, i;

    for (t = 0; t < FSH_TAR_N; t++) {
        roc->tar_at[t] = 0;
        for (i = 0; i < roc->n && roc->far[i] <= fsh_far_targets[t]; i++)
            roc->tar_at[t] = roc->tar[i];
        roc->resolved[t] = fsh_far_allows(roc->other_n, fsh_far_targets[t]) > 0;
    }
}

fsh_status
fsh_roc_make(const fsh_scores *scores, fsh_roc *out, fsh_err *err)
{
    size_t n = scores->n;
    score *sorted = malloc((n + 1) * sizeof *sorted);
    fsh_roc roc = {.distance = malloc((n + 1) * sizeof(double)),
                   .far = malloc((n + 1) * sizeof(double)),
                   .tar = malloc((n + 1) * sizeof(double))};
    fsh_status status = FSH_OK;
    size_t i;

    if (!sorted || !roc.distance || !roc.far || !roc.tar)
        status = fsh_fail(err, FSH_MEMORY, "out of memory for %zu pairs", n);
    for (i = 0; i < n && !status; i++) {
        sorted[i] = (score){scores->distances[i], scores->same[i]};
        roc.same_n += scores->same[i];
        roc.other_n += !scores->same[i];
    }
    if (!status && (!roc.same_n || !roc.other_n))
        status = fsh_fail(
            err, FSH_FORMAT,
            "%u pairs of one person and %u of two could be compared: both kinds are needed",
            roc.same_n, roc.other_n);
    if (!status) {
        qsort(sorted, n, sizeof *sorted, compare_scores);
        draw(sorted, (uint32_t)n, &roc);
        roc.eer = find_eer(&roc);
        find_tar(&roc);
        *out = roc;
    } else {
        fsh_roc_fini(&roc);
    }
    free(sorted);
    return status;
}

void
fsh_roc_fini(fsh_roc *roc)
{
    free(roc->distance);
    free(roc->far);
    free(roc->tar);
    *roc = (fsh_roc){0};
}

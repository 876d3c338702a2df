/* Identities that are one person: two of a set, or one of a set and one of another. */
#include <math.h>
#include <stdlib.h>

#include "evaluate/cleaning_parts.h"
#include "stages/cleaning/nearest.h"

enum { SHARE_ROUNDS = 50 };

static int
compare_same(const void *a, const void *b)
{
    const fsh_cleaning_same *x = a, *y = b;

    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return x->a != y->a ? (x->a > y->a) - (x->a < y->a) : (x->b > y->b) - (x->b < y->b);
}

static void
sort_same(fsh_cleaning_same *of, uint32_t n)
{
    if (n)
        qsort(of, n, sizeof *of, compare_same);
}

/* Where each says it of the other, the pair is told once. */
static fsh_status
list_same(fsh_cleaning *of)
{
    const fsh_found_identity *found = of->found.identities;
    uint32_t k;

    of->same = malloc(((size_t)of->identities_n + 1) * sizeof *of->same);
    if (!of->same)
        return FSH_MEMORY;
    for (k = 0; k < of->identities_n; k++) {
        uint32_t other = found[k].same;

        if (other == FSH_NOBODY || (found[other].same == k && other < k))
            continue;
        of->same[of->same_n++] = (fsh_cleaning_same){
            k, other, found[k].home_n, found[other].home_n, found[k].same_distance, NAN};
    }
    sort_same(of->same, of->same_n);
    return FSH_OK;
}

/* Directions of the other set's identities, seen from the centre of ours. Their labels are
 * believed. */
static fsh_status
point_theirs(const fsh_cleaning *of, float *directions, uint32_t *groups)
{
    uint32_t dimension = of->embeddings->dimension, k, i, d;
    float *vector = malloc(((size_t)dimension + 1) * sizeof *vector);

    if (!vector)
        return FSH_MEMORY;
    for (k = 0; k < of->against_n; k++) {
        float *sum = directions + (size_t)k * dimension;
        double squares = 0;

        groups[k] = k;
        for (i = of->against_starts[k]; i < of->against_starts[k + 1]; i++) {
            fsh_robust_centre(of->against->vectors + of->against_rows[i] * dimension,
                              of->found.centre, dimension, vector);
            for (d = 0; d < dimension; d++)
                sum[d] += vector[d];
        }
        for (d = 0; d < dimension; d++)
            squares += (double)sum[d] * sum[d];
        for (d = 0; d < dimension; d++)
            sum[d] = squares > 1e-12 ? (float)(sum[d] / sqrt(squares)) : 0;
    }
    free(vector);
    return FSH_OK;
}

/* Logarithm of how much likelier the likeness is for one person than for two, where any of theirs
 * may be the one. */
static double
evidence(const fsh_cleaning *of, uint32_t k, uint32_t theirs_n, double similarity)
{
    const fsh_likeness *like = &of->found.likeness;
    double score = fsh_likeness_score(like, similarity) /
                   fsh_likeness_gain(like, of->found.identities[k].home_n);

    return fsh_likeness_weigh(like, score, theirs_n) - log(of->against_n);
}

/* The nearest of theirs for an identity that has a home; its probability is still its evidence. */
static void
add_overlap(fsh_cleaning *of, uint32_t k, const fsh_nearest *nearest)
{
    uint32_t their_n;

    if (!of->found.identities[k].home_n || nearest->at == FSH_NEAREST_NONE)
        return;
    their_n = of->against_starts[nearest->at + 1] - of->against_starts[nearest->at];
    of->overlap[of->overlap_n++] =
        (fsh_cleaning_same){k,
                            nearest->at,
                            of->found.identities[k].home_n,
                            their_n,
                            (float)sqrt(fmax(2 - 2 * nearest->similarity, 0)),
                            (float)evidence(of, k, their_n, nearest->similarity)};
}

static double
probability(double share, double weight)
{
    return 1 / (1 + (1 - share) / share * exp(-weight));
}

/* How many people are in both sets is a question to the sets: expectation maximisation over one
 * share, from an even one, with two people believed in beforehand, one in both and one not.
 * Evidence becomes probability, and what is less likely than not goes. */
static void
weigh_overlap(fsh_cleaning *of)
{
    double share = 0.5;
    uint32_t round, i, kept = 0;

    for (round = 0; round < SHARE_ROUNDS; round++) {
        double sum = 1;

        for (i = 0; i < of->overlap_n; i++)
            sum += probability(share, of->overlap[i].probability);
        share = sum / (of->overlap_n + 2.0);
    }
    for (i = 0; i < of->overlap_n; i++) {
        fsh_cleaning_same at = of->overlap[i];

        at.probability = (float)probability(share, at.probability);
        if (at.probability > 0.5f)
            of->overlap[kept++] = at;
    }
    of->overlap_n = kept;
}

static fsh_status
list_overlap(fsh_cleaning *of)
{
    uint32_t dimension = of->embeddings->dimension, k;
    float *theirs = calloc((size_t)of->against_n * dimension + 1, sizeof *theirs);
    uint32_t *groups = malloc(((size_t)of->against_n + 1) * sizeof *groups);
    uint32_t *nobody = malloc(((size_t)of->identities_n + 1) * sizeof *nobody);
    fsh_nearest *nearest = malloc(((size_t)of->identities_n + 1) * sizeof *nearest);
    fsh_listener step = fsh_listener_at(of->options.steps, "comparing people with the other set");
    fsh_status status =
        theirs && groups && nobody && nearest ? point_theirs(of, theirs, groups) : FSH_MEMORY;

    of->overlap = malloc(((size_t)of->identities_n + 1) * sizeof *of->overlap);
    if (!of->overlap)
        status = FSH_MEMORY;
    for (k = 0; !status && k < of->identities_n; k++)
        nobody[k] = FSH_NOBODY;
    if (!status)
        status =
            fsh_nearest_find(&(fsh_directions){of->identities_n, of->found.homes, nobody},
                             &(fsh_directions){of->against_n, theirs, groups}, dimension, &step,
                             nearest);
    for (k = 0; !status && k < of->identities_n; k++)
        add_overlap(of, k, &nearest[k]);
    weigh_overlap(of);
    sort_same(of->overlap, of->overlap_n);
    free(theirs);
    free(groups);
    free(nobody);
    free(nearest);
    return status;
}

fsh_status
fsh_cleaning_find_same(fsh_cleaning *of, fsh_err *err)
{
    fsh_status status = list_same(of);

    if (!status && of->against)
        status = list_overlap(of);
    return status ? fsh_fail(err, status, "out of memory for %u identities", of->identities_n)
                  : FSH_OK;
}

#include "stages/cleaning/clusters.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEEDS_MOST = 256,   /* pictures that are tried as the densest */
    VOTERS_MOST = 2048, /* pictures that are asked whether they are like it */
    CLUSTERS_MOST = 64, /* then the rest stand alone */
    ROUNDS = 3
};

#define NO_CLUSTER UINT32_MAX

/* A score that strangers reach once in a thousand times; less where even two pictures of one person
 * do not have twice that. */
static const double agrees_most = 3, agrees_least = 1.5;

typedef struct folder {
    const fsh_likeness *like;
    const float *vectors;
    uint32_t n, dimension, left_n;
    uint32_t *clusters;
    uint32_t *left; /* pictures without a cluster, in order */
    float *sum;     /* of the members' vectors */
    bool *member;
    double agrees;
} folder;

double
fsh_dot(const float *a, const float *b, uint32_t dimension)
{
    double sums[4] = {0};
    uint32_t d, k;

    for (d = 0; d + 4 <= dimension; d += 4)
        for (k = 0; k < 4; k++)
            sums[k] += (double)a[d + k] * b[d + k];
    for (; d < dimension; d++)
        sums[0] += (double)a[d] * b[d];
    return sums[0] + sums[1] + (sums[2] + sums[3]);
}

double
fsh_likeness_to_sum(const float *vector, const float *sum, uint32_t dimension, int in_it)
{
    double with = fsh_dot(vector, sum, dimension), squares = fsh_dot(sum, sum, dimension);

    if (in_it) {
        squares += fsh_dot(vector, vector, dimension) - 2 * with;
        with -= fsh_dot(vector, vector, dimension);
    }
    return squares > 1e-3 ? with / sqrt(squares) : NAN;
}

static const float *
picture(const folder *of, uint32_t i)
{
    return of->vectors + (size_t)i * of->dimension;
}

/* How many pictures are like the seed, and, to choose between equals, how much: a vote counts one
 * and a thousandth of its cosine. */
static double
count_votes(const folder *of, uint32_t seed)
{
    uint32_t step = (of->left_n + VOTERS_MOST - 1) / VOTERS_MOST, i;
    double votes = 0;

    for (i = 0; i < of->left_n; i += step) {
        double cosine = fsh_dot(picture(of, seed), picture(of, of->left[i]), of->dimension);

        if (of->left[i] != seed && fsh_likeness_score(of->like, cosine) > of->agrees)
            votes += 1 + 1e-3 * cosine / step;
    }
    return votes;
}

/* The picture with most votes, or NO_CLUSTER where no two agree. */
static uint32_t
find_densest(const folder *of)
{
    uint32_t step = (of->left_n + SEEDS_MOST - 1) / SEEDS_MOST, i, densest = NO_CLUSTER;
    double most = 0;

    for (i = 0; i < of->left_n; i += step) {
        double votes = count_votes(of, of->left[i]);

        if (votes > most) {
            most = votes;
            densest = of->left[i];
        }
    }
    return densest;
}

/* Marks what is like the direction of sum, and makes the sum that of what is marked. Returns how
 * many. */
static uint32_t
gather(folder *of)
{
    uint32_t i, d, n = 0;

    for (i = 0; i < of->left_n; i++) {
        uint32_t at = of->left[i];
        double cosine =
            fsh_likeness_to_sum(picture(of, at), of->sum, of->dimension, of->member[at]);

        of->clusters[at] = fsh_likeness_score(of->like, cosine) > of->agrees ? 0 : NO_CLUSTER;
    }
    memset(of->sum, 0, of->dimension * sizeof *of->sum);
    for (i = 0; i < of->left_n; i++) {
        uint32_t at = of->left[i];

        of->member[at] = of->clusters[at] == 0;
        for (d = 0; of->member[at] && d < of->dimension; d++)
            of->sum[d] += picture(of, at)[d];
        n += of->member[at];
    }
    return n;
}

/* Members of the cluster that grows from a seed; the seed alone where it falls apart. */
static uint32_t
grow(folder *of, uint32_t seed)
{
    uint32_t round, n = 0;

    memset(of->member, 0, of->n);
    memcpy(of->sum, picture(of, seed), of->dimension * sizeof *of->sum);
    for (round = 0; round <= ROUNDS; round++) {
        n = gather(of);
        if (n < 2)
            break;
    }
    if (n == 0)
        of->member[seed] = true;
    return n ? n : 1;
}

/* Takes the members out of what is left. */
static void
settle(folder *of, uint32_t number)
{
    uint32_t i, kept = 0;

    for (i = 0; i < of->left_n; i++) {
        uint32_t at = of->left[i];

        of->clusters[at] = of->member[at] ? number : NO_CLUSTER;
        if (!of->member[at])
            of->left[kept++] = at;
    }
    of->left_n = kept;
}

static uint32_t
find_all(folder *of)
{
    uint32_t number = 0, i;

    for (i = 0; i < of->n; i++)
        of->left[i] = i;
    while (of->left_n && number < CLUSTERS_MOST) {
        uint32_t seed = find_densest(of);

        if (seed == NO_CLUSTER)
            break;
        grow(of, seed);
        settle(of, number++);
    }
    for (i = 0; i < of->left_n; i++)
        of->clusters[of->left[i]] = number++;
    return number;
}

fsh_status
fsh_clusters_find(const fsh_likeness *like, const float *vectors, uint32_t n, uint32_t dimension,
                  uint32_t *clusters, uint32_t *clusters_n)
{
    folder of = {.like = like,
                 .vectors = vectors,
                 .n = n,
                 .dimension = dimension,
                 .left_n = n,
                 .clusters = clusters};
    fsh_status status = FSH_MEMORY;

    of.agrees = fmin(agrees_most, fmax(agrees_least, fsh_likeness_expected(like, 1) / 2));
    of.left = malloc((n + 1) * sizeof *of.left);
    of.sum = malloc(dimension * sizeof *of.sum);
    of.member = malloc(n + 1);
    if (of.left && of.sum && of.member) {
        *clusters_n = find_all(&of);
        status = FSH_OK;
    }
    free(of.left);
    free(of.sum);
    free(of.member);
    return status;
}

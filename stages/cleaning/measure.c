#include "stages/cleaning/measure.h"

#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "stages/cleaning/clusters.h"

enum { SAMPLE = 65536, STREAM_PICTURES = 1, STREAM_CLUSTERS };

static const double coherent = 3; /* score from which pictures of one folder are one person's */

/* Calls give(self, a, b) for every pair below (n, m) where there are few, otherwise for SAMPLE
 * drawn ones: a fixed sample of a fixed crowd. */
typedef void pair_taker(void *self, uint32_t a, uint32_t b);

static void
take_pairs(uint32_t n, uint32_t m, uint32_t stream, pair_taker *give, void *self)
{
    fsh_rng rng = fsh_rng_new(0, 0, 0, stream);
    uint32_t i, k;

    if (n == 0 || m == 0)
        return;
    if ((uint64_t)n * m > SAMPLE) {
        for (i = 0; i < SAMPLE; i++) {
            uint32_t a = fsh_rng_below(&rng, n);

            give(self, a, fsh_rng_below(&rng, m));
        }
        return;
    }
    for (i = 0; i < n; i++)
        for (k = 0; k < m; k++)
            give(self, i, k);
}

typedef struct collected {
    const fsh_homes *homes;
    const uint32_t *pictures, *clusters; /* what the numbers of a pair stand for */
    float *values;                       /* SAMPLE */
    uint64_t n;
} collected;

static uint64_t
count_pairs(const fsh_homes *homes)
{
    uint64_t people = 0;
    uint32_t k;

    for (k = 0; k < homes->crowd->identities_n; k++)
        people += homes->crowd->starts[k + 1] > homes->crowd->starts[k];
    return people * (people - (people > 0)) / 2;
}

static const float *
vector_of(const fsh_homes *homes, uint32_t picture)
{
    return homes->vectors + (size_t)picture * homes->crowd->dimension;
}

static void
take_pictures(void *self, uint32_t a, uint32_t b)
{
    collected *of = self;
    const fsh_homes *homes = of->homes;

    if (homes->identities[a] != homes->identities[b])
        of->values[of->n++] =
            (float)fsh_dot(vector_of(homes, a), vector_of(homes, b), homes->crowd->dimension);
}

/* Mean similarity of two of the n pictures of a sum. */
static double
mean_similarity(const float *sum, double n, uint32_t dimension)
{
    return (fsh_dot(sum, sum, dimension) - n) / (n * (n - 1));
}

static void
note_same(fsh_homes *homes, const float *sum, uint32_t n, float *values, uint64_t *values_n)
{
    double similarity = n > 1 ? mean_similarity(sum, n, homes->crowd->dimension) : NAN;

    if (fsh_likeness_score(&homes->like, similarity) > coherent)
        values[(*values_n)++] = (float)similarity;
}

static void
sum_identity(const fsh_homes *homes, uint32_t identity, float *sum)
{
    const fsh_crowd *crowd = homes->crowd;
    uint32_t i, d;

    for (d = 0; d < crowd->dimension; d++)
        sum[d] = 0;
    for (i = crowd->starts[identity]; i < crowd->starts[identity + 1]; i++)
        for (d = 0; d < crowd->dimension; d++)
            sum[d] += vector_of(homes, i)[d];
}

fsh_status
fsh_measure_pictures(fsh_homes *homes)
{
    const fsh_crowd *crowd = homes->crowd;
    size_t room = crowd->identities_n > SAMPLE ? crowd->identities_n : SAMPLE;
    collected of = {.homes = homes, .values = malloc(room * sizeof *of.values)};
    float *sum = malloc(((size_t)crowd->dimension + 1) * sizeof *sum);
    uint32_t k;

    if (of.values && sum) {
        take_pairs(crowd->n, crowd->n, STREAM_PICTURES, take_pictures, &of);
        fsh_likeness_set_others(&homes->like, of.values, of.n, count_pairs(homes));
        for (of.n = 0, k = 0; k < crowd->identities_n; k++) {
            sum_identity(homes, k, sum);
            note_same(homes, sum, crowd->starts[k + 1] - crowd->starts[k], of.values, &of.n);
        }
        fsh_likeness_set_same(&homes->like, of.values, of.n);
    }
    free(sum);
    free(of.values);
    return of.values && sum ? FSH_OK : FSH_MEMORY;
}

bool
fsh_homes_is_largest(const fsh_homes *homes, uint32_t cluster)
{
    return homes->sizes[cluster] == homes->most[homes->owners[cluster]];
}

static void
take_cluster(void *self, uint32_t a, uint32_t b)
{
    collected *of = self;
    const fsh_homes *homes = of->homes;
    uint32_t picture = of->pictures[a], cluster = of->clusters[b],
             dimension = homes->crowd->dimension;

    if (homes->identities[picture] != homes->owners[cluster])
        of->values[of->n++] = (float)fsh_likeness_to_sum(
            vector_of(homes, picture), homes->sums + (size_t)cluster * dimension, dimension, 0);
}

/* Every picture against the largest cluster of its folder, without itself. */
static fsh_status
fit_grades(fsh_homes *homes)
{
    uint32_t n = homes->crowd->n, step = (n + SAMPLE - 1) / SAMPLE,
             dimension = homes->crowd->dimension, i;
    float *scores = malloc(SAMPLE * sizeof *scores);
    uint32_t *pictures = malloc(SAMPLE * sizeof *pictures), count = 0;
    fsh_status status = FSH_MEMORY;

    for (i = 0; scores && pictures && i < n; i += step) {
        uint32_t cluster = homes->lead[homes->identities[i]];
        uint32_t inside = cluster == homes->clusters[i];

        if (cluster == FSH_NOBODY || homes->sizes[cluster] == inside)
            continue;
        pictures[count] = homes->sizes[cluster] - inside;
        scores[count++] = (float)fsh_likeness_score(
            &homes->like,
            fsh_likeness_to_sum(vector_of(homes, i), homes->sums + (size_t)cluster * dimension,
                                dimension, (int)inside));
    }
    if (scores && pictures)
        status = fsh_likeness_fit(&homes->like, scores, pictures, count);
    free(scores);
    free(pictures);
    return status;
}

/* Lists the largest clusters, and the pictures in them. */
static void
list_largest(const fsh_homes *homes, uint32_t *clusters, uint32_t *clusters_n, uint32_t *pictures,
             uint32_t *pictures_n)
{
    uint32_t i;

    for (i = 0; i < homes->clusters_n; i++)
        if (fsh_homes_is_largest(homes, i))
            clusters[(*clusters_n)++] = i;
    for (i = 0; i < homes->crowd->n; i++)
        if (fsh_homes_is_largest(homes, homes->clusters[i]))
            pictures[(*pictures_n)++] = i;
}

fsh_status
fsh_measure_clusters(fsh_homes *homes)
{
    size_t room = homes->clusters_n > SAMPLE ? homes->clusters_n : SAMPLE;
    uint32_t *clusters = malloc(((size_t)homes->clusters_n + 1) * sizeof *clusters), clusters_n = 0,
             i;
    uint32_t *pictures = malloc(((size_t)homes->crowd->n + 1) * sizeof *pictures), pictures_n = 0;
    collected of = {homes, pictures, clusters, malloc(room * sizeof *of.values), 0};
    fsh_status status = clusters && pictures && of.values ? FSH_OK : FSH_MEMORY;

    if (!status) {
        list_largest(homes, clusters, &clusters_n, pictures, &pictures_n);
        take_pairs(pictures_n, clusters_n, STREAM_CLUSTERS, take_cluster, &of);
        fsh_likeness_set_others(&homes->like, of.values, of.n, count_pairs(homes));
        for (of.n = 0, i = 0; i < clusters_n; i++)
            note_same(homes, homes->sums + (size_t)clusters[i] * homes->crowd->dimension,
                      homes->sizes[clusters[i]], of.values, &of.n);
        fsh_likeness_set_same(&homes->like, of.values, of.n);
        status = fit_grades(homes);
    }
    free(of.values);
    free(clusters);
    free(pictures);
    return status;
}

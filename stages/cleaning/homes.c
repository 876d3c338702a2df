#include "stages/cleaning/homes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/cleaning/clusters.h"
#include "stages/cleaning/measure.h"
#include "stages/cleaning/nearest.h"

enum { CENTRE_BELIEVED = 10 }; /* people with a mean of zero that are believed in beforehand */

/* ---- the space ---- */

void
fsh_robust_centre(const float *vector, const float *centre, uint32_t dimension, float *centred)
{
    double squares = 0;
    uint32_t d;

    for (d = 0; d < dimension; d++) {
        centred[d] = vector[d] - centre[d];
        squares += (double)centred[d] * centred[d];
    }
    for (d = 0; d < dimension; d++)
        centred[d] = squares > 1e-12 ? (float)(centred[d] / sqrt(squares)) : vector[d];
}

/* What all people have in common says nothing about who is who. Every identity counts the same. */
static fsh_status
find_centre(fsh_homes *homes)
{
    const fsh_crowd *crowd = homes->crowd;
    double *sum = calloc(crowd->dimension, sizeof *sum);
    uint32_t k, i, d, people = 0;

    if (!sum)
        return FSH_MEMORY;
    for (k = 0; k < crowd->identities_n; k++) {
        uint32_t n = crowd->starts[k + 1] - crowd->starts[k];

        people += n > 0;
        for (i = crowd->starts[k]; i < crowd->starts[k + 1]; i++)
            for (d = 0; d < crowd->dimension; d++)
                sum[d] += crowd->vectors[i][d] / (double)n;
    }
    for (d = 0; d < crowd->dimension; d++)
        homes->centre[d] = (float)(sum[d] / (people + CENTRE_BELIEVED));
    free(sum);
    return FSH_OK;
}

static void
centre_all(fsh_homes *homes)
{
    const fsh_crowd *crowd = homes->crowd;
    uint32_t k, i;

    for (k = 0; k < crowd->identities_n; k++)
        for (i = crowd->starts[k]; i < crowd->starts[k + 1]; i++)
            homes->identities[i] = k;
    for (i = 0; i < crowd->n; i++)
        fsh_robust_centre(crowd->vectors[i], homes->centre, crowd->dimension,
                          homes->vectors + (size_t)i * crowd->dimension);
}

void
fsh_direction_of(const float *sum, uint32_t dimension, float *direction)
{
    double squares = fsh_dot(sum, sum, dimension);
    uint32_t d;

    for (d = 0; d < dimension; d++)
        direction[d] = squares > 1e-12 ? (float)(sum[d] / sqrt(squares)) : 0;
}

float
fsh_directions_apart(const float *a, const float *b, uint32_t dimension)
{
    double lengths = sqrt(fsh_dot(a, a, dimension) * fsh_dot(b, b, dimension));

    return lengths > 1e-6 ? (float)sqrt(fmax(2 - 2 * fsh_dot(a, b, dimension) / lengths, 0)) : NAN;
}

/* ---- clusters of all identities ---- */

/* Clusters within each identity; counts[k] of them. */
static fsh_status
split_identities(fsh_homes *homes, uint32_t *counts)
{
    const fsh_crowd *crowd = homes->crowd;
    fsh_listener step = fsh_listener_at(crowd->steps, "looking for people within folders");
    bool failed = false;
    uint32_t done = 0;
    int64_t k;

#pragma omp parallel for schedule(dynamic, 4) reduction(|| : failed)
    for (k = 0; k < (int64_t)crowd->identities_n; k++) {
        uint32_t first = crowd->starts[k], n = crowd->starts[k + 1] - first;

        counts[k] = 0;
        if (n && fsh_clusters_find(&homes->like, homes->vectors + (size_t)first * crowd->dimension,
                                   n, crowd->dimension, homes->clusters + first, &counts[k]))
            failed = true;
#pragma omp critical(fsh_homes)
        fsh_listener_tell(&step, ++done, crowd->identities_n);
    }
    return failed ? FSH_MEMORY : FSH_OK;
}

static void
number_clusters(fsh_homes *homes, const uint32_t *counts)
{
    uint32_t k, i;

    homes->starts[0] = 0;
    for (k = 0; k < homes->crowd->identities_n; k++)
        homes->starts[k + 1] = homes->starts[k] + counts[k];
    homes->clusters_n = homes->starts[homes->crowd->identities_n];
    for (i = 0; i < homes->crowd->n; i++)
        homes->clusters[i] += homes->starts[homes->identities[i]];
}

static void
find_leads(fsh_homes *homes)
{
    uint32_t k, i;

    for (k = 0; k < homes->crowd->identities_n; k++) {
        homes->most[k] = 0;
        homes->lead[k] = FSH_NOBODY;
        for (i = homes->starts[k]; i < homes->starts[k + 1]; i++) {
            homes->owners[i] = k;
            if (homes->sizes[i] >= homes->most[k])
                homes->lead[k] = homes->sizes[i] > homes->most[k] ? i : FSH_NOBODY;
            if (homes->sizes[i] > homes->most[k])
                homes->most[k] = homes->sizes[i];
        }
    }
}

static fsh_status
sum_clusters(fsh_homes *homes)
{
    uint32_t n = homes->clusters_n, dimension = homes->crowd->dimension, i, d;

    homes->sizes = calloc((size_t)n + 1, sizeof *homes->sizes);
    homes->owners = calloc((size_t)n + 1, sizeof *homes->owners);
    homes->sums = calloc((size_t)n * dimension + 1, sizeof *homes->sums);
    homes->likest = malloc(((size_t)n + 1) * sizeof *homes->likest);
    homes->away = calloc((size_t)n + 1, sizeof *homes->away);
    if (!homes->sizes || !homes->owners || !homes->sums || !homes->likest || !homes->away)
        return FSH_MEMORY;
    for (i = 0; i < homes->crowd->n; i++) {
        float *sum = homes->sums + (size_t)homes->clusters[i] * dimension;

        homes->sizes[homes->clusters[i]]++;
        for (d = 0; d < dimension; d++)
            sum[d] += homes->vectors[(size_t)i * dimension + d];
    }
    find_leads(homes);
    return FSH_OK;
}

static fsh_status
find_clusters(fsh_homes *homes)
{
    uint32_t *counts = calloc((size_t)homes->crowd->identities_n + 1, sizeof *counts);
    fsh_status status = counts ? split_identities(homes, counts) : FSH_MEMORY;

    if (!status)
        number_clusters(homes, counts);
    free(counts);
    return status ? status : sum_clusters(homes);
}

/* ---- who is like whom ---- */

typedef struct match {
    fsh_directions clusters, candidates;
    uint32_t *at; /* cluster of each candidate */
    float *vectors, *candidate_vectors;
    uint32_t *groups;
    fsh_nearest *found;
} match;

/* The largest clusters of each identity may be its person. */
static fsh_status
fill_match(const fsh_homes *homes, match *of)
{
    uint32_t n = homes->clusters_n, dimension = homes->crowd->dimension, i, m = 0;

    of->vectors = malloc(((size_t)n * dimension + 1) * sizeof *of->vectors);
    of->candidate_vectors = malloc(((size_t)n * dimension + 1) * sizeof *of->vectors);
    of->at = malloc(((size_t)n + 1) * sizeof *of->at);
    of->groups = malloc(((size_t)n + 1) * sizeof *of->groups);
    of->found = malloc(((size_t)n + 1) * sizeof *of->found);
    if (!of->vectors || !of->candidate_vectors || !of->at || !of->groups || !of->found)
        return FSH_MEMORY;
    for (i = 0; i < n; i++) {
        float *direction = of->vectors + (size_t)i * dimension;

        fsh_direction_of(homes->sums + (size_t)i * dimension, dimension, direction);
        if (!fsh_homes_is_largest(homes, i))
            continue;
        memcpy(of->candidate_vectors + (size_t)m * dimension, direction,
               dimension * sizeof *direction);
        of->groups[m] = homes->owners[i];
        of->at[m++] = i;
    }
    of->clusters = (fsh_directions){n, of->vectors, homes->owners};
    of->candidates = (fsh_directions){m, of->candidate_vectors, of->groups};
    return FSH_OK;
}

/* The direction of several pictures is more like its person than one picture is: by that much less
 * does its similarity say. */
static bool
is_away(const fsh_homes *homes, uint32_t cluster, uint32_t other, double similarity)
{
    const fsh_likeness *like = &homes->like;
    double score =
        fsh_likeness_score(like, similarity) / fsh_likeness_gain(like, homes->sizes[cluster]);
    double prior =
        log(like->wrong * like->known / homes->crowd->identities_n) - log(1 - like->wrong);

    return fsh_likeness_weigh(like, score, homes->sizes[other]) + prior > 0;
}

static fsh_status
match_clusters(fsh_homes *homes)
{
    match of = {0};
    fsh_listener step = fsh_listener_at(homes->crowd->steps, "comparing people");
    fsh_status status = fill_match(homes, &of);
    uint32_t i;

    if (!status)
        status = fsh_nearest_find(&of.clusters, &of.candidates, homes->crowd->dimension, &step,
                                  of.found);
    for (i = 0; !status && i < homes->clusters_n; i++) {
        homes->likest[i] = of.found[i].at == FSH_NEAREST_NONE ? FSH_NOBODY : of.at[of.found[i].at];
        homes->away[i] = homes->likest[i] != FSH_NOBODY &&
                         is_away(homes, i, homes->likest[i], of.found[i].similarity);
    }
    free(of.vectors);
    free(of.candidate_vectors);
    free(of.at);
    free(of.groups);
    free(of.found);
    return status;
}

/* ---- all of it ---- */

static fsh_status
start(fsh_homes *homes)
{
    const fsh_crowd *crowd = homes->crowd;

    homes->centre = calloc((size_t)crowd->dimension + 1, sizeof *homes->centre);
    homes->vectors = malloc(((size_t)crowd->n * crowd->dimension + 1) * sizeof *homes->vectors);
    homes->identities = malloc(((size_t)crowd->n + 1) * sizeof *homes->identities);
    homes->clusters = malloc(((size_t)crowd->n + 1) * sizeof *homes->clusters);
    homes->starts = malloc(((size_t)crowd->identities_n + 1) * sizeof *homes->starts);
    homes->home = malloc(((size_t)crowd->identities_n + 1) * sizeof *homes->home);
    homes->most = malloc(((size_t)crowd->identities_n + 1) * sizeof *homes->most);
    homes->lead = malloc(((size_t)crowd->identities_n + 1) * sizeof *homes->lead);
    if (!homes->centre || !homes->vectors || !homes->identities || !homes->clusters ||
        !homes->starts || !homes->home || !homes->most || !homes->lead)
        return FSH_MEMORY;
    return find_centre(homes);
}

fsh_status
fsh_homes_find(fsh_homes *homes, const fsh_crowd *crowd, double threshold)
{
    fsh_status status;
    uint32_t k;

    *homes = (fsh_homes){.crowd = crowd};
    fsh_likeness_init(&homes->like, threshold, crowd->dimension);
    status = start(homes);
    if (status)
        return status;
    centre_all(homes);
    status = fsh_measure_pictures(homes);
    if (!status)
        status = find_clusters(homes);
    if (!status)
        status = fsh_measure_clusters(homes);
    if (!status)
        status = match_clusters(homes);
    for (k = 0; !status && k < crowd->identities_n; k++)
        homes->home[k] = fsh_homes_choose(homes, k);
    return status;
}

void
fsh_homes_fini(fsh_homes *homes)
{
    free(homes->centre);
    free(homes->vectors);
    free(homes->identities);
    free(homes->clusters);
    free(homes->starts);
    free(homes->sizes);
    free(homes->owners);
    free(homes->sums);
    free(homes->likest);
    free(homes->away);
    free(homes->home);
    free(homes->most);
    free(homes->lead);
    *homes = (fsh_homes){0};
}

#include "stages/cleaning/robust.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/cleaning/clusters.h"
#include "stages/cleaning/homes.h"
#include "stages/cleaning/nearest.h"

enum { ROUNDS = 3, PRIOR_ROUNDS = 20 };

/* Odds of four to one are asked for in either direction; between them nobody is sure. */
static const double surely = 0.8;
static const double settled =
    0.99; /* pictures of their own identity that later rounds leave alone */
static const double second_least =
    1.0 / 3;                    /* of the home's size: a second group that is nobody's mistake */
static const double poorly = 3; /* score below which a picture is only a little like its identity */

/* The evidence of one picture: logarithms of how much likelier than somebody unknown. */
typedef struct weighed {
    float own, other;
    uint32_t own_n; /* pictures that the own home has besides this one; 0: it says nothing */
    float own_score;
    float p_other, p_nobody;
} weighed;

typedef struct robust {
    const fsh_crowd *crowd;
    fsh_homes homes;
    float
        *cores; /* identities_n x dimension: sums of the homes' pictures that are not found wrong */
    uint32_t *cores_n; /* pictures in each */
    bool *in_core;     /* of each picture */
    weighed *weighed;  /* of each picture */
    fsh_found *found;
} robust;

static const float *
vector_of(const robust *of, uint32_t picture)
{
    return of->homes.vectors + (size_t)picture * of->crowd->dimension;
}

static float *
core_of(const robust *of, uint32_t identity)
{
    return of->cores + (size_t)identity * of->crowd->dimension;
}

static float
distance_of(double cosine)
{
    return (float)sqrt(fmax(2 - 2 * cosine, 0));
}

/* ---- cores ---- */

static void
sum_cores(robust *of)
{
    uint32_t dimension = of->crowd->dimension, i, d;

    memset(of->cores, 0, (size_t)of->crowd->identities_n * dimension * sizeof *of->cores);
    memset(of->cores_n, 0, of->crowd->identities_n * sizeof *of->cores_n);
    for (i = 0; i < of->crowd->n; i++) {
        uint32_t k = of->homes.identities[i];

        of->cores_n[k] += of->in_core[i];
        for (d = 0; of->in_core[i] && d < dimension; d++)
            core_of(of, k)[d] += vector_of(of, i)[d];
    }
}

/* ---- evidence ---- */

static void
weigh_own(robust *of, uint32_t i)
{
    uint32_t k = of->homes.identities[i], dimension = of->crowd->dimension;
    double cosine =
        fsh_likeness_to_sum(vector_of(of, i), core_of(of, k), dimension, of->in_core[i]);
    weighed *w = &of->weighed[i];

    w->own_n = isnan(cosine) ? 0 : of->cores_n[k] - of->in_core[i];
    w->own_score = w->own_n ? (float)fsh_likeness_score(&of->homes.like, cosine) : 0;
    of->found->pictures[i].own_distance = w->own_n ? distance_of(cosine) : NAN;
}

static void
note_other(robust *of, uint32_t i, const fsh_nearest *nearest, const uint32_t *identities)
{
    fsh_found_picture *picture = &of->found->pictures[i];
    weighed *w = &of->weighed[i];

    picture->other = nearest->at == FSH_NEAREST_NONE ? FSH_NOBODY : identities[nearest->at];
    picture->other_distance =
        nearest->at == FSH_NEAREST_NONE ? NAN : distance_of(nearest->similarity);
    w->other = -INFINITY;
    if (picture->other != FSH_NOBODY)
        w->other = (float)fsh_likeness_weigh(
            &of->homes.like, fsh_likeness_score(&of->homes.like, nearest->similarity),
            of->cores_n[picture->other]);
}

/* Directions of all cores; *n of them. */
static void
list_cores(const robust *of, float *directions, uint32_t *identities, uint32_t *n)
{
    uint32_t k;

    for (k = 0, *n = 0; k < of->crowd->identities_n; k++)
        if (of->cores_n[k]) {
            fsh_direction_of(core_of(of, k), of->crowd->dimension,
                             directions + (size_t)*n * of->crowd->dimension);
            identities[(*n)++] = k;
        }
}

/* What of the best other home, for the listed pictures. */
static fsh_status
weigh_others(robust *of, const uint32_t *list, uint32_t n)
{
    uint32_t dimension = of->crowd->dimension, people = of->crowd->identities_n, m, i;
    float *queries = malloc(((size_t)n * dimension + 1) * sizeof *queries);
    float *directions = malloc(((size_t)people * dimension + 1) * sizeof *directions);
    uint32_t *groups = malloc(((size_t)n + 1) * sizeof *groups);
    uint32_t *identities = malloc(((size_t)people + 1) * sizeof *identities);
    fsh_nearest *nearest = malloc(((size_t)n + 1) * sizeof *nearest);
    fsh_listener step = fsh_listener_at(of->crowd->steps, "comparing pictures with everybody");
    fsh_status status =
        queries && directions && groups && identities && nearest ? FSH_OK : FSH_MEMORY;

    for (i = 0; !status && i < n; i++) {
        memcpy(queries + (size_t)i * dimension, vector_of(of, list[i]),
               dimension * sizeof *queries);
        groups[i] = of->homes.identities[list[i]];
    }
    if (!status) {
        list_cores(of, directions, identities, &m);
        status = fsh_nearest_find(&(fsh_directions){n, queries, groups},
                                  &(fsh_directions){m, directions, identities}, dimension, &step,
                                  nearest);
    }
    for (i = 0; !status && i < n; i++)
        note_other(of, list[i], &nearest[i], identities);
    free(queries);
    free(directions);
    free(groups);
    free(identities);
    free(nearest);
    return status;
}

/* ---- probabilities ---- */

static void
judge(robust *of, uint32_t i)
{
    const fsh_likeness *like = &of->homes.like;
    weighed *w = &of->weighed[i];
    double own = log(1 - like->wrong) + w->own;
    double other = log(like->wrong * like->known / of->crowd->identities_n) + w->other;
    /* Without anything to compare with, nothing speaks for an unknown person. */
    double nobody = w->own_n ? log(like->wrong * (1 - like->known)) : -INFINITY;
    double most = fmax(own, fmax(other, nobody));
    double sum = exp(own - most) + exp(other - most) + exp(nobody - most);

    of->found->pictures[i].p_own = (float)(exp(own - most) / sum);
    w->p_other = (float)(exp(other - most) / sum);
    w->p_nobody = (float)(exp(nobody - most) / sum);
}

/* How many are wrong, and how many of those are of people who are here, is a question to the crowd.
 */
static void
judge_all(robust *of)
{
    fsh_likeness *like = &of->homes.like;
    uint32_t round, i;

    for (round = 0; round < PRIOR_ROUNDS; round++) {
        double others = 0, nobodies = 0;

        for (i = 0; i < of->crowd->n; i++) {
            judge(of, i);
            others += of->weighed[i].p_other;
            nobodies += of->weighed[i].p_nobody;
        }
        like->wrong = (others + nobodies + 1) / (of->crowd->n + 20.0);
        like->known = (others + 1) / (others + nobodies + 2);
    }
}

static void
weigh_pictures(robust *of, const uint32_t *list, uint32_t n)
{
    uint32_t k;

    for (k = 0; k < n; k++) {
        weighed *w = &of->weighed[list[k]];

        w->own = w->own_n ? (float)fsh_likeness_weigh(&of->homes.like, w->own_score, w->own_n) : 0;
    }
}

static void
weigh_own_of(robust *of, const uint32_t *list, uint32_t n)
{
    int64_t k;

#pragma omp parallel for schedule(static) if (n > 256)
    for (k = 0; k < (int64_t)n; k++)
        weigh_own(of, list[k]);
}

/* What is found wrong leaves the core; but no identity is emptied, and two identities that are one
 * person do not empty each other. */
static bool
stays(const robust *of, uint32_t i)
{
    const fsh_homes *homes = &of->homes;

    return of->found->pictures[i].p_own >= 1 - surely || !of->weighed[i].own_n ||
           homes->away[homes->home[homes->identities[i]]];
}

/* First all pictures. Then those that are not settled once more, without what was found wrong. */
static fsh_status
weigh_all(robust *of, uint32_t *list)
{
    fsh_status status = FSH_OK;
    uint32_t n = of->crowd->n, round, i, kept;

    for (i = 0; i < n; i++)
        list[i] = i;
    for (round = 0; round < ROUNDS && n && !status; round++) {
        sum_cores(of);
        weigh_own_of(of, list, n);
        weigh_pictures(of, list, n);
        status = weigh_others(of, list, n);
        if (!status)
            judge_all(of);
        for (i = 0, kept = 0; i < n; i++) {
            of->in_core[list[i]] = of->in_core[list[i]] && stays(of, list[i]);
            if (of->found->pictures[list[i]].p_own < settled)
                list[kept++] = list[i];
        }
        n = kept;
    }
    return status;
}

/* ---- findings ---- */

static fsh_finding
undecided(const weighed *w)
{
    return w->p_other > surely ? FSH_FINDING_OTHER : FSH_FINDING_UNDECIDED;
}

static fsh_finding
is_fitting(const robust *of, uint32_t i)
{
    const weighed *w = &of->weighed[i];

    if (!w->own_n)
        return FSH_FINDING_ALONE;
    return w->own_score < poorly ? FSH_FINDING_POOR : FSH_FINDING_FITS;
}

/* One of a group as large as a third of the home: two people, or one at two ages. */
static bool
is_second(const robust *of, uint32_t i)
{
    const fsh_homes *homes = &of->homes;
    uint32_t cluster = homes->clusters[i], home = homes->home[homes->identities[i]];

    return cluster != home && !homes->away[cluster] && homes->sizes[cluster] >= 2 &&
           homes->sizes[cluster] >= second_least * homes->sizes[home];
}

static bool
is_only(const robust *of, uint32_t identity)
{
    return of->crowd->starts[identity + 1] - of->crowd->starts[identity] == 1;
}

static fsh_finding
find(const robust *of, uint32_t i)
{
    const fsh_found_picture *picture = &of->found->pictures[i];
    const weighed *w = &of->weighed[i];
    uint32_t identity = of->homes.identities[i];
    uint32_t same = of->found->identities[identity].same;
    bool by_other = w->p_other > w->p_nobody;

    if (of->homes.home[identity] == FSH_NOBODY)
        return undecided(w);
    if (picture->p_own >= surely)
        return is_fitting(of, i);
    if (by_other && (same == picture->other || is_only(of, identity)))
        return FSH_FINDING_SAME;
    if (picture->p_own > 1 - surely)
        return by_other ? FSH_FINDING_PERHAPS : FSH_FINDING_DOUBTFUL;
    if (by_other)
        return FSH_FINDING_OTHER;
    return is_second(of, i) ? FSH_FINDING_SECOND : FSH_FINDING_STRANGER;
}

static void
find_second(robust *of, uint32_t k)
{
    const fsh_homes *homes = &of->homes;
    fsh_found_identity *identity = &of->found->identities[k];
    uint32_t i, dimension = of->crowd->dimension, found = FSH_NOBODY;

    for (i = homes->starts[k]; i < homes->starts[k + 1]; i++)
        if (i != homes->home[k] && !homes->away[i] && homes->sizes[i] >= 2 &&
            (found == FSH_NOBODY || homes->sizes[i] > homes->sizes[found]))
            found = i;
    identity->second_n = found == FSH_NOBODY ? 0 : homes->sizes[found];
    identity->second_distance = NAN;
    if (found != FSH_NOBODY && homes->home[k] != FSH_NOBODY)
        identity->second_distance =
            fsh_directions_apart(homes->sums + (size_t)found * dimension,
                                 homes->sums + (size_t)homes->home[k] * dimension, dimension);
}

static void
find_same(robust *of, uint32_t k)
{
    const fsh_homes *homes = &of->homes;
    fsh_found_identity *identity = &of->found->identities[k];
    uint32_t home = homes->home[k], other;

    identity->home_n = home == FSH_NOBODY ? 0 : homes->sizes[home];
    identity->same = FSH_NOBODY;
    identity->same_distance = NAN;
    if (home == FSH_NOBODY || !homes->away[home])
        return;
    other = homes->owners[homes->likest[home]];
    if (homes->home[other] != homes->likest[home])
        return;
    identity->same = other;
    identity->same_distance = fsh_directions_apart(
        homes->sums + (size_t)home * of->crowd->dimension,
        homes->sums + (size_t)homes->likest[home] * of->crowd->dimension, of->crowd->dimension);
}

static void
find_all(robust *of)
{
    uint32_t k, i;

    for (k = 0; k < of->crowd->identities_n; k++) {
        find_second(of, k);
        find_same(of, k);
        fsh_direction_of(core_of(of, k), of->crowd->dimension,
                         of->found->homes + (size_t)k * of->crowd->dimension);
    }
    for (i = 0; i < of->crowd->n; i++) {
        fsh_found_picture *picture = &of->found->pictures[i];

        picture->finding = find(of, i);
        picture->suggested = picture->finding == FSH_FINDING_OTHER ||
                             picture->finding == FSH_FINDING_PERHAPS ||
                             picture->finding == FSH_FINDING_SAME;
    }
}

/* ---- all of it ---- */

static fsh_status
start(robust *of)
{
    const fsh_crowd *crowd = of->crowd;
    size_t people = (size_t)crowd->identities_n + 1, pictures = (size_t)crowd->n + 1;
    uint32_t i;

    of->cores = calloc(people * crowd->dimension, sizeof *of->cores);
    of->cores_n = calloc(people, sizeof *of->cores_n);
    of->in_core = calloc(pictures, sizeof *of->in_core);
    of->weighed = calloc(pictures, sizeof *of->weighed);
    of->found->pictures = calloc(pictures, sizeof *of->found->pictures);
    of->found->identities = calloc(people, sizeof *of->found->identities);
    of->found->homes = calloc(people * crowd->dimension, sizeof *of->found->homes);
    if (!of->cores || !of->cores_n || !of->in_core || !of->weighed || !of->found->pictures ||
        !of->found->identities || !of->found->homes)
        return FSH_MEMORY;
    for (i = 0; i < crowd->n; i++)
        of->in_core[i] = of->homes.home[of->homes.identities[i]] == of->homes.clusters[i];
    return FSH_OK;
}

static void
finish(robust *of)
{
    of->found->likeness = of->homes.like;
    of->found->centre = of->homes.centre;
    of->homes.centre = NULL;
    free(of->cores);
    free(of->cores_n);
    free(of->in_core);
    free(of->weighed);
    fsh_homes_fini(&of->homes);
}

fsh_status
fsh_robust_find(const fsh_crowd *crowd, double threshold, fsh_found *found, fsh_err *err)
{
    robust of = {.crowd = crowd, .found = found};
    uint32_t *list = malloc(((size_t)crowd->n + 1) * sizeof *list);
    fsh_status status = list ? FSH_OK : FSH_MEMORY;

    *found = (fsh_found){0};
    if (!status)
        status = fsh_homes_find(&of.homes, crowd, threshold);
    if (!status)
        status = start(&of);
    if (!status)
        status = weigh_all(&of, list);
    if (!status)
        find_all(&of);
    free(list);
    finish(&of);
    if (status) {
        fsh_robust_fini(found);
        fsh_fail(err, status, "clean: out of memory for %u pictures of %u identities", crowd->n,
                 crowd->identities_n);
    }
    return status;
}

void
fsh_robust_fini(fsh_found *found)
{
    free(found->pictures);
    free(found->identities);
    free(found->homes);
    free(found->centre);
    *found = (fsh_found){0};
}

#include "evaluate/search.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "evaluate/distance.h"
#include "evaluate/search_tile.h"

enum {
    PANELS =
        16, /* of six probes in a block: 48 KiB at 128 components, half of a second-level cache */
    BLOCK = PANELS * FSH_TILE_PROBES, /* probes that pass over the gallery together */
    MARGIN = 16,                      /* candidates beyond k, so that the bound seldom fails */
    CANDIDATES_MAX = FSH_SEARCH_K_MAX + MARGIN,
    ALIGNMENT = 64
};

struct fsh_search {
    fsh_search_gallery gallery;
    float *packed;  /* panels of sixteen rows, component after component; the last one is filled up
                       with zeros */
    float *offsets; /* half the squared length of each row; infinite for what fills up */
    uint32_t panels_n;
    uint32_t *starts,
        *rows;      /* rows of group g: rows[starts[g]] to rows[starts[g + 1] - 1], in order */
    double longest; /* length of the longest row */
    fsh_tile_score *score;
    uint64_t fallbacks;
};

/* A group that may be near: its best score so far. Nearer is larger: |p - g|^2 = |p|^2 - 2 (p . g -
 * |g|^2 / 2). */
typedef struct candidate {
    float score;
    uint32_t group;
} candidate;

/* The best groups of one probe, best first. */
typedef struct candidates {
    candidate at[CANDIDATES_MAX];
    uint32_t n;
} candidates;

/* What one thread works with. */
typedef struct workbench {
    float *packed; /* PANELS x dimension x six */
    float *bars;   /* a probe: the score that a new candidate has to be over */
    candidates *found;
} workbench;

static uint32_t
group_of(const fsh_search *search, uint32_t row)
{
    return search->gallery.groups ? search->gallery.groups[row] : row;
}

static void *
aligned_new(size_t bytes)
{
    return aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT) / ALIGNMENT * ALIGNMENT);
}

/* Lays `n` vectors out in panels of `width`: component after component of the vectors of a panel.
 */
static void
pack(const float *vectors, uint64_t n, uint32_t dimension, uint32_t width, float *packed)
{
    uint64_t i;
    uint32_t d;

    for (i = 0; i < n; i++) {
        float *to = packed + i / width * width * dimension + i % width;

        for (d = 0; d < dimension; d++)
            to[(size_t)d * width] = vectors[i * dimension + d];
    }
}

static void
measure_rows(fsh_search *search)
{
    const fsh_search_gallery *gallery = &search->gallery;
    double longest = 0;
    uint32_t i, d;

    for (i = 0; i < search->panels_n * FSH_TILE_ROWS; i++) {
        double sum = 0;

        for (d = 0; d < gallery->dimension && i < gallery->n; d++) {
            double x = gallery->vectors[(size_t)i * gallery->dimension + d];

            sum += x * x;
        }
        search->offsets[i] = i < gallery->n ? (float)(sum / 2) : INFINITY;
        longest = fmax(longest, sum);
    }
    search->longest = sqrt(longest);
}

/* Counting sort of rows by group. */
static void
sort_rows(fsh_search *search)
{
    uint32_t n = search->gallery.n, groups_n = search->gallery.groups_n, i;

    for (i = 0; i < n; i++)
        search->starts[group_of(search, i) + 1]++;
    for (i = 0; i < groups_n; i++)
        search->starts[i + 1] += search->starts[i];
    for (i = n; i-- > 0;)
        search->rows[--search->starts[group_of(search, i) + 1]] = i;
    memmove(search->starts, search->starts + 1, groups_n * sizeof *search->starts);
    search->starts[groups_n] = n;
}

fsh_status
fsh_search_new(const fsh_search_gallery *gallery, fsh_search **out, fsh_err *err)
{
    fsh_search *search = calloc(1, sizeof *search);
    size_t padded;

    if (!search)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    search->gallery = *gallery;
    if (!gallery->groups)
        search->gallery.groups_n = gallery->n;
    search->score = fsh_tile_choose();
    search->panels_n = gallery->n / FSH_TILE_ROWS + (gallery->n % FSH_TILE_ROWS > 0);
    padded = (size_t)search->panels_n * FSH_TILE_ROWS;
    search->packed = aligned_new(padded * gallery->dimension * sizeof(float));
    search->offsets = malloc((padded + 1) * sizeof(float));
    search->starts = calloc(search->gallery.groups_n + 2ul, sizeof *search->starts);
    search->rows = malloc((gallery->n + 1ul) * sizeof *search->rows);
    if (!search->packed || !search->offsets || !search->starts || !search->rows) {
        fsh_search_free(search);
        return fsh_fail(err, FSH_MEMORY, "out of memory for a gallery of %u", gallery->n);
    }
    if (padded)
        memset(search->packed + (padded - FSH_TILE_ROWS) * gallery->dimension, 0,
               FSH_TILE_ROWS * gallery->dimension * sizeof(float));
    pack(gallery->vectors, gallery->n, gallery->dimension, FSH_TILE_ROWS, search->packed);
    measure_rows(search);
    sort_rows(search);
    *out = search;
    return FSH_OK;
}

void
fsh_search_free(fsh_search *search)
{
    if (!search)
        return;
    free(search->packed);
    free(search->offsets);
    free(search->starts);
    free(search->rows);
    free(search);
}

uint64_t
fsh_search_fallbacks(const fsh_search *search)
{
    return search->fallbacks;
}

/* Takes a group in at its place, unless it stands there with a better score; the last one falls out
 * of a full list. */
static void
take(candidates *list, uint32_t most, candidate new)
{
    uint32_t i, gap = list->n < most ? list->n : most - 1;

    for (i = 0; i < list->n; i++)
        if (list->at[i].group == new.group) {
            if (list->at[i].score >= new.score)
                return;
            gap = i;
            break;
        }
    if (gap == list->n)
        list->n++;
    for (i = gap; i > 0 && list->at[i - 1].score < new.score; i--)
        list->at[i] = list->at[i - 1];
    list->at[i] = new;
}

static void
take_scores(const fsh_search *search, workbench *at, uint32_t probe, uint32_t most, uint32_t row,
            const float *scores)
{
    candidates *list = &at->found[probe];
    uint32_t r;

    for (r = 0; r < FSH_TILE_ROWS; r++) {
        if (!(scores[r] > at->bars[probe]))
            continue;
        take(list, most, (candidate){scores[r], group_of(search, row + r)});
        if (list->n == most)
            at->bars[probe] = list->at[most - 1].score;
    }
}

/* Passes the probes of a block over the gallery: each panel of rows stays in the nearest cache for
 * all of them. */
static void
scan(const fsh_search *search, workbench *at, uint32_t probes_n, uint32_t most)
{
    uint32_t dimension = search->gallery.dimension, panel, i;
    float scores[FSH_TILE_PROBES * FSH_TILE_ROWS];

    for (panel = 0; panel < search->panels_n; panel++)
        for (i = 0; i < probes_n; i += FSH_TILE_PROBES) {
            const fsh_tile tile = {at->packed + (size_t)i * dimension,
                                   search->packed + (size_t)panel * FSH_TILE_ROWS * dimension,
                                   search->offsets + (size_t)panel * FSH_TILE_ROWS, dimension};
            uint32_t over = search->score(&tile, at->bars + i, scores), p;

            for (p = 0; over; p++, over >>= 1)
                if (over & 1)
                    take_scores(search, at, i + p, most, panel * FSH_TILE_ROWS,
                                scores + p * FSH_TILE_ROWS);
        }
}

/* The nearest row of a group, squared distance in double; of equal ones the first. */
static fsh_search_hit
hit_of(const fsh_search *search, const float *probe, uint32_t group)
{
    const fsh_search_gallery *gallery = &search->gallery;
    fsh_search_hit hit = {group, FSH_SEARCH_NONE, INFINITY};
    uint32_t i;

    for (i = search->starts[group]; i < search->starts[group + 1]; i++) {
        uint32_t row = search->rows[i];
        double squared = fsh_distance_squared(
            probe, gallery->vectors + (size_t)row * gallery->dimension, gallery->dimension);

        if (squared < hit.distance) {
            hit.distance = squared;
            hit.row = row;
        }
    }
    return hit;
}

static bool
is_nearer(const fsh_search_hit *a, const fsh_search_hit *b)
{
    return a->distance < b->distance || (a->distance == b->distance && a->row < b->row);
}

/* Takes a hit into the sorted list of the k best. */
static void
take_hit(fsh_search_hit *hits, uint32_t *n, uint32_t k, fsh_search_hit new)
{
    uint32_t i = *n < k ? (*n)++ : k;

    for (; i > 0 && is_nearer(&new, &hits[i - 1]); i--)
        if (i < k)
            hits[i] = hits[i - 1];
    if (i < k)
        hits[i] = new;
}

/* A lower bound of the squared distance of whatever is not among the candidates. Sums of n products
 * in float32, in any order, fused or not, are off by at most n 2^-24 times the product of the
 * lengths (Higham, "Accuracy and Stability of Numerical Algorithms", 3.1); two more roundings are
 * the offset's and the subtraction's. */
static double
bound_of_others(const fsh_search *search, const float *probe, const candidates *list)
{
    uint32_t dimension = search->gallery.dimension, d;
    double squared = 0, length, error;

    for (d = 0; d < dimension; d++)
        squared += (double)probe[d] * probe[d];
    length = sqrt(squared);
    error = 1.01 * (dimension + 2) * ldexp(1, -24) *
            (length * search->longest + search->longest * search->longest);
    return squared - 2 * (list->at[list->n - 1].score + error);
}

static uint32_t
all_hits(const fsh_search *search, const float *probe, uint32_t k, fsh_search_hit *hits)
{
    uint32_t n = 0, group;

    for (group = 0; group < search->gallery.groups_n; group++)
        if (search->starts[group] < search->starts[group + 1])
            take_hit(hits, &n, k, hit_of(search, probe, group));
    return n;
}

/* Fills the k hits of a probe from its candidates. Returns whether that needed all distances. */
static bool
settle(const fsh_search *search, const float *probe, const candidates *list, uint32_t most,
       uint32_t k, fsh_search_hit *hits)
{
    bool all = false;
    uint32_t n = 0, i;

    for (i = 0; i < list->n; i++)
        take_hit(hits, &n, k, hit_of(search, probe, list->at[i].group));
    if (list->n == most && !(hits[k - 1].distance < bound_of_others(search, probe, list))) {
        all = true;
        n = all_hits(search, probe, k, hits);
    }
    for (i = 0; i < n; i++)
        hits[i].distance = sqrt(hits[i].distance);
    for (; n < k; n++)
        hits[n] = (fsh_search_hit){FSH_SEARCH_NONE, FSH_SEARCH_NONE, INFINITY};
    return all;
}

static bool
workbench_init(workbench *at, uint32_t dimension)
{
    *at = (workbench){.packed = aligned_new((size_t)BLOCK * dimension * sizeof(float)),
                      .bars = malloc(BLOCK * sizeof(float)),
                      .found = malloc(BLOCK * sizeof(candidates))};
    return at->packed && at->bars && at->found;
}

static void
workbench_fini(workbench *at)
{
    free(at->packed);
    free(at->bars);
    free(at->found);
}

/* Probes that fill up the last panel have a bar that nothing is over. */
static void
lay_out(const fsh_search *search, const float *probes, uint32_t n, workbench *at)
{
    uint32_t i;

    memset(at->packed, 0, (size_t)BLOCK * search->gallery.dimension * sizeof(float));
    pack(probes, n, search->gallery.dimension, FSH_TILE_PROBES, at->packed);
    for (i = 0; i < BLOCK; i++) {
        at->bars[i] = i < n ? -INFINITY : INFINITY;
        at->found[i].n = 0;
    }
}

/* Returns how many probes of the block needed all distances. */
static uint32_t
run_block(const fsh_search *search, const float *probes, uint32_t n, uint32_t k, workbench *at,
          fsh_search_hit *hits)
{
    uint32_t most = k + MARGIN, fallbacks = 0, i;

    lay_out(search, probes, n, at);
    scan(search, at, n, most);
    for (i = 0; i < n; i++)
        fallbacks += settle(search, probes + (size_t)i * search->gallery.dimension, &at->found[i],
                            most, k, hits + (size_t)i * k);
    return fallbacks;
}

fsh_status
fsh_search_run(fsh_search *search, const float *probes, uint64_t n, uint32_t k,
               fsh_search_hit *hits, const fsh_listener *steps, fsh_err *err)
{
    uint64_t blocks = n / BLOCK + (n % BLOCK > 0), done = 0, fallbacks = 0;
    bool failed = false;

    if (!k || k > FSH_SEARCH_K_MAX)
        return fsh_fail(err, FSH_INTERNAL, "%u nearest were asked for, 1 to %d are found", k,
                        FSH_SEARCH_K_MAX);
#pragma omp parallel
    {
        workbench at;
        bool ready = workbench_init(&at, search->gallery.dimension);

#pragma omp for schedule(dynamic)
        for (uint64_t block = 0; block < blocks; block++) {
            uint64_t first = block * BLOCK, left = n - first;
            uint32_t probes_n = left < BLOCK ? (uint32_t)left : BLOCK, slow = 0;

            if (ready)
                slow = run_block(search, probes + first * search->gallery.dimension, probes_n, k,
                                 &at, hits + first * k);
#pragma omp critical(fsh_search)
            {
                failed = failed || !ready;
                fallbacks += slow;
                done += probes_n;
                fsh_listener_tell(steps, done, n);
            }
        }
        workbench_fini(&at);
    }
    search->fallbacks += fallbacks;
    return failed ? fsh_fail(err, FSH_MEMORY, "out of memory for the search") : FSH_OK;
}

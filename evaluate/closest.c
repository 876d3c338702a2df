#include "evaluate/closest.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "evaluate/closest_tile.h"
#include "evaluate/distance.h"

enum {
    PROBES = 8, /* vectors that pass over the gallery together */
    CANDIDATES_MAX = 4096,
    LINE = 64,
    PAGE = 2 << 20 /* a large one */
};

/* What a vector is in codes. */
typedef struct coded {
    float scale, error, length, half;
    int32_t sum;
} coded;

/* A vector on its way over the gallery. */
typedef struct pass {
    fsh_codes_probe probe;
    int8_t *codes;
    uint32_t n; /* candidates */
    bool too_many;
    uint32_t rows[CANDIDATES_MAX];
    float upper[CANDIDATES_MAX]; /* what the score of each may be at most */
} pass;

struct fsh_closest {
    fsh_search_gallery gallery;
    uint32_t width; /* components, filled up with zeros */
    uint8_t *codes; /* of the rows, tile after tile */
    float *scales, *errors, *reaches, *halves;
    float *facts; /* that the four live in */
    fsh_codes_score *score;
    pass passes[PROBES];
    uint64_t distances;
};

/* Lengths are rounded up, so that bounds hold. */
static float
upwards(double length)
{
    return (float)(length * (1 + 1e-6));
}

static coded
encode(const float *vector, uint32_t n, int8_t *codes)
{
    double error = 0, length = 0;
    float most = 0;
    coded of = {0};
    uint32_t i;

    for (i = 0; i < n; i++)
        most = fmaxf(most, fabsf(vector[i]));
    of.scale = most / FSH_CODES_LEVELS;
    if (of.scale < FLT_MIN)
        of.scale = 1;
    for (i = 0; i < n; i++) {
        double left;

        codes[i] = (int8_t)lrintf(vector[i] / of.scale);
        left = vector[i] - (double)of.scale * codes[i];
        error += left * left;
        length += (double)vector[i] * vector[i];
        of.sum += codes[i];
    }
    of.error = upwards(sqrt(error));
    of.length = upwards(sqrt(length));
    of.half = (float)(length / 2);
    return of;
}

static void
put_row(fsh_closest *closest, uint32_t row, const int8_t *codes, const coded *of)
{
    uint8_t *to = closest->codes +
                  (size_t)(row / FSH_CODES_ROWS) * FSH_CODES_ROWS * closest->width +
                  (size_t)(row % FSH_CODES_ROWS) * FSH_CODES_STEP;
    uint32_t d;

    for (d = 0; d < closest->width; d++)
        to[d / FSH_CODES_STEP * FSH_CODES_STEP * FSH_CODES_ROWS + d % FSH_CODES_STEP] =
            (uint8_t)(codes[d] + 128);
    closest->scales[row] = of->scale;
    closest->errors[row] = of->error;
    closest->reaches[row] = upwards((double)of->length + of->error);
    closest->halves[row] = of->half;
}

/* Of a large gallery in large pages, where the system has them: all of it is read for each frame.
 */
static uint8_t *
codes_new(size_t bytes)
{
    size_t unit = bytes < PAGE ? LINE : PAGE, whole = (bytes + unit) / unit * unit;
    uint8_t *codes = aligned_alloc(unit, whole);

    if (codes && unit == PAGE)
        madvise(codes, whole, MADV_HUGEPAGE);
    return codes;
}

static bool
need_memory(fsh_closest *closest)
{
    size_t tiles = closest->gallery.n / FSH_CODES_ROWS + 1ul, rows = tiles * FSH_CODES_ROWS;
    uint32_t i;

    closest->codes = codes_new(rows * closest->width);
    closest->facts = calloc(rows, 4 * sizeof *closest->facts);
    if (!closest->codes || !closest->facts)
        return false;
    memset(closest->codes + (rows - FSH_CODES_ROWS) * closest->width, 128,
           FSH_CODES_ROWS * closest->width);
    closest->scales = closest->facts;
    closest->errors = closest->scales + rows;
    closest->reaches = closest->errors + rows;
    closest->halves = closest->reaches + rows;
    for (i = 0; i < PROBES; i++)
        if (!(closest->passes[i].codes = calloc(closest->width + 1ul, 1)))
            return false;
    return true;
}

fsh_status
fsh_closest_new(const fsh_search_gallery *gallery, fsh_closest **closest, fsh_err *err)
{
    fsh_closest *made = calloc(1, sizeof *made);
    uint32_t i;

    if (!made)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    made->gallery = *gallery;
    made->width = (gallery->dimension + FSH_CODES_WIDTH - 1) / FSH_CODES_WIDTH * FSH_CODES_WIDTH;
    made->score = fsh_codes_scorer(0);
    if (!need_memory(made)) {
        fsh_closest_free(made);
        return fsh_fail(err, FSH_MEMORY, "out of memory for a gallery of %u", gallery->n);
    }
    for (i = 0; i < gallery->n; i++) {
        int8_t *codes = made->passes[0].codes;
        const coded of =
            encode(gallery->vectors + (size_t)i * gallery->dimension, gallery->dimension, codes);

        put_row(made, i, codes, &of);
    }
    *closest = made;
    return FSH_OK;
}

void
fsh_closest_free(fsh_closest *closest)
{
    uint32_t i;

    if (!closest)
        return;
    for (i = 0; i < PROBES; i++)
        free(closest->passes[i].codes);
    free(closest->codes);
    free(closest->facts);
    free(closest);
}

uint64_t
fsh_closest_distances(const fsh_closest *closest)
{
    return closest->distances;
}

bool
fsh_closest_score_by(fsh_closest *closest, uint32_t i)
{
    fsh_codes_score *score = fsh_codes_scorer(i);

    if (score)
        closest->score = score;
    return score != NULL;
}

/* Drops candidates that cannot be the nearest any more. */
static void
sieve(pass *at)
{
    uint32_t i, kept = 0;

    for (i = 0; i < at->n; i++)
        if (!(at->upper[i] < at->probe.bar)) {
            at->rows[kept] = at->rows[i];
            at->upper[kept++] = at->upper[i];
        }
    at->n = kept;
}

static void
add_candidate(pass *at, uint32_t row, float upper, float lower)
{
    if (upper < at->probe.bar || at->too_many)
        return;
    at->probe.bar = fmaxf(at->probe.bar, lower);
    if (at->n == CANDIDATES_MAX)
        sieve(at);
    at->too_many = at->n == CANDIDATES_MAX;
    if (at->too_many)
        return;
    at->rows[at->n] = row;
    at->upper[at->n++] = upper;
}

static void
pass_over_tile(const fsh_closest *closest, const fsh_codes_tile *tile, uint32_t first, pass *at)
{
    float upper[FSH_CODES_ROWS], lower[FSH_CODES_ROWS];
    uint32_t over = closest->score(tile, &at->probe, upper, lower), r;

    for (r = 0; over && first + r < closest->gallery.n; r++, over >>= 1)
        if (over & 1)
            add_candidate(at, first + r, upper[r], lower[r]);
}

/* Nearer is larger: |p - g|^2 = |p|^2 - 2 (p . g - |g|^2 / 2). The tile after this one is asked of
 * memory meanwhile. */
static void
pass_over(fsh_closest *closest, uint32_t n)
{
    size_t bytes = (size_t)FSH_CODES_ROWS * closest->width, ahead;
    uint32_t first, i;

    for (first = 0; first < closest->gallery.n; first += FSH_CODES_ROWS) {
        const fsh_codes_tile tile = {closest->codes + (size_t)first * closest->width,
                                     closest->scales + first,
                                     closest->errors + first,
                                     closest->reaches + first,
                                     closest->halves + first,
                                     closest->width};

        if (first + FSH_CODES_ROWS < closest->gallery.n)
            for (ahead = 0; ahead < bytes; ahead += LINE)
                __builtin_prefetch(tile.codes + bytes + ahead);
        for (i = 0; i < n; i++)
            pass_over_tile(closest, &tile, first, &closest->passes[i]);
    }
    for (i = 0; i < n; i++)
        sieve(&closest->passes[i]);
}

static void
set_out(fsh_closest *closest, const float *vector, pass *at)
{
    const coded of = encode(vector, closest->gallery.dimension, at->codes);

    at->probe = (fsh_codes_probe){at->codes, of.scale, of.error, of.length, of.sum, -INFINITY};
    at->n = 0;
    at->too_many = false;
}

static void
take(fsh_closest *closest, const float *vector, uint32_t row, fsh_search_hit *best)
{
    const fsh_search_gallery *gallery = &closest->gallery;
    double distance = fsh_distance_squared(
        vector, gallery->vectors + (size_t)row * gallery->dimension, gallery->dimension);

    closest->distances++;
    if (distance < best->distance)
        *best = (fsh_search_hit){gallery->groups ? gallery->groups[row] : row, row, distance};
}

/* Candidates stand in the order of rows, so that of equal ones the first stays. */
static fsh_search_hit
settle(fsh_closest *closest, const float *vector, const pass *at)
{
    fsh_search_hit best = {FSH_SEARCH_NONE, FSH_SEARCH_NONE, INFINITY};
    uint32_t n = at->too_many ? closest->gallery.n : at->n, i;

    for (i = 0; i < n; i++)
        take(closest, vector, at->too_many ? i : at->rows[i], &best);
    best.distance = sqrt(best.distance);
    return best;
}

void
fsh_closest_find(fsh_closest *closest, const float *const *vectors, uint32_t n,
                 fsh_search_hit *hits)
{
    uint32_t first, i;

    for (first = 0; first < n; first += PROBES) {
        uint32_t here = n - first < PROBES ? n - first : PROBES;

        for (i = 0; i < here; i++)
            set_out(closest, vectors[first + i], &closest->passes[i]);
        pass_over(closest, here);
        for (i = 0; i < here; i++)
            hits[first + i] = settle(closest, vectors[first + i], &closest->passes[i]);
    }
}

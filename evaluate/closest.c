#include "evaluate/closest.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "evaluate/distance.h"

enum {
    STEP = 32, /* components that are multiplied at once */
    LEVELS = 127,
    CANDIDATES_MAX = 4096,
    ALIGNMENT = 64
};

/* A row as scale * codes + error, where the length of error is known. */
typedef struct row {
    float scale, error, length, half; /* half: of the squared length */
} row;

typedef int32_t product_of(const int8_t *a, const int8_t *b, uint32_t n);

struct fsh_closest {
    fsh_search_gallery gallery;
    uint32_t width; /* components, filled up with zeros to whole steps */
    int8_t *codes;  /* of the rows */
    row *rows;
    int8_t *probe;
    product_of *product;
    uint32_t candidates[CANDIDATES_MAX];
    float upper[CANDIDATES_MAX]; /* what the score of each may be at most */
    uint64_t distances;
};

static int32_t
product_plain(const int8_t *a, const int8_t *b, uint32_t n)
{
    int32_t sum = 0;
    uint32_t i;

    for (i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

#if defined(__x86_64__)
#include <immintrin.h>

/* The instruction multiplies numbers without a sign by numbers with one: that of a goes over to b.
 * Two products are 32,258 at most, so that nothing is cut off at 16 bits. */
__attribute__((target("avx2"))) static int32_t
product_avx2(const int8_t *a, const int8_t *b, uint32_t n)
{
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i sum = _mm256_setzero_si256();
    __m128i half;
    uint32_t i;

    for (i = 0; i < n; i += STEP) {
        __m256i x = _mm256_load_si256((const __m256i *)(const void *)(a + i));
        __m256i y = _mm256_load_si256((const __m256i *)(const void *)(b + i));
        __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(x), _mm256_sign_epi8(y, x));

        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
    }
    half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4E));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0xB1));
    return _mm_cvtsi128_si32(half);
}
#endif

static product_of *
choose_product(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2"))
        return product_avx2;
#endif
    return product_plain;
}

/* Lengths are rounded up, so that bounds hold. */
static float
upwards(double length)
{
    return (float)(length * (1 + 1e-6));
}

static row
encode(const float *vector, uint32_t n, int8_t *codes)
{
    float most = 0;
    double error = 0, length = 0;
    row of;
    uint32_t i;

    for (i = 0; i < n; i++)
        most = fmaxf(most, fabsf(vector[i]));
    of.scale = most > 0 ? most / LEVELS : 1;
    for (i = 0; i < n; i++) {
        double left;

        codes[i] = (int8_t)lrintf(vector[i] / of.scale);
        left = vector[i] - (double)of.scale * codes[i];
        error += left * left;
        length += (double)vector[i] * vector[i];
    }
    of.error = upwards(sqrt(error));
    of.length = upwards(sqrt(length));
    of.half = (float)(length / 2);
    return of;
}

static int8_t *
codes_new(size_t rows, uint32_t width)
{
    size_t bytes = (rows * width + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
    int8_t *codes = aligned_alloc(ALIGNMENT, bytes);

    if (codes)
        memset(codes, 0, bytes);
    return codes;
}

fsh_status
fsh_closest_new(const fsh_search_gallery *gallery, fsh_closest **closest, fsh_err *err)
{
    fsh_closest *made = calloc(1, sizeof *made);
    uint32_t i;

    if (!made)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    made->gallery = *gallery;
    made->width = (gallery->dimension + STEP - 1) / STEP * STEP;
    made->product = choose_product();
    made->codes = codes_new(gallery->n, made->width);
    made->probe = codes_new(1, made->width);
    made->rows = malloc((gallery->n + 1ul) * sizeof *made->rows);
    if (!made->codes || !made->probe || !made->rows) {
        fsh_closest_free(made);
        return fsh_fail(err, FSH_MEMORY, "out of memory for a gallery of %u", gallery->n);
    }
    for (i = 0; i < gallery->n; i++)
        made->rows[i] = encode(gallery->vectors + (size_t)i * gallery->dimension,
                               gallery->dimension, made->codes + (size_t)i * made->width);
    *closest = made;
    return FSH_OK;
}

void
fsh_closest_free(fsh_closest *closest)
{
    if (!closest)
        return;
    free(closest->codes);
    free(closest->probe);
    free(closest->rows);
    free(closest);
}

uint64_t
fsh_closest_distances(const fsh_closest *closest)
{
    return closest->distances;
}

/* Drops candidates that cannot be the nearest any more, and says how many are left. */
static uint32_t
sieve(fsh_closest *closest, uint32_t n, float bar)
{
    uint32_t i, kept = 0;

    for (i = 0; i < n; i++)
        if (closest->upper[i] >= bar) {
            closest->candidates[kept] = closest->candidates[i];
            closest->upper[kept++] = closest->upper[i];
        }
    return kept;
}

/* Nearer is larger: |p - g|^2 = |p|^2 - 2 (p . g - |g|^2 / 2). With p = sp P + ep and g = sg G + eg
 * the product is sp sg (P . G) + p . eg + ep . (g - eg), whose last two terms are bounded by
 * lengths. False: there are too many candidates. */
static bool
collect(fsh_closest *closest, const row *probe, uint32_t *n)
{
    const fsh_search_gallery *gallery = &closest->gallery;
    float bar = -INFINITY;
    uint32_t i;

    *n = 0;
    for (i = 0; i < gallery->n; i++) {
        const row *of = &closest->rows[i];
        int32_t product = closest->product(
            closest->probe, closest->codes + (size_t)i * closest->width, closest->width);
        float score = probe->scale * of->scale * (float)product - of->half;
        float doubt = probe->length * of->error + probe->error * (of->length + of->error);

        doubt += 1e-6f * (1 + probe->length * of->length + of->half);
        if (score + doubt < bar)
            continue;
        bar = fmaxf(bar, score - doubt);
        if (*n == CANDIDATES_MAX)
            *n = sieve(closest, *n, bar);
        if (*n == CANDIDATES_MAX)
            return false;
        closest->candidates[*n] = i;
        closest->upper[(*n)++] = score + doubt;
    }
    *n = sieve(closest, *n, bar);
    return true;
}

static void
take(fsh_closest *closest, const float *vector, uint32_t at, fsh_search_hit *best)
{
    const fsh_search_gallery *gallery = &closest->gallery;
    double distance = fsh_distance_squared(
        vector, gallery->vectors + (size_t)at * gallery->dimension, gallery->dimension);

    closest->distances++;
    if (distance < best->distance)
        *best = (fsh_search_hit){gallery->groups ? gallery->groups[at] : at, at, distance};
}

fsh_search_hit
fsh_closest_find(fsh_closest *closest, const float *vector)
{
    fsh_search_hit best = {FSH_SEARCH_NONE, FSH_SEARCH_NONE, INFINITY};
    row probe = encode(vector, closest->gallery.dimension, closest->probe);
    uint32_t n, i;

    if (collect(closest, &probe, &n))
        for (i = 0; i < n; i++)
            take(closest, vector, closest->candidates[i], &best);
    else
        for (i = 0; i < closest->gallery.n; i++)
            take(closest, vector, i, &best);
    best.distance = sqrt(best.distance);
    return best;
}

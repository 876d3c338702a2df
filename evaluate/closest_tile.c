/* With p = sp P + ep and g = sg G + eg, where capitals are codes, the product p . g is
 * sp sg (P . G) + p . eg + ep . (g - eg), whose last two terms are bounded by lengths. What float32
 * gets wrong is far below a millionth of the terms.
 *
 * Intrinsics, because compilers do not find these instructions by themselves. */
#include "evaluate/closest_tile.h"

#include <string.h>

static const float rounding = 1e-6f;

static uint32_t
score_plain(const fsh_codes_tile *tile, const fsh_codes_probe *probe, float upper[FSH_CODES_ROWS],
            float lower[FSH_CODES_ROWS])
{
    uint32_t r, d, over = 0;

    for (r = 0; r < FSH_CODES_ROWS; r++) {
        float reach = tile->reaches[r], score, doubt;
        int32_t product = -128 * probe->sum;

        for (d = 0; d < tile->width; d++)
            product +=
                probe->codes[d] * tile->codes[d / FSH_CODES_STEP * FSH_CODES_STEP * FSH_CODES_ROWS +
                                              r * FSH_CODES_STEP + d % FSH_CODES_STEP];
        score = probe->scale * tile->scales[r] * (float)product - tile->halves[r];
        doubt = probe->length * tile->errors[r] + probe->error * reach +
                rounding * (1 + probe->length * reach + tile->halves[r]);
        upper[r] = score + doubt;
        lower[r] = score - doubt;
        over |= (uint32_t) !(upper[r] < probe->bar) << r;
    }
    return over;
}

#if defined(__x86_64__)
#include <immintrin.h>

/* Four components of the probe, for every lane. */
static int32_t
four(const fsh_codes_probe *probe, uint32_t d)
{
    int32_t codes;

    memcpy(&codes, probe->codes + d, sizeof codes);
    return codes;
}

__attribute__((target("avx512f"))) static uint32_t
judge_avx512(const fsh_codes_tile *tile, const fsh_codes_probe *probe, __m512i product,
             float upper[FSH_CODES_ROWS], float lower[FSH_CODES_ROWS])
{
    __m512 half = _mm512_loadu_ps(tile->halves), reach = _mm512_loadu_ps(tile->reaches);
    __m512 length = _mm512_set1_ps(probe->length), slack, doubt, score, most;
    uint32_t over;

    product = _mm512_sub_epi32(product, _mm512_set1_epi32(128 * probe->sum));
    score = _mm512_mul_ps(_mm512_set1_ps(probe->scale), _mm512_loadu_ps(tile->scales));
    score = _mm512_sub_ps(_mm512_mul_ps(score, _mm512_cvtepi32_ps(product)), half);
    slack = _mm512_add_ps(_mm512_fmadd_ps(length, reach, half), _mm512_set1_ps(1));
    doubt = _mm512_mul_ps(length, _mm512_loadu_ps(tile->errors));
    doubt = _mm512_fmadd_ps(_mm512_set1_ps(probe->error), reach, doubt);
    doubt = _mm512_fmadd_ps(_mm512_set1_ps(rounding), slack, doubt);
    most = _mm512_add_ps(score, doubt);
    over = _mm512_cmp_ps_mask(most, _mm512_set1_ps(probe->bar), _CMP_NLT_UQ);
    if (over) {
        _mm512_storeu_ps(upper, most);
        _mm512_storeu_ps(lower, _mm512_sub_ps(score, doubt));
    }
    return over;
}

/* Four sums, because each addition has to wait for the one before. */
__attribute__((target("avx512f,avx512vnni"))) static uint32_t
score_avx512(const fsh_codes_tile *tile, const fsh_codes_probe *probe, float upper[FSH_CODES_ROWS],
             float lower[FSH_CODES_ROWS])
{
    const uint8_t *at = tile->codes;
    __m512i sums[4];
    uint32_t d, i;

    for (i = 0; i < 4; i++)
        sums[i] = _mm512_setzero_si512();
    for (d = 0; d < tile->width; d += 4 * FSH_CODES_STEP)
#pragma GCC unroll 4
        for (i = 0; i < 4; i++, at += sizeof(__m512i))
            sums[i] = _mm512_dpbusd_epi32(sums[i], _mm512_load_si512(at),
                                          _mm512_set1_epi32(four(probe, d + 4 * i)));
    sums[0] =
        _mm512_add_epi32(_mm512_add_epi32(sums[0], sums[1]), _mm512_add_epi32(sums[2], sums[3]));
    return judge_avx512(tile, probe, sums[0], upper, lower);
}

/* Eight rows. */
__attribute__((target("avx2,fma"))) static uint32_t
judge_avx2(const fsh_codes_tile *tile, const fsh_codes_probe *probe, uint32_t first,
           __m256i product, float *upper, float *lower)
{
    __m256 half = _mm256_loadu_ps(tile->halves + first),
           reach = _mm256_loadu_ps(tile->reaches + first);
    __m256 length = _mm256_set1_ps(probe->length), slack, doubt, score, most;

    score = _mm256_mul_ps(_mm256_set1_ps(probe->scale), _mm256_loadu_ps(tile->scales + first));
    score = _mm256_sub_ps(_mm256_mul_ps(score, _mm256_cvtepi32_ps(product)), half);
    slack = _mm256_add_ps(_mm256_fmadd_ps(length, reach, half), _mm256_set1_ps(1));
    doubt = _mm256_mul_ps(length, _mm256_loadu_ps(tile->errors + first));
    doubt = _mm256_fmadd_ps(_mm256_set1_ps(probe->error), reach, doubt);
    doubt = _mm256_fmadd_ps(_mm256_set1_ps(rounding), slack, doubt);
    most = _mm256_add_ps(score, doubt);
    _mm256_storeu_ps(upper + first, most);
    _mm256_storeu_ps(lower + first, _mm256_sub_ps(score, doubt));
    return (uint32_t)_mm256_movemask_ps(
               _mm256_cmp_ps(most, _mm256_set1_ps(probe->bar), _CMP_NLT_UQ))
           << first;
}

/* The instruction multiplies numbers without a sign by numbers with one: that of the probe goes
 * over to the rows. Two products are 32,258 at most, so that nothing is cut off at 16 bits. */
__attribute__((target("avx2"))) static __m256i
add_products(__m256i sum, const uint8_t *at, __m256i probe)
{
    __m256i rows = _mm256_xor_si256(_mm256_load_si256((const __m256i *)(const void *)at),
                                    _mm256_set1_epi8((char)0x80));
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(probe), _mm256_sign_epi8(rows, probe));

    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

__attribute__((target("avx2,fma"))) static uint32_t
score_avx2(const fsh_codes_tile *tile, const fsh_codes_probe *probe, float upper[FSH_CODES_ROWS],
           float lower[FSH_CODES_ROWS])
{
    __m256i low = _mm256_setzero_si256(), high = low;
    const uint8_t *at = tile->codes;
    uint32_t d;

    for (d = 0; d < tile->width; d += FSH_CODES_STEP, at += 2 * sizeof(__m256i)) {
        __m256i codes = _mm256_set1_epi32(four(probe, d));

        low = add_products(low, at, codes);
        high = add_products(high, at + sizeof(__m256i), codes);
    }
    return judge_avx2(tile, probe, 0, low, upper, lower) |
           judge_avx2(tile, probe, 8, high, upper, lower);
}
#endif

fsh_codes_score *
fsh_codes_scorer(uint32_t i)
{
    fsh_codes_score *here[3] = {NULL};
    uint32_t n = 0;

#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni"))
        here[n++] = score_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        here[n++] = score_avx2;
#endif
    here[n++] = score_plain;
    return i < n ? here[i] : NULL;
}

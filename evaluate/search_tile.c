/* Scores in float32. Products are added up in the order of the components, one sum a score, so a
 * row scores the same wherever it stands; with and without fused multiply-add the last bits differ,
 * which the search allows for.
 *
 * Intrinsics, because nothing else gets there: the BLAS that Debian installs beside dlib is the
 * reference one (2 GFLOP/s here), C11 mode contracts no multiply-add, and GCC 12 does not keep a
 * tile of sums in registers. */
#include "evaluate/search_tile.h"

#include <string.h>

uint32_t
fsh_tile_plain(const fsh_tile *tile, const float bars[FSH_TILE_PROBES],
               float scores[FSH_TILE_PROBES * FSH_TILE_ROWS])
{
    uint32_t d, p, r, over = 0;

    memset(scores, 0, FSH_TILE_PROBES * FSH_TILE_ROWS * sizeof *scores);
    for (d = 0; d < tile->dimension; d++)
        for (p = 0; p < FSH_TILE_PROBES; p++)
            for (r = 0; r < FSH_TILE_ROWS; r++)
                scores[p * FSH_TILE_ROWS + r] +=
                    tile->probes[d * FSH_TILE_PROBES + p] * tile->rows[d * FSH_TILE_ROWS + r];
    for (p = 0; p < FSH_TILE_PROBES; p++)
        for (r = 0; r < FSH_TILE_ROWS; r++) {
            scores[p * FSH_TILE_ROWS + r] -= tile->offsets[r];
            over |= (uint32_t)(scores[p * FSH_TILE_ROWS + r] > bars[p]) << p;
        }
    return over;
}

#if defined(__x86_64__)
#include <immintrin.h>

/* Twelve sums of eight, two rows of the tile's components and one of a probe: 15 of the 16
 * registers. */
__attribute__((target("avx2,fma"))) static uint32_t
tile_avx2(const fsh_tile *tile, const float bars[FSH_TILE_PROBES],
          float scores[FSH_TILE_PROBES * FSH_TILE_ROWS])
{
    const float *probes = tile->probes, *rows = tile->rows;
    __m256 sums[FSH_TILE_PROBES][2], low, high, probe;
    uint32_t d, over = 0;
    int p;

#pragma GCC unroll 6
    for (p = 0; p < FSH_TILE_PROBES; p++)
        sums[p][0] = sums[p][1] = _mm256_setzero_ps();
    for (d = 0; d < tile->dimension; d++, probes += FSH_TILE_PROBES, rows += FSH_TILE_ROWS) {
        low = _mm256_load_ps(rows);
        high = _mm256_load_ps(rows + 8);
#pragma GCC unroll 6
        for (p = 0; p < FSH_TILE_PROBES; p++) {
            probe = _mm256_broadcast_ss(probes + p);
            sums[p][0] = _mm256_fmadd_ps(probe, low, sums[p][0]);
            sums[p][1] = _mm256_fmadd_ps(probe, high, sums[p][1]);
        }
    }
    low = _mm256_loadu_ps(tile->offsets);
    high = _mm256_loadu_ps(tile->offsets + 8);
#pragma GCC unroll 6
    for (p = 0; p < FSH_TILE_PROBES; p++) {
        __m256 bar = _mm256_broadcast_ss(bars + p), a = _mm256_sub_ps(sums[p][0], low),
               b = _mm256_sub_ps(sums[p][1], high);
        int any = _mm256_movemask_ps(
            _mm256_or_ps(_mm256_cmp_ps(a, bar, _CMP_GT_OQ), _mm256_cmp_ps(b, bar, _CMP_GT_OQ)));

        if (any) {
            _mm256_storeu_ps(scores + p * FSH_TILE_ROWS, a);
            _mm256_storeu_ps(scores + p * FSH_TILE_ROWS + 8, b);
            over |= 1u << p;
        }
    }
    return over;
}
#endif

fsh_tile_score *
fsh_tile_choose(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return tile_avx2;
#endif
    return fsh_tile_plain;
}

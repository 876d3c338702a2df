/* Random numbers as a function: every draw is Philox4x32-10 of (job seed, stage, sample key, variant,
 * draw number). No generator is shared or carried on, so a number never depends on threads, workers,
 * order or retries. Philox: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011.
 *
 *     fsh_rng rng = fsh_rng_new(seed, stage_id, sample_key, variant);
 *     double angle = fsh_rng_range(&rng, -60, 60);
 */
#ifndef FSH_BASE_RNG_H
#define FSH_BASE_RNG_H

#include <stdint.h>

typedef struct fsh_rng {
    uint32_t key[2];     /* seed and stage, mixed */
    uint32_t counter[4]; /* block number, variant, sample key */
    uint32_t block[4];   /* the current block */
    uint32_t used;       /* words of it that are taken; 4 when a new block is due */
} fsh_rng;

static inline void
fsh_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    int round;

    for (round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(b >> 32) ^ c1 ^ k0, n2 = (uint32_t)(a >> 32) ^ c3 ^ k1;

        c1 = (uint32_t)b;
        c3 = (uint32_t)a;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* splitmix64's finaliser: spreads every input bit over the word. */
static inline uint64_t
fsh_mix64(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

static inline fsh_rng
fsh_rng_new(uint64_t seed, uint32_t stage, uint64_t sample_key, uint32_t variant)
{
    uint64_t key = fsh_mix64(seed + 0x9E3779B97F4A7C15u) ^ fsh_mix64(stage + 1u);
    fsh_rng rng = {{(uint32_t)key, (uint32_t)(key >> 32)},
                   {0, variant, (uint32_t)sample_key, (uint32_t)(sample_key >> 32)},
                   {0, 0, 0, 0},
                   4};
    return rng;
}

/* 32 random bits. */
static inline uint32_t
fsh_rng_u32(fsh_rng *rng)
{
    if (rng->used == 4) {
        fsh_philox(rng->counter, rng->key, rng->block);
        rng->counter[0]++;
        rng->used = 0;
    }
    return rng->block[rng->used++];
}

/* Uniform in [0, 1), 32 bits. */
static inline double
fsh_rng_unit(fsh_rng *rng)
{
    return fsh_rng_u32(rng) * (1.0 / 4294967296.0);
}

/* Uniform in [low, high). */
static inline double
fsh_rng_range(fsh_rng *rng, double low, double high)
{
    return low + (high - low) * fsh_rng_unit(rng);
}

/* Uniform integer in [0, n), n > 0; one draw, bias below n / 2^32. */
static inline uint32_t
fsh_rng_below(fsh_rng *rng, uint32_t n)
{
    return (uint32_t)(((uint64_t)fsh_rng_u32(rng) * n) >> 32);
}

/* 1 with probability p; always takes one draw, so that later draws keep their numbers. */
static inline int
fsh_rng_chance(fsh_rng *rng, double p)
{
    return fsh_rng_unit(rng) < p;
}

#endif

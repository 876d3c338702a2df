/* Numbers side by side, on any processor: the compiler makes several of what is too wide for it.
 * Eight is what AVX2 has; a file that says FSH_LANES 16 before it includes this is for AVX-512. */
#ifndef FSH_STAGES_INFERENCE_LANES_H
#define FSH_STAGES_INFERENCE_LANES_H

#include <stddef.h>
#include <stdint.h>

#include "stages/inference/kernels.h"
#include "stages/wide.h"

#ifndef FSH_LANES
#define FSH_LANES 8
#endif

/* What is written before functions that shall be compiled for the processors that have so many. */
#if FSH_LANES == 16
#define FSH_WIDE WIDEST
#else
#define FSH_WIDE WIDE
#endif

/* fsh_winograd, new -> fsh_winograd_new_16 */
#define FSH_LANES_JOIN(name, lanes)  name##_##lanes
#define FSH_LANES_PASTE(name, lanes) FSH_LANES_JOIN(name, lanes)
#define FSH_LANES_NAME(name)         FSH_LANES_PASTE(name, FSH_LANES)

typedef float fsh_lanes __attribute__((vector_size(4 * FSH_LANES)));
typedef int32_t fsh_lanes_bits __attribute__((vector_size(4 * FSH_LANES)));

#define FSH_INLINE static inline __attribute__((always_inline))

/* Each of a where it is the greater one, otherwise of b. */
FSH_INLINE void
fsh_lanes_greater(fsh_lanes *a, const fsh_lanes *b)
{
    fsh_lanes_bits over = *a > *b;

    *a = (fsh_lanes)(((fsh_lanes_bits)*a & over) | ((fsh_lanes_bits)*b & ~over));
}

FSH_INLINE void
fsh_lanes_less(fsh_lanes *a, const fsh_lanes *b)
{
    fsh_lanes_bits under = *a < *b;

    *a = (fsh_lanes)(((fsh_lanes_bits)*a & under) | ((fsh_lanes_bits)*b & ~under));
}

/* What is not above zero, times the slope. */
FSH_INLINE void
fsh_lanes_slope(fsh_lanes *x, const fsh_lanes *slope)
{
    fsh_lanes_bits over = *x > 0;
    fsh_lanes sloped = *x * *slope;

    *x = (fsh_lanes)(((fsh_lanes_bits)*x & over) | ((fsh_lanes_bits)sloped & ~over));
}

/* Numbers of a tensor: how many vectors it is from one pixel, group of channels or picture to the
 * next. */
typedef struct fsh_places {
    size_t pixel, group, picture;
} fsh_places;

FSH_INLINE fsh_places
fsh_places_of(bool channels_last, size_t channels, size_t pixels)
{
    size_t groups = channels / FSH_LANES;

    return channels_last ? (fsh_places){groups, 1, groups * pixels}
                         : (fsh_places){1, pixels, groups * pixels};
}

/* What becomes of a sum. */
typedef struct fsh_finish {
    const fsh_lanes *bias, *slopes; /* of each group of channels; slopes may be NULL */
    float least, most;
} fsh_finish;

FSH_INLINE void
fsh_lanes_clamp(fsh_lanes *x, float least, float most)
{
    fsh_lanes low = least - (fsh_lanes){0}, high = most - (fsh_lanes){0};

    fsh_lanes_greater(x, &low);
    fsh_lanes_less(x, &high);
}

FSH_INLINE void
fsh_finish_store(const fsh_finish *f, const fsh_lanes *sum, size_t group, fsh_lanes *to)
{
    fsh_lanes x = *sum + f->bias[group];

    if (f->slopes)
        fsh_lanes_slope(&x, &f->slopes[group]);
    else
        fsh_lanes_clamp(&x, f->least, f->most);
    *to = x;
}

/* Copies bias and slopes to room for one of each output, which are aligned. */
FSH_INLINE void
fsh_finish_set(fsh_finish *f, const fsh_convolution *c, float *bias, float *slopes)
{
    size_t i;

    for (i = 0; i < c->outputs; i++) {
        bias[i] = c->bias ? c->bias[i] : 0;
        slopes[i] = c->slopes ? c->slopes[i] : 0;
    }
    *f = (fsh_finish){.bias = (const fsh_lanes *)bias,
                      .slopes = c->slopes ? (const fsh_lanes *)slopes : NULL,
                      .least = c->least,
                      .most = c->most};
}

#endif

/* Eight numbers at a time on any processor: the compiler makes two of four where there are no wider
 * registers. */
#ifndef FSH_STAGES_INFERENCE_EIGHT_H
#define FSH_STAGES_INFERENCE_EIGHT_H

#include <stdint.h>

enum { FSH_LANES = 8 };

typedef float fsh_eight __attribute__((vector_size(4 * FSH_LANES)));
typedef int32_t fsh_eight_bits __attribute__((vector_size(4 * FSH_LANES)));

#define FSH_INLINE static inline __attribute__((always_inline))

/* Each of a where it is the greater one, otherwise of b. */
FSH_INLINE void
fsh_eight_greater(fsh_eight *a, const fsh_eight *b)
{
    fsh_eight_bits over = *a > *b;

    *a = (fsh_eight)(((fsh_eight_bits)*a & over) | ((fsh_eight_bits)*b & ~over));
}

FSH_INLINE void
fsh_eight_less(fsh_eight *a, const fsh_eight *b)
{
    fsh_eight_bits under = *a < *b;

    *a = (fsh_eight)(((fsh_eight_bits)*a & under) | ((fsh_eight_bits)*b & ~under));
}

/* sum + bias, clamped between least and most. */
FSH_INLINE void
fsh_eight_finish(const fsh_eight *sum, const fsh_eight *bias, float least, float most,
                 fsh_eight *to)
{
    fsh_eight low = least - (fsh_eight){0}, high = most - (fsh_eight){0}, x = *sum + *bias;

    fsh_eight_greater(&x, &low);
    fsh_eight_less(&x, &high);
    *to = x;
}

#endif

#include "stages/inference/prelu.h"

#include <stdint.h>
#include <string.h>

#include "stages/wide.h"

/* Eight at a time on any processor: the compiler makes two of four where there are no wider ones.
 */
typedef float eight __attribute__((vector_size(32)));
typedef int32_t eight_bits __attribute__((vector_size(32)));

WIDE static void
run_eights(const float *from, float *to, const float *slopes, size_t pixels, size_t lanes)
{
    eight slope, x;
    size_t i, lane;

    for (lane = 0; lane < lanes; lane += 8) {
        memcpy(&slope, slopes + lane, sizeof slope);
        for (i = lane; i < pixels * lanes; i += lanes) {
            eight_bits over;
            eight sloped;

            memcpy(&x, from + i, sizeof x);
            over = x > 0;
            sloped = x * slope;
            x = (eight)(((eight_bits)x & over) | ((eight_bits)sloped & ~over));
            memcpy(to + i, &x, sizeof x);
        }
    }
}

static void
run_ones(const float *from, float *to, const float *slopes, size_t pixels, size_t lanes)
{
    size_t i, lane;

    for (lane = 0; lane < lanes; lane++)
        for (i = lane; i < pixels * lanes; i += lanes)
            to[i] = from[i] > 0 ? from[i] : from[i] * slopes[lane];
}

void
fsh_prelu_run(const void *prelu, const float *from, float *to)
{
    const fsh_prelu *p = prelu;
    size_t n = p->pixels * p->lanes, i;

    for (i = 0; i < p->pictures * p->groups; i++)
        (p->lanes % 8 ? run_ones : run_eights)(
            from + i * n, to + i * n, p->slopes + i % p->groups * p->lanes, p->pixels, p->lanes);
}

/* PReLU in the layouts of oneDNN, whose own of version 2.6 is a hundred times slower. */
#ifndef FSH_STAGES_INFERENCE_PRELU_H
#define FSH_STAGES_INFERENCE_PRELU_H

#include <stddef.h>

/* groups x pixels x lanes numbers that lie in this order; a slope for each lane of each group. */
typedef struct fsh_prelu {
    const float *from, *slopes;
    float *to; /* may be from */
    size_t groups, pixels, lanes;
} fsh_prelu;

void fsh_prelu_run(const fsh_prelu *p);

#endif

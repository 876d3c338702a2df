/* PReLU in the layouts of oneDNN, whose own of version 2.6 is a hundred times slower. */
#ifndef FSH_STAGES_INFERENCE_PRELU_H
#define FSH_STAGES_INFERENCE_PRELU_H

#include <stddef.h>

/* pictures x groups x pixels x lanes numbers that lie in this order; a slope for each lane of each
 * group. */
typedef struct fsh_prelu {
    size_t pictures, groups, pixels, lanes;
    float slopes[];
} fsh_prelu;

/* A kernel of fsh_prelu; to may be from. */
void fsh_prelu_run(const void *prelu, const float *from, float *to);

#endif

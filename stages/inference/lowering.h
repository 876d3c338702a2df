/* Between the files that make steps from nodes: lower.c (the order, activations, sums), weigh.c
 * (convolutions and matrices), filter.c (convolutions by kernels of ours), shape.c (pooling, and
 * what moves numbers). */
#ifndef FSH_STAGES_INFERENCE_LOWERING_H
#define FSH_STAGES_INFERENCE_LOWERING_H

#include "stages/inference/steps.h"

/* Of the node that is turned into steps. */
typedef struct fsh_lowering {
    fsh_steps *steps;
    const fsh_graph *graph;
    const fsh_operation *node;
    const fsh_value *x; /* its first input */
    uint32_t output;    /* value that the last step gives: of this node, or of one fused with it */
    bool *done;         /* of each node of the graph */
    fsh_err *err;
} fsh_lowering;

/* What is done to a convolution's result while it is at hand. */
typedef struct fsh_fusion {
    const fsh_value *sum; /* is added, and overwritten; NULL for nothing */
    bool activated;
    dnnl_alg_kind_t kind;
    float alpha, beta;
} fsh_fusion;

/* Of a convolution, in both directions: height and width. */
typedef struct fsh_window {
    dnnl_dims_t kernel, strides, dilations, before, after; /* dilations as in oneDNN: 0 is dense */
} fsh_window;

fsh_status fsh_lower_refuse(const fsh_lowering *l, const char *what);

/* Layouts: what oneDNN likes, and plain rows. */
fsh_status fsh_lower_any(const fsh_lowering *l, dnnl_memory_desc_t *desc, int rank,
                         const dnnl_dims_t dims);
fsh_status fsh_lower_plain(const fsh_lowering *l, dnnl_memory_desc_t *desc, int rank,
                           const dnnl_dims_t dims);

/* Pixel after pixel, each with all its channels. */
bool fsh_lower_is_channels_last(const dnnl_memory_desc_t *desc);

/* The output of the node lies in that place. */
void fsh_lower_give(const fsh_lowering *l, const dnnl_memory_desc_t *desc, uint32_t place);

/* A primitive of that description, with what is fused into it (NULL for nothing); the caller owns
 * pd.
 */
fsh_status fsh_lower_pd(const fsh_lowering *l, const void *description, const fsh_fusion *fusion,
                        const char *what, dnnl_primitive_desc_t *pd);

/* The step of a primitive with one input, whose layout is x's, and one output; takes pd. */
fsh_status fsh_lower_step(const fsh_lowering *l, dnnl_primitive_desc_t pd, const fsh_value *x);

/* Finds what can be fused with the convolution, which gives a tensor of those dims, and takes it
 * off the list: l->output becomes what the last of it gives. */
void fsh_lower_find_fusion(fsh_lowering *l, const dnnl_dims_t dims, fsh_fusion *fusion);

/* The operator that uses a value, where it is the only one, and its number; or NULL. */
const fsh_operation *fsh_lower_only_user(const fsh_graph *graph, uint32_t value, uint32_t *number);

/* filter.c: whether a kernel of ours does this convolution, for which oneDNN has the layout dst,
 * and the step of it. */
bool fsh_lower_suits_filter(const fsh_lowering *l, const fsh_window *win,
                            const dnnl_memory_desc_t *dst, const fsh_fusion *fusion);
fsh_status fsh_lower_filter(fsh_lowering *l, const fsh_window *win, const dnnl_memory_desc_t *dst,
                            const fsh_fusion *fusion, const float *weights, const float *bias);

/* weigh.c */
fsh_status fsh_lower_conv(fsh_lowering *l);
fsh_status fsh_lower_gemm(fsh_lowering *l);
fsh_status fsh_lower_affine(fsh_lowering *l);

/* shape.c */
fsh_status fsh_lower_pool(fsh_lowering *l);
fsh_status fsh_lower_concat(fsh_lowering *l);
fsh_status fsh_lower_permute(fsh_lowering *l);
fsh_status fsh_lower_reshape(fsh_lowering *l);
fsh_status fsh_lower_flatten(fsh_lowering *l);
fsh_status fsh_lower_softmax(fsh_lowering *l);
fsh_status fsh_lower_resize(fsh_lowering *l);

/* Steps for all nodes of a graph whose input is given already. */
fsh_status fsh_lower(fsh_steps *steps, const fsh_graph *graph, fsh_err *err);

#endif

/* A network as a list of operators, whatever file it came from: onnx.c and caffe.c make it, fold.c
 * shortens it, lower.c makes primitives of it. What flows between nodes has a number; several names
 * may stand for one number, and a name may be given anew (Caffe works in place). */
#ifndef FSH_STAGES_INFERENCE_GRAPH_H
#define FSH_STAGES_INFERENCE_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "stages/inference/wire.h"

enum {
    FSH_NODE_INPUTS = 32,
    FSH_GRAPH_RANK = 6,
    FSH_GRAPH_NODES = 4096,
    FSH_GRAPH_VALUES = 4 * FSH_GRAPH_NODES,
    FSH_GRAPH_OUTPUTS = 32
};
#define FSH_NO_VALUE UINT32_MAX

typedef enum fsh_op {
#define OP(name) FSH_OP_##name,
#include "stages/inference/ops.def"
#undef OP
    FSH_OP_N
} fsh_op;

/* Numbers that the file holds; whole numbers (shapes) are given as floats too. */
typedef struct fsh_constant {
    uint32_t rank;
    int64_t dims[FSH_GRAPH_RANK]; /* each at least 1 */
    float *data;                  /* owned */
    size_t n;
} fsh_constant;

/* Inputs of Conv and Gemm: what flows, weights, and perhaps a bias; of Affine: what flows, and a
 * factor and a summand, a number each or one for every channel (dimension 1). */
typedef struct fsh_operation {
    fsh_op op;
    fsh_span name; /* for messages */
    uint32_t inputs[FSH_NODE_INPUTS];
    uint32_t inputs_n;
    uint32_t output;
    fsh_wholes kernel, strides, pads, dilations; /* empty where the file has none */
    fsh_wholes list;                             /* order of Permute, shape of Reshape */
    int64_t group, axis;                         /* 1 and 1 where the file has none */
    bool ceil, counts_padding;                   /* pooling */
    bool global;                                 /* pooling: over the whole picture */
    bool drops_dims;                             /* pooling: two dimensions are left */
    bool transposed_a, transposed_b;             /* Gemm */
    float least, most;                           /* Clip */
    float alpha, beta;                           /* Gemm */
    float epsilon;                               /* batch normalisation, as it is read */
} fsh_operation;

typedef struct fsh_named {
    fsh_span name;
    uint32_t value;
} fsh_named;

typedef struct fsh_graph {
    uint8_t *file; /* what spans are borrowed from; owned */
    fsh_constant *constants;
    uint32_t constants_n;
    fsh_named *names;
    uint32_t names_n;
    int32_t *constant_of; /* of each value: its constant, or -1 */
    uint32_t values_n;
    fsh_operation *nodes; /* in the order they run */
    uint32_t nodes_n;
    uint32_t input;
    uint32_t outputs[FSH_GRAPH_OUTPUTS];
    uint32_t outputs_n;
} fsh_graph;

/* Takes the bytes (malloc), also where it fails; fini frees all. */
fsh_status fsh_graph_init(fsh_graph *graph, uint8_t *file, fsh_err *err);
void fsh_graph_fini(fsh_graph *graph);

/* The value that a name stands for by now, or FSH_NO_VALUE. */
uint32_t fsh_graph_find(const fsh_graph *graph, fsh_span name);

/* A new value of that name. MODEL where there are too many. */
fsh_status fsh_graph_define(fsh_graph *graph, fsh_span name, uint32_t *value, fsh_err *err);

/* A further name of a value. */
fsh_status fsh_graph_alias(fsh_graph *graph, fsh_span name, uint32_t value, fsh_err *err);

/* A new constant of those dims, zeros, and a value (without a name) that stands for it. The pointer
 * is good until the graph is freed. */
fsh_status fsh_graph_constant(fsh_graph *graph, const int64_t *dims, uint32_t rank, uint32_t *value,
                              fsh_constant **out, fsh_err *err);

/* NULL where the value is no constant, or the node has no such input. */
const fsh_constant *fsh_graph_constant_of(const fsh_graph *graph, uint32_t value);
const fsh_constant *fsh_operation_constant(const fsh_graph *graph, const fsh_operation *node,
                                           uint32_t input);

/* A new node with the defaults of attributes, at the end; it counts once it has an output. */
fsh_status fsh_graph_node(fsh_graph *graph, fsh_operation **out, fsh_err *err);

/* How often a value is used, outputs of the graph included. */
uint32_t fsh_graph_uses(const fsh_graph *graph, uint32_t value);

/* Sets the outputs by name (separated by commas; empty: as the file has them). MODEL where there is
 * no such name. */
fsh_status fsh_graph_choose(fsh_graph *graph, const char *outputs, fsh_err *err);

/* Takes out nodes that do nothing for an output. */
void fsh_graph_prune(fsh_graph *graph);

/* One number, or one for every channel of N x channels x height x width. */
bool fsh_constant_is_per_channel(const fsh_constant *constant);

/* Fails with MODEL: that node has something that is not run. */
fsh_status fsh_operation_refuse(const fsh_operation *node, const char *what, fsh_err *err);

#endif

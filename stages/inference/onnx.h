/* What an ONNX file says: nodes in the order they run, and constants. Operators are those of
 * ops.def. */
#ifndef FSH_STAGES_INFERENCE_ONNX_H
#define FSH_STAGES_INFERENCE_ONNX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { FSH_ONNX_INPUTS = 8, FSH_ONNX_RANK = 6, FSH_ONNX_NODES = 4096 };

typedef enum fsh_op {
#define OP(name, least, most) FSH_OP_##name,
#include "stages/inference/ops.def"
#undef OP
    FSH_OP_N
} fsh_op;

/* A name, not ended by a zero byte; borrowed from the model's file. */
typedef struct fsh_span {
    const char *at;
    size_t n;
} fsh_span;

bool fsh_span_is(fsh_span a, fsh_span b);
fsh_span fsh_span_of(const char *text);

/* A constant; whole numbers (shapes) are given as floats too. */
typedef struct fsh_constant {
    fsh_span name;
    uint32_t rank;
    int64_t dims[FSH_ONNX_RANK]; /* each at least 1 */
    float *data;
    size_t n;
} fsh_constant;

/* A list of whole numbers, such as strides. */
typedef struct fsh_wholes {
    int64_t at[2 * FSH_ONNX_RANK];
    uint32_t n;
} fsh_wholes;

typedef struct fsh_onnx_node {
    fsh_op op;
    fsh_span inputs[FSH_ONNX_INPUTS];
    uint32_t inputs_n;
    fsh_span output;
    fsh_wholes kernel, strides, pads, dilations; /* empty where the file has none */
    int64_t group, axis;                         /* 1 and 1 where the file has none */
    bool transposed_a, transposed_b;
    float least, most; /* Clip */
    float alpha, beta;
} fsh_onnx_node;

typedef struct fsh_onnx {
    uint8_t *file;
    fsh_constant *constants;
    uint32_t constants_n;
    fsh_onnx_node *nodes;
    uint32_t nodes_n;
    fsh_span input, output; /* the first that is no constant; the first */
} fsh_onnx;

/* Reads a model from bytes, which it takes (malloc) also where it fails. Fails with MODEL where
 * they are damaged or use what is not in ops.def; the text says what, not which file. */
fsh_status fsh_onnx_read(uint8_t *bytes, size_t n, fsh_onnx *model, fsh_err *err);
void fsh_onnx_fini(fsh_onnx *model);

/* NULL where there is no such constant; borrowed. */
const fsh_constant *fsh_onnx_constant(const fsh_onnx *model, fsh_span name);

#endif

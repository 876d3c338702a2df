/* An ONNX file as a graph. */
#ifndef FSH_STAGES_INFERENCE_ONNX_H
#define FSH_STAGES_INFERENCE_ONNX_H

#include "stages/inference/graph.h"

/* Reads a model from bytes, which it takes (malloc) also where it fails. Fails with MODEL where
 * they are damaged or use what is not in ops.def; the text says what, not which file. */
fsh_status fsh_onnx_read(uint8_t *bytes, size_t n, fsh_graph *graph, fsh_err *err);

#endif

/* A TensorProto of an ONNX file as a constant of a graph. */
#ifndef FSH_STAGES_INFERENCE_TENSOR_H
#define FSH_STAGES_INFERENCE_TENSOR_H

#include "stages/inference/graph.h"

/* Gives the constant that name, or the one that it has in the file where name is empty. An empty
 * tensor becomes a name that stands for nothing. Fails with MODEL. */
fsh_status fsh_tensor_read(fsh_graph *graph, fsh_wire wire, fsh_span name, fsh_err *err);

/* Fails with MODEL, and says what of an ONNX file is damaged. */
fsh_status fsh_onnx_damaged(fsh_err *err, const char *what);

#endif

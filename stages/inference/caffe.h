/* A .caffemodel as a graph. The file holds layers and weights, so that the network's text is not
 * needed. */
#ifndef FSH_STAGES_INFERENCE_CAFFE_H
#define FSH_STAGES_INFERENCE_CAFFE_H

#include "stages/inference/graph.h"

/* As fsh_onnx_read. Tops that no layer takes are the outputs. */
fsh_status fsh_caffe_read(uint8_t *bytes, size_t n, fsh_graph *graph, fsh_err *err);

#endif

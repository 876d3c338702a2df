/* Between caffe.c, which reads the layers of a file, and caffe_layer.c, which says what their
 * settings mean. */
#ifndef FSH_STAGES_INFERENCE_CAFFE_LAYER_H
#define FSH_STAGES_INFERENCE_CAFFE_LAYER_H

#include "stages/inference/graph.h"
#include "stages/inference/settings.h"
#include "stages/inference/wire.h"

enum { FSH_CAFFE_BLOBS = 3, FSH_CAFFE_TOPS = FSH_NODE_INPUTS };

/* A layer as it is read, with the node that becomes of it. */
typedef struct fsh_caffe_layer {
    fsh_span name, type;
    fsh_span bottoms[FSH_NODE_INPUTS], tops[FSH_CAFFE_TOPS];
    uint32_t bottoms_n, tops_n, blobs_n;
    uint32_t blobs[FSH_CAFFE_BLOBS]; /* values of constants */
    fsh_wire all;                    /* to read settings from */
    fsh_settings settings;
    fsh_operation *node;
} fsh_caffe_layer;

/* Fails with MODEL. */
fsh_status fsh_caffe_damaged(fsh_err *err, const char *what);
fsh_status fsh_caffe_refuse(const fsh_caffe_layer *l, const char *what, fsh_err *err);

/* Sets what its node does, which has its inputs already. MODEL where a setting is not known. */
fsh_status fsh_caffe_settle(fsh_caffe_layer *l, fsh_graph *graph, fsh_err *err);

#endif

/* Between engine.c, which keeps and runs primitives, and lower.c, which makes them from nodes. */
#ifndef FSH_STAGES_INFERENCE_STEPS_H
#define FSH_STAGES_INFERENCE_STEPS_H

#include <oneapi/dnnl/dnnl.h>

#include "stages/inference/onnx.h"
#include "stages/inference/prelu.h"

enum { FSH_STEP_ARGS = 12 };

typedef struct fsh_step {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[FSH_STEP_ARGS];
    int args_n;
    fsh_prelu prelu; /* run where there is no primitive */
} fsh_step;

/* What a node gives. Several values may share one memory under other dims. */
typedef struct fsh_value {
    fsh_span name; /* borrowed from the model, which is gone after opening */
    dnnl_memory_desc_t desc;
    dnnl_memory_t memory;
} fsh_value;

typedef struct fsh_steps {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    fsh_step *list;
    uint32_t n;
    dnnl_memory_t *memories; /* every one, to be freed */
    uint32_t memories_n;
    fsh_value *values;
    uint32_t values_n;
} fsh_steps;

/* MODEL with the text where oneDNN does not do something. */
fsh_status fsh_steps_check(dnnl_status_t status, const char *what, fsh_err *err);

/* New memory of that layout, owned by steps. */
fsh_status fsh_steps_memory(fsh_steps *steps, const dnnl_memory_desc_t *desc, dnnl_memory_t *out,
                            fsh_err *err);

/* The same numbers under another layout; owned by steps, which own data as well. */
fsh_status fsh_steps_view(fsh_steps *steps, const dnnl_memory_desc_t *desc, void *data,
                          dnnl_memory_t *out, fsh_err *err);

/* A further step; takes pd, also where it fails. args follow as fsh_step has them. */
fsh_status fsh_steps_add(fsh_steps *steps, dnnl_primitive_desc_t pd, const dnnl_exec_arg_t *args,
                         int n, fsh_err *err);

/* A further step that is no primitive of oneDNN. */
fsh_status fsh_steps_add_prelu(fsh_steps *steps, const fsh_prelu *prelu, fsh_err *err);

/* memory of layout from (as value) in the layout to: itself, or a copy that a further step makes.
 */
fsh_status fsh_steps_reorder(fsh_steps *steps, const fsh_value *value, const dnnl_memory_desc_t *to,
                             dnnl_memory_t *out, fsh_err *err);

/* A copy of n numbers of layout plain in the layout to, made now. */
fsh_status fsh_steps_weights(fsh_steps *steps, const float *data, const dnnl_memory_desc_t *plain,
                             const dnnl_memory_desc_t *to, dnnl_memory_t *out, fsh_err *err);

/* The steps of one node; *next is set to the node after the last one that they cover. */
fsh_status fsh_steps_lower(fsh_steps *steps, const fsh_onnx *model, uint32_t node, uint32_t *next,
                           fsh_err *err);

#endif

/* The list of what is run: primitives of oneDNN and kernels of ours, with the memory that they
 * share. lower.c and its companions make it from a graph, engine.c runs it. Memory for what flows
 * is lent between the first and the last step that use it, so that a network works in little of it.
 */
#ifndef FSH_STAGES_INFERENCE_STEPS_H
#define FSH_STAGES_INFERENCE_STEPS_H

#include <oneapi/dnnl/dnnl.h>

#include "stages/inference/graph.h"

enum { FSH_STEP_ARGS = 12 };

/* Something of ours that reads one place and writes one. */
typedef void (*fsh_kernel)(const void *settings, const float *from, float *to);

typedef struct fsh_step {
    dnnl_primitive_t primitive; /* NULL: the kernel is run */
    dnnl_exec_arg_t args[FSH_STEP_ARGS];
    int args_n;
    fsh_kernel kernel;
    void *settings; /* owned */
    uint32_t from, to;
    size_t to_offset; /* in floats */
    const float *from_at;
    float *to_at;
} fsh_step;

/* A piece of the memory that is shared, from step first to step last. */
typedef struct fsh_place {
    size_t bytes, offset;
    uint32_t first, last;
    bool viewed; /* several values lie in it: nothing may be changed in place */
} fsh_place;

typedef struct fsh_binding {
    dnnl_memory_t memory;
    uint32_t place;
} fsh_binding;

/* What a value of the graph is at run time: numbers in a place, in some layout. */
typedef struct fsh_value {
    dnnl_memory_desc_t desc;
    uint32_t place;
    bool given;
} fsh_value;

typedef struct fsh_steps {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    fsh_step *list;
    uint32_t n;
    dnnl_memory_t *memories; /* every one, to be freed */
    uint32_t memories_n;
    fsh_place *places;
    uint32_t places_n;
    fsh_binding *bindings;
    uint32_t bindings_n;
    fsh_value *values; /* by number of the graph's value */
    void *arena;
    int64_t bf16_pixels; /* layers that give up to that many px multiply in bfloat16; 0: none */
} fsh_steps;

fsh_status fsh_steps_init(fsh_steps *steps, const fsh_graph *graph, fsh_err *err);
void fsh_steps_fini(fsh_steps *steps);

/* MODEL with the text where oneDNN does not do something. */
fsh_status fsh_steps_check(dnnl_status_t status, const char *what, fsh_err *err);

/* A new place for numbers of that layout, written first by the next step. */
fsh_status fsh_steps_place(fsh_steps *steps, const dnnl_memory_desc_t *desc, uint32_t *place,
                           fsh_err *err);

/* A place under a layout, as an argument of the next step; owned by steps. */
fsh_status fsh_steps_bind(fsh_steps *steps, uint32_t place, const dnnl_memory_desc_t *desc,
                          dnnl_memory_t *out, fsh_err *err);

/* The place is needed until the end: an output. */
void fsh_steps_keep(fsh_steps *steps, uint32_t place);

/* The next step; takes pd, also where it fails. */
fsh_status fsh_steps_add(fsh_steps *steps, dnnl_primitive_desc_t pd, const dnnl_exec_arg_t *args,
                         int n, fsh_err *err);

/* The next step, by a kernel, to a place from to_offset floats on; takes settings (malloc), also
 * where it fails. */
fsh_status fsh_steps_add_kernel(fsh_steps *steps, fsh_kernel kernel, void *settings, uint32_t from,
                                uint32_t to, size_t to_offset, fsh_err *err);

/* The place where value lies in the layout to: its own, or one that a further step copies it to. */
fsh_status fsh_steps_reorder(fsh_steps *steps, const fsh_value *value, const dnnl_memory_desc_t *to,
                             uint32_t *place, fsh_err *err);

/* A copy of numbers of layout plain in the layout to, made now and kept. */
fsh_status fsh_steps_weights(fsh_steps *steps, const float *data, const dnnl_memory_desc_t *plain,
                             const dnnl_memory_desc_t *to, dnnl_memory_t *out, fsh_err *err);

/* Lends memory to all places. Afterwards steps can be run. */
fsh_status fsh_steps_settle(fsh_steps *steps, fsh_err *err);
float *fsh_steps_at(const fsh_steps *steps, uint32_t place);

fsh_status fsh_steps_run(const fsh_steps *steps, fsh_err *err);

#endif

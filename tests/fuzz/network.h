/* What onnx_fuzz and caffe_fuzz do with a graph that was read: it is shortened, and made into steps
 * for a small picture. Nothing is run: what is computed is oneDNN's. */
#ifndef FSH_TESTS_FUZZ_NETWORK_H
#define FSH_TESTS_FUZZ_NETWORK_H

#include "stages/inference/affine.h"
#include "stages/inference/lowering.h"
#include "tests/fuzz/fuzzing.h"

static inline void
fuzz_steps(const fsh_graph *graph)
{
    static fsh_steps steps;
    dnnl_dims_t dims = {1, 3, 16, 16};
    fsh_err err = {""};
    fsh_value *value;
    fsh_status status = fsh_steps_init(&steps, graph, &err);

    if (!status) {
        value = &steps.values[graph->input];
        dnnl_memory_desc_init_by_tag(&value->desc, 4, dims, dnnl_f32, dnnl_abcd);
        status = fsh_steps_place(&steps, &value->desc, &value->place, &err);
        value->given = !status;
    }
    if (!status)
        status = fsh_lower(&steps, graph, &err);
    FUZZ_CHECK(!status || err.text[0]);
    fsh_steps_fini(&steps);
}

static inline int
fuzz_graph(const uint8_t *data, size_t bytes,
           fsh_status (*read)(uint8_t *, size_t, fsh_graph *, fsh_err *))
{
    uint8_t *copy = malloc(bytes + 1);
    fsh_graph graph;
    fsh_err err = {""};
    fsh_status status;

    FUZZ_CHECK(copy);
    memcpy(copy, data, bytes);
    status = read(copy, bytes, &graph, &err);
    FUZZ_CHECK(!status || err.text[0]);
    if (status)
        return 0;
    FUZZ_CHECK(graph.input < graph.values_n && graph.nodes_n > 0);
    fsh_graph_prune(&graph);
    status = fsh_affine_fold(&graph, &err);
    FUZZ_CHECK(!status || err.text[0]);
    if (!status)
        fuzz_steps(&graph);
    fsh_graph_fini(&graph);
    return 0;
}

#endif

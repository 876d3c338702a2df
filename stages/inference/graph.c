#include "stages/inference/graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ELEMENTS_MAX = 1 << 27 };

fsh_status
fsh_graph_init(fsh_graph *graph, uint8_t *file, fsh_err *err)
{
    *graph = (fsh_graph){.file = file,
                         .constants = calloc(FSH_GRAPH_VALUES, sizeof *graph->constants),
                         .names = calloc(FSH_GRAPH_VALUES, sizeof *graph->names),
                         .constant_of = calloc(FSH_GRAPH_VALUES, sizeof *graph->constant_of),
                         .nodes = calloc(FSH_GRAPH_NODES, sizeof *graph->nodes),
                         .input = FSH_NO_VALUE};
    return graph->constants && graph->names && graph->constant_of && graph->nodes
               ? FSH_OK
               : fsh_fail(err, FSH_MEMORY, "no memory for a network");
}

void
fsh_graph_fini(fsh_graph *graph)
{
    uint32_t i;

    for (i = 0; graph->constants && i < graph->constants_n; i++)
        free(graph->constants[i].data);
    free(graph->constants);
    free(graph->names);
    free(graph->constant_of);
    free(graph->nodes);
    free(graph->file);
    *graph = (fsh_graph){.file = NULL};
}

uint32_t
fsh_graph_find(const fsh_graph *graph, fsh_span name)
{
    uint32_t i;

    for (i = graph->names_n; i-- > 0;)
        if (fsh_span_is(graph->names[i].name, name))
            return graph->names[i].value;
    return FSH_NO_VALUE;
}

static fsh_status
new_value(fsh_graph *graph, int32_t constant, uint32_t *value, fsh_err *err)
{
    if (graph->values_n == FSH_GRAPH_VALUES)
        return fsh_fail(err, FSH_MODEL, "more than %d values", FSH_GRAPH_VALUES);
    graph->constant_of[graph->values_n] = constant;
    *value = graph->values_n++;
    return FSH_OK;
}

fsh_status
fsh_graph_alias(fsh_graph *graph, fsh_span name, uint32_t value, fsh_err *err)
{
    if (graph->names_n == FSH_GRAPH_VALUES)
        return fsh_fail(err, FSH_MODEL, "more than %d names", FSH_GRAPH_VALUES);
    graph->names[graph->names_n++] = (fsh_named){name, value};
    return FSH_OK;
}

fsh_status
fsh_graph_define(fsh_graph *graph, fsh_span name, uint32_t *value, fsh_err *err)
{
    fsh_status status = new_value(graph, -1, value, err);

    return status ? status : fsh_graph_alias(graph, name, *value, err);
}

fsh_status
fsh_graph_constant(fsh_graph *graph, const int64_t *dims, uint32_t rank, uint32_t *value,
                   fsh_constant **out, fsh_err *err)
{
    fsh_constant *c = &graph->constants[graph->constants_n];
    fsh_status status;
    uint32_t i;

    if (rank > FSH_GRAPH_RANK || graph->constants_n == FSH_GRAPH_VALUES)
        return fsh_fail(err, FSH_MODEL, "a constant of %u dimensions, or too many", rank);
    for (i = 0, c->n = 1; i < rank; i++) {
        if (dims[i] < 1 || dims[i] > ELEMENTS_MAX || c->n > ELEMENTS_MAX / (size_t)dims[i])
            return fsh_fail(err, FSH_MODEL, "the size of a constant is out of bounds");
        c->n *= (size_t)dims[i];
        c->dims[i] = dims[i];
    }
    c->rank = rank;
    if ((status = new_value(graph, (int32_t)graph->constants_n, value, err)))
        return status;
    c->data = calloc(c->n, sizeof *c->data);
    if (!c->data)
        return fsh_fail(err, FSH_MEMORY, "no memory for a network");
    graph->constants_n++;
    *out = c;
    return FSH_OK;
}

const fsh_constant *
fsh_graph_constant_of(const fsh_graph *graph, uint32_t value)
{
    return value < graph->values_n && graph->constant_of[value] >= 0
               ? &graph->constants[graph->constant_of[value]]
               : NULL;
}

const fsh_constant *
fsh_operation_constant(const fsh_graph *graph, const fsh_operation *node, uint32_t input)
{
    return input < node->inputs_n ? fsh_graph_constant_of(graph, node->inputs[input]) : NULL;
}

fsh_status
fsh_graph_node(fsh_graph *graph, fsh_operation **out, fsh_err *err)
{
    if (graph->nodes_n == FSH_GRAPH_NODES)
        return fsh_fail(err, FSH_MODEL, "more than %d nodes", FSH_GRAPH_NODES);
    *out = &graph->nodes[graph->nodes_n];
    **out = (fsh_operation){.group = 1,
                            .axis = 1,
                            .least = -INFINITY,
                            .most = INFINITY,
                            .alpha = 1,
                            .beta = 1,
                            .epsilon = 1e-5f};
    return FSH_OK;
}

uint32_t
fsh_graph_uses(const fsh_graph *graph, uint32_t value)
{
    uint32_t i, k, n = 0;

    for (i = 0; i < graph->outputs_n; i++)
        n += graph->outputs[i] == value;
    for (i = 0; i < graph->nodes_n; i++)
        for (k = 0; k < graph->nodes[i].inputs_n; k++)
            n += graph->nodes[i].inputs[k] == value;
    return n;
}

fsh_status
fsh_graph_choose(fsh_graph *graph, const char *outputs, fsh_err *err)
{
    if (*outputs)
        graph->outputs_n = 0;
    while (*outputs) {
        size_t blanks = strspn(outputs, " ,"), n = strcspn(outputs + blanks, " ,");
        fsh_span name = {outputs + blanks, n};
        uint32_t value = fsh_graph_find(graph, name);

        outputs += blanks + n;
        if (!n)
            continue;
        if (value == FSH_NO_VALUE || graph->outputs_n == FSH_GRAPH_OUTPUTS)
            return fsh_fail(err, FSH_MODEL, "it has no output '%.*s'", (int)n, name.at);
        graph->outputs[graph->outputs_n++] = value;
    }
    return FSH_OK;
}

/* Nodes are in the order they run, so one walk from the end marks all that is needed. */
void
fsh_graph_prune(fsh_graph *graph)
{
    bool *needed = calloc(graph->values_n, sizeof *needed);
    uint32_t i, k, kept;

    if (!needed)
        return; /* nothing is wrong with a graph that is longer */
    for (i = 0; i < graph->outputs_n; i++)
        needed[graph->outputs[i]] = true;
    for (i = graph->nodes_n; i-- > 0;)
        for (k = 0; k < graph->nodes[i].inputs_n; k++)
            if (graph->nodes[i].output != FSH_NO_VALUE && needed[graph->nodes[i].output] &&
                graph->nodes[i].inputs[k] != FSH_NO_VALUE)
                needed[graph->nodes[i].inputs[k]] = true;
    for (i = kept = 0; i < graph->nodes_n; i++)
        if (graph->nodes[i].output != FSH_NO_VALUE && needed[graph->nodes[i].output])
            graph->nodes[kept++] = graph->nodes[i];
    graph->nodes_n = kept;
    free(needed);
}

bool
fsh_constant_is_per_channel(const fsh_constant *constant)
{
    uint32_t r = constant->rank;

    return constant->n == 1 || (r >= 3 && constant->dims[r - 3] == (int64_t)constant->n);
}

fsh_status
fsh_operation_refuse(const fsh_operation *node, const char *what, fsh_err *err)
{
    return fsh_fail(err, FSH_MODEL, "node '%.*s': %s is not what the backend onednn runs",
                    (int)(node->name.n < 60 ? node->name.n : 60), node->name.at, what);
}

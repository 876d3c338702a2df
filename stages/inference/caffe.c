#include "stages/inference/caffe.h"

#include <math.h>
#include <string.h>

#include "stages/inference/caffe_layer.h"
#include "stages/inference/wire.h"

/* Numbers of fields are those of caffe.proto. */
typedef struct layer_type {
    const char *name;
    fsh_op op;
    uint32_t bottoms_least, bottoms_most, blobs_least, blobs_most;
} layer_type;

static const layer_type types[] = {
#define CAFFE(name, op, bottoms_least, bottoms_most, blobs_least, blobs_most)                      \
    {#name, FSH_OP_##op, bottoms_least, bottoms_most, blobs_least, blobs_most},
#include "stages/inference/ops.def"
#undef CAFFE
};

/* ---- weights ---- */

typedef struct raw_blob {
    fsh_wholes dims;
    fsh_wire data;
} raw_blob;

/* Older files have the dims as num, channels, height, width. */
static bool
read_raw_blob(fsh_wire wire, raw_blob *blob)
{
    int64_t old[4] = {0, 0, 0, 0};
    fsh_wire_field f;

    while (fsh_wire_next(&wire, &f)) {
        if (f.number >= 1 && f.number <= 4 && f.kind == FSH_WIRE_VARINT)
            old[f.number - 1] = (int64_t)f.value;
        if (f.number == 5 && f.kind != FSH_WIRE_BYTES)
            return false; /* unpacked numbers: nobody writes them */
        if (f.number == 5)
            blob->data = f.bytes;
        if (f.number == 7 && f.kind == FSH_WIRE_BYTES && !fsh_wholes_read(&blob->dims, f.bytes))
            return false;
    }
    if (!blob->dims.n && old[3]) {
        memcpy(blob->dims.at, old, sizeof old);
        blob->dims.n = 4;
    }
    return !wire.damaged;
}

static fsh_status
read_blob(fsh_graph *graph, fsh_wire wire, uint32_t *value, fsh_err *err)
{
    raw_blob blob = {.dims = {.n = 0}};
    fsh_constant *c;
    fsh_status status;
    size_t bytes, n = 1, i;

    if (!read_raw_blob(wire, &blob))
        return fsh_caffe_damaged(err, "weights");
    bytes = (size_t)(blob.data.end - blob.data.at);
    for (i = 0; i < blob.dims.n; i++) {
        if (blob.dims.at[i] < 1 || n > bytes / (uint64_t)blob.dims.at[i])
            return fsh_caffe_damaged(err, "the size of weights");
        n *= (size_t)blob.dims.at[i];
    }
    if (n * sizeof *c->data != bytes)
        return fsh_caffe_damaged(err, "the number of weights");
    if ((status = fsh_graph_constant(graph, blob.dims.at, blob.dims.n, value, &c, err)))
        return status;
    for (i = 0; i < n; i++) {
        c->data[i] = fsh_wire_float(blob.data.at + i * sizeof *c->data);
        if (!isfinite(c->data[i]))
            return fsh_caffe_damaged(err, "weights that are no numbers");
    }
    return FSH_OK;
}

/* ---- layers ---- */

static fsh_status
read_layer(fsh_graph *graph, fsh_wire wire, fsh_caffe_layer *l, fsh_err *err)
{
    fsh_wire_field f;
    fsh_status status = FSH_OK;

    l->all = wire;
    while (!status && fsh_wire_next(&wire, &f)) {
        if (f.kind != FSH_WIRE_BYTES)
            continue;
        if ((f.number == 3 && l->bottoms_n == FSH_NODE_INPUTS) ||
            (f.number == 4 && l->tops_n == FSH_CAFFE_TOPS) ||
            (f.number == 7 && l->blobs_n == FSH_CAFFE_BLOBS))
            return fsh_caffe_damaged(err, "a layer with too many bottoms, tops or blobs");
        if (f.number == 1)
            l->name = fsh_wire_span(f.bytes);
        if (f.number == 2)
            l->type = fsh_wire_span(f.bytes);
        if (f.number == 3)
            l->bottoms[l->bottoms_n++] = fsh_wire_span(f.bytes);
        if (f.number == 4)
            l->tops[l->tops_n++] = fsh_wire_span(f.bytes);
        if (f.number == 7)
            status = read_blob(graph, f.bytes, &l->blobs[l->blobs_n++], err);
    }
    return status || !(wire.damaged || !l->tops_n) ? status : fsh_caffe_damaged(err, "a layer");
}

static fsh_status
find_type(const fsh_caffe_layer *l, const layer_type **out, fsh_err *err)
{
    size_t i;

    for (i = 0; i < sizeof types / sizeof *types; i++)
        if (fsh_span_says(l->type, types[i].name)) {
            *out = &types[i];
            return l->bottoms_n < (*out)->bottoms_least || l->bottoms_n > (*out)->bottoms_most ||
                           l->blobs_n < (*out)->blobs_least || l->blobs_n > (*out)->blobs_most
                       ? fsh_caffe_damaged(err, "the number of a layer's inputs or weights")
                       : FSH_OK;
        }
    return fsh_fail(err, FSH_MODEL,
                    "layer '%.*s' is of type '%.*s', which the backend onednn does not run",
                    (int)(l->name.n < 60 ? l->name.n : 60), l->name.at,
                    (int)(l->type.n < 60 ? l->type.n : 60), l->type.at);
}

static fsh_status
name_tops(fsh_graph *graph, const fsh_caffe_layer *l, uint32_t value, fsh_err *err)
{
    fsh_status status = FSH_OK;
    uint32_t i;

    for (i = 0; !status && i < l->tops_n; i++)
        status = fsh_graph_alias(graph, l->tops[i], value, err);
    return status;
}

static fsh_status
set_inputs(fsh_graph *graph, fsh_caffe_layer *l, fsh_err *err)
{
    uint32_t i;

    for (i = 0; i < l->bottoms_n; i++) {
        l->node->inputs[i] = fsh_graph_find(graph, l->bottoms[i]);
        if (l->node->inputs[i] == FSH_NO_VALUE)
            return fsh_caffe_refuse(l, "an input that no layer before it gives", err);
    }
    for (i = 0; i < l->blobs_n && l->bottoms_n + i < FSH_NODE_INPUTS; i++)
        l->node->inputs[l->bottoms_n + i] = l->blobs[i];
    l->node->inputs_n = l->bottoms_n + i;
    return FSH_OK;
}

static fsh_status
add_operator(fsh_graph *graph, fsh_caffe_layer *l, fsh_err *err)
{
    const layer_type *type = NULL;
    fsh_status status = find_type(l, &type, err);

    if (status || (status = fsh_graph_node(graph, &l->node, err)))
        return status;
    l->node->op = type->op;
    l->node->name = l->name;
    if ((status = set_inputs(graph, l, err)))
        return status;
    if (type->op == FSH_OP_Name)
        return name_tops(graph, l, l->node->inputs[0], err);
    if (l->tops_n != 1)
        return fsh_caffe_refuse(l, "a layer with several tops", err);
    if ((status = fsh_caffe_settle(l, graph, err)) ||
        (status = fsh_graph_define(graph, l->tops[0], &l->node->output, err)))
        return status;
    graph->nodes_n++;
    return FSH_OK;
}

static fsh_status
add_layer(fsh_graph *graph, fsh_wire wire, fsh_err *err)
{
    fsh_caffe_layer l = {.name = {"", 0}, .type = {"", 0}};
    fsh_status status = read_layer(graph, wire, &l, err);

    if (status)
        return status;
    if (!fsh_span_says(l.type, "Input"))
        return add_operator(graph, &l, err);
    if (graph->input != FSH_NO_VALUE || l.tops_n != 1)
        return fsh_fail(err, FSH_MODEL, "more than one input is not what the backend onednn runs");
    return fsh_graph_define(graph, l.tops[0], &graph->input, err);
}

/* ---- the file ---- */

static fsh_status
add_field(fsh_graph *graph, const fsh_wire_field *f, fsh_err *err)
{
    if (f->kind != FSH_WIRE_BYTES)
        return FSH_OK;
    if (f->number == 2)
        return fsh_fail(err, FSH_MODEL,
                        "layers in the form before 2014: save it anew with Caffe's "
                        "upgrade_net_proto_binary");
    if (f->number == 3 && graph->input == FSH_NO_VALUE)
        return fsh_graph_define(graph, fsh_wire_span(f->bytes), &graph->input, err);
    return f->number == 100 ? add_layer(graph, f->bytes, err) : FSH_OK;
}

/* What no layer takes is an output. */
static void
find_outputs(fsh_graph *graph)
{
    uint32_t i;

    for (i = 0; i < graph->nodes_n && graph->outputs_n < FSH_GRAPH_OUTPUTS; i++)
        if (!fsh_graph_uses(graph, graph->nodes[i].output))
            graph->outputs[graph->outputs_n++] = graph->nodes[i].output;
}

fsh_status
fsh_caffe_read(uint8_t *bytes, size_t n, fsh_graph *graph, fsh_err *err)
{
    fsh_wire wire = {bytes, bytes + n, false};
    fsh_wire_field f;
    fsh_status status = fsh_graph_init(graph, bytes, err);

    while (!status && fsh_wire_next(&wire, &f))
        status = add_field(graph, &f, err);
    if (!status && wire.damaged)
        status = fsh_caffe_damaged(err, "it ends early");
    if (!status)
        find_outputs(graph);
    if (!status && (graph->input == FSH_NO_VALUE || !graph->nodes_n))
        status = fsh_caffe_damaged(err, "no input or no layers");
    if (status)
        fsh_graph_fini(graph);
    return status;
}

#include "stages/inference/caffe.h"

#include <math.h>
#include <string.h>

#include "stages/inference/affine.h"
#include "stages/inference/settings.h"
#include "stages/inference/wire.h"

/* Numbers of fields are those of caffe.proto, Permute's of the branch for SSD. */
enum { BLOBS_MAX = 3, TOPS_MAX = FSH_NODE_INPUTS };

typedef struct layer_type layer_type;

/* A layer as it is read, with the node that becomes of it. */
typedef struct layer {
    fsh_span name, type;
    fsh_span bottoms[FSH_NODE_INPUTS], tops[TOPS_MAX];
    uint32_t bottoms_n, tops_n, blobs_n;
    uint32_t blobs[BLOBS_MAX]; /* values of constants */
    fsh_wire all;              /* to read settings from */
    fsh_settings settings;
    fsh_operation *node;
} layer;

struct layer_type {
    const char *name;
    fsh_op op;
    uint32_t bottoms_least, bottoms_most, blobs_least, blobs_most;
};

static const layer_type types[] = {
#define CAFFE(name, op, bottoms_least, bottoms_most, blobs_least, blobs_most)                      \
    {#name, FSH_OP_##op, bottoms_least, bottoms_most, blobs_least, blobs_most},
#include "stages/inference/ops.def"
#undef CAFFE
};

static fsh_status
damaged(fsh_err *err, const char *what)
{
    return fsh_fail(err, FSH_MODEL, "not a caffemodel, or damaged: %s", what);
}

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
        return damaged(err, "weights");
    bytes = (size_t)(blob.data.end - blob.data.at);
    for (i = 0; i < blob.dims.n; i++) {
        if (blob.dims.at[i] < 1 || n > bytes / (uint64_t)blob.dims.at[i])
            return damaged(err, "the size of weights");
        n *= (size_t)blob.dims.at[i];
    }
    if (n * sizeof *c->data != bytes)
        return damaged(err, "the number of weights");
    if ((status = fsh_graph_constant(graph, blob.dims.at, blob.dims.n, value, &c, err)))
        return status;
    for (i = 0; i < n; i++) {
        c->data[i] = fsh_wire_float(blob.data.at + i * sizeof *c->data);
        if (!isfinite(c->data[i]))
            return damaged(err, "weights that are no numbers");
    }
    return FSH_OK;
}

static fsh_status
new_constant(fsh_graph *graph, int64_t n, float fill, uint32_t *value, fsh_err *err)
{
    fsh_constant *c;
    fsh_status status = fsh_graph_constant(graph, &n, 1, value, &c, err);
    size_t i;

    for (i = 0; !status && i < c->n; i++)
        c->data[i] = fill;
    return status;
}

/* ---- layers ---- */

static fsh_status
refuse(const layer *l, const char *what, fsh_err *err)
{
    return fsh_operation_refuse(l->node, what, err);
}

/* What a window's field says, one number for both directions or two; or what the fields for height
 * and width say. */
static bool
read_pair(const fsh_settings *s, uint32_t both, uint32_t h, uint32_t w, int64_t without,
          int64_t pair[2])
{
    fsh_wholes list = {.n = 0};

    if (!fsh_settings_wholes(s, both, &list) || list.n > 2)
        return false;
    pair[0] = list.n ? list.at[0] : without;
    pair[1] = list.n ? list.at[list.n - 1] : without;
    pair[0] = fsh_settings_whole(s, h, pair[0]);
    pair[1] = fsh_settings_whole(s, w, pair[1]);
    return true;
}

static void
set_window(fsh_operation *node, const int64_t kernel[2], const int64_t stride[2],
           const int64_t pad[2])
{
    node->kernel = (fsh_wholes){.at = {kernel[0], kernel[1]}, .n = 2};
    node->strides = (fsh_wholes){.at = {stride[0], stride[1]}, .n = 2};
    node->pads = (fsh_wholes){.at = {pad[0], pad[1], pad[0], pad[1]}, .n = 4};
}

static fsh_status
settle_conv(layer *l, fsh_graph *graph, fsh_err *err)
{
    const fsh_settings *s = &l->settings;
    int64_t kernel[2], stride[2], pad[2];

    (void)graph;
    if (!read_pair(s, 4, 11, 12, 0, kernel) || !read_pair(s, 6, 13, 14, 1, stride) ||
        !read_pair(s, 3, 9, 10, 0, pad) || !fsh_settings_wholes(s, 18, &l->node->dilations) ||
        l->node->dilations.n > 2)
        return damaged(err, "a convolution's window");
    set_window(l->node, kernel, stride, pad);
    if (l->node->dilations.n == 1)
        l->node->dilations.at[l->node->dilations.n++] = l->node->dilations.at[0];
    l->node->group = fsh_settings_whole(s, 5, 1);
    return FSH_OK;
}

/* The matrix is applied to all of a picture's numbers. */
static fsh_status
settle_inner(layer *l, fsh_graph *graph, fsh_err *err)
{
    fsh_operation inner = *l->node;
    fsh_constant *w = &graph->constants[graph->constant_of[l->blobs[0]]];
    fsh_status status;

    if (w->rank == 4 && w->dims[0] == 1 && w->dims[1] == 1) {
        memmove(w->dims, w->dims + 2, 2 * sizeof *w->dims);
        w->rank = 2;
    }
    l->node->op = FSH_OP_Flatten;
    l->node->inputs_n = 1;
    if ((status = fsh_graph_define(graph, l->tops[0], &l->node->output, err)))
        return status;
    inner.inputs[0] = l->node->output;
    inner.transposed_b = true;
    graph->nodes_n++;
    if ((status = fsh_graph_node(graph, &l->node, err)))
        return status;
    *l->node = inner;
    return FSH_OK;
}

/* The third blob says what mean and variance are to be divided by. */
static fsh_status
settle_norm(layer *l, fsh_graph *graph, fsh_err *err)
{
    const fsh_constant *divisor = fsh_graph_constant_of(graph, l->blobs[2]);
    fsh_constant *moments[2] = {&graph->constants[graph->constant_of[l->blobs[0]]],
                                &graph->constants[graph->constant_of[l->blobs[1]]]};
    int64_t n = (int64_t)moments[0]->n;
    fsh_status status;
    uint32_t k;
    size_t i;

    if (divisor->n != 1)
        return damaged(err, "batch normalisation");
    for (k = 0; k < 2; k++)
        for (i = 0; i < moments[k]->n; i++)
            moments[k]->data[i] *= divisor->data[0] == 0 ? 0 : 1 / divisor->data[0];
    l->node->epsilon = fsh_settings_real(&l->settings, 3, 1e-5f);
    l->node->inputs_n = 5;
    l->node->inputs[3] = l->blobs[0];
    l->node->inputs[4] = l->blobs[1];
    if ((status = new_constant(graph, n, 1, &l->node->inputs[1], err)) ||
        (status = new_constant(graph, n, 0, &l->node->inputs[2], err)))
        return status;
    return fsh_affine_normalise(graph, l->node, err);
}

static fsh_status
settle_scale(layer *l, fsh_graph *graph, fsh_err *err)
{
    const fsh_constant *factor = fsh_graph_constant_of(graph, l->blobs[0]);
    const fsh_constant *summand = fsh_graph_constant_of(graph, l->blobs[l->blobs_n - 1]);

    if (factor->n != summand->n)
        return damaged(err, "a scale");
    if (l->blobs_n == 2)
        return FSH_OK;
    l->node->inputs_n = 3;
    return new_constant(graph, (int64_t)factor->n, 0, &l->node->inputs[2], err);
}

static fsh_status
settle_relu(layer *l, fsh_graph *graph, fsh_err *err)
{
    (void)graph;
    return fsh_settings_real(&l->settings, 1, 0) == 0
               ? FSH_OK
               : refuse(l, "a ReLU with a slope below zero", err);
}

/* A sum of many is a sum of the first two, and so on. */
static fsh_status
settle_sum(layer *l, fsh_graph *graph, fsh_err *err)
{
    fsh_operation sum = *l->node;
    fsh_status status = FSH_OK;
    uint32_t i;

    if (fsh_settings_whole(&l->settings, 1, 1) != 1 || !fsh_settings_all_one(&l->settings, 2))
        return refuse(l, "an Eltwise that is not a plain sum", err);
    l->node->inputs_n = 2;
    for (i = 2; !status && i < sum.inputs_n; i++) {
        if ((status = fsh_graph_define(graph, l->tops[0], &l->node->output, err)))
            break;
        sum.inputs[0] = l->node->output;
        sum.inputs[1] = sum.inputs[i];
        graph->nodes_n++;
        if (!(status = fsh_graph_node(graph, &l->node, err))) {
            *l->node = sum;
            l->node->inputs_n = 2;
        }
    }
    return status;
}

/* Caffe rounds up, and counts padding in means. */
static fsh_status
settle_pool(layer *l, fsh_graph *graph, fsh_err *err)
{
    const fsh_settings *s = &l->settings;
    int64_t kernel[2], stride[2], pad[2], kind = fsh_settings_whole(s, 1, 0);

    (void)graph;
    if (kind != 0 && kind != 1)
        return refuse(l, "pooling that is neither MAX nor AVE", err);
    if (!read_pair(s, 2, 5, 6, 0, kernel) || !read_pair(s, 3, 7, 8, 1, stride) ||
        !read_pair(s, 4, 9, 10, 0, pad))
        return damaged(err, "a pooling window");
    set_window(l->node, kernel, stride, pad);
    l->node->op = kind ? FSH_OP_AveragePool : FSH_OP_MaxPool;
    l->node->global = fsh_settings_whole(s, 12, 0) != 0;
    l->node->ceil = fsh_settings_whole(s, 13, 0) == 0;
    l->node->counts_padding = true;
    return FSH_OK;
}

static fsh_status
settle_list(layer *l, fsh_graph *graph, fsh_err *err)
{
    (void)graph;
    return fsh_settings_wholes(&l->settings, 1, &l->node->list) ? FSH_OK : damaged(err, "an order");
}

static fsh_status
settle_reshape(layer *l, fsh_graph *graph, fsh_err *err)
{
    fsh_wire shape;

    (void)graph;
    if (!fsh_settings_message(&l->settings, 1, &shape) || !fsh_wholes_read(&l->node->list, shape))
        return damaged(err, "a shape");
    return FSH_OK;
}

static fsh_status
settle_axis_first(layer *l, fsh_graph *graph, fsh_err *err)
{
    (void)graph;
    (void)err;
    l->node->axis = fsh_settings_whole(&l->settings, 1, 1);
    return FSH_OK;
}

/* Concat may have its axis in an older field as well. */
static fsh_status
settle_axis_second(layer *l, fsh_graph *graph, fsh_err *err)
{
    (void)graph;
    (void)err;
    l->node->axis = fsh_settings_whole(&l->settings, 2, fsh_settings_whole(&l->settings, 1, 1));
    return FSH_OK;
}

#define FIELD(n) (1u << (n))

/* Where each type has its settings, which of them are read or change nothing, and which must have
 * one value. Types that are not here have none. */
static const struct {
    const char *name;
    uint32_t message, known;
    fsh_setting fixed[3];
    fsh_status (*settle)(layer *, fsh_graph *, fsh_err *);
} readers[] = {
    {"Convolution", 106, 0x4fffe, {{16, 1}, {17, 0}}, settle_conv},
    {"DepthwiseConvolution", 106, 0x4fffe, {{16, 1}, {17, 0}}, settle_conv},
    {"InnerProduct",
     117,
     FIELD(1) | FIELD(2) | FIELD(3) | FIELD(4),
     {{5, 1}, {6, 0}},
     settle_inner},
    {"BatchNorm", 139, FIELD(2) | FIELD(3), {{1, 1}}, settle_norm},
    {"Scale", 142, FIELD(3) | FIELD(4) | FIELD(5), {{1, 1}, {2, 1}}, settle_scale},
    {"PReLU", 131, FIELD(1) | FIELD(2), {{0, 0}}, NULL},
    {"ReLU", 123, FIELD(1) | FIELD(2), {{0, 0}}, settle_relu},
    {"Sigmoid", 124, FIELD(1), {{0, 0}}, NULL},
    {"Eltwise", 110, FIELD(1) | FIELD(2) | FIELD(3), {{0, 0}}, settle_sum},
    {"Pooling", 121, 0x3ffe, {{0, 0}}, settle_pool},
    {"Concat", 104, FIELD(1) | FIELD(2), {{0, 0}}, settle_axis_second},
    {"Permute", 202, FIELD(1), {{0, 0}}, settle_list},
    {"Reshape", 133, FIELD(1), {{2, 0}, {3, -1}}, settle_reshape},
    {"Flatten", 135, FIELD(1), {{2, -1}}, settle_axis_first},
    {"Softmax", 125, FIELD(1) | FIELD(2), {{0, 0}}, settle_axis_second},
    {"Dropout", 108, ~0u, {{0, 0}}, NULL},
};

static fsh_status
settle(layer *l, fsh_graph *graph, fsh_err *err)
{
    uint32_t refused;
    size_t i;

    for (i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (!fsh_span_says(l->type, readers[i].name))
            continue;
        if (!fsh_settings_read(&l->settings, l->all, readers[i].message))
            return damaged(err, "a layer's settings");
        refused = fsh_settings_refused(&l->settings, readers[i].known, readers[i].fixed, 3);
        if (refused)
            return fsh_fail(
                err, FSH_MODEL,
                "layer '%.*s': setting %u of type %s is not what the backend onednn runs",
                (int)(l->name.n < 60 ? l->name.n : 60), l->name.at, refused, readers[i].name);
        return readers[i].settle ? readers[i].settle(l, graph, err) : FSH_OK;
    }
    return FSH_OK;
}

static fsh_status
read_layer(fsh_graph *graph, fsh_wire wire, layer *l, fsh_err *err)
{
    fsh_wire_field f;
    fsh_status status = FSH_OK;

    l->all = wire;
    while (!status && fsh_wire_next(&wire, &f)) {
        if (f.kind != FSH_WIRE_BYTES)
            continue;
        if ((f.number == 3 && l->bottoms_n == FSH_NODE_INPUTS) ||
            (f.number == 4 && l->tops_n == TOPS_MAX) || (f.number == 7 && l->blobs_n == BLOBS_MAX))
            return damaged(err, "a layer with too many bottoms, tops or blobs");
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
    return status || !(wire.damaged || !l->tops_n) ? status : damaged(err, "a layer");
}

static fsh_status
find_type(const layer *l, const layer_type **out, fsh_err *err)
{
    size_t i;

    for (i = 0; i < sizeof types / sizeof *types; i++)
        if (fsh_span_says(l->type, types[i].name)) {
            *out = &types[i];
            return l->bottoms_n < (*out)->bottoms_least || l->bottoms_n > (*out)->bottoms_most ||
                           l->blobs_n < (*out)->blobs_least || l->blobs_n > (*out)->blobs_most
                       ? damaged(err, "the number of a layer's inputs or weights")
                       : FSH_OK;
        }
    return fsh_fail(err, FSH_MODEL,
                    "layer '%.*s' is of type '%.*s', which the backend onednn does not run",
                    (int)(l->name.n < 60 ? l->name.n : 60), l->name.at,
                    (int)(l->type.n < 60 ? l->type.n : 60), l->type.at);
}

static fsh_status
name_tops(fsh_graph *graph, const layer *l, uint32_t value, fsh_err *err)
{
    fsh_status status = FSH_OK;
    uint32_t i;

    for (i = 0; !status && i < l->tops_n; i++)
        status = fsh_graph_alias(graph, l->tops[i], value, err);
    return status;
}

static fsh_status
set_inputs(fsh_graph *graph, layer *l, fsh_err *err)
{
    uint32_t i;

    for (i = 0; i < l->bottoms_n; i++) {
        l->node->inputs[i] = fsh_graph_find(graph, l->bottoms[i]);
        if (l->node->inputs[i] == FSH_NO_VALUE)
            return refuse(l, "an input that no layer before it gives", err);
    }
    for (i = 0; i < l->blobs_n && l->bottoms_n + i < FSH_NODE_INPUTS; i++)
        l->node->inputs[l->bottoms_n + i] = l->blobs[i];
    l->node->inputs_n = l->bottoms_n + i;
    return FSH_OK;
}

static fsh_status
add_operator(fsh_graph *graph, layer *l, fsh_err *err)
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
        return refuse(l, "a layer with several tops", err);
    if ((status = settle(l, graph, err)) ||
        (status = fsh_graph_define(graph, l->tops[0], &l->node->output, err)))
        return status;
    graph->nodes_n++;
    return FSH_OK;
}

static fsh_status
add_layer(fsh_graph *graph, fsh_wire wire, fsh_err *err)
{
    layer l = {.name = {"", 0}, .type = {"", 0}};
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
        status = damaged(err, "it ends early");
    if (!status)
        find_outputs(graph);
    if (!status && (graph->input == FSH_NO_VALUE || !graph->nodes_n))
        status = damaged(err, "no input or no layers");
    if (status)
        fsh_graph_fini(graph);
    return status;
}

#include "stages/inference/onnx.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/inference/affine.h"
#include "stages/inference/tensor.h"
#include "stages/inference/wire.h"

/* Numbers of fields are those of onnx.proto. */

typedef struct known_op {
    const char *name;
    fsh_op op;
    uint32_t least, most;
} known_op;

static const known_op operators[] = {
#define ONNX(name, op, least, most) {#name, FSH_OP_##op, least, most},
#include "stages/inference/ops.def"
#undef ONNX
};

/* ---- nodes ---- */

typedef struct attribute {
    fsh_span name, text;
    float real;
    int64_t whole;
    fsh_wholes wholes;
    fsh_wire tensor;
} attribute;

static bool
read_attribute(fsh_wire wire, attribute *a)
{
    fsh_wire_field f;

    while (fsh_wire_next(&wire, &f)) {
        if (f.number == 1 && f.kind == FSH_WIRE_BYTES)
            a->name = fsh_wire_span(f.bytes);
        if (f.number == 2 && f.kind == FSH_WIRE_FIXED32)
            a->real = fsh_wire_real(&f);
        if (f.number == 3 && f.kind == FSH_WIRE_VARINT)
            a->whole = (int64_t)f.value;
        if (f.number == 4 && f.kind == FSH_WIRE_BYTES)
            a->text = fsh_wire_span(f.bytes);
        if (f.number == 5 && f.kind == FSH_WIRE_BYTES)
            a->tensor = f.bytes;
        if (f.number == 8 && !fsh_wholes_add(&a->wholes, &f))
            return false;
    }
    return !wire.damaged;
}

static bool
set_list(fsh_operation *node, const attribute *a)
{
    const struct {
        const char *name;
        fsh_wholes *to;
    } lists[] = {{"kernel_shape", &node->kernel}, {"strides", &node->strides},
                 {"pads", &node->pads},           {"dilations", &node->dilations},
                 {"perm", &node->list},           {"axes", &node->list}};
    size_t i;

    for (i = 0; i < sizeof lists / sizeof *lists; i++)
        if (fsh_span_says(a->name, lists[i].name)) {
            *lists[i].to = a->wholes;
            return true;
        }
    return false;
}

static bool
set_number(fsh_operation *node, const attribute *a)
{
    const struct {
        const char *name;
        int64_t *whole;
        bool *flag;
        float *real;
    } numbers[] = {{"group", &node->group, NULL, NULL},
                   {"axis", &node->axis, NULL, NULL},
                   {"transA", NULL, &node->transposed_a, NULL},
                   {"transB", NULL, &node->transposed_b, NULL},
                   {"ceil_mode", NULL, &node->ceil, NULL},
                   {"count_include_pad", NULL, &node->counts_padding, NULL},
                   {"min", NULL, NULL, &node->least},
                   {"max", NULL, NULL, &node->most},
                   {"alpha", NULL, NULL, &node->alpha},
                   {"beta", NULL, NULL, &node->beta},
                   {"epsilon", NULL, NULL, &node->epsilon}};
    size_t i;

    for (i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (!fsh_span_says(a->name, numbers[i].name))
            continue;
        if (numbers[i].whole)
            *numbers[i].whole = a->whole;
        else if (numbers[i].flag)
            *numbers[i].flag = a->whole != 0;
        else
            *numbers[i].real = a->real;
        return true;
    }
    return false;
}

/* Attributes that are run with one value only, and those that change nothing. Nearest neighbours
 * at whole factors are the same in both coordinate modes. */
static bool
is_as_run(const attribute *a)
{
    static const struct {
        const char *name, *texts[3];
        int64_t whole;
    } fixed[] = {{"auto_pad", {"NOTSET"}, 0},
                 {"mode", {"nearest"}, 0},
                 {"nearest_mode", {"floor", "round_prefer_floor"}, 0},
                 {"coordinate_transformation_mode", {"asymmetric", "half_pixel"}, 0},
                 {"storage_order", {NULL}, 0},
                 {"training_mode", {NULL}, 0},
                 {"allowzero", {NULL}, 0},
                 {"spatial", {NULL}, 1}};
    static const char *const ignored[] = {"momentum", "cubic_coeff_a", "ratio",
                                          "extrapolation_value", "seed"};
    size_t i, k;

    for (i = 0; i < sizeof ignored / sizeof *ignored; i++)
        if (fsh_span_says(a->name, ignored[i]))
            return true;
    for (i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        if (!fsh_span_says(a->name, fixed[i].name))
            continue;
        for (k = 0; fixed[i].texts[k]; k++)
            if (fsh_span_says(a->text, fixed[i].texts[k]))
                return true;
        return !k && a->whole == fixed[i].whole;
    }
    return false;
}

static fsh_status
set_attribute(fsh_operation *node, const attribute *a, fsh_err *err)
{
    if (fsh_span_says(a->name, "keepdims")) {
        node->drops_dims = !a->whole;
        return FSH_OK;
    }
    if (set_list(node, a) || set_number(node, a) || is_as_run(a))
        return FSH_OK;
    return fsh_fail(err, FSH_MODEL,
                    "attribute '%.*s', or its value, is not one that the backend onednn knows",
                    (int)(a->name.n < 60 ? a->name.n : 60), a->name.at);
}

/* What a node says, before its inputs are known by number. */
typedef struct raw_node {
    fsh_span inputs[FSH_NODE_INPUTS];
    uint32_t inputs_n;
    fsh_span output, type;
    fsh_wire all; /* to read attributes from */
} raw_node;

static fsh_status
read_raw_node(fsh_wire wire, raw_node *raw, fsh_err *err)
{
    fsh_wire_field f;

    *raw = (raw_node){.output = {"", 0}, .type = {"", 0}, .all = wire};
    while (fsh_wire_next(&wire, &f)) {
        if (f.kind != FSH_WIRE_BYTES)
            continue;
        if (f.number == 1 && raw->inputs_n == FSH_NODE_INPUTS)
            return fsh_fail(err, FSH_MODEL, "a node has more than %d inputs", FSH_NODE_INPUTS);
        if (f.number == 1)
            raw->inputs[raw->inputs_n++] = fsh_wire_span(f.bytes);
        if (f.number == 2 && !raw->output.n)
            raw->output = fsh_wire_span(f.bytes);
        if (f.number == 4)
            raw->type = fsh_wire_span(f.bytes);
    }
    return wire.damaged || !raw->output.n ? fsh_onnx_damaged(err, "a node") : FSH_OK;
}

static fsh_status
read_attributes(const raw_node *raw, fsh_operation *node, fsh_err *err)
{
    fsh_wire wire = raw->all;
    fsh_wire_field f;
    fsh_status status = FSH_OK;

    while (!status && fsh_wire_next(&wire, &f)) {
        attribute a = {.real = 0};

        if (f.number != 5 || f.kind != FSH_WIRE_BYTES)
            continue;
        if (!read_attribute(f.bytes, &a))
            return fsh_onnx_damaged(err, "an attribute");
        status = set_attribute(node, &a, err);
    }
    return status;
}

/* A node of type Constant: what it gives is known now. */
static fsh_status
read_constant_node(fsh_graph *graph, const raw_node *raw, fsh_err *err)
{
    fsh_wire wire = raw->all;
    fsh_wire_field f;

    while (fsh_wire_next(&wire, &f)) {
        attribute a = {.real = 0};

        if (f.number != 5 || f.kind != FSH_WIRE_BYTES)
            continue;
        if (!read_attribute(f.bytes, &a))
            return fsh_onnx_damaged(err, "an attribute");
        if (fsh_span_says(a.name, "value") && a.tensor.at)
            return fsh_tensor_read(graph, a.tensor, raw->output, err);
    }
    return fsh_onnx_damaged(err, "a Constant without a value");
}

static fsh_status
find_operator(const raw_node *raw, const known_op **out, fsh_err *err)
{
    size_t i;

    for (i = 0; i < sizeof operators / sizeof *operators; i++)
        if (fsh_span_says(raw->type, operators[i].name)) {
            *out = &operators[i];
            return raw->inputs_n < (*out)->least || raw->inputs_n > (*out)->most
                       ? fsh_onnx_damaged(err, "the number of a node's inputs")
                       : FSH_OK;
        }
    return fsh_fail(err, FSH_MODEL, "operator '%.*s' is not one that the backend onednn runs",
                    (int)(raw->type.n < 60 ? raw->type.n : 60), raw->type.at);
}

/* Bounds of Clip came as inputs from opset 11 on. */
static fsh_status
settle_clip(const fsh_graph *graph, fsh_operation *node, fsh_err *err)
{
    float *bounds[] = {NULL, &node->least, &node->most};
    uint32_t i;

    for (i = 1; i < node->inputs_n; i++) {
        const fsh_constant *c = fsh_operation_constant(graph, node, i);

        if (node->inputs[i] == FSH_NO_VALUE)
            continue;
        if (!c || c->n != 1)
            return fsh_operation_refuse(node, "a Clip with computed bounds", err);
        *bounds[i] = c->data[0];
    }
    node->inputs_n = 1;
    return FSH_OK;
}

static fsh_status
settle_reshape(const fsh_graph *graph, fsh_operation *node, fsh_err *err)
{
    const fsh_constant *c = fsh_operation_constant(graph, node, 1);
    size_t i;

    if (!c || c->rank != 1 || c->n > FSH_GRAPH_RANK)
        return fsh_operation_refuse(node, "a Reshape to a computed shape", err);
    for (i = 0; i < c->n; i++)
        node->list.at[i] = (int64_t)c->data[i];
    node->list.n = (uint32_t)c->n;
    node->inputs_n = 1;
    return FSH_OK;
}

static fsh_status
settle_prelu(const fsh_graph *graph, const fsh_operation *node, fsh_err *err)
{
    const fsh_constant *slope = fsh_operation_constant(graph, node, 1);

    return slope && fsh_constant_is_per_channel(slope)
               ? FSH_OK
               : fsh_operation_refuse(node, "a PRelu without one constant slope a channel", err);
}

/* A mean over dimensions 2 and 3 is pooling over the whole picture. */
static fsh_status
settle_mean(fsh_operation *node, fsh_err *err)
{
    const int64_t *axes = node->list.at;

    if (node->list.n != 2 || axes[0] == axes[1] || ((axes[0] + 4) % 4 | 1) != 3 ||
        ((axes[1] + 4) % 4 | 1) != 3)
        return fsh_operation_refuse(node, "a ReduceMean over other dimensions than 2 and 3", err);
    node->global = true;
    return FSH_OK;
}

/* What each operator says in its own way is said in the graph's. */
static fsh_status
settle(fsh_graph *graph, fsh_operation *node, const known_op *op, fsh_err *err)
{
    if (!strcmp(op->name, "GlobalAveragePool"))
        node->global = true;
    if (!strcmp(op->name, "ReduceMean"))
        return settle_mean(node, err);
    if (!strcmp(op->name, "BatchNormalization"))
        return fsh_affine_normalise(graph, node, err);
    if (node->op == FSH_OP_Clip)
        return settle_clip(graph, node, err);
    if (node->op == FSH_OP_Reshape)
        return settle_reshape(graph, node, err);
    if (node->op == FSH_OP_PRelu)
        return settle_prelu(graph, node, err);
    return FSH_OK;
}

static fsh_status
read_inputs(const fsh_graph *graph, const raw_node *raw, fsh_operation *node, fsh_err *err)
{
    uint32_t i;

    for (i = 0; i < raw->inputs_n; i++) {
        node->inputs[i] = raw->inputs[i].n ? fsh_graph_find(graph, raw->inputs[i]) : FSH_NO_VALUE;
        if (raw->inputs[i].n && node->inputs[i] == FSH_NO_VALUE)
            return fsh_operation_refuse(node, "an input that no node before it gives", err);
    }
    node->inputs_n = raw->inputs_n;
    return node->inputs[0] == FSH_NO_VALUE ? fsh_onnx_damaged(err, "a node without input") : FSH_OK;
}

static fsh_status
add_node(fsh_graph *graph, fsh_wire wire, fsh_err *err)
{
    const known_op *op = NULL;
    raw_node raw;
    fsh_operation *node;
    fsh_status status = read_raw_node(wire, &raw, err);

    if (!status && fsh_span_says(raw.type, "Constant"))
        return read_constant_node(graph, &raw, err);
    if (status || (status = find_operator(&raw, &op, err)) ||
        (status = fsh_graph_node(graph, &node, err)))
        return status;
    node->op = op->op;
    node->name = raw.output;
    if ((status = read_inputs(graph, &raw, node, err)))
        return status;
    if (op->op == FSH_OP_Name)
        return fsh_graph_alias(graph, raw.output, node->inputs[0], err);
    if ((status = read_attributes(&raw, node, err)) || (status = settle(graph, node, op, err)) ||
        (status = fsh_graph_define(graph, raw.output, &node->output, err)))
        return status;
    graph->nodes_n++;
    return FSH_OK;
}

/* ---- the graph ---- */

static fsh_span
name_of(fsh_wire wire)
{
    fsh_wire_field f;

    while (fsh_wire_next(&wire, &f))
        if (f.number == 1 && f.kind == FSH_WIRE_BYTES)
            return fsh_wire_span(f.bytes);
    return (fsh_span){"", 0};
}

/* The input is the first that is no constant: old exporters list those too. */
static fsh_status
add_input(fsh_graph *graph, fsh_wire wire, fsh_err *err)
{
    fsh_span name = name_of(wire);

    if (!name.n || graph->input != FSH_NO_VALUE || fsh_graph_find(graph, name) != FSH_NO_VALUE)
        return FSH_OK;
    return fsh_graph_define(graph, name, &graph->input, err);
}

static fsh_status
add_output(fsh_graph *graph, fsh_wire wire, fsh_err *err)
{
    uint32_t value = fsh_graph_find(graph, name_of(wire));

    if (value == FSH_NO_VALUE || graph->outputs_n == FSH_GRAPH_OUTPUTS)
        return fsh_onnx_damaged(err, "an output that no node gives, or too many");
    graph->outputs[graph->outputs_n++] = value;
    return FSH_OK;
}

static fsh_status
add_initializer(fsh_graph *graph, fsh_wire wire, fsh_err *err)
{
    return fsh_tensor_read(graph, wire, (fsh_span){"", 0}, err);
}

/* Constants come after the nodes in the file, and are read before them. */
static fsh_status
read_graph(fsh_graph *graph, fsh_wire wire, fsh_err *err)
{
    static const struct {
        uint32_t number;
        fsh_status (*add)(fsh_graph *, fsh_wire, fsh_err *);
    } parts[] = {{5, add_initializer}, {11, add_input}, {1, add_node}, {12, add_output}};
    fsh_status status = FSH_OK;
    size_t i;

    for (i = 0; !status && i < sizeof parts / sizeof *parts; i++) {
        fsh_wire again = wire;
        fsh_wire_field f;

        while (!status && fsh_wire_next(&again, &f))
            if (f.number == parts[i].number && f.kind == FSH_WIRE_BYTES)
                status = parts[i].add(graph, f.bytes, err);
        if (!status && again.damaged)
            status = fsh_onnx_damaged(err, "the graph");
    }
    if (!status && (graph->input == FSH_NO_VALUE || !graph->outputs_n || !graph->nodes_n))
        status = fsh_onnx_damaged(err, "a graph without input, output or nodes");
    return status;
}

fsh_status
fsh_onnx_read(uint8_t *bytes, size_t n, fsh_graph *graph, fsh_err *err)
{
    fsh_wire wire = {bytes, bytes + n, false};
    fsh_wire_field f;
    fsh_status status = fsh_graph_init(graph, bytes, err);
    bool found = false;

    while (!status && fsh_wire_next(&wire, &f))
        if (f.number == 7 && f.kind == FSH_WIRE_BYTES && !found) {
            found = true;
            status = read_graph(graph, f.bytes, err);
        }
    if (!status && (wire.damaged || !found))
        status = fsh_onnx_damaged(err, "it has no graph, or ends early");
    if (status)
        fsh_graph_fini(graph);
    return status;
}

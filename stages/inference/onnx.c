#include "stages/inference/onnx.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/inference/wire.h"

/* Numbers of fields are those of onnx.proto. */
enum { TYPE_FLOAT = 1, TYPE_INT64 = 7 };

static const struct {
    const char *name;
    uint32_t least, most;
} ops[] = {
#define OP(name, least, most) {#name, least, most},
#include "stages/inference/ops.def"
#undef OP
};

bool
fsh_span_is(fsh_span a, fsh_span b)
{
    return a.n == b.n && (!a.n || !memcmp(a.at, b.at, a.n));
}

fsh_span
fsh_span_of(const char *text)
{
    return (fsh_span){text, strlen(text)};
}

static fsh_span
span(fsh_wire bytes)
{
    return (fsh_span){(const char *)bytes.at, (size_t)(bytes.end - bytes.at)};
}

static bool
is(fsh_span a, const char *text)
{
    return fsh_span_is(a, fsh_span_of(text));
}

static fsh_status
damaged(fsh_err *err, const char *what)
{
    return fsh_fail(err, FSH_MODEL, "not an ONNX file, or damaged: %s", what);
}

/* A field of whole numbers may be packed or come one by one. False where it is damaged or too long.
 */
static bool
add_wholes(fsh_wholes *list, fsh_wire_field *field)
{
    uint64_t value = field->value;
    bool one = field->kind == FSH_WIRE_VARINT;

    if (!one && field->kind != FSH_WIRE_BYTES)
        return false;
    while (one || fsh_wire_varint(&field->bytes, &value)) {
        if (list->n == sizeof list->at / sizeof *list->at)
            return false;
        list->at[list->n++] = (int64_t)value;
        if (one)
            return true;
    }
    return !field->bytes.damaged;
}

static float
float_of(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---- constants ---- */

typedef struct raw {
    fsh_wholes dims;
    uint64_t type;
    fsh_wire data;  /* raw_data, float_data or int64_data */
    uint32_t field; /* which of them */
} raw;

static bool
read_raw(fsh_wire wire, raw *r, fsh_span *name)
{
    fsh_wire_field f;

    while (fsh_wire_next(&wire, &f)) {
        if (f.number == 1 && !add_wholes(&r->dims, &f))
            return false;
        if (f.number == 2)
            r->type = f.value;
        if (f.number == 8 && f.kind == FSH_WIRE_BYTES)
            *name = span(f.bytes);
        if (f.number == 4 || f.number == 7 || f.number == 9) {
            if (f.kind != FSH_WIRE_BYTES || r->field)
                return false; /* unpacked numbers: no exporter writes them */
            r->field = f.number;
            r->data = f.bytes;
        }
        if (f.number == 14 && f.value)
            return false; /* the data lie in another file */
    }
    return !wire.damaged;
}

static bool
read_number(raw *r, float *out)
{
    uint64_t bits = 0;
    unsigned i, n = r->type == TYPE_FLOAT ? 4 : 8;

    if (r->field == 7 ? !fsh_wire_varint(&r->data, &bits) : r->data.end - r->data.at < (ptrdiff_t)n)
        return false;
    for (i = 0; r->field != 7 && i < n; i++)
        bits |= (uint64_t)*r->data.at++ << 8 * i;
    *out = r->type == TYPE_FLOAT ? float_of((uint32_t)bits) : (float)(int64_t)bits;
    return isfinite(*out);
}

/* The count of numbers, 0 where the dims are out of bounds or larger than the data can be. */
static size_t
count(const raw *r, fsh_constant *c)
{
    size_t n = 1, bytes = (size_t)(r->data.end - r->data.at);
    uint32_t i;

    if (r->dims.n > FSH_ONNX_RANK)
        return 0;
    c->rank = r->dims.n;
    for (i = 0; i < c->rank; i++) {
        c->dims[i] = r->dims.at[i];
        if (c->dims[i] < 1 || (uint64_t)c->dims[i] > bytes || n > bytes / (uint64_t)c->dims[i])
            return 0;
        n *= (size_t)c->dims[i];
    }
    return n;
}

static fsh_status
read_constant(fsh_wire wire, fsh_constant *c, fsh_err *err)
{
    raw r = {.type = 0};
    size_t i;

    if (!read_raw(wire, &r, &c->name))
        return damaged(err, "a constant");
    if ((r.type != TYPE_FLOAT || r.field == 7) && (r.type != TYPE_INT64 || r.field == 4))
        return fsh_fail(err, FSH_MODEL, "constant %.*s is neither float nor int64", (int)c->name.n,
                        c->name.at);
    c->n = count(&r, c);
    if (!c->n)
        return damaged(err, "the size of a constant");
    c->data = calloc(c->n, sizeof *c->data);
    if (!c->data)
        return fsh_fail(err, FSH_MEMORY, "no memory for a network");
    for (i = 0; i < c->n; i++)
        if (!read_number(&r, &c->data[i]))
            return damaged(err, "the numbers of a constant");
    return r.data.at == r.data.end ? FSH_OK : damaged(err, "the length of a constant");
}

/* ---- nodes ---- */

typedef struct attribute {
    fsh_span name, text;
    float real;
    int64_t whole;
    fsh_wholes wholes;
} attribute;

static bool
read_attribute(fsh_wire wire, attribute *a)
{
    fsh_wire_field f;

    while (fsh_wire_next(&wire, &f)) {
        if (f.number == 1 && f.kind == FSH_WIRE_BYTES)
            a->name = span(f.bytes);
        if (f.number == 2 && f.kind == FSH_WIRE_FIXED32)
            a->real = float_of((uint32_t)f.value);
        if (f.number == 3 && f.kind == FSH_WIRE_VARINT)
            a->whole = (int64_t)f.value;
        if (f.number == 4 && f.kind == FSH_WIRE_BYTES)
            a->text = span(f.bytes);
        if (f.number == 8 && !add_wholes(&a->wholes, &f))
            return false;
    }
    return !wire.damaged;
}

/* False for an attribute that changes the result and is not known here. */
static bool
set_attribute(fsh_onnx_node *node, const attribute *a)
{
    const struct {
        const char *name;
        fsh_wholes *to;
    } lists[] = {{"kernel_shape", &node->kernel},
                 {"strides", &node->strides},
                 {"pads", &node->pads},
                 {"dilations", &node->dilations}};
    size_t i;

    for (i = 0; i < sizeof lists / sizeof *lists; i++)
        if (is(a->name, lists[i].name)) {
            *lists[i].to = a->wholes;
            return true;
        }
    if (is(a->name, "group"))
        node->group = a->whole;
    else if (is(a->name, "axis"))
        node->axis = a->whole;
    else if (is(a->name, "transA"))
        node->transposed_a = a->whole != 0;
    else if (is(a->name, "transB"))
        node->transposed_b = a->whole != 0;
    else if (is(a->name, "min"))
        node->least = a->real;
    else if (is(a->name, "max"))
        node->most = a->real;
    else if (is(a->name, "alpha"))
        node->alpha = a->real;
    else if (is(a->name, "beta"))
        node->beta = a->real;
    else if (is(a->name, "auto_pad"))
        return is(a->text, "NOTSET");
    else
        return false;
    return true;
}

static fsh_status
set_op(fsh_onnx_node *node, fsh_span type, fsh_err *err)
{
    for (node->op = 0; node->op < FSH_OP_N; node->op++)
        if (is(type, ops[node->op].name))
            break;
    if (node->op == FSH_OP_N)
        return fsh_fail(err, FSH_MODEL, "operator '%.*s' is not one that the backend onednn runs",
                        (int)(type.n < 60 ? type.n : 60), type.at);
    if (node->inputs_n < ops[node->op].least || node->inputs_n > ops[node->op].most ||
        !node->output.n)
        return fsh_fail(err, FSH_MODEL,
                        "operator '%s' with %u inputs is not one that the backend onednn runs",
                        ops[node->op].name, node->inputs_n);
    return FSH_OK;
}

static fsh_status
read_node_attribute(fsh_onnx_node *node, fsh_wire wire, fsh_err *err)
{
    attribute a = {.real = 0};

    if (!read_attribute(wire, &a))
        return damaged(err, "an attribute");
    if (!set_attribute(node, &a))
        return fsh_fail(err, FSH_MODEL, "attribute '%.*s' is not one that the backend onednn knows",
                        (int)(a.name.n < 60 ? a.name.n : 60), a.name.at);
    return FSH_OK;
}

static fsh_status
read_node(fsh_wire wire, fsh_onnx_node *node, fsh_err *err)
{
    fsh_span type = {"", 0};
    fsh_wire_field f;
    fsh_status status = FSH_OK;

    *node = (fsh_onnx_node){
        .group = 1, .axis = 1, .least = -INFINITY, .most = INFINITY, .alpha = 1, .beta = 1};
    while (!status && fsh_wire_next(&wire, &f)) {
        if (f.kind != FSH_WIRE_BYTES)
            continue;
        if (f.number == 1 && node->inputs_n == FSH_ONNX_INPUTS)
            return fsh_fail(err, FSH_MODEL, "a node has more than %d inputs", FSH_ONNX_INPUTS);
        if (f.number == 1)
            node->inputs[node->inputs_n++] = span(f.bytes);
        if (f.number == 2 && !node->output.n)
            node->output = span(f.bytes);
        if (f.number == 4)
            type = span(f.bytes);
    }
    if (wire.damaged)
        return damaged(err, "a node");
    return set_op(node, type, err);
}

static fsh_status
read_attributes(fsh_wire wire, fsh_onnx_node *node, fsh_err *err)
{
    fsh_wire_field f;
    fsh_status status = FSH_OK;

    while (!status && fsh_wire_next(&wire, &f))
        if (f.number == 5 && f.kind == FSH_WIRE_BYTES)
            status = read_node_attribute(node, f.bytes, err);
    return status;
}

/* ---- the graph ---- */

const fsh_constant *
fsh_onnx_constant(const fsh_onnx *model, fsh_span name)
{
    uint32_t i;

    for (i = 0; i < model->constants_n; i++)
        if (fsh_span_is(model->constants[i].name, name))
            return &model->constants[i];
    return NULL;
}

static fsh_span
name_of(fsh_wire wire)
{
    fsh_wire_field f;

    while (fsh_wire_next(&wire, &f))
        if (f.number == 1 && f.kind == FSH_WIRE_BYTES)
            return span(f.bytes);
    return (fsh_span){"", 0};
}

static fsh_status
add_part(fsh_onnx *model, const fsh_wire_field *f, fsh_err *err)
{
    fsh_status status = FSH_OK;

    if (f->kind != FSH_WIRE_BYTES)
        return FSH_OK;
    if (f->number == 1 || f->number == 5)
        if (model->nodes_n == FSH_ONNX_NODES || model->constants_n == FSH_ONNX_NODES)
            return fsh_fail(err, FSH_MODEL, "more than %d nodes or constants", FSH_ONNX_NODES);
    if (f->number == 1) {
        status = read_node(f->bytes, &model->nodes[model->nodes_n], err);
        if (!status)
            status = read_attributes(f->bytes, &model->nodes[model->nodes_n++], err);
    } else if (f->number == 5) {
        status = read_constant(f->bytes, &model->constants[model->constants_n++], err);
    } else if (f->number == 12 && !model->output.n) {
        model->output = name_of(f->bytes);
    }
    return status;
}

static fsh_status
read_graph(fsh_onnx *model, fsh_wire wire, fsh_err *err)
{
    fsh_wire again = wire;
    fsh_wire_field f;
    fsh_status status = FSH_OK;

    while (!status && fsh_wire_next(&wire, &f))
        status = add_part(model, &f, err);
    if (!status && wire.damaged)
        status = damaged(err, "the graph");
    while (!status && !model->input.n && fsh_wire_next(&again, &f))
        if (f.number == 11 && f.kind == FSH_WIRE_BYTES &&
            !fsh_onnx_constant(model, name_of(f.bytes)))
            model->input = name_of(f.bytes);
    if (!status && (!model->input.n || !model->output.n || !model->nodes_n))
        status = damaged(err, "a graph without input, output or nodes");
    return status;
}

fsh_status
fsh_onnx_read(uint8_t *bytes, size_t n, fsh_onnx *model, fsh_err *err)
{
    fsh_wire wire = {bytes, bytes + n, false};
    fsh_wire_field f;
    fsh_status status = FSH_OK;
    bool found = false;

    *model = (fsh_onnx){.file = bytes,
                        .constants = calloc(FSH_ONNX_NODES, sizeof *model->constants),
                        .nodes = calloc(FSH_ONNX_NODES, sizeof *model->nodes)};
    if (!model->constants || !model->nodes)
        status = fsh_fail(err, FSH_MEMORY, "no memory for a network");
    while (!status && fsh_wire_next(&wire, &f))
        if (f.number == 7 && f.kind == FSH_WIRE_BYTES && !found) {
            found = true;
            status = read_graph(model, f.bytes, err);
        }
    if (!status && (wire.damaged || !found))
        status = damaged(err, "it has no graph, or ends early");
    if (status)
        fsh_onnx_fini(model);
    return status;
}

void
fsh_onnx_fini(fsh_onnx *model)
{
    uint32_t i;

    for (i = 0; model->constants && i < model->constants_n; i++)
        free(model->constants[i].data);
    free(model->constants);
    free(model->nodes);
    free(model->file);
    *model = (fsh_onnx){.file = NULL};
}

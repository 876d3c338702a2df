#include "stages/inference/tensor.h"

#include <math.h>

/* Types of onnx.proto. */
enum { TYPE_FLOAT = 1, TYPE_INT64 = 7 };

fsh_status
fsh_onnx_damaged(fsh_err *err, const char *what)
{
    return fsh_fail(err, FSH_MODEL, "not an ONNX file, or damaged: %s", what);
}

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
        if (f.number == 1 && !fsh_wholes_add(&r->dims, &f))
            return false;
        if (f.number == 2)
            r->type = f.value;
        if (f.number == 8 && f.kind == FSH_WIRE_BYTES)
            *name = fsh_wire_span(f.bytes);
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
    if (r->type == TYPE_FLOAT) {
        *out = fsh_wire_float(r->data.at);
        r->data.at += n;
        return isfinite(*out);
    }
    for (i = 0; r->field != 7 && i < n; i++)
        bits |= (uint64_t)*r->data.at++ << 8 * i;
    *out = (float)(int64_t)bits;
    return true;
}

/* The dims of a constant are at most what its bytes can hold; an empty one is none. */
static fsh_status
check_dims(const raw *r, bool *empty, fsh_err *err)
{
    size_t bytes = (size_t)(r->data.end - r->data.at), n = 1;
    uint32_t i;

    *empty = false;
    if (r->dims.n > FSH_GRAPH_RANK)
        return fsh_onnx_damaged(err, "the size of a constant");
    for (i = 0; i < r->dims.n; i++) {
        *empty |= r->dims.at[i] == 0;
        if (r->dims.at[i] < 0 || (r->dims.at[i] && n > bytes / (uint64_t)r->dims.at[i]))
            return fsh_onnx_damaged(err, "the size of a constant");
        n *= (size_t)(r->dims.at[i] ? r->dims.at[i] : 1);
    }
    return n <= bytes || *empty ? FSH_OK : fsh_onnx_damaged(err, "the size of a constant");
}

static fsh_status
add_constant(fsh_graph *graph, raw *r, fsh_span name, fsh_err *err)
{
    fsh_constant *c;
    uint32_t value;
    bool empty;
    size_t i;
    fsh_status status = check_dims(r, &empty, err);

    if (status || empty)
        return status ? status : fsh_graph_define(graph, name, &value, err);
    status = fsh_graph_constant(graph, r->dims.at, r->dims.n, &value, &c, err);
    for (i = 0; !status && i < c->n; i++)
        if (!read_number(r, &c->data[i]))
            return fsh_onnx_damaged(err, "the numbers of a constant");
    if (!status && r->data.at != r->data.end)
        return fsh_onnx_damaged(err, "the length of a constant");
    return status ? status : fsh_graph_alias(graph, name, value, err);
}

fsh_status
fsh_tensor_read(fsh_graph *graph, fsh_wire wire, fsh_span name, fsh_err *err)
{
    raw r = {.type = 0};
    fsh_span inside = {"", 0};

    if (!read_raw(wire, &r, &inside))
        return fsh_onnx_damaged(err, "a constant");
    if (!name.n)
        name = inside;
    if ((r.type != TYPE_FLOAT || r.field == 7) && (r.type != TYPE_INT64 || r.field == 4))
        return fsh_fail(err, FSH_MODEL, "constant %.*s is neither float nor int64",
                        (int)(name.n < 60 ? name.n : 60), name.at);
    return add_constant(graph, &r, name, err);
}

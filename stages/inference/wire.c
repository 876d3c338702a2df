#include "stages/inference/wire.h"

#include <string.h>

static bool
damage(fsh_wire *wire)
{
    wire->damaged = true;
    wire->at = wire->end;
    return false;
}

bool
fsh_wire_varint(fsh_wire *wire, uint64_t *value)
{
    uint64_t sum = 0;
    unsigned shift;

    if (wire->at == wire->end)
        return false;
    for (shift = 0; shift < 64 && wire->at < wire->end; shift += 7) {
        uint8_t byte = *wire->at++;

        if (shift == 63 && byte > 1)
            break;
        sum |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            *value = sum;
            return true;
        }
    }
    return damage(wire);
}

/* Little-endian number of n bytes. */
static bool
read_fixed(fsh_wire *wire, unsigned n, uint64_t *value)
{
    unsigned i;

    if ((size_t)(wire->end - wire->at) < n)
        return damage(wire);
    *value = 0;
    for (i = 0; i < n; i++)
        *value |= (uint64_t)*wire->at++ << 8 * i;
    return true;
}

static bool
read_bytes(fsh_wire *wire, fsh_wire *bytes)
{
    uint64_t n;

    if (!fsh_wire_varint(wire, &n) || n > (uint64_t)(wire->end - wire->at))
        return damage(wire);
    *bytes = (fsh_wire){wire->at, wire->at + n, false};
    wire->at += n;
    return true;
}

bool
fsh_wire_next(fsh_wire *wire, fsh_wire_field *field)
{
    uint64_t key;

    if (!fsh_wire_varint(wire, &key))
        return false;
    *field = (fsh_wire_field){.number = (uint32_t)(key >> 3), .kind = (fsh_wire_kind)(key & 7)};
    if (key >> 32 || !field->number)
        return damage(wire);
    switch (field->kind) {
    case FSH_WIRE_VARINT: return fsh_wire_varint(wire, &field->value) || damage(wire);
    case FSH_WIRE_FIXED64: return read_fixed(wire, 8, &field->value);
    case FSH_WIRE_FIXED32: return read_fixed(wire, 4, &field->value);
    case FSH_WIRE_BYTES: return read_bytes(wire, &field->bytes);
    }
    return damage(wire);
}

static float
from_bits(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

float
fsh_wire_float(const uint8_t *at)
{
    return from_bits((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
                     (uint32_t)at[3] << 24);
}

float
fsh_wire_real(const fsh_wire_field *field)
{
    return from_bits((uint32_t)field->value);
}

bool
fsh_wholes_add(fsh_wholes *list, const fsh_wire_field *field)
{
    fsh_wire packed = field->bytes;
    uint64_t value = field->value;
    bool one = field->kind == FSH_WIRE_VARINT;

    if (!one && field->kind != FSH_WIRE_BYTES)
        return false;
    while (one || fsh_wire_varint(&packed, &value)) {
        if (list->n == sizeof list->at / sizeof *list->at)
            return false;
        list->at[list->n++] = (int64_t)value;
        if (one)
            return true;
    }
    return !packed.damaged;
}

fsh_span
fsh_wire_span(fsh_wire bytes)
{
    return (fsh_span){(const char *)bytes.at, (size_t)(bytes.end - bytes.at)};
}

fsh_span
fsh_span_of(const char *text)
{
    return (fsh_span){text, strlen(text)};
}

bool
fsh_span_is(fsh_span a, fsh_span b)
{
    return a.n == b.n && (!a.n || !memcmp(a.at, b.at, a.n));
}

bool
fsh_span_says(fsh_span span, const char *text)
{
    return fsh_span_is(span, fsh_span_of(text));
}

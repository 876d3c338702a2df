/* The wire format of protocol buffers, read strictly: nothing is read past the end, and whatever is
 * cut off or overlong is told by `damaged`. Spans are borrowed from the bytes that are read. */
#ifndef FSH_STAGES_INFERENCE_WIRE_H
#define FSH_STAGES_INFERENCE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fsh_wire {
    const uint8_t *at, *end;
    bool damaged;
} fsh_wire;

typedef enum fsh_wire_kind {
    FSH_WIRE_VARINT = 0,
    FSH_WIRE_FIXED64 = 1,
    FSH_WIRE_BYTES = 2,
    FSH_WIRE_FIXED32 = 5
} fsh_wire_kind;

typedef struct fsh_wire_field {
    uint32_t number;
    fsh_wire_kind kind;
    uint64_t value; /* of the kinds without bytes */
    fsh_wire bytes; /* of BYTES: also a message or packed numbers to read on */
} fsh_wire_field;

/* A text that is not ended by a zero byte; borrowed as well. */
typedef struct fsh_span {
    const char *at;
    size_t n;
} fsh_span;

/* A list of whole numbers, such as strides. */
typedef struct fsh_wholes {
    int64_t at[12];
    uint32_t n;
} fsh_wholes;

/* False at the end, and where the rest is damaged. */
bool fsh_wire_next(fsh_wire *wire, fsh_wire_field *field);

/* The 32-bit float whose four bytes lie there, and the one that a field of kind FIXED32 is. */
float fsh_wire_float(const uint8_t *at);
float fsh_wire_real(const fsh_wire_field *field);

/* One packed number; false at the end, and where the rest is damaged. */
bool fsh_wire_varint(fsh_wire *wire, uint64_t *value);

/* Adds the numbers of a field, which come packed or one by one. False where they are damaged or too
 * many. */
bool fsh_wholes_add(fsh_wholes *list, const fsh_wire_field *field);

fsh_span fsh_wire_span(fsh_wire bytes);
fsh_span fsh_span_of(const char *text);
bool fsh_span_is(fsh_span a, fsh_span b);
bool fsh_span_says(fsh_span span, const char *text);

#endif

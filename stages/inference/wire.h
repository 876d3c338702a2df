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

/* False at the end, and where the rest is damaged. */
bool fsh_wire_next(fsh_wire *wire, fsh_wire_field *field);

/* One packed number; false at the end, and where the rest is damaged. */
bool fsh_wire_varint(fsh_wire *wire, uint64_t *value);

#endif

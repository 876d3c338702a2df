/* The messages of proto/messages.def: structs, encoding, decoding, and the table as a document.
 *
 *     fsh_message message = {.number = FSH_MESSAGE_CREDIT, .credit = {.units = 2}};
 *     fsh_message_encode(&message, FSH_FROM_WORKER, &bytes, &err);
 *
 *     fsh_message_decode(data, bytes, FSH_FROM_WORKER, &message, &err);
 *     switch (message.number) ...
 *     fsh_message_fini(&message);
 *
 * Both ends check every limit of the table. A message that breaks one is refused as a whole. */
#ifndef FSH_PROTO_MESSAGES_H
#define FSH_PROTO_MESSAGES_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/reason.h"
#include "base/status.h"
#include "base/text.h"
#include "proto/pieces.h"
#include "proto/report.h"

enum {
    FSH_PROTOCOL = 4,               /* edition of the table */
    FSH_HELD_MAX = 16,              /* leases that one worker may hold */
    FSH_SUSPECTS_MAX = 256,         /* samples of a unit under suspicion; also threads of a worker */
    FSH_MESSAGE_BYTES_MAX = 1 << 21 /* of any message on the wire */
};

/* Who speaks. The supervisor is the worker as its compute child knows it. */
typedef enum fsh_sender {
    FSH_FROM_COORDINATOR = 1,
    FSH_FROM_WORKER = 2,
    FSH_FROM_SUPERVISOR = 4,
    FSH_FROM_CHILD = 8
} fsh_sender;

typedef enum fsh_message_number {
#define MESSAGE(NAME, name, number, senders, help) FSH_MESSAGE_##NAME = number,
#define FIELD(name, field, type, low, high, help)
#define END(NAME, name)
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef END
} fsh_message_number;

/* A field of BYTES. */
typedef struct fsh_bytes {
    uint64_t n;
    const void *at;
} fsh_bytes;

/* One struct per message. A text, and what BYTES point at, is borrowed: from the sender's memory before encoding, from the
 * message after decoding; NULL is sent as an empty text. */
#define FSH_FIELD_U32(field, high)  uint32_t field;
#define FSH_FIELD_U64(field, high)  uint64_t field;
#define FSH_FIELD_TEXT(field, high) const char *field;
#define FSH_FIELD_HASH(field, high) fsh_hash field;
#define FSH_FIELD_BYTES(field, high) fsh_bytes field;
#define FSH_FIELD_U64S(field, high)                                                                \
    struct {                                                                                       \
        uint64_t n;                                                                                \
        uint64_t at[high];                                                                         \
    } field;
#define MESSAGE(NAME, name, number, senders, help) typedef struct fsh_message_##name {
#define FIELD(name, field, type, low, high, help)  FSH_FIELD_##type(field, high)
#define END(NAME, name) } fsh_message_##name;
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef END

typedef struct fsh_message {
    fsh_message_number number;
    char *memory; /* of decoded texts; owned */
    union {
#define MESSAGE(NAME, name, number, senders, help) fsh_message_##name name;
#define FIELD(name, field, type, low, high, help)
#define END(NAME, name)
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef END
    };
} fsh_message;

/* Appends the bytes of message to out. A message that this sender may not send, or that breaks a
 * limit, is INTERNAL and out is as before. */
fsh_status fsh_message_encode(const fsh_message *message, fsh_sender sender, fsh_text *out,
                              fsh_err *err);

/* Reads one message that has come from sender; free its texts with fsh_message_fini. Anything that
 * is not exactly one whole message of the table within its limits fails with FORMAT and leaves
 * *message untouched. */
fsh_status fsh_message_decode(const void *data, size_t bytes, fsh_sender sender,
                              fsh_message *message, fsh_err *err);

void fsh_message_fini(fsh_message *message);

/* "LEASE"; "unknown" for a number that is not in the table. */
const char *fsh_message_name(fsh_message_number number);

/* A DONE message with what report says, and back. */
void fsh_message_from_report(const fsh_report *report, uint64_t token, fsh_message *message);
void fsh_message_to_report(const fsh_message_done *done, fsh_report *report);

/* Appends the whole table as Markdown: the tables of docs/wire.md. */
void fsh_messages_print(fsh_text *out);

#endif

/* The codec is one loop over the rows of messages.def. Writing uses MessagePack-C. Reading does
 * not: its unpacker allocates what a header announces before the bytes are there, 6 GB for a
 * message of five bytes; the reader below takes at most one block, never larger than the message
 * that came. */
#include "proto/messages.h"

#include <inttypes.h>
#include <msgpack.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef enum field_type { TYPE_U32, TYPE_U64, TYPE_TEXT, TYPE_HASH, TYPE_U64S, TYPE_BYTES } field_type;

typedef struct field {
    const char *name;
    field_type type;
    size_t offset; /* in fsh_message */
    uint64_t low, high;
    const char *limits, *help;
} field;

typedef struct row {
    const char *name;
    fsh_message_number number;
    unsigned senders;
    const char *help;
    const field *fields;
    uint32_t fields_n;
} row;

#define MESSAGE(NAME, name, number, senders, help) static const field name##_fields[] = {
#define FIELD(name, field, type, low, high, help)                                                  \
    {#field, TYPE_##type, offsetof(fsh_message, name.field), low, high, #low " to " #high, help},
#define END(NAME, name) };
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef END

static const row rows[] = {
#define MESSAGE(NAME, name, number, senders, help)                                                 \
    {#NAME, FSH_MESSAGE_##NAME, senders,                                                           \
     help,  name##_fields,      sizeof name##_fields / sizeof *name##_fields},
#define FIELD(name, field, type, low, high, help)
#define END(NAME, name)
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef END
};

enum { ROWS_N = sizeof rows / sizeof *rows };

static const row *
find_row(uint64_t number)
{
    uint32_t i;

    for (i = 0; i < ROWS_N; i++)
        if (rows[i].number == number)
            return &rows[i];
    return NULL;
}

static bool
in_limits(const field *limits, uint64_t value)
{
    return value >= limits->low && value <= limits->high;
}

const char *
fsh_message_name(fsh_message_number number)
{
    const row *found = find_row(number);

    return found ? found->name : "unknown";
}

/* ---- writing ---- */

static const void *
field_of(const fsh_message *message, const field *which)
{
    return (const char *)message + which->offset;
}

static const char *
text_of(const void *value)
{
    const char *text = *(const char *const *)value;

    return text ? text : "";
}

/* The number that the limits of a field are about. */
static uint64_t
measure(const void *value, field_type type)
{
    switch (type) {
    case TYPE_U32: return *(const uint32_t *)value;
    case TYPE_TEXT: return strlen(text_of(value));
    case TYPE_HASH: return FSH_HASH_BYTES;
    case TYPE_U64:
    case TYPE_U64S:
    case TYPE_BYTES: break; /* both begin with their number */
    }
    return *(const uint64_t *)value;
}

static void
write_list(msgpack_packer *packer, const uint64_t *list)
{
    uint64_t i;

    msgpack_pack_array(packer, list[0]);
    for (i = 1; i <= list[0]; i++)
        msgpack_pack_uint64(packer, list[i]);
}

static void
write_field(msgpack_packer *packer, const void *value, field_type type, uint64_t measured)
{
    switch (type) {
    case TYPE_U32:
    case TYPE_U64: msgpack_pack_uint64(packer, measured); break;
    case TYPE_TEXT: msgpack_pack_str_with_body(packer, text_of(value), measured); break;
    case TYPE_HASH: msgpack_pack_bin_with_body(packer, value, measured); break;
    case TYPE_U64S: write_list(packer, value); break;
    case TYPE_BYTES:
        msgpack_pack_bin_with_body(packer, ((const fsh_bytes *)value)->at, measured);
        break;
    }
}

static int
append(void *out, const char *data, size_t bytes)
{
    fsh_text_add_bytes(out, data, bytes);
    return 0;
}

static fsh_status
check_message(const row *found, const fsh_message *message, fsh_err *err)
{
    uint32_t i;

    for (i = 0; i < found->fields_n; i++) {
        const field *limits = &found->fields[i];
        uint64_t measured = measure(field_of(message, limits), limits->type);

        if (!in_limits(limits, measured))
            return fsh_fail(err, FSH_INTERNAL, "message %s: %s is %" PRIu64 ", allowed is %s",
                            found->name, limits->name, measured, limits->limits);
    }
    return FSH_OK;
}

fsh_status
fsh_message_encode(const fsh_message *message, fsh_sender sender, fsh_text *out, fsh_err *err)
{
    const row *found = find_row(message->number);
    msgpack_packer packer;
    fsh_status status;
    uint32_t i;

    if (!found || !(found->senders & sender))
        return fsh_fail(err, FSH_INTERNAL, "message %u is not ours to send", message->number);
    status = check_message(found, message, err);
    if (status)
        return status;
    msgpack_packer_init(&packer, out, append);
    msgpack_pack_array(&packer, found->fields_n + 1);
    msgpack_pack_uint64(&packer, found->number);
    for (i = 0; i < found->fields_n; i++) {
        const void *value = field_of(message, &found->fields[i]);

        write_field(&packer, value, found->fields[i].type, measure(value, found->fields[i].type));
    }
    return fsh_text_ok(out) ? FSH_OK : fsh_fail(err, FSH_MEMORY, "no memory for a message");
}

/* ---- reading ---- */

typedef enum kind { KIND_NUMBER, KIND_TEXT, KIND_BYTES, KIND_ARRAY } kind;

typedef struct reader {
    const uint8_t *at, *end;
    char *memory; /* where the next text or bytes go */
} reader;

/* How MessagePack begins an item whose value or length does not fit into the first byte. */
static const struct {
    uint8_t first, kind, width;
} heads[] = {{0xcc, KIND_NUMBER, 1}, {0xcd, KIND_NUMBER, 2}, {0xce, KIND_NUMBER, 4},
             {0xcf, KIND_NUMBER, 8}, {0xd9, KIND_TEXT, 1},   {0xda, KIND_TEXT, 2},
             {0xdb, KIND_TEXT, 4},   {0xc4, KIND_BYTES, 1},  {0xc5, KIND_BYTES, 2},
             {0xc6, KIND_BYTES, 4},  {0xdc, KIND_ARRAY, 2},  {0xdd, KIND_ARRAY, 4}};

/* The value in the first byte itself, or -1. */
static int
short_value(uint8_t first, kind wanted)
{
    switch (wanted) {
    case KIND_NUMBER: return first < 0x80 ? first : -1;
    case KIND_TEXT: return (first & 0xe0) == 0xa0 ? first & 0x1f : -1;
    case KIND_ARRAY: return (first & 0xf0) == 0x90 ? first & 0x0f : -1;
    case KIND_BYTES: break;
    }
    return -1;
}

static unsigned
head_width(uint8_t first, kind wanted)
{
    uint32_t i;

    for (i = 0; i < sizeof heads / sizeof *heads; i++)
        if (heads[i].first == first && heads[i].kind == wanted)
            return heads[i].width;
    return 0;
}

/* Reads the number itself, or the length of what follows. */
static bool
read_head(reader *in, kind wanted, uint64_t *value)
{
    int small;
    unsigned width;

    if (in->at == in->end)
        return false;
    small = short_value(*in->at, wanted);
    width = small < 0 ? head_width(*in->at, wanted) : 0;
    if ((small < 0 && width == 0) || (size_t)(in->end - in->at) < 1 + width)
        return false;
    in->at++;
    for (*value = small < 0 ? 0 : (uint64_t)small; width; width--)
        *value = *value << 8 | *in->at++;
    return true;
}

static bool
read_body(reader *in, uint64_t bytes, void *out)
{
    if ((uint64_t)(in->end - in->at) < bytes)
        return false;
    memcpy(out, in->at, bytes);
    in->at += bytes;
    return true;
}

/* A text of n bytes took at least n + 1 on the wire, so a block as large as the message holds all
 * of them with their ending zeros. */
static bool
read_text(reader *in, uint64_t bytes, void *value)
{
    char *text = in->memory;

    if (!read_body(in, bytes, text) || memchr(text, 0, bytes))
        return false;
    text[bytes] = '\0';
    in->memory += bytes + 1;
    *(const char **)value = text;
    return true;
}

static bool
read_bytes(reader *in, uint64_t n, fsh_bytes *bytes)
{
    *bytes = (fsh_bytes){n, in->memory};
    if (!read_body(in, n, in->memory))
        return false;
    in->memory += n;
    return true;
}

static bool
read_list(reader *in, uint64_t n, uint64_t *list)
{
    uint64_t i;

    list[0] = n;
    for (i = 1; i <= n; i++)
        if (!read_head(in, KIND_NUMBER, &list[i]))
            return false;
    return true;
}

static bool
read_field(reader *in, const field *which, void *value)
{
    static const kind kinds[] = {KIND_NUMBER, KIND_NUMBER, KIND_TEXT, KIND_BYTES, KIND_ARRAY,
                                 KIND_BYTES};
    uint64_t measured;

    if (!read_head(in, kinds[which->type], &measured) || !in_limits(which, measured))
        return false;
    switch (which->type) {
    case TYPE_U32: *(uint32_t *)value = (uint32_t)measured; return true;
    case TYPE_U64: *(uint64_t *)value = measured; return true;
    case TYPE_TEXT: return read_text(in, measured, value);
    case TYPE_HASH: return read_body(in, measured, value);
    case TYPE_U64S: return read_list(in, measured, value);
    case TYPE_BYTES: return read_bytes(in, measured, value);
    }
    return false;
}

static fsh_status
read_message(reader *in, fsh_sender sender, fsh_message *message, fsh_err *err)
{
    uint64_t items, number;
    const row *found;
    uint32_t i;

    if (!read_head(in, KIND_ARRAY, &items) || !read_head(in, KIND_NUMBER, &number))
        return fsh_fail(err, FSH_FORMAT, "not a message");
    found = find_row(number);
    if (!found || !(found->senders & sender) || items != found->fields_n + 1)
        return fsh_fail(err, FSH_FORMAT, "no message that may come from this side: number %" PRIu64,
                        number);
    message->number = found->number;
    for (i = 0; i < found->fields_n; i++)
        if (!read_field(in, &found->fields[i], (char *)message + found->fields[i].offset))
            return fsh_fail(err, FSH_FORMAT, "message %s: %s is broken or not %s", found->name,
                            found->fields[i].name, found->fields[i].limits);
    return in->at == in->end
               ? FSH_OK
               : fsh_fail(err, FSH_FORMAT, "message %s: bytes after its end", found->name);
}

fsh_status
fsh_message_decode(const void *data, size_t bytes, fsh_sender sender, fsh_message *message,
                   fsh_err *err)
{
    reader in = {data, (const uint8_t *)data + bytes, NULL};
    fsh_message aside = {0};
    fsh_status status;

    if (bytes > FSH_MESSAGE_BYTES_MAX)
        return fsh_fail(err, FSH_FORMAT, "a message of %zu bytes is too long", bytes);
    aside.memory = malloc(bytes + 1);
    if (!aside.memory)
        return fsh_fail(err, FSH_MEMORY, "no memory for a message");
    in.memory = aside.memory;
    status = read_message(&in, sender, &aside, err);
    if (status)
        fsh_message_fini(&aside);
    else
        *message = aside;
    return status;
}

void
fsh_message_fini(fsh_message *message)
{
    free(message->memory);
    memset(message, 0, sizeof *message);
}

/* ---- reports ---- */

void
fsh_message_from_report(const fsh_report *report, uint64_t token, fsh_message *message)
{
    fsh_message_done *done = &message->done;

    *message = (fsh_message){.number = FSH_MESSAGE_DONE};
    done->unit = report->unit;
    done->token = token;
    done->samples = report->samples;
    done->delivered = report->delivered;
    done->images = report->images;
    done->bytes = report->bytes;
    done->shard_hash = report->shard_hash;
    done->rejected.n = FSH_REASON_N;
    memcpy(done->rejected.at, report->rejected, sizeof report->rejected);
    done->times_ns.n = FSH_REPORT_TIMES_MAX;
    memcpy(done->times_ns.at, report->times_ns, sizeof report->times_ns);
}

void
fsh_message_to_report(const fsh_message_done *done, fsh_report *report)
{
    *report = (fsh_report){.unit = done->unit,
                           .samples = done->samples,
                           .delivered = done->delivered,
                           .images = done->images,
                           .bytes = done->bytes,
                           .shard_hash = done->shard_hash};
    memcpy(report->rejected, done->rejected.at, done->rejected.n * sizeof *report->rejected);
    memcpy(report->times_ns, done->times_ns.at, done->times_ns.n * sizeof *report->times_ns);
}

/* ---- the document ---- */

static void
print_senders(unsigned senders, fsh_text *out)
{
    static const char *const names[] = {"coordinator", "worker", "supervisor", "child"};
    const char *separator = "";
    uint32_t i;

    for (i = 0; i < 4; i++)
        if (senders & 1u << i) {
            fsh_text_addf(out, "%s%s", separator, names[i]);
            separator = ", ";
        }
}

void
fsh_messages_print(fsh_text *out)
{
    static const char *const types[] = {"U32", "U64", "TEXT", "HASH", "U64S", "BYTES"};
    uint32_t i, k;

    for (i = 0; i < ROWS_N; i++) {
        fsh_text_addf(out, "### %u %s\nFrom: ", rows[i].number, rows[i].name);
        print_senders(rows[i].senders, out);
        fsh_text_addf(out, ". %s.\n\n| field | type | limits | |\n|---|---|---|---|\n",
                      rows[i].help);
        for (k = 0; k < rows[i].fields_n; k++)
            fsh_text_addf(out, "| %s | %s | %" PRIu64 " to %" PRIu64 " | %s |\n",
                          rows[i].fields[k].name, types[rows[i].fields[k].type],
                          rows[i].fields[k].low, rows[i].fields[k].high, rows[i].fields[k].help);
        fsh_text_add(out, "\n");
    }
}

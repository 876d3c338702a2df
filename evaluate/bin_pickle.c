/* The machine that runs a pickle of lists, tuples, bytes and truth values, and nothing else. Every
 * length is compared with what is left of the file before it is believed; nothing is copied. */
#include <stdlib.h>
#include <string.h>

#include "evaluate/bin_parts.h"

enum { PROTOCOL_MAX = 5, LINE_MAX = 16 };

typedef enum opcode {
#define TAKE(byte, name) OPCODE_##name = byte,
#define REFUSE(byte, name)
#include "evaluate/bin_opcodes.def"
#undef TAKE
#undef REFUSE
} opcode;

static const char *const names[256] = {
#define TAKE(byte, name) [byte] = #name,
#define REFUSE(byte, name) [byte] = #name,
#include "evaluate/bin_opcodes.def"
#undef TAKE
#undef REFUSE
};

static fsh_status
refuse(const fsh_bin_machine *m, const char *why, fsh_err *err)
{
    uint8_t byte = m->data[m->opcode_at];

    return fsh_fail(err, FSH_FORMAT, "%s: %s (0x%02x) at offset %zu: %s", m->name,
                    names[byte] ? names[byte] : "no opcode", byte, m->opcode_at, why);
}

static fsh_status
push(fsh_bin_machine *m, fsh_bin_values *to, fsh_bin_value value, fsh_err *err)
{
    uint32_t more = to->capacity ? to->capacity : 16;
    fsh_bin_value *grown;

    if (to->n == to->capacity) {
        if (m->values_n + more > FSH_BIN_VALUES_MAX)
            return refuse(m, "more values than a set of pictures has", err);
        if (!(grown = realloc(to->at, (to->capacity + more) * sizeof *grown)))
            return fsh_fail(err, FSH_MEMORY, "%s: out of memory", m->name);
        to->at = grown;
        to->capacity += more;
        m->values_n += more;
    }
    to->at[to->n++] = value;
    return FSH_OK;
}

/* Takes a whole number of so many bytes, little endian, from the file. */
static fsh_status
take_number(fsh_bin_machine *m, uint32_t bytes, uint64_t *number, fsh_err *err)
{
    uint32_t i;

    if (m->bytes - m->at < bytes)
        return refuse(m, "the file ends inside it", err);
    *number = 0;
    for (i = 0; i < bytes; i++)
        *number |= (uint64_t)m->data[m->at++] << 8 * i;
    return FSH_OK;
}

/* Bytes or text, behind a length of so many bytes. */
static fsh_status
take_bytes(fsh_bin_machine *m, uint32_t length_bytes, fsh_bin_kind kind, fsh_err *err)
{
    uint64_t n = 0;
    fsh_status status = take_number(m, length_bytes, &n, err);

    if (status)
        return status;
    if (m->bytes - m->at < n)
        return refuse(m, "the file ends inside it", err);
    m->at += (size_t)n;
    return push(m, &m->stack, (fsh_bin_value){kind, m->at - (size_t)n, (size_t)n}, err);
}

/* A short line of digits: "01\n". */
static fsh_status
take_digits(fsh_bin_machine *m, char line[LINE_MAX], fsh_err *err)
{
    uint32_t n = 0;

    for (; m->at < m->bytes && m->data[m->at] != '\n'; m->at++) {
        if (n + 1 == LINE_MAX || m->data[m->at] < '0' || m->data[m->at] > '9')
            return refuse(m, "is not followed by a short line of digits", err);
        line[n++] = (char)m->data[m->at];
    }
    if (m->at == m->bytes || !n)
        return refuse(m, "is not followed by a short line of digits", err);
    m->at++;
    line[n] = '\0';
    return FSH_OK;
}

/* Protocols 0 and 1 write truth as the numbers 01 and 00. */
static fsh_status
take_truth(fsh_bin_machine *m, fsh_err *err)
{
    char line[LINE_MAX];
    fsh_status status = take_digits(m, line, err);

    if (status)
        return status;
    if (strcmp(line, "00") != 0 && strcmp(line, "01") != 0)
        return refuse(m, "a number where only 00 and 01 are read, for false and true", err);
    return push(m, &m->stack, (fsh_bin_value){FSH_BIN_TRUTH, 0, line[1] == '1'}, err);
}

/* Where the values begin that lie above the last mark; takes the mark away. */
static fsh_status
take_mark(fsh_bin_machine *m, uint32_t *from, fsh_err *err)
{
    if (!m->marks_n)
        return refuse(m, "there is no mark", err);
    *from = m->marks[--m->marks_n];
    return FSH_OK;
}

static fsh_status
put_mark(fsh_bin_machine *m, fsh_err *err)
{
    if (m->marks_n == FSH_BIN_MARKS_MAX)
        return refuse(m, "nested deeper than a set of pictures is", err);
    m->marks[m->marks_n++] = m->stack.n;
    return FSH_OK;
}

/* Values that a mark lies above are out of reach until the mark is taken. */
static bool
has_values(const fsh_bin_machine *m, uint32_t n)
{
    uint32_t floor = m->marks_n ? m->marks[m->marks_n - 1] : 0;

    return m->stack.n - floor >= n;
}

/* Moves the values from `from` up into the list. */
static fsh_status
move_into(fsh_bin_machine *m, fsh_bin_values *list, uint32_t from, fsh_err *err)
{
    fsh_status status = FSH_OK;
    uint32_t i;

    for (i = from; i < m->stack.n && !status; i++)
        status = push(m, list, m->stack.at[i], err);
    m->stack.n = from;
    return status;
}

/* A list or tuple of the values from `from` up. */
static fsh_status
make_list(fsh_bin_machine *m, fsh_bin_kind kind, uint32_t from, fsh_err *err)
{
    fsh_bin_value made = {kind, m->lists_n, 0};
    fsh_status status;

    if (m->lists_n == FSH_BIN_LISTS_MAX)
        return refuse(m, "more lists than a set of pictures has", err);
    status = move_into(m, &m->lists[m->lists_n++], from, err);
    return status ? status : push(m, &m->stack, made, err);
}

/* The values from `from` up go into the list below them. */
static fsh_status
append(fsh_bin_machine *m, uint32_t from, fsh_err *err)
{
    uint32_t floor = m->marks_n ? m->marks[m->marks_n - 1] : 0;

    if (from <= floor || m->stack.at[from - 1].kind != FSH_BIN_LIST)
        return refuse(m, "there is no list", err);
    return move_into(m, &m->lists[m->stack.at[from - 1].at], from, err);
}

static fsh_status
remember(fsh_bin_machine *m, uint64_t place, fsh_err *err)
{
    fsh_status status = FSH_OK;

    if (!has_values(m, 1))
        return refuse(m, "there is nothing to keep", err);
    if (place > FSH_BIN_VALUES_MAX)
        return refuse(m, "more values than a set of pictures has", err);
    while (m->memo.n <= place && !status)
        status = push(m, &m->memo, (fsh_bin_value){FSH_BIN_NOTHING, 0, 0}, err);
    if (!status)
        m->memo.at[place] = m->stack.at[m->stack.n - 1];
    return status;
}

static fsh_status
recall(fsh_bin_machine *m, uint64_t place, fsh_err *err)
{
    if (place >= m->memo.n || m->memo.at[place].kind == FSH_BIN_NOTHING)
        return refuse(m, "nothing was kept there", err);
    return push(m, &m->stack, m->memo.at[place], err);
}

/* PUT, GET and their kin: a place as digits (bytes 0) or as a number of so many bytes. */
static fsh_status
use_memo(fsh_bin_machine *m, uint32_t bytes,
         fsh_status (*use)(fsh_bin_machine *, uint64_t, fsh_err *), fsh_err *err)
{
    char line[LINE_MAX];
    uint64_t place = 0;
    fsh_status status = bytes ? take_number(m, bytes, &place, err) : take_digits(m, line, err);

    if (status)
        return status;
    return use(m, bytes ? place : strtoull(line, NULL, 10), err);
}

static fsh_status
begin(fsh_bin_machine *m, fsh_err *err)
{
    uint64_t protocol = 0;
    fsh_status status = take_number(m, 1, &protocol, err);

    if (!status && protocol > PROTOCOL_MAX)
        status = refuse(m, "a protocol that is not known", err);
    return status;
}

static fsh_status
run_on_mark(fsh_bin_machine *m, uint8_t byte, fsh_err *err)
{
    uint32_t from = 0;
    fsh_status status = take_mark(m, &from, err);

    if (status)
        return status;
    if (byte == OPCODE_APPENDS)
        return append(m, from, err);
    return make_list(m, byte == OPCODE_LIST ? FSH_BIN_LIST : FSH_BIN_TUPLE, from, err);
}

static fsh_status
run_on_values(fsh_bin_machine *m, uint8_t byte, fsh_err *err)
{
    uint32_t n = byte == OPCODE_EMPTY_LIST ? 0 : byte == OPCODE_APPEND ? 1 : 2;

    if (!has_values(m, n))
        return refuse(m, "too few values", err);
    if (byte == OPCODE_APPEND)
        return append(m, m->stack.n - 1, err);
    return make_list(m, byte == OPCODE_TUPLE2 ? FSH_BIN_TUPLE : FSH_BIN_LIST, m->stack.n - n, err);
}

static fsh_status
run_opcode(fsh_bin_machine *m, uint8_t byte, fsh_err *err)
{
    uint64_t unused;

    switch (byte) {
    case OPCODE_PROTO: return begin(m, err);
    case OPCODE_FRAME: return take_number(m, 8, &unused, err);
    case OPCODE_MARK: return put_mark(m, err);
    case OPCODE_LIST:
    case OPCODE_TUPLE:
    case OPCODE_APPENDS: return run_on_mark(m, byte, err);
    case OPCODE_EMPTY_LIST:
    case OPCODE_APPEND:
    case OPCODE_TUPLE2: return run_on_values(m, byte, err);
    case OPCODE_SHORT_BINSTRING:
    case OPCODE_SHORT_BINBYTES: return take_bytes(m, 1, FSH_BIN_BYTES, err);
    case OPCODE_BINSTRING:
    case OPCODE_BINBYTES: return take_bytes(m, 4, FSH_BIN_BYTES, err);
    case OPCODE_BINBYTES8: return take_bytes(m, 8, FSH_BIN_BYTES, err);
    case OPCODE_SHORT_BINUNICODE: return take_bytes(m, 1, FSH_BIN_TEXT, err);
    case OPCODE_BINUNICODE: return take_bytes(m, 4, FSH_BIN_TEXT, err);
    case OPCODE_NEWTRUE: return push(m, &m->stack, (fsh_bin_value){FSH_BIN_TRUTH, 0, 1}, err);
    case OPCODE_NEWFALSE: return push(m, &m->stack, (fsh_bin_value){FSH_BIN_TRUTH, 0, 0}, err);
    case OPCODE_INT: return take_truth(m, err);
    case OPCODE_PUT: return use_memo(m, 0, remember, err);
    case OPCODE_BINPUT: return use_memo(m, 1, remember, err);
    case OPCODE_LONG_BINPUT: return use_memo(m, 4, remember, err);
    case OPCODE_MEMOIZE: return remember(m, m->memo.n, err);
    case OPCODE_GET: return use_memo(m, 0, recall, err);
    case OPCODE_BINGET: return use_memo(m, 1, recall, err);
    case OPCODE_LONG_BINGET: return use_memo(m, 4, recall, err);
    default:
        return refuse(m, "is refused: sets of pictures need none, and a pickle may be a program",
                      err);
    }
}

fsh_status
fsh_bin_run(fsh_bin_machine *m, fsh_bin_value *result, fsh_err *err)
{
    fsh_status status = FSH_OK;

    for (; m->at < m->bytes && !status;) {
        m->opcode_at = m->at;
        if (m->data[m->at++] == OPCODE_STOP)
            break;
        status = run_opcode(m, m->data[m->opcode_at], err);
    }
    if (status)
        return status;
    if (!m->bytes || m->data[m->opcode_at] != OPCODE_STOP)
        return fsh_fail(err, FSH_FORMAT, "%s: ends at offset %zu without a STOP: truncated",
                        m->name, m->bytes);
    if (m->at < m->bytes)
        return refuse(m, "there are bytes behind the end", err);
    if (m->stack.n != 1 || m->marks_n)
        return refuse(m, "does not leave one value", err);
    *result = m->stack.at[0];
    return FSH_OK;
}

void
fsh_bin_machine_fini(fsh_bin_machine *m)
{
    uint32_t i;

    free(m->stack.at);
    free(m->memo.at);
    for (i = 0; i < m->lists_n; i++)
        free(m->lists[i].at);
    *m = (fsh_bin_machine){0};
}

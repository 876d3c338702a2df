#include "datasets/records.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/pictures.h"

enum { PART_HEAD = 8 };

static uint32_t
u32_at(const uint8_t *data)
{
    return (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
           (uint32_t)data[3] << 24;
}

static uint64_t
u64_at(const uint8_t *data)
{
    return u32_at(data) | (uint64_t)u32_at(data + 4) << 32;
}

static float
f32_at(const uint8_t *data)
{
    uint32_t bits = u32_at(data);
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* One part: where its bytes lie and the next begins, and what kind it is. */
typedef struct part {
    uint64_t at, bytes, next;
    uint32_t kind; /* 0 the only one, 1 first, 2 middle, 3 last */
    bool there;
} part;

static fsh_status
look_at_part(fsh_window *window, uint64_t at, part *p, fsh_err *err)
{
    const uint8_t *data;
    size_t n;
    uint32_t length;
    fsh_status status = fsh_window_get(window, at, PART_HEAD, &data, &n, err);

    *p = (part){.at = at + PART_HEAD};
    if (status || n < PART_HEAD || u32_at(data) != FSH_RECORD_MAGIC)
        return status;
    length = u32_at(data + 4);
    p->kind = length >> 29;
    p->bytes = length & FSH_RECORD_PART_MAX;
    p->next = p->at + (p->bytes + 3) / 4 * 4;
    p->there = p->kind <= 3 && p->at + p->bytes <= window->size;
    return FSH_OK;
}

/* What is done with each piece of a payload. */
typedef fsh_status piece_taker(void *self, const uint8_t *data, size_t n, fsh_err *err);

static fsh_status
give_bytes(fsh_window *window, const part *p, uint64_t most, piece_taker *take, void *self,
           fsh_err *err)
{
    uint64_t left = p->bytes < most ? p->bytes : most, at = p->at;
    const uint8_t *data;
    fsh_status status = FSH_OK;
    size_t n = 1;

    for (; left && n && !status; left -= n, at += n) {
        status = fsh_window_get(window, at, left < window->room ? (size_t)left : window->room,
                                &data, &n, err);
        if (!status)
            status = take(self, data, n, err);
    }
    return status;
}

/* Goes through the parts of the record at a place and gives the payload's first `most` bytes. */
static fsh_status
walk(fsh_window *window, uint64_t at, uint64_t most, piece_taker *take, void *self,
     fsh_record *record, fsh_err *err)
{
    static const uint8_t magic[4] = {0x0a, 0x23, 0xd7, 0xce};
    part p = {.next = at};
    fsh_status status;
    bool first = true;

    *record = (fsh_record){.at = at, .end = at};
    do {
        if ((status = look_at_part(window, p.next, &p, err)) || !p.there || first != (p.kind < 2))
            return status;
        if (!first && record->bytes < most)
            status = take(self, magic, sizeof magic, err);
        record->bytes += first ? 0 : sizeof magic;
        if (!status && record->bytes < most)
            status = give_bytes(window, &p, most - record->bytes, take, self, err);
        if (status)
            return status;
        record->bytes += p.bytes;
        record->end = p.next;
        first = false;
    } while (p.kind == 1 || p.kind == 2);
    record->whole = true;
    return FSH_OK;
}

static fsh_status
take_first(void *self, const uint8_t *data, size_t n, fsh_err *err)
{
    fsh_record *first = self;
    size_t room = sizeof first->first - first->first_n;

    (void)err;
    n = n < room ? n : room;
    memcpy(first->first + first->first_n, data, n);
    first->first_n += n;
    return FSH_OK;
}

/* A record that is cut in its first part says whose it is all the same. */
static fsh_status
look_at_rest(fsh_window *window, uint64_t at, fsh_record *first, fsh_err *err)
{
    const uint8_t *data;
    size_t n;
    part p;
    fsh_status status = look_at_part(window, at, &p, err);

    if (status || p.there || p.next == 0 || p.kind > 1)
        return status;
    status = fsh_window_get(window, p.at, FSH_RECORD_FIRST, &data, &n, err);
    if (!status)
        status = take_first(first, data, n < p.bytes ? n : (size_t)p.bytes, err);
    first->bytes = p.bytes;
    return status;
}

fsh_status
fsh_record_look(fsh_window *window, uint64_t at, fsh_record *record, fsh_err *err)
{
    fsh_record first = {.first_n = 0};
    fsh_status status = walk(window, at, FSH_RECORD_FIRST, take_first, &first, record, err);

    if (!status && record->end == at) {
        status = look_at_rest(window, at, &first, err);
        record->bytes = first.bytes;
    }
    record->first_n = first.first_n;
    memcpy(record->first, first.first, sizeof record->first);
    return status;
}

/* Inside a payload there is no magic number at such a place, so where one stands a part begins. */
fsh_status
fsh_record_resume(fsh_window *window, uint64_t at, uint64_t *next, fsh_err *err)
{
    fsh_status status = FSH_OK;
    uint64_t found;
    part p;

    for (at = (at + 4) / 4 * 4; at < window->size; at = found - found % 4 + 4) {
        if ((status = fsh_window_find(window, at, FSH_RECORD_MAGIC & 0xff, &found, err)))
            return status;
        if (found % 4 != 0)
            continue;
        if ((status = look_at_part(window, found, &p, err)))
            return status;
        if (p.there && p.kind < 2) {
            *next = found;
            return FSH_OK;
        }
    }
    *next = window->size;
    return FSH_OK;
}

/* ---- whole payloads ---- */

typedef struct payload {
    uint8_t *data;
    size_t n, room;
} payload;

static fsh_status
take_piece(void *self, const uint8_t *data, size_t n, fsh_err *err)
{
    payload *to = self;

    (void)err;
    n = n < to->room - to->n ? n : to->room - to->n;
    memcpy(to->data + to->n, data, n);
    to->n += n;
    return FSH_OK;
}

fsh_status
fsh_record_read(fsh_window *window, uint64_t at, uint8_t **data, size_t *bytes, fsh_reason *reason,
                fsh_err *err)
{
    payload to = {0};
    fsh_record record;
    fsh_status status = fsh_record_look(window, at, &record, err);

    *reason = !record.whole                          ? FSH_REASON_CORRUPT
              : record.bytes > FSH_PICTURE_BYTES_MAX ? FSH_REASON_TOO_LARGE
                                                     : FSH_REASON_NONE;
    if (status || *reason)
        return status;
    to.room = (size_t)record.bytes;
    if (!(to.data = malloc(to.room + 1)))
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", window->path);
    status = walk(window, at, to.room, take_piece, &to, &record, err);
    if (!status && to.n != to.room) /* it has changed meanwhile */
        *reason = FSH_REASON_CORRUPT;
    if (status || *reason) {
        free(to.data);
        return status;
    }
    *data = to.data;
    *bytes = to.n;
    return FSH_OK;
}

bool
fsh_record_head_read(const uint8_t *first, size_t first_n, uint64_t bytes, fsh_record_head *head)
{
    if (first_n < FSH_RECORD_HEADER)
        return false;
    head->flag = u32_at(first);
    head->label = f32_at(first + 4);
    head->id = u64_at(first + 8);
    head->last = NAN;
    head->header = FSH_RECORD_HEADER + 4 * (uint64_t)head->flag;
    if (head->header > bytes)
        return false;
    if (head->flag > 0 && first_n >= FSH_RECORD_HEADER + 4)
        head->label = f32_at(first + FSH_RECORD_HEADER);
    if (head->flag > 1 && first_n >= FSH_RECORD_HEADER + 8)
        head->last = f32_at(first + FSH_RECORD_HEADER + 4);
    return true;
}

/* Reader `mscelebtsv`: the TSV of MS-Celeb-1M, a line for each picture, separated by tabs:
 *     7 columns   MID, search rank, image URL, page URL, FaceId-N, rectangle, picture
 *     6 columns   MID, query, search rank, image URL, page URL, picture     (older thumbnails)
 * with the picture in base64. An identity is a MID; a sample is named RANK-FaceId-N.jpg, or
 * RANK.jpg, as the lists of others name them, for one rank may have many faces. A sample's place is
 * its line: one pass finds them all without looking at the pictures. What is no such line is a
 * sample all the same, rejected when it is loaded. */
#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "datasets/pictures.h"
#include "datasets/places.h"
#include "datasets/readers.h"
#include "datasets/window.h"

enum { COLUMNS_OLD = 6, COLUMNS = 7, MID_MAX = 255, HEAD_BYTES = 1 << 16 };

/* Bytes of a line that are read: base64 of the largest picture, and the columns before it. */
#define LINE_BYTES_MAX ((uint64_t)FSH_PICTURE_BYTES_MAX / 3 * 4 + HEAD_BYTES)

/* fsh_place.name: rank and face, or the mark of a line that is none. */
#define NO_FACE UINT32_MAX
#define NO_LINE UINT64_MAX

static uint64_t
pack(uint32_t rank, uint32_t face)
{
    return (uint64_t)rank << 32 | face;
}

/* ---- a line ---- */

/* The columns of a line that tell what it is; beginnings and lengths. */
typedef struct columns {
    const char *at[COLUMNS + 1];
    size_t bytes[COLUMNS + 1];
    unsigned n; /* at most one more than there may be */
} columns;

static columns
split(const char *line, size_t bytes)
{
    columns c = {.n = 0};
    const char *end = line + bytes, *tab;

    do {
        tab = memchr(line, '\t', (size_t)(end - line));
        c.at[c.n] = line;
        c.bytes[c.n++] = (size_t)((tab ? tab : end) - line);
        line = tab ? tab + 1 : end;
    } while (tab && c.n <= COLUMNS);
    return c;
}

/* A number of at most nine digits, with no other bytes. */
static bool
read_number(const char *text, size_t bytes, uint32_t *number)
{
    size_t i;

    *number = 0;
    for (i = 0; i < bytes && i < 10 && isdigit((unsigned char)text[i]); i++)
        *number = *number * 10 + (uint32_t)(text[i] - '0');
    return bytes > 0 && bytes < 10 && i == bytes;
}

/* "FaceId-12", or the number alone. */
static bool
read_face(const char *text, size_t bytes, uint32_t *face)
{
    static const char prefix[] = "FaceId-";
    size_t n = sizeof prefix - 1;
    bool has = bytes > n && memcmp(text, prefix, n) == 0;

    return has ? read_number(text + n, bytes - n, face) : read_number(text, bytes, face);
}

/* The key of a line, or NO_LINE. */
static uint64_t
read_key(const columns *c)
{
    uint32_t rank, face = NO_FACE;
    unsigned at = c->n == COLUMNS ? 1 : 2;

    if ((c->n != COLUMNS && c->n != COLUMNS_OLD) || !read_number(c->at[at], c->bytes[at], &rank))
        return NO_LINE;
    if (c->n == COLUMNS && !read_face(c->at[4], c->bytes[4], &face))
        return NO_LINE;
    return pack(rank, face);
}

static bool
has_mid(const columns *c)
{
    return c->n > 1 && c->bytes[0] > 0 && c->bytes[0] <= MID_MAX &&
           !memchr(c->at[0], '\0', c->bytes[0]);
}

/* ---- scanning ---- */

/* What a line's columns tell; the number of its bytes is not known yet. */
static fsh_status
read_place(fsh_places *places, uint64_t at, const columns *c, fsh_place *place, fsh_err *err)
{
    bool named = has_mid(c);

    *place = (fsh_place){.at = at, .name = named ? read_key(c) : NO_LINE};
    return fsh_places_identity(places, named ? c->at[0] : FSH_UNLABELLED,
                               named ? c->bytes[0] : strlen(FSH_UNLABELLED), &place->identity, err);
}

/* All columns but the picture lie in the beginning of a line; in one that is not so long they all
 * do. */
static fsh_status
scan_lines(fsh_window *window, fsh_places *places, fsh_err *err)
{
    const uint8_t *head, *newline;
    uint64_t at, end;
    size_t n;
    columns c;
    fsh_place place;
    fsh_status status = FSH_OK;

    for (at = 0; at < window->size && !status; at = end + 1) {
        status = fsh_window_get(window, at, HEAD_BYTES, &head, &n, err);
        if (status || n == 0)
            return status;
        newline = memchr(head, '\n', n);
        n = newline ? (size_t)(newline - head) : n;
        end = at + n;
        if (n == 0 || (n == 1 && head[0] == '\r'))
            continue;
        c = split((const char *)head, n);
        status = read_place(places, at, &c, &place, err);
        if (!status && !newline)
            status = fsh_window_find(window, end, '\n', &end, err);
        place.more = end - at < UINT32_MAX ? (uint32_t)(end - at) : UINT32_MAX;
        if (!status)
            status = fsh_places_add(places, place, err);
    }
    return status;
}

/* So many digits that numbers compare as their texts do: 12 before 2. */
static uint64_t
text_order(uint32_t number)
{
    uint64_t scaled = number;

    while (scaled && scaled < UINT64_C(1000000000))
        scaled *= 10;
    return scaled;
}

static int
compare_numbers(uint32_t x, uint32_t y)
{
    uint64_t a = text_order(x), b = text_order(y);

    if (a != b)
        return a < b ? -1 : 1;
    return (x > y) - (x < y); /* 1 before 10 */
}

/* Lines that are none come last; '-' stands before '.', so a rank with faces before one without. */
static int
compare(const void *a, const void *b, void *self)
{
    const fsh_place *x = a, *y = b;
    int order = (x->name == NO_LINE) - (y->name == NO_LINE);

    (void)self;
    if (!order)
        order = compare_numbers((uint32_t)(x->name >> 32), (uint32_t)(y->name >> 32));
    if (!order && ((uint32_t)x->name == NO_FACE || (uint32_t)y->name == NO_FACE))
        order = ((uint32_t)x->name == NO_FACE) - ((uint32_t)y->name == NO_FACE);
    if (!order)
        order = compare_numbers((uint32_t)x->name, (uint32_t)y->name);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static void
name(void *self, const fsh_place *place, fsh_text *out)
{
    uint32_t rank = (uint32_t)(place->name >> 32), face = (uint32_t)place->name;

    (void)self;
    if (place->name == NO_LINE)
        fsh_text_addf(out, "at-%012" PRIu64, place->at);
    else if (face == NO_FACE)
        fsh_text_addf(out, "%" PRIu32 ".jpg", rank);
    else
        fsh_text_addf(out, "%" PRIu32 "-FaceId-%" PRIu32 ".jpg", rank, face);
}

static void
line_bytes(void *self, const fsh_place *place, fsh_text *out)
{
    (void)self;
    fsh_text_addf(out, "%" PRIu32, place->more);
}

static fsh_status
tsv_scan(const char *input, const fsh_scan_sink *sink, fsh_err *err)
{
    static const fsh_place_kind kind = {.compare = compare, .name = name, .more = line_bytes};
    fsh_places places = {.sink = sink};
    fsh_window window;
    fsh_status status = fsh_window_open(&window, input, FSH_WINDOW_SCAN, err);

    if (!status)
        status = scan_lines(&window, &places, err);
    fsh_window_close(&window);
    if (!status)
        status = fsh_places_give(&places, &kind, NULL, sink, err);
    fsh_places_fini(&places);
    return status;
}

/* ---- loading ---- */

/* The picture of a line that was read whole. */
static fsh_status
take_picture(const char *identity, const char *line, size_t n, uint8_t **data, size_t *bytes,
             fsh_reason *reason, fsh_err *err)
{
    columns c = split(line, n && line[n - 1] == '\r' ? n - 1 : n);
    const char *text = c.at[c.n - 1];
    size_t text_n = c.bytes[c.n - 1];
    bool same = strlen(identity) == c.bytes[0] && memcmp(identity, line, c.bytes[0]) == 0;

    *reason = strcmp(identity, FSH_UNLABELLED) == 0 ? FSH_REASON_NO_LABEL
              : !same                               ? FSH_REASON_CHANGED
              : read_key(&c) == NO_LINE             ? FSH_REASON_CORRUPT
              : text_n == 0                         ? FSH_REASON_EMPTY
                                                    : FSH_REASON_NONE;
    if (*reason)
        return FSH_OK;
    if (!(*data = malloc(fsh_base64_bytes(text_n) + 1)))
        return fsh_fail(err, FSH_MEMORY, "out of memory for a picture");
    if (fsh_base64_decode(text, text_n, *data, bytes))
        return FSH_OK;
    free(*data);
    *data = NULL;
    *reason = FSH_REASON_CORRUPT;
    return FSH_OK;
}

static fsh_status
read_line(const char *input, uint64_t at, uint64_t bytes, uint8_t **line, size_t *n,
          fsh_reason *reason, fsh_err *err)
{
    fsh_window window;
    const uint8_t *there = NULL;
    fsh_status status = fsh_window_open(&window, input, (size_t)bytes + 1, err);

    if (!status && fsh_window_get(&window, at, (size_t)bytes, &there, n, NULL))
        *reason = FSH_REASON_UNREADABLE;
    else if (!status && *n < bytes)
        *reason = FSH_REASON_CHANGED;
    if (!status && !*reason) {
        *line = window.data; /* the window begins with it */
        window.data = NULL;
    }
    fsh_window_close(&window);
    return status;
}

static fsh_status
tsv_load(const char *input, const char *identity, const char *sample, uint8_t **data, size_t *bytes,
         fsh_reason *reason, fsh_err *err)
{
    fsh_place_name place;
    uint8_t *line = NULL;
    uint64_t line_n;
    size_t n = 0;
    fsh_status status = fsh_place_parse(sample, &place, err);

    *reason = FSH_REASON_NONE;
    if (status)
        return status;
    line_n = strtoull(place.more, NULL, 10);
    if (line_n > LINE_BYTES_MAX) {
        *reason = FSH_REASON_TOO_LARGE;
        return FSH_OK;
    }
    status = read_line(input, place.at, line_n, &line, &n, reason, err);
    if (!status && !*reason)
        status = take_picture(identity, (char *)line, n, data, bytes, reason, err);
    free(line);
    return status;
}

static bool
tsv_fits(const char *input)
{
    char *head = malloc(HEAD_BYTES), *end;
    int fd = open(input, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    ssize_t n = head && fd >= 0 ? read(fd, head, HEAD_BYTES) : -1;
    columns c = {.n = 0};

    if (n > 0) {
        end = memchr(head, '\n', (size_t)n);
        c = split(head, end ? (size_t)(end - head) : (size_t)n);
    }
    if (fd >= 0)
        close(fd);
    n = c.n > 0 && has_mid(&c) && read_key(&c) != NO_LINE;
    free(head);
    return n;
}

const fsh_reader fsh_reader_mscelebtsv = {
    .format = "mscelebtsv",
    .summary = "the TSV of MS-Celeb-1M: 7 columns, or the older 6, with pictures in base64",
    .fits = tsv_fits,
    .scan = tsv_scan,
    .load = tsv_load,
    .source = fsh_place_source,
};

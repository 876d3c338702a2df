/* Reader `recordio`: train.rec as insightface and MXNet write it (datasets/records.h), with
 * train.idx, which says the key and place of each record; where that is missing, the .rec is gone
 * through and a record's key is the id in its header. Beside it may lie `property` (number of
 * classes, height, width) and identities.tsv (a line for each class: its number, a tab, its name).
 *
 * An identity is a class, named by eight digits so that byte order is that of the numbers. With
 * `property` classes without a picture are identities too: labels stay what they were. A sample is
 * a record that holds a picture, named by its key; records about identities hold none and are left.
 * They are told by having no picture, not by the ranges that record 0 gives as floats, which are
 * exact only up to 16,777,216. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/pictures.h"
#include "datasets/places.h"
#include "datasets/readers.h"
#include "datasets/record_files.h"
#include "datasets/record_index.h"
#include "datasets/records.h"

enum { CLASSES_MAX = 1 << 24, CLASS_NAME_MAX = 1023 };
#define AT_PLACE (UINT64_C(1) << 63) /* in fsh_place.name: no key, named by its place */

/* ---- scanning ---- */

typedef struct scanning {
    fsh_record_files files;
    fsh_window window;
    fsh_places places;
    uint64_t classes_n; /* that are known to be there */
    char **names;       /* of classes, where there are any; pointers into memory */
    uint8_t *memory;
    uint64_t names_n;
    uint64_t zeros; /* records whose id is 0 */
} scanning;

static void
scanning_fini(scanning *s)
{
    fsh_window_close(&s->window);
    fsh_places_fini(&s->places);
    free(s->names);
    free(s->memory);
}

static fsh_status
identity_of_class(scanning *s, uint64_t class, uint32_t *identity, fsh_err *err)
{
    char digits[32];
    const char *name = class < s->names_n ? s->names[class] : digits;

    snprintf(digits, sizeof digits, "%08" PRIu64, class);
    return fsh_places_identity(&s->places, name, strlen(name), identity, err);
}

/* A label is a whole number that a float holds exactly; anything else names nobody. */
static fsh_status
identity_of(scanning *s, double label, uint32_t *identity, fsh_err *err)
{
    if (!(label >= 0 && label < CLASSES_MAX) || label != floor(label))
        return fsh_places_identity(&s->places, FSH_UNLABELLED, strlen(FSH_UNLABELLED), identity,
                                   err);
    return identity_of_class(s, (uint64_t)label, identity, err);
}

/* Records about identities: no picture, and two labels that are a range of keys. */
static bool
is_about_identities(const fsh_record *record, const fsh_record_head *head)
{
    return head->flag > 0 && record->whole && record->bytes == head->header &&
           (head->id == 0 || (head->label <= head->last && head->last >= 1));
}

/* Adds the record at a place under a key, unless it is about identities. */
static fsh_status
add_record(scanning *s, uint64_t key, const fsh_record *record, bool keyed, fsh_err *err)
{
    fsh_place place = {.at = record->at, .name = key, .more = (uint32_t)s->places.n};
    fsh_record_head head = {.label = NAN};
    bool readable = fsh_record_head_read(record->first, record->first_n, record->bytes, &head);
    fsh_status status;

    if (readable && is_about_identities(record, &head))
        return FSH_OK;
    if (!keyed && readable) {
        place.name = head.id <= FSH_RECORD_KEY_MAX ? head.id : record->at | AT_PLACE;
        s->zeros += head.id == 0;
    }
    status = identity_of(s, readable ? head.label : NAN, &place.identity, err);
    return status ? status : fsh_places_add(&s->places, place, err);
}

/* Without an index: from record to record. */
static fsh_status
go_through(scanning *s, fsh_err *err)
{
    fsh_record record;
    uint64_t at = 0, i;
    fsh_status status = FSH_OK;

    while (at < s->window.size && !status) {
        status = fsh_record_look(&s->window, at, &record, err);
        if (!status)
            status = add_record(s, at | AT_PLACE, &record, false, err);
        if (!status && record.whole)
            at = record.end;
        else if (!status)
            status = fsh_record_resume(&s->window, at, &at, err);
    }
    /* Ids that are all 0 are no keys: records are counted instead. */
    for (i = 0; i < s->places.n && s->zeros > 1; i++)
        if (!(s->places.at[i].name & AT_PLACE))
            s->places.at[i].name = s->places.at[i].more;
    return status;
}

/* ---- the index ---- */

/* What an entry points at that is no record is a damaged sample. */
static fsh_status
follow_index(scanning *s, const fsh_record_index *index, fsh_err *err)
{
    fsh_record record;
    fsh_status status = FSH_OK;
    size_t i;

    for (i = 0; i < index->n && !status; i++) {
        status = fsh_record_look(&s->window, index->at[i].at, &record, err);
        if (!status)
            status = add_record(s, index->at[i].key, &record, true, err);
    }
    return status;
}

static fsh_status
go_by_index(scanning *s, fsh_err *err)
{
    fsh_record_index index = {0};
    fsh_status status = fsh_record_index_read(s->files.index, &index, err);

    if (!status)
        status = follow_index(s, &index, err);
    free(index.at);
    return status;
}

/* ---- classes ---- */

/* property: "85742,112,112". */
static fsh_status
read_property(scanning *s, fsh_err *err)
{
    unsigned long long classes;
    FILE *file = fopen(s->files.property, "re");
    int found;

    if (!file)
        return errno == ENOENT
                   ? FSH_OK
                   : fsh_fail_errno(err, errno, "%s: cannot be opened", s->files.property);
    found = fscanf(file, "%llu", &classes);
    fclose(file);
    if (found != 1 || classes > CLASSES_MAX)
        return fsh_fail(err, FSH_FORMAT,
                        "%s: expected CLASSES,HEIGHT,WIDTH with at most %d classes; without this "
                        "file classes are those that have pictures",
                        s->files.property, CLASSES_MAX);
    s->classes_n = classes;
    return FSH_OK;
}

/* Takes identities.tsv apart, in place. */
static fsh_status
take_names(scanning *s, char *text, fsh_err *err)
{
    char *line, *end;

    while ((line = strsep(&text, "\n")) && *line) {
        size_t n = strlen(line);

        if (line[n - 1] == '\r')
            line[n - 1] = '\0';
        if (strtoull(line, &end, 10) != s->names_n || *end != '\t' || !end[1] ||
            strlen(end + 1) > CLASS_NAME_MAX)
            return fsh_fail(err, FSH_FORMAT,
                            "%s:%" PRIu64 ": expected class %" PRIu64 ", a tab and its name",
                            s->files.identities, s->names_n + 1, s->names_n);
        s->names[s->names_n++] = end + 1;
    }
    return FSH_OK;
}

static fsh_status
read_names(scanning *s, fsh_err *err)
{
    size_t bytes, i, lines = 1;
    fsh_status status;

    if (!fsh_file_exists(s->files.identities))
        return FSH_OK;
    status = fsh_file_read(s->files.identities, 1 << 30, &s->memory, &bytes, err);
    for (i = 0; i < bytes && !status; i++)
        lines += s->memory[i] == '\n';
    if (!status && !(s->names = calloc(lines, sizeof *s->names)))
        status = fsh_fail(err, FSH_MEMORY, "%s: out of memory", s->files.identities);
    if (!status)
        status = take_names(s, (char *)s->memory, err);
    s->classes_n = s->classes_n > s->names_n ? s->classes_n : s->names_n;
    return status;
}

/* Classes that are known to be there are identities, with or without a picture. */
static fsh_status
add_classes(scanning *s, fsh_err *err)
{
    fsh_status status = read_property(s, err);
    uint32_t identity;
    uint64_t i;

    if (!status)
        status = read_names(s, err);
    for (i = 0; i < s->classes_n && !status; i++)
        status = identity_of_class(s, i, &identity, err);
    return status;
}

/* ---- the order of a scan ---- */

static int
compare(const void *a, const void *b, void *self)
{
    const fsh_place *x = a, *y = b;

    (void)self;
    if (x->name != y->name)
        return x->name < y->name ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static void
name(void *self, const fsh_place *place, fsh_text *out)
{
    (void)self;
    if (place->name & AT_PLACE)
        fsh_text_addf(out, "at-%012" PRIu64, place->at);
    else
        fsh_text_addf(out, "%010" PRIu64, place->name);
}

static void
no_more(void *self, const fsh_place *place, fsh_text *out)
{
    (void)self;
    (void)place;
    (void)out;
}

static fsh_status
recordio_scan(const char *input, const fsh_scan_sink *sink, fsh_err *err)
{
    static const fsh_place_kind kind = {.compare = compare, .name = name, .more = no_more};
    scanning s = {.places = {.sink = sink}};
    fsh_status status = fsh_record_files_find(input, &s.files, err);

    if (!status)
        status = fsh_window_open(&s.window, s.files.record, FSH_WINDOW_SCAN, err);
    if (!status)
        status = add_classes(&s, err);
    if (!status)
        status = fsh_file_exists(s.files.index) ? go_by_index(&s, err) : go_through(&s, err);
    if (!status)
        status = fsh_places_give(&s.places, &kind, NULL, sink, err);
    scanning_fini(&s);
    return status;
}

/* ---- loading ---- */

/* Leaves of a payload what is behind its header. */
static fsh_status
take_picture(const char *identity, uint8_t *payload, size_t payload_n, uint8_t **data,
             size_t *bytes, fsh_reason *reason)
{
    fsh_record_head head;

    if (!fsh_record_head_read(payload, payload_n, payload_n, &head))
        *reason = FSH_REASON_CORRUPT;
    else if (strcmp(identity, FSH_UNLABELLED) == 0)
        *reason = FSH_REASON_NO_LABEL;
    else if (head.header == payload_n)
        *reason = FSH_REASON_EMPTY;
    if (*reason) {
        free(payload);
        return FSH_OK;
    }
    *bytes = payload_n - (size_t)head.header;
    memmove(payload, payload + head.header, *bytes);
    *data = payload;
    return FSH_OK;
}

static fsh_status
recordio_load(const char *input, const char *identity, const char *sample, uint8_t **data,
              size_t *bytes, fsh_reason *reason, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_place_name place;
    fsh_window window = {.file = -1};
    uint8_t *payload = NULL;
    size_t n = 0;
    fsh_status status = fsh_place_parse(sample, &place, err);

    if (!status)
        status = fsh_record_find(input, path, err);
    if (!status)
        status = fsh_window_open(&window, path, FSH_WINDOW_LOAD, err);
    if (!status && fsh_record_read(&window, place.at, &payload, &n, reason, err))
        *reason = FSH_REASON_UNREADABLE;
    if (!status && payload)
        status = take_picture(identity, payload, n, data, bytes, reason);
    fsh_window_close(&window);
    return status;
}

static bool
begins_with_record(const char *path)
{
    fsh_window window;
    fsh_record record = {.whole = false};

    if (fsh_window_open(&window, path, FSH_WINDOW_LOAD, NULL) == FSH_OK &&
        fsh_record_look(&window, 0, &record, NULL) != FSH_OK)
        record.whole = false;
    fsh_window_close(&window);
    return record.whole || record.first_n > 0;
}

static bool
recordio_fits(const char *input)
{
    return fsh_record_named(input) || begins_with_record(input);
}

const fsh_reader fsh_reader_recordio = {
    .format = "recordio",
    .summary = "train.rec of insightface or MXNet, or the folder that it lies in, with train.idx "
               "or without",
    .fits = recordio_fits,
    .scan = recordio_scan,
    .load = recordio_load,
    .source = fsh_place_source,
};

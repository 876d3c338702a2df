/* Writer `recordio`: train.rec, train.idx, property and identities.tsv, as insightface's trainers
 * read them (datasets/records.h): pictures have keys from 1 with their class as label, behind them
 * comes a record for each class with the range of its keys, and at last record 0 with the range of
 * those. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/text.h"
#include "datasets/records.h"
#include "datasets/writer.h"

#define LABEL_MAX (1 << 24) /* that a float holds exactly */

typedef struct records {
    const fsh_writing *writing;
    FILE *rec, *idx;
    uint64_t at, key; /* of the next record */
    uint64_t *first;  /* key of each class, and one more; 0: not known yet */
    fsh_text payload;
} records;

static void
put_u32(fsh_text *out, uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                        (uint8_t)(value >> 24)};

    fsh_text_add_bytes(out, bytes, sizeof bytes);
}

static void
put_f32(fsh_text *out, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    put_u32(out, bits);
}

/* Begins a payload: flag, label, id, id2. */
static void
begin_payload(records *to, uint32_t flag, float label, uint64_t id)
{
    fsh_text_clear(&to->payload);
    put_u32(&to->payload, flag);
    put_f32(&to->payload, label);
    put_u32(&to->payload, (uint32_t)id);
    put_u32(&to->payload, (uint32_t)(id >> 32));
    put_u32(&to->payload, flag ? 1 : 0);
    put_u32(&to->payload, 0);
}

static void
write_part(records *to, uint32_t kind, const char *bytes, size_t n)
{
    static const char zeros[4] = {0};
    fsh_text head = {0};

    put_u32(&head, FSH_RECORD_MAGIC);
    put_u32(&head, kind << 29 | (uint32_t)n);
    fwrite(fsh_text_get(&head), 1, head.bytes, to->rec);
    fwrite(bytes, 1, n, to->rec);
    fwrite(zeros, 1, (4 - n % 4) % 4, to->rec);
    to->at += head.bytes + (n + 3) / 4 * 4;
    fsh_text_fini(&head);
}

/* Writes the payload as a record; cut where the magic number stands at a multiple of four. */
static fsh_status
write_record(records *to, uint64_t key, fsh_err *err)
{
    static const char magic[4] = "\x0a\x23\xd7\xce";
    const char *data = fsh_text_get(&to->payload);
    size_t n = to->payload.bytes, begin = 0, i;

    if (!fsh_text_ok(&to->payload))
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    if (n > FSH_RECORD_PART_MAX)
        return fsh_fail(err, FSH_USAGE, "a picture of %zu bytes is more than a record may hold", n);
    fprintf(to->idx, "%" PRIu64 "\t%" PRIu64 "\n", key, to->at);
    for (i = 0; i + 4 <= n; i += 4) {
        if (memcmp(data + i, magic, 4) != 0)
            continue;
        write_part(to, begin ? 2 : 1, data + begin, i - begin);
        begin = i + 4;
    }
    write_part(to, begin ? 3 : 0, data + begin, n - begin);
    if (ferror(to->rec) || ferror(to->idx))
        return fsh_fail_errno(err, errno, "%s: cannot be written", to->writing->folder);
    return FSH_OK;
}

static fsh_status
open_file(const fsh_writing *writing, const char *name, FILE **file, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(path, writing->folder, name, err);

    if (!status && !(*file = fopen(path, "wxe")))
        status = fsh_fail_errno(err, errno, "%s: cannot be made", path);
    return status;
}

static fsh_status records_close(void **self, bool keep, fsh_err *err);

static fsh_status
records_open(const fsh_writing *writing, void **self, fsh_err *err)
{
    records *to = calloc(1, sizeof *to);
    fsh_status status;

    if (!to)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    *to = (records){.writing = writing, .key = 1};
    *self = to;
    status = open_file(writing, "train.rec", &to->rec, err);
    if (!status)
        status = open_file(writing, "train.idx", &to->idx, err);
    if (!status && writing->identities_n > LABEL_MAX)
        status = fsh_fail(err, FSH_USAGE,
                          "%" PRIu64 " identities are more than RecordIO can number: its labels "
                          "are floats, exact up to %d; choose another --format",
                          writing->identities_n, LABEL_MAX);
    if (!status && !(to->first = calloc(writing->identities_n + 1, sizeof *to->first)))
        status = fsh_fail(err, FSH_MEMORY, "out of memory");
    if (status)
        records_close(self, false, NULL);
    return status;
}

static fsh_status
records_put(void *self, const fsh_written *picture, fsh_err *err)
{
    records *to = self;

    if (picture->label < 0 || (uint64_t)picture->label >= to->writing->identities_n)
        return fsh_fail(err, FSH_FORMAT, "label %" PRId64 " is that of no identity",
                        picture->label);
    if (!to->first[picture->label])
        to->first[picture->label] = to->key;
    begin_payload(to, 0, (float)picture->label, to->key);
    fsh_text_add_bytes(&to->payload, picture->data, picture->bytes);
    return write_record(to, to->key++, err);
}

/* Behind the pictures: a record for each class, and record 0. */
static fsh_status
write_ranges(records *to, fsh_err *err)
{
    uint64_t n = to->writing->identities_n, pictures_end = to->key, i;
    fsh_status status = FSH_OK;

    to->first[n] = pictures_end;
    for (i = n; i-- > 0;) /* classes without a picture: an empty range */
        to->first[i] = to->first[i] ? to->first[i] : to->first[i + 1];
    for (i = 0; i < n && !status; i++) {
        begin_payload(to, 2, 0, to->key);
        put_f32(&to->payload, (float)to->first[i]);
        put_f32(&to->payload, (float)to->first[i + 1]);
        status = write_record(to, to->key++, err);
    }
    begin_payload(to, 2, 0, 0);
    put_f32(&to->payload, (float)pictures_end);
    put_f32(&to->payload, (float)to->key);
    return status ? status : write_record(to, 0, err);
}

static fsh_status
write_classes(const records *to, fsh_err *err)
{
    const fsh_writing *writing = to->writing;
    fsh_text text = {0};
    uint64_t i;
    fsh_status status;

    fsh_text_addf(&text, "%" PRIu64 ",%u,%u\n", writing->identities_n, writing->size,
                  writing->size);
    status = fsh_file_write_text(writing->folder, "property", &text, err);
    fsh_text_clear(&text);
    for (i = 0; writing->identities && i < writing->identities_n; i++)
        fsh_text_addf(&text, "%" PRIu64 "\t%s\n", i, writing->identities[i]);
    if (!status && text.bytes)
        status = fsh_file_write_text(writing->folder, "identities.tsv", &text, err);
    fsh_text_fini(&text);
    return status;
}

static fsh_status
close_file(const records *to, FILE *file, fsh_status status, fsh_err *err)
{
    if (file && fclose(file) != 0 && !status)
        status = fsh_fail_errno(err, errno, "%s: cannot be written", to->writing->folder);
    return status;
}

static fsh_status
records_close(void **self, bool keep, fsh_err *err)
{
    records *to = *self;
    fsh_status status = FSH_OK;

    if (!to)
        return FSH_OK;
    if (keep)
        status = write_ranges(to, err);
    status = close_file(to, to->rec, status, err);
    status = close_file(to, to->idx, status, err);
    if (keep && !status)
        status = write_classes(to, err);
    fsh_text_fini(&to->payload);
    free(to->first);
    free(to);
    *self = NULL;
    return status;
}

const fsh_writer fsh_writer_recordio = {
    .format = "recordio",
    .summary = "train.rec, train.idx and property, as insightface and MXNet read them",
    .open = records_open,
    .put = records_put,
    .close = records_close,
};

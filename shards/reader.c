/* libfaceshard-reader: what others read our files with, made of read.h. */
#include "shards/faceshard_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "shards/read.h"

_Static_assert((int)FACESHARD_RAW == (int)FSH_ENCODING_RAW &&
                   (int)FACESHARD_JPEG == (int)FSH_ENCODING_JPEG &&
                   (int)FACESHARD_PNG == (int)FSH_ENCODING_PNG &&
                   (int)FACESHARD_NONE == (int)FSH_ENCODING_NONE,
               "what is told is what the file says");

enum { BLOCK_ROWS = 512, PARTS_MOST = 12 };

/* Rows `first` to `first` + n - 1 of some columns of one table. */
typedef struct block {
    uint64_t first;
    size_t n;
    void *parts[PARTS_MOST]; /* a piece of memory a column */
} block;

struct faceshard_reader {
    fsh_shard_file *file;
    faceshard_facts facts;
    block rows, rejected;
    int64_t *labels; /* of the identities, */
    char **names;    /* and their names, by label */
};

typedef struct part {
    fsh_shard_column column;
    size_t bytes; /* of a row; 0: text */
} part;

enum {
    ROW_LABEL,
    ROW_VARIANT,
    ROW_SAMPLE,
    ROW_SOURCE,
    ROW_BOX,
    ROW_MASK,
    ROW_MEAN,
    ROW_FLAGGED,
    ROW_WORN,
    ROW_N
};
enum { OUT_SOURCE, OUT_LABEL, OUT_REASON, OUT_VALUE, OUT_VARIANT, OUT_WORN, OUT_BOX, OUT_N };

static const part row_columns[ROW_N] = {
    {FSH_COLUMN_LABEL, 8},         {FSH_COLUMN_VARIANT, 1}, {FSH_COLUMN_SAMPLE_ID, 8},
    {FSH_COLUMN_SOURCE, 0},        {FSH_COLUMN_BOX, 16},    {FSH_COLUMN_MASK_CLASS, 1},
    {FSH_COLUMN_MEAN_DISTANCE, 4}, {FSH_COLUMN_FLAGGED, 1}, {FSH_COLUMN_WORN, 0}};
static const part out_columns[OUT_N] = {
    {FSH_COLUMN_REJECTED_SOURCE, 0},  {FSH_COLUMN_REJECTED_LABEL, 8},
    {FSH_COLUMN_REJECTED_REASON, 0},  {FSH_COLUMN_REJECTED_VALUE, 4},
    {FSH_COLUMN_REJECTED_VARIANT, 1}, {FSH_COLUMN_REJECTED_WORN, 0},
    {FSH_COLUMN_REJECTED_BOX, 16}};

/* ---- errors ---- */

static int
result_of(fsh_status status, const fsh_err *err, faceshard_why *why)
{
    if (status && why)
        memcpy(why->text, err->text, sizeof why->text);
    switch (status) {
    case FSH_OK: return FACESHARD_OK;
    case FSH_FORMAT: return FACESHARD_FORMAT;
    case FSH_MEMORY: return FACESHARD_MEMORY;
    case FSH_USAGE: return FACESHARD_RANGE;
    default: return FACESHARD_IO;
    }
}

static fsh_status
check_row(uint64_t row, uint64_t rows, fsh_err *err)
{
    return row < rows ? FSH_OK
                      : fsh_fail(err, FSH_USAGE, "row %llu of %llu is asked for",
                                 (unsigned long long)row, (unsigned long long)rows);
}

/* ---- blocks ---- */

static void
drop(block *of)
{
    int i;

    for (i = 0; i < PARTS_MOST; i++) {
        free(of->parts[i]);
        of->parts[i] = NULL;
    }
    of->n = 0;
}

static fsh_status
load_part(fsh_shard_file *file, const part *what, uint64_t first, size_t n, void **to, fsh_err *err)
{
    if (!what->bytes)
        return fsh_shard_read_texts(file, what->column, first, n, (char ***)to, err);
    *to = malloc(n * what->bytes);
    return *to ? fsh_shard_read(file, what->column, first, n, *to, err)
               : fsh_fail(err, FSH_MEMORY, "out of memory");
}

/* Has the row in the block. */
static fsh_status
load(fsh_shard_file *file, const part *columns, int columns_n, uint64_t row, uint64_t rows,
     block *of, fsh_err *err)
{
    fsh_status status = check_row(row, rows, err);
    int i;

    if (status || (row >= of->first && row < of->first + of->n))
        return status;
    drop(of);
    of->first = row / BLOCK_ROWS * BLOCK_ROWS;
    of->n = rows - of->first < BLOCK_ROWS ? (size_t)(rows - of->first) : BLOCK_ROWS;
    for (i = 0; i < columns_n && !status; i++)
        status = load_part(file, &columns[i], of->first, of->n, &of->parts[i], err);
    if (status)
        drop(of);
    return status;
}

/* ---- opening ---- */

static fsh_status
read_names(faceshard_reader *reader, fsh_err *err)
{
    size_t n = reader->facts.identities;
    fsh_status status;

    reader->labels = malloc((n + 1) * sizeof *reader->labels);
    if (!reader->labels)
        return fsh_fail(err, FSH_MEMORY, "out of memory for %zu names", n);
    status = fsh_shard_read(reader->file, FSH_COLUMN_IDENTITY_LABEL, 0, n, reader->labels, err);
    return status ? status
                  : fsh_shard_read_texts(reader->file, FSH_COLUMN_IDENTITY_NAME, 0, n,
                                         &reader->names, err);
}

/* HDF5 gives zeros for the rows of a shard that is not there. */
static fsh_status
check_shards(faceshard_reader *reader, const char *path, fsh_err *err)
{
    uint64_t n = fsh_shard_get_info(reader->file)->rows[FSH_TABLE_SHARDS], i;
    const char *name = fsh_path_name(path);
    char folder[FSH_PATH_BYTES], shard[FSH_PATH_BYTES], **files = NULL;
    fsh_status status = FSH_OK;

    if (!fsh_shard_get_info(reader->file)->index)
        return FSH_OK;
    snprintf(folder, sizeof folder, "%.*s", (int)(name - path), path);
    status = fsh_shard_read_texts(reader->file, FSH_COLUMN_SHARD_FILE, 0, n, &files, err);
    for (i = 0; i < n && !status; i++) {
        status = fsh_path_join(shard, folder[0] ? folder : ".", files[i], err);
        if (!status && !fsh_file_exists(shard))
            status = fsh_fail(
                err, FSH_IO,
                "%s: %s is missing, which it names: run the job again, or copy the whole folder",
                path, shard);
    }
    free(files);
    return status;
}

static void
take_facts(faceshard_reader *reader)
{
    const fsh_shard_info *info = fsh_shard_get_info(reader->file);

    reader->facts = (faceshard_facts){.is_index = info->index,
                                      .pictures = info->rows[FSH_TABLE_ROWS],
                                      .rejected = info->rows[FSH_TABLE_REJECTED],
                                      .identities = info->rows[FSH_TABLE_IDENTITIES],
                                      .size = info->meta.size,
                                      .dimension = info->meta.dimension,
                                      .seed = info->meta.seed,
                                      .encoding = (int)info->meta.encoding,
                                      .variants = info->meta.variants,
                                      .stages = info->meta.stages,
                                      .models = info->meta.models,
                                      .job_hash = info->meta.job_hash,
                                      .version = info->meta.version};
}

int
faceshard_reader_open(const char *path, faceshard_reader **reader, faceshard_why *why)
{
    faceshard_reader *opened = calloc(1, sizeof *opened);
    fsh_err err = {""};
    fsh_status status = opened ? FSH_OK : fsh_fail(&err, FSH_MEMORY, "out of memory");

    *reader = NULL;
    if (!status)
        status = fsh_shard_open(path, &opened->file, &err);
    if (!status) {
        take_facts(opened);
        status = read_names(opened, &err);
    }
    if (!status)
        status = check_shards(opened, path, &err);
    if (status)
        faceshard_reader_close(opened);
    else
        *reader = opened;
    return result_of(status, &err, why);
}

void
faceshard_reader_close(faceshard_reader *reader)
{
    if (!reader)
        return;
    drop(&reader->rows);
    drop(&reader->rejected);
    free(reader->labels);
    free(reader->names);
    fsh_shard_close(&reader->file);
    free(reader);
}

const faceshard_facts *
faceshard_reader_facts(const faceshard_reader *reader)
{
    return &reader->facts;
}

/* Identities stand in the order of their labels. */
const char *
faceshard_reader_name(const faceshard_reader *reader, int64_t label)
{
    uint64_t low = 0, high = reader->facts.identities;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (reader->labels[middle] < label)
            low = middle + 1;
        else
            high = middle;
    }
    return low < reader->facts.identities && reader->labels[low] == label ? reader->names[low]
                                                                          : NULL;
}

/* ---- rows ---- */

int
faceshard_reader_row(faceshard_reader *reader, uint64_t row, faceshard_row *out, faceshard_why *why)
{
    block *of = &reader->rows;
    fsh_err err = {""};
    fsh_status status =
        load(reader->file, row_columns, ROW_N, row, reader->facts.pictures, of, &err);
    size_t at = (size_t)(row - of->first);

    if (status)
        return result_of(status, &err, why);
    *out = (faceshard_row){.label = ((int64_t *)of->parts[ROW_LABEL])[at],
                           .sample_id = ((uint64_t *)of->parts[ROW_SAMPLE])[at],
                           .source = ((char **)of->parts[ROW_SOURCE])[at],
                           .worn = ((char **)of->parts[ROW_WORN])[at],
                           .mean_distance = ((float *)of->parts[ROW_MEAN])[at],
                           .variant = ((uint8_t *)of->parts[ROW_VARIANT])[at],
                           .flagged = ((uint8_t *)of->parts[ROW_FLAGGED])[at],
                           .mask_class = ((int8_t *)of->parts[ROW_MASK])[at]};
    memcpy(out->box, (int32_t *)of->parts[ROW_BOX] + 4 * at, sizeof out->box);
    return FACESHARD_OK;
}

int
faceshard_reader_rejected(faceshard_reader *reader, uint64_t row, faceshard_rejected *out,
                          faceshard_why *why)
{
    block *of = &reader->rejected;
    fsh_err err = {""};
    fsh_status status =
        load(reader->file, out_columns, OUT_N, row, reader->facts.rejected, of, &err);
    size_t at = (size_t)(row - of->first);

    if (status)
        return result_of(status, &err, why);
    *out = (faceshard_rejected){.label = ((int64_t *)of->parts[OUT_LABEL])[at],
                                .source = ((char **)of->parts[OUT_SOURCE])[at],
                                .reason = ((char **)of->parts[OUT_REASON])[at],
                                .worn = ((char **)of->parts[OUT_WORN])[at],
                                .value = ((float *)of->parts[OUT_VALUE])[at],
                                .variant = ((uint8_t *)of->parts[OUT_VARIANT])[at]};
    memcpy(out->box, (int32_t *)of->parts[OUT_BOX] + 4 * at, sizeof out->box);
    return FACESHARD_OK;
}

/* ---- what goes with a row ---- */

/* Where a shard is missing HDF5 gives a picture of no bytes. */
int
faceshard_reader_picture(faceshard_reader *reader, uint64_t row, uint8_t **data, size_t *bytes,
                         faceshard_why *why)
{
    fsh_err err = {""};
    fsh_status status = check_row(row, reader->facts.pictures, &err);

    if (!status && reader->facts.encoding == FACESHARD_NONE)
        status = fsh_fail(&err, FSH_USAGE, "the file has no pictures: encoding is none");
    if (!status)
        status = fsh_shard_read_picture(reader->file, row, data, bytes, &err);
    if (!status && !*bytes) {
        free(*data);
        status = fsh_fail(&err, FSH_IO,
                          "the shard of row %llu is missing: `faceshard verify-output` says which",
                          (unsigned long long)row);
    }
    return result_of(status, &err, why);
}

static int
read_one(faceshard_reader *reader, fsh_shard_column column, uint64_t row, void *to,
         faceshard_why *why)
{
    fsh_err err = {""};
    fsh_status status = check_row(row, reader->facts.pictures, &err);

    if (!status)
        status = fsh_shard_read(reader->file, column, row, 1, to, &err);
    return result_of(status, &err, why);
}

int
faceshard_reader_landmarks(faceshard_reader *reader, uint64_t row,
                           float points[FACESHARD_LANDMARKS][2], faceshard_why *why)
{
    return read_one(reader, FSH_COLUMN_LANDMARKS, row, points, why);
}

int
faceshard_reader_embedding(faceshard_reader *reader, uint64_t row, float *embedding,
                           faceshard_why *why)
{
    fsh_err err = {""};

    if (!reader->facts.dimension)
        return result_of(fsh_fail(&err, FSH_USAGE, "the file has no embeddings"), &err, why);
    return read_one(reader, FSH_COLUMN_EMBEDDING, row, embedding, why);
}

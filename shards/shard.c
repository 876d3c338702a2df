/* Writing a shard: every row goes straight to its columns, which gather a chunk each. */
#include "shards/shard.h"

#include <math.h>
#include <stdlib.h>

#include "base/store.h"
#include "shards/layout.h"

struct fsh_shard {
    fsh_store *store;
    fsh_column *columns[FSH_COLUMN_N]; /* NULL where not used */
    uint32_t size, dimension;
    fsh_encoding encoding;
    float *unknown; /* NaNs, enough for landmarks or an embedding */
};

static fsh_status
make_columns(fsh_shard *shard, fsh_err *err)
{
    fsh_status status = FSH_OK;
    int i;

    for (i = 0; i < FSH_COLUMN_N && !status; i++) {
        fsh_column_spec spec = fsh_shard_column_spec((fsh_shard_column)i, shard->size,
                                                     shard->encoding, shard->dimension);

        if (fsh_shard_column_used((fsh_shard_column)i, false, shard->encoding,
                                  shard->dimension))
            status = fsh_column_create(shard->store, &spec, &shard->columns[i], err);
    }
    return status;
}

static float *
make_unknown(uint32_t dimension)
{
    uint32_t i, n = dimension > FSH_SHARD_LANDMARKS_N * 2 ? dimension : FSH_SHARD_LANDMARKS_N * 2;
    float *unknown = malloc(n * sizeof *unknown);

    for (i = 0; unknown && i < n; i++)
        unknown[i] = NAN;
    return unknown;
}

fsh_status
fsh_shard_create(const char *path, const fsh_shard_meta *meta, fsh_shard **out, fsh_err *err)
{
    fsh_shard *shard = calloc(1, sizeof *shard);
    fsh_status status;

    if (!shard || !(shard->unknown = make_unknown(meta->dimension))) {
        free(shard);
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", path);
    }
    shard->size = meta->size;
    shard->dimension = meta->dimension;
    shard->encoding = meta->encoding;
    status = fsh_store_create(path, &shard->store, err);
    if (!status)
        status = fsh_shard_write_meta(shard->store, meta, false, err);
    if (!status)
        status = make_columns(shard, err);
    if (status)
        fsh_shard_abandon(&shard);
    else
        *out = shard;
    return status;
}

/* One cell of a row: its column and where its value lies. */
typedef struct cell {
    fsh_shard_column column;
    const void *value;
} cell;

static fsh_status
add_cells(fsh_shard *shard, const cell *cells, size_t n, fsh_err *err)
{
    fsh_status status = FSH_OK;
    size_t i;

    for (i = 0; i < n && !status; i++)
        if (shard->columns[cells[i].column])
            status = fsh_column_append(shard->columns[cells[i].column], cells[i].value, 1, err);
    return status;
}

static fsh_status
add_picture(fsh_shard *shard, const fsh_shard_row *row, fsh_err *err)
{
    fsh_column *images = shard->columns[FSH_COLUMN_IMAGES];

    if (shard->encoding == FSH_ENCODING_NONE)
        return FSH_OK;
    if (shard->encoding != FSH_ENCODING_RAW)
        return fsh_column_append_bytes(images, row->bytes, row->bytes_n, err);
    if (row->bytes_n != (size_t)shard->size * shard->size * 3)
        return fsh_fail(err, FSH_INTERNAL,
                        "%s: a picture of %zu bytes among pictures of %u x %u px",
                        fsh_store_path(shard->store), row->bytes_n, shard->size, shard->size);
    return fsh_column_append(images, row->bytes, 1, err);
}

fsh_status
fsh_shard_add(fsh_shard *shard, const fsh_shard_row *row, fsh_err *err)
{
    const int32_t box[4] = {row->box.x, row->box.y, row->box.width, row->box.height};
    const void *landmarks = row->landmarks ? (const void *)row->landmarks : shard->unknown;
    const cell cells[] = {{FSH_COLUMN_LABEL, &row->label},
                          {FSH_COLUMN_VARIANT, &row->variant},
                          {FSH_COLUMN_SAMPLE_ID, &row->sample_id},
                          {FSH_COLUMN_BOX, box},
                          {FSH_COLUMN_LANDMARKS, landmarks},
                          {FSH_COLUMN_MASK_CLASS, &row->mask_class},
                          {FSH_COLUMN_EMBEDDING, row->embedding ? row->embedding : shard->unknown},
                          {FSH_COLUMN_MEAN_DISTANCE, &row->mean_distance},
                          {FSH_COLUMN_FLAGGED, &row->flagged}};
    fsh_status status = add_picture(shard, row, err);

    if (!status)
        status = fsh_column_append_text(shard->columns[FSH_COLUMN_SOURCE], row->source, err);
    if (!status)
        status = fsh_column_append_text(shard->columns[FSH_COLUMN_WORN], row->worn ? row->worn : "", err);
    return status ? status : add_cells(shard, cells, sizeof cells / sizeof cells[0], err);
}

fsh_status
fsh_shard_add_rejected(fsh_shard *shard, const fsh_shard_rejected *rejected, fsh_err *err)
{
    const char *reason = fsh_reason_code(rejected->reason);
    const int32_t box[4] = {rejected->box.x, rejected->box.y, rejected->box.width,
                            rejected->box.height};
    const cell cells[] = {{FSH_COLUMN_REJECTED_LABEL, &rejected->label},
                          {FSH_COLUMN_REJECTED_VALUE, &rejected->value},
                          {FSH_COLUMN_REJECTED_VARIANT, &rejected->variant},
                          {FSH_COLUMN_REJECTED_BOX, box}};
    fsh_status status =
        fsh_column_append_text(shard->columns[FSH_COLUMN_REJECTED_SOURCE], rejected->source, err);

    if (!status)
        status = fsh_column_append_text(shard->columns[FSH_COLUMN_REJECTED_REASON], reason, err);
    if (!status)
        status = fsh_column_append_text(shard->columns[FSH_COLUMN_REJECTED_WORN],
                                        rejected->worn ? rejected->worn : "", err);
    return status ? status : add_cells(shard, cells, sizeof cells / sizeof cells[0], err);
}

fsh_status
fsh_shard_add_identity(fsh_shard *shard, int64_t label, const char *name, fsh_err *err)
{
    const cell cells[] = {{FSH_COLUMN_IDENTITY_LABEL, &label}};
    fsh_status status = fsh_column_append_text(shard->columns[FSH_COLUMN_IDENTITY_NAME], name, err);

    return status ? status : add_cells(shard, cells, 1, err);
}

static void
shard_free(fsh_shard **shard)
{
    free((*shard)->unknown);
    free(*shard);
    *shard = NULL;
}

fsh_status
fsh_shard_finish(fsh_shard **shard, fsh_err *err)
{
    fsh_status status = FSH_OK, closed;
    int i;

    for (i = 0; i < FSH_COLUMN_N; i++) {
        if (!status)
            status = fsh_column_close(&(*shard)->columns[i], err);
        else
            fsh_column_abandon(&(*shard)->columns[i]);
    }
    closed = fsh_store_close(&(*shard)->store, status ? NULL : err);
    shard_free(shard);
    return status ? status : closed;
}

void
fsh_shard_abandon(fsh_shard **shard)
{
    int i;

    if (!*shard)
        return;
    for (i = 0; i < FSH_COLUMN_N; i++)
        fsh_column_abandon(&(*shard)->columns[i]);
    fsh_store_close(&(*shard)->store, NULL);
    shard_free(shard);
}

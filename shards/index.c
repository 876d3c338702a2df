/* Writes index.h5 and manifest.json from what the shards hold. */
#include "shards/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/files.h"
#include "base/store.h"
#include "shards/index_parts.h"

enum { COPY_CHUNK_ROWS = 1024 };

static fsh_status
out_of_memory(const fsh_index_builder *build, fsh_err *err)
{
    return fsh_fail(err, FSH_MEMORY, "%s: out of memory", build->plan->output);
}

static fsh_status
join_column(const fsh_index_builder *build, fsh_shard_column column, fsh_store_part *parts,
            fsh_err *err)
{
    const fsh_shard_meta *meta = &fsh_shard_get_info(build->first)->meta;
    fsh_column_spec spec =
        fsh_shard_column_spec(column, meta->size, meta->encoding, meta->dimension);
    uint32_t i;

    for (i = 0; i < build->plan->units; i++)
        parts[i] = (fsh_store_part){build->parts[i].file,
                                    build->parts[i].rows[fsh_shard_column_table(column)]};
    return fsh_store_join(build->store, &spec, parts, build->plan->units, err);
}

/* One cell of a table that index.h5 holds itself: a number, or a text. */
typedef struct cell {
    uint64_t number;
    const char *text;
} cell;

/* Reasons are all but "delivered". */
static cell
cell_of(const fsh_index_builder *build, fsh_shard_column column, uint64_t row)
{
    switch (column) {
    case FSH_COLUMN_IDENTITY_LABEL: return (cell){row, NULL};
    case FSH_COLUMN_IDENTITY_NAME: return (cell){0, build->classes[row].name};
    case FSH_COLUMN_IDENTITY_IMAGES: return (cell){build->classes[row].images, NULL};
    case FSH_COLUMN_IDENTITY_SAMPLES: return (cell){build->classes[row].samples, NULL};
    case FSH_COLUMN_IDENTITY_REJECTED: return (cell){build->classes[row].rejected, NULL};
    case FSH_COLUMN_REASON_CODE: return (cell){0, fsh_reason_code((fsh_reason)(row + 1))};
    case FSH_COLUMN_REASON_SAMPLES: return (cell){build->totals.rejected[row + 1], NULL};
    case FSH_COLUMN_SHARD_FILE: return (cell){0, build->parts[row].file};
    default: return (cell){build->parts[row].totals.images, NULL};
    }
}

static uint64_t
rows_of(const fsh_index_builder *build, fsh_shard_table table)
{
    if (table == FSH_TABLE_IDENTITIES)
        return build->classes_n;
    return table == FSH_TABLE_REASONS ? FSH_REASON_N - 1 : build->plan->units;
}

static fsh_status
write_column(const fsh_index_builder *build, fsh_shard_column column, fsh_err *err)
{
    fsh_column_spec spec = fsh_shard_column_spec(column, 0, FSH_ENCODING_RAW, 0);
    uint64_t row, rows = rows_of(build, fsh_shard_column_table(column));
    fsh_column *open = NULL;
    fsh_status status = fsh_column_create(build->store, &spec, &open, err);

    for (row = 0; row < rows && !status; row++) {
        cell value = cell_of(build, column, row);

        status = value.text ? fsh_column_append_text(open, value.text, err)
                            : fsh_column_append(open, &value.number, 1, err);
    }
    if (!status)
        status = fsh_column_close(&open, err);
    fsh_column_abandon(&open);
    return status;
}

/* What the shards are copied to while they are read. Bigger chunks than theirs: there are more
 * rows. */
static fsh_status
make_copies(fsh_index_builder *build, fsh_err *err)
{
    fsh_status status = FSH_OK;
    int i;

    for (i = 0; i < FSH_COLUMN_N && !status; i++) {
        fsh_column_spec spec = fsh_shard_column_spec((fsh_shard_column)i, 0, FSH_ENCODING_RAW, 0);

        spec.chunk_rows = COPY_CHUNK_ROWS;
        if (fsh_shard_column_place((fsh_shard_column)i) == FSH_PLACE_COPIED)
            status = fsh_column_create(build->store, &spec, &build->copies[i], err);
    }
    return status;
}

static fsh_status
finish_copies(fsh_index_builder *build, fsh_err *err)
{
    fsh_status status = FSH_OK;
    int i;

    for (i = 0; i < FSH_COLUMN_N && !status; i++)
        status = fsh_column_close(&build->copies[i], err);
    return status;
}

/* What only can be written when all shards are known. */
static fsh_status
write_rest(const fsh_index_builder *build, fsh_err *err)
{
    fsh_store_part *parts = calloc(build->plan->units, sizeof *parts);
    fsh_shard_meta meta = fsh_shard_get_info(build->first)->meta;
    fsh_status status;
    int i;

    if (!parts)
        return out_of_memory(build, err);
    meta.unit = build->plan->units;
    status = fsh_shard_write_meta(build->store, &meta, true, err);
    for (i = 0; i < FSH_COLUMN_N && !status; i++) {
        fsh_shard_column column = (fsh_shard_column)i;
        fsh_shard_place place = fsh_shard_column_place(column);

        if (place == FSH_PLACE_COPIED || !fsh_shard_column_used(column, true, meta.encoding, meta.dimension))
            continue;
        status = place == FSH_PLACE_JOINED ? join_column(build, column, parts, err)
                                           : write_column(build, column, err);
    }
    free(parts);
    return status;
}

static fsh_status
write_index(fsh_index_builder *build, const char *path, fsh_err *err)
{
    fsh_status status = fsh_store_create(path, &build->store, err);
    uint32_t i;

    if (!status)
        status = make_copies(build, err);
    for (i = 0; i < build->plan->units && !status; i++) {
        fsh_listener_tell(build->plan->steps, i, build->plan->units);
        status = fsh_index_gather(build, i, err);
    }
    if (!status)
        status = finish_copies(build, err);
    return status ? status : write_rest(build, err);
}

/* Makes index.h5 under a temporary name, then renames it. */
static fsh_status
make_index(fsh_index_builder *build, fsh_err *err)
{
    char path[FSH_PATH_BYTES], temporary[FSH_PATH_BYTES], name[128];
    fsh_status status, closed;
    int i;

    snprintf(build->index.file, sizeof build->index.file, "%s", build->plan->index);
    snprintf(name, sizeof name, ".%s.%ld.tmp", build->plan->index, (long)getpid());
    status = fsh_path_join(path, build->plan->output, build->plan->index, err);
    if (!status)
        status = fsh_path_join(temporary, build->plan->output, name, err);
    if (status)
        return status;
    status = write_index(build, temporary, err);
    for (i = 0; i < FSH_COLUMN_N; i++)
        fsh_column_abandon(&build->copies[i]);
    closed = fsh_store_close(&build->store, status ? NULL : err);
    status = status ? status : closed;
    if (!status)
        status = fsh_file_commit(temporary, path, err);
    if (status)
        unlink(temporary);
    return status ? status
                  : fsh_hash_file(path, &build->index.hash, &build->index.totals.bytes, err);
}

static fsh_status
write_manifest(const fsh_index_builder *build, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_text text = {0};
    fsh_status status = fsh_path_join(path, build->plan->output, build->plan->manifest, err);

    if (status)
        return status;
    fsh_index_print_manifest(build, &text);
    status = fsh_text_ok(&text) ? fsh_file_write(path, text.data, text.bytes, err)
                                : out_of_memory(build, err);
    fsh_text_fini(&text);
    return status;
}

static void
builder_fini(fsh_index_builder *build)
{
    uint64_t i;

    for (i = 0; i < build->classes_n; i++)
        free(build->classes[i].name);
    free(build->classes);
    free(build->parts);
    fsh_shard_close(&build->first);
}

fsh_status
fsh_index_build(const fsh_index_plan *plan, fsh_index_totals *totals, fsh_err *err)
{
    fsh_index_builder build = {.plan = plan, .parts = calloc(plan->units, sizeof *build.parts)};
    fsh_status status = build.parts ? make_index(&build, err) : out_of_memory(&build, err);

    if (!status)
        status = write_manifest(&build, err);
    if (!status)
        *totals = build.totals;
    builder_fini(&build);
    return status;
}

#include "shards/read.h"

#include <stdlib.h>
#include <string.h>

#include "base/store.h"

enum { SIZE_MAX_PX = 1 << 14, DIMENSION_MAX = 1 << 14 };

struct fsh_shard_file {
    fsh_store *store;
    fsh_column *columns[FSH_COLUMN_N]; /* NULL where the file has none */
    fsh_shard_info info;
    bool known[FSH_TABLE_N]; /* info.rows is, from the first column of the table */
    fsh_text texts[5];       /* what the strings of info.meta live in */
};

static fsh_status
read_kind(fsh_shard_file *file, fsh_err *err)
{
    fsh_text kind = {0};
    uint64_t format;
    fsh_status status = fsh_store_get_text(file->store, "kind", &kind, err);

    file->info.index = strcmp(fsh_text_get(&kind), "index") == 0;
    if (!status && !file->info.index && strcmp(fsh_text_get(&kind), "shard") != 0)
        status = fsh_fail(err, FSH_FORMAT, "%s: neither a shard nor an index",
                          fsh_store_path(file->store));
    fsh_text_fini(&kind);
    if (!status)
        status = fsh_store_get_number(file->store, "format", &format, err);
    if (!status && format != FSH_SHARD_FORMAT)
        status =
            fsh_fail(err, FSH_FORMAT, "%s: shard format %llu, this program reads %d",
                     fsh_store_path(file->store), (unsigned long long)format, FSH_SHARD_FORMAT);
    return status;
}

static fsh_status
read_encoding(fsh_shard_file *file, fsh_err *err)
{
    fsh_text name = {0};
    fsh_status status = fsh_store_get_text(file->store, "encoding", &name, err);
    int encoding = fsh_encoding_from_name(fsh_text_get(&name));

    fsh_text_fini(&name);
    if (!status && encoding < 0)
        return fsh_fail(err, FSH_FORMAT, "%s: attribute encoding is not raw, jpeg, png or none",
                        fsh_store_path(file->store));
    file->info.meta.encoding = (fsh_encoding)encoding;
    return status;
}

static fsh_status
read_numbers(fsh_shard_file *file, fsh_err *err)
{
    fsh_shard_meta *meta = &file->info.meta;
    uint64_t unit, size, dimension;
    fsh_status status = fsh_store_get_number(file->store, "seed", &meta->seed, err);

    if (!status)
        status = fsh_store_get_number(file->store, file->info.index ? "units" : "unit", &unit, err);
    if (!status)
        status = fsh_store_get_number(file->store, "size", &size, err);
    if (!status)
        status = fsh_store_get_number(file->store, "dimension", &dimension, err);
    if (status)
        return status;
    if (unit > UINT32_MAX || size < 1 || size > SIZE_MAX_PX || dimension > DIMENSION_MAX)
        return fsh_fail(err, FSH_FORMAT, "%s: unit, size or dimension out of range",
                        fsh_store_path(file->store));
    meta->unit = (uint32_t)unit;
    meta->size = (uint32_t)size;
    meta->dimension = (uint32_t)dimension;
    return FSH_OK;
}

static fsh_status
read_strings(fsh_shard_file *file, fsh_err *err)
{
    static const char *const names[] = {"job_hash", "stages", "models", "variants", "version"};
    fsh_shard_meta *meta = &file->info.meta;
    const char **strings[] = {&meta->job_hash, &meta->stages, &meta->models, &meta->variants,
                              &meta->version};
    fsh_status status = FSH_OK;
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0] && !status; i++) {
        status = fsh_store_get_text(file->store, names[i], &file->texts[i], err);
        *strings[i] = fsh_text_get(&file->texts[i]);
    }
    return status;
}

static fsh_status
open_column(fsh_shard_file *file, fsh_shard_column column, fsh_err *err)
{
    const fsh_shard_meta *meta = &file->info.meta;
    fsh_column_spec spec =
        fsh_shard_column_spec(column, meta->size, meta->encoding, meta->dimension);
    fsh_shard_table table = fsh_shard_column_table(column);
    uint64_t *rows = &file->info.rows[table];
    fsh_status status = fsh_column_open(file->store, &spec, &file->columns[column], err);

    if (status)
        return status;
    if (!file->known[table])
        *rows = fsh_column_rows(file->columns[column]);
    file->known[table] = true;
    if (*rows != fsh_column_rows(file->columns[column]))
        return fsh_fail(
            err, FSH_FORMAT, "%s: /%s has %llu rows where the columns beside it have %llu",
            fsh_store_path(file->store), spec.name,
            (unsigned long long)fsh_column_rows(file->columns[column]), (unsigned long long)*rows);
    return FSH_OK;
}

static const int32_t no_box[4] = {0};

/* Shards from before these columns lack them: nothing was put on and no box is known, as far as they
 * say. */
static bool
is_lacking(const fsh_shard_file *file, fsh_shard_column column)
{
    const fsh_shard_meta *meta = &file->info.meta;
    fsh_column_spec spec =
        fsh_shard_column_spec(column, meta->size, meta->encoding, meta->dimension);

    return (column == FSH_COLUMN_WORN || column == FSH_COLUMN_REJECTED_WORN ||
            column == FSH_COLUMN_REJECTED_BOX) &&
           !fsh_store_has(file->store, spec.name);
}

fsh_status
fsh_shard_open(const char *path, fsh_shard_file **out, fsh_err *err)
{
    fsh_shard_file *file = calloc(1, sizeof *file);
    fsh_status status;
    int i;

    if (!file)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", path);
    status = fsh_store_open(path, &file->store, err);
    if (!status)
        status = read_kind(file, err);
    if (!status)
        status = read_encoding(file, err);
    if (!status)
        status = read_numbers(file, err);
    if (!status)
        status = read_strings(file, err);
    for (i = 0; i < FSH_COLUMN_N && !status; i++)
        if (fsh_shard_column_used((fsh_shard_column)i, file->info.index, file->info.meta.encoding,
                                  file->info.meta.dimension) &&
            !is_lacking(file, (fsh_shard_column)i))
            status = open_column(file, (fsh_shard_column)i, err);
    if (status)
        fsh_shard_close(&file);
    else
        *out = file;
    return status;
}

void
fsh_shard_close(fsh_shard_file **file)
{
    size_t i;

    if (!*file)
        return;
    for (i = 0; i < FSH_COLUMN_N; i++)
        fsh_column_abandon(&(*file)->columns[i]);
    for (i = 0; i < sizeof(*file)->texts / sizeof(*file)->texts[0]; i++)
        fsh_text_fini(&(*file)->texts[i]);
    fsh_store_close(&(*file)->store, NULL);
    free(*file);
    *file = NULL;
}

const fsh_shard_info *
fsh_shard_get_info(const fsh_shard_file *file)
{
    return &file->info;
}

/* The column, or NULL after a failure that names it. */
static fsh_column *
find_column(fsh_shard_file *file, fsh_shard_column column, fsh_err *err)
{
    const fsh_shard_meta *meta = &file->info.meta;

    if (!file->columns[column])
        fsh_fail(err, FSH_FORMAT, "%s: has no /%s", fsh_store_path(file->store),
                 fsh_shard_column_spec(column, meta->size, meta->encoding, meta->dimension).name);
    return file->columns[column];
}

fsh_status
fsh_shard_read(fsh_shard_file *file, fsh_shard_column column, uint64_t first, size_t n, void *rows,
               fsh_err *err)
{
    fsh_column *found;

    if (is_lacking(file, column)) {
        memset(rows, 0, n * sizeof no_box);
        return FSH_OK;
    }
    found = find_column(file, column, err);
    return found ? fsh_column_read(found, first, n, rows, err) : FSH_FORMAT;
}

/* n empty texts, as one piece of memory. */
static fsh_status
read_nothing(const fsh_shard_file *file, size_t n, char ***texts, fsh_err *err)
{
    char **made = calloc(n + 1, sizeof *made);
    size_t i;

    if (!made)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", fsh_store_path(file->store));
    for (i = 0; i < n; i++)
        made[i] = (char *)&made[n];
    *texts = made;
    return FSH_OK;
}

fsh_status
fsh_shard_read_texts(fsh_shard_file *file, fsh_shard_column column, uint64_t first, size_t n,
                     char ***texts, fsh_err *err)
{
    fsh_column *found;

    if (is_lacking(file, column))
        return read_nothing(file, n, texts, err);
    found = find_column(file, column, err);

    return found ? fsh_column_read_texts(found, first, n, texts, err) : FSH_FORMAT;
}

fsh_status
fsh_shard_copy(fsh_shard_file *file, fsh_shard_column column, fsh_column *to, fsh_err *err)
{
    uint64_t rows = file->info.rows[fsh_shard_column_table(column)], i;
    bool lacking = is_lacking(file, column);
    fsh_status status = FSH_OK;
    fsh_column *found;

    for (i = 0; i < rows && !status && lacking; i++)
        status = column == FSH_COLUMN_REJECTED_BOX ? fsh_column_append(to, no_box, 1, err)
                                                   : fsh_column_append_text(to, "", err);
    if (lacking)
        return status;
    found = find_column(file, column, err);
    return found ? fsh_column_append_column(to, found, err) : FSH_FORMAT;
}

fsh_status
fsh_shard_read_picture(fsh_shard_file *file, uint64_t row, uint8_t **data, size_t *bytes,
                       fsh_err *err)
{
    fsh_column *images = find_column(file, FSH_COLUMN_IMAGES, err);
    size_t size = file->info.meta.size;
    uint8_t *pixels;
    fsh_status status;

    if (!images)
        return FSH_FORMAT;
    if (file->info.meta.encoding != FSH_ENCODING_RAW)
        return fsh_column_read_bytes(images, row, data, bytes, err);
    if (!(pixels = malloc(size * size * 3)))
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", fsh_store_path(file->store));
    status = fsh_column_read(images, row, 1, pixels, err);
    if (status) {
        free(pixels);
        return status;
    }
    *data = pixels;
    *bytes = size * size * 3;
    return FSH_OK;
}

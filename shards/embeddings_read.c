/* Reads embeddings files, and whatever else has embeddings in it. */
#include <stdlib.h>
#include <string.h>

#include "shards/embeddings_parts.h"

enum { BATCH_ROWS = 4096, DIMENSION_MAX = 1 << 14 };

/* An open file. */
typedef struct reading {
    fsh_store *store;
    const char *path;
    fsh_column *columns[FSH_EMBEDDINGS_COLUMN_N];
    fsh_embeddings facts; /* no rows */
} reading;

static fsh_status
read_facts(reading *r, fsh_err *err)
{
    static const char *const names[] = {"model", "detector", "job_hash", "version"};
    fsh_text texts[4] = {{0}};
    fsh_embeddings found = {0};
    uint64_t format = 0, dimension = 0, flip = 0;
    fsh_status status = fsh_store_get_number(r->store, "format", &format, err);
    int i;

    if (!status && format != FSH_EMBEDDINGS_FORMAT)
        return fsh_fail(err, FSH_FORMAT, "%s: embeddings format %llu, this program reads %d",
                        r->path, (unsigned long long)format, FSH_EMBEDDINGS_FORMAT);
    if (!status)
        status = fsh_store_get_number(r->store, "dimension", &dimension, err);
    if (!status && (dimension < 1 || dimension > DIMENSION_MAX))
        return fsh_fail(err, FSH_FORMAT, "%s: dimension out of range", r->path);
    if (!status)
        status = fsh_store_get_number(r->store, "flip", &flip, err);
    for (i = 0; i < 4 && !status; i++)
        status = fsh_store_get_text(r->store, names[i], &texts[i], err);
    found.dimension = (uint32_t)dimension;
    found.flip = flip != 0;
    found.model = (char *)fsh_text_get(&texts[0]);
    found.detector = (char *)fsh_text_get(&texts[1]);
    found.job_hash = (char *)fsh_text_get(&texts[2]);
    found.version = (char *)fsh_text_get(&texts[3]);
    if (!status)
        status = fsh_embeddings_copy_facts(&r->facts, &found, err);
    for (i = 0; i < 4; i++)
        fsh_text_fini(&texts[i]);
    return status;
}

/* The column that has as many rows as all of its table must have. */
static fsh_embeddings_column
leader_of(fsh_embeddings_column column)
{
    return fsh_embeddings_column_is_rejected(column) ? FSH_EMBEDDINGS_REJECTED_NAME
                                                     : FSH_EMBEDDINGS_VECTOR;
}

static fsh_status
open_columns(reading *r, fsh_err *err)
{
    fsh_status status = FSH_OK;
    int i;

    for (i = 0; i < FSH_EMBEDDINGS_COLUMN_N && !status; i++) {
        fsh_embeddings_column column = (fsh_embeddings_column)i;
        fsh_column_spec spec = fsh_embeddings_column_spec(column, r->facts.dimension);

        status = fsh_column_open(r->store, &spec, &r->columns[i], err);
        if (!status &&
            fsh_column_rows(r->columns[i]) != fsh_column_rows(r->columns[leader_of(column)]))
            status = fsh_fail(err, FSH_FORMAT,
                              "%s: /%s has another number of rows than the columns beside it",
                              r->path, spec.name);
    }
    return status;
}

static fsh_status
read_rows(reading *r, uint64_t first, size_t n, fsh_embeddings *part, fsh_err *err)
{
    uint32_t dimension = r->facts.dimension;
    float *vectors = calloc(n, dimension * sizeof *vectors);
    char **names = NULL, **sources = NULL;
    fsh_status status = vectors ? FSH_OK : fsh_fail(err, FSH_MEMORY, "%s: out of memory", r->path);
    size_t i;

    if (!status)
        status = fsh_column_read(r->columns[FSH_EMBEDDINGS_VECTOR], first, n, vectors, err);
    if (!status)
        status = fsh_column_read_texts(r->columns[FSH_EMBEDDINGS_NAME], first, n, &names, err);
    if (!status)
        status = fsh_column_read_texts(r->columns[FSH_EMBEDDINGS_SOURCE], first, n, &sources, err);
    for (i = 0; i < n && !status; i++) {
        status = fsh_embeddings_add(part, names[i], sources[i], &vectors[i * dimension], err);
        if (status)
            fsh_fail_within(err, status, "%s", r->path);
    }
    free(vectors);
    free(names);
    free(sources);
    return status;
}

static fsh_status
read_rejected(reading *r, uint64_t first, size_t n, fsh_embeddings *part, fsh_err *err)
{
    fsh_column **columns = r->columns;
    char **names = NULL, **sources = NULL, **codes = NULL;
    float values[BATCH_ROWS];
    fsh_status status =
        fsh_column_read(columns[FSH_EMBEDDINGS_REJECTED_VALUE], first, n, values, err);
    size_t i;

    if (!status)
        status =
            fsh_column_read_texts(columns[FSH_EMBEDDINGS_REJECTED_NAME], first, n, &names, err);
    if (!status)
        status =
            fsh_column_read_texts(columns[FSH_EMBEDDINGS_REJECTED_SOURCE], first, n, &sources, err);
    if (!status)
        status =
            fsh_column_read_texts(columns[FSH_EMBEDDINGS_REJECTED_REASON], first, n, &codes, err);
    for (i = 0; i < n && !status; i++)
        status = fsh_embeddings_reject_code(part, r->path, names[i], sources[i], codes[i],
                                            values[i], err);
    free(names);
    free(sources);
    free(codes);
    return status;
}

/* Reads rows, and rejected rows, from `first` on, up to a batch of each, and gives them away. */
static fsh_status
take_batch(reading *r, uint64_t first, fsh_embeddings_taker *take, void *self, fsh_err *err)
{
    uint64_t rows = fsh_column_rows(r->columns[FSH_EMBEDDINGS_VECTOR]);
    uint64_t rejected = fsh_column_rows(r->columns[FSH_EMBEDDINGS_REJECTED_NAME]);
    uint64_t rows_left = first < rows ? rows - first : 0;
    uint64_t rejected_left = first < rejected ? rejected - first : 0;
    fsh_embeddings part = {0};
    fsh_status status = fsh_embeddings_copy_facts(&part, &r->facts, err);

    if (!status && rows_left)
        status = read_rows(r, first, rows_left < BATCH_ROWS ? (size_t)rows_left : BATCH_ROWS, &part,
                           err);
    if (!status && rejected_left)
        status = read_rejected(
            r, first, rejected_left < BATCH_ROWS ? (size_t)rejected_left : BATCH_ROWS, &part, err);
    if (!status)
        status = take(self, &part, err);
    fsh_embeddings_fini(&part);
    return status;
}

static fsh_status
each_in_file(fsh_store *store, fsh_embeddings_taker *take, void *self, fsh_err *err)
{
    reading r = {.store = store, .path = fsh_store_path(store)};
    fsh_status status = read_facts(&r, err);
    uint64_t first = 0, rows = 0, rejected;
    int i;

    if (!status)
        status = open_columns(&r, err);
    if (!status) {
        rows = fsh_column_rows(r.columns[FSH_EMBEDDINGS_VECTOR]);
        rejected = fsh_column_rows(r.columns[FSH_EMBEDDINGS_REJECTED_NAME]);
        rows = rejected > rows ? rejected : rows;
    }
    for (first = 0; !status && (first == 0 || first < rows); first += BATCH_ROWS)
        status = take_batch(&r, first, take, self, err);
    for (i = 0; i < FSH_EMBEDDINGS_COLUMN_N; i++)
        fsh_column_abandon(&r.columns[i]);
    fsh_embeddings_fini(&r.facts);
    return status;
}

/* Opens a file of one of the three kinds; *own where it is an embeddings file. */
static fsh_status
open_kind(const char *path, fsh_store **store, bool *own, fsh_err *err)
{
    fsh_text kind = {0};
    fsh_status status = fsh_store_open(path, store, err);

    if (status)
        return status;
    status = fsh_store_get_text(*store, "kind", &kind, err);
    if (status)
        fsh_fail(err, status, "%s: neither an embeddings file nor a shard nor an index", path);
    *own = strcmp(fsh_text_get(&kind), "embeddings") == 0;
    fsh_text_fini(&kind);
    return status;
}

bool
fsh_embeddings_is_file(const char *path)
{
    fsh_store *store = NULL;
    bool own = false;
    bool is = !open_kind(path, &store, &own, NULL) && own;

    fsh_store_close(&store, NULL);
    return is;
}

fsh_status
fsh_embeddings_each(const char *path, fsh_embeddings_taker *take, void *self, fsh_err *err)
{
    fsh_store *store = NULL;
    bool own;
    fsh_status status = open_kind(path, &store, &own, err);

    if (!status)
        status = own ? each_in_file(store, take, self, err)
                     : fsh_embeddings_each_in_shards(path, take, self, err);
    fsh_store_close(&store, NULL);
    return status;
}

fsh_status
fsh_embeddings_read_facts(const char *path, fsh_embeddings *out, fsh_err *err)
{
    reading r = {.path = path};
    bool own;
    fsh_status status = open_kind(path, &r.store, &own, err);

    if (!status)
        status = own ? read_facts(&r, err) : fsh_embeddings_shard_facts(path, &r.facts, err);
    fsh_store_close(&r.store, NULL);
    if (status)
        fsh_embeddings_fini(&r.facts);
    else
        *out = r.facts;
    return status;
}

static fsh_status
append_part(void *self, const fsh_embeddings *part, fsh_err *err)
{
    fsh_embeddings *all = self;
    fsh_status status = all->model ? FSH_OK : fsh_embeddings_copy_facts(all, part, err);
    uint64_t i;

    for (i = 0; i < part->n && !status; i++)
        status = fsh_embeddings_add(all, part->names[i], part->sources[i],
                                    &part->vectors[i * part->dimension], err);
    for (i = 0; i < part->rejected_n && !status; i++)
        status = fsh_embeddings_reject(all, part->rejected_names[i], part->rejected_sources[i],
                                       part->rejected_reasons[i], part->rejected_values[i], err);
    return status;
}

fsh_status
fsh_embeddings_read(const char *path, fsh_embeddings *out, fsh_err *err)
{
    fsh_embeddings all = {0};
    fsh_status status = fsh_embeddings_each(path, append_part, &all, err);

    if (status)
        fsh_embeddings_fini(&all);
    else
        *out = all;
    return status;
}

/* Writes embeddings files. The bytes depend on what is written alone: all rows, then all rejected
 * ones, and of each its columns in their order, however they come in parts. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "shards/embeddings_parts.h"

/* A file while it is written. */
typedef struct writing {
    fsh_store *store;
    fsh_column *columns[FSH_EMBEDDINGS_COLUMN_N];
    bool begun;
    const fsh_listener *step;
    fsh_embeddings_totals totals;
} writing;

static fsh_status
write_facts(writing *w, const fsh_embeddings *e, fsh_err *err)
{
    const struct {
        const char *name, *text;
    } texts[] = {{"kind", "embeddings"},
                 {"model", e->model},
                 {"detector", e->detector},
                 {"job_hash", e->job_hash},
                 {"version", e->version}};
    fsh_status status = fsh_store_set_number(w->store, "format", FSH_EMBEDDINGS_FORMAT, err);
    size_t i;

    if (!status)
        status = fsh_store_set_number(w->store, "dimension", e->dimension, err);
    if (!status)
        status = fsh_store_set_number(w->store, "flip", e->flip, err);
    for (i = 0; i < sizeof texts / sizeof texts[0] && !status; i++)
        status =
            fsh_store_set_text(w->store, texts[i].name, texts[i].text ? texts[i].text : "", err);
    return status;
}

static fsh_status
begin(writing *w, const fsh_embeddings *e, fsh_err *err)
{
    fsh_status status = write_facts(w, e, err);
    int i;

    w->begun = true;
    w->totals.dimension = e->dimension;
    for (i = 0; i < FSH_EMBEDDINGS_COLUMN_N && !status; i++) {
        fsh_column_spec spec = fsh_embeddings_column_spec((fsh_embeddings_column)i, e->dimension);

        status = fsh_column_create(w->store, &spec, &w->columns[i], err);
    }
    return status;
}

static fsh_status
write_rows(void *self, const fsh_embeddings *part, fsh_err *err)
{
    writing *w = self;
    fsh_column **columns = w->columns;
    fsh_status status = w->begun ? FSH_OK : begin(w, part, err);
    uint64_t i;

    fsh_listener_tell(w->step, w->totals.n, 0);
    for (i = 0; i < part->n && !status; i++) {
        status = fsh_column_append(columns[FSH_EMBEDDINGS_VECTOR],
                                   &part->vectors[i * part->dimension], 1, err);
        if (!status)
            status = fsh_column_append_text(columns[FSH_EMBEDDINGS_NAME], part->names[i], err);
        if (!status)
            status = fsh_column_append_text(columns[FSH_EMBEDDINGS_SOURCE], part->sources[i], err);
    }
    w->totals.n += part->n;
    return status;
}

static fsh_status
write_rejected(void *self, const fsh_embeddings *part, fsh_err *err)
{
    writing *w = self;
    fsh_column **columns = w->columns;
    fsh_status status = FSH_OK;
    uint64_t i;

    for (i = 0; i < part->rejected_n && !status; i++) {
        fsh_reason reason = part->rejected_reasons[i];

        status = fsh_column_append_text(columns[FSH_EMBEDDINGS_REJECTED_NAME],
                                        part->rejected_names[i], err);
        if (!status)
            status = fsh_column_append_text(columns[FSH_EMBEDDINGS_REJECTED_SOURCE],
                                            part->rejected_sources[i], err);
        if (!status)
            status = fsh_column_append_text(columns[FSH_EMBEDDINGS_REJECTED_REASON],
                                            fsh_reason_code(reason), err);
        if (!status)
            status = fsh_column_append(columns[FSH_EMBEDDINGS_REJECTED_VALUE],
                                       &part->rejected_values[i], 1, err);
        w->totals.rejected[reason]++;
    }
    w->totals.rejected_n += part->rejected_n;
    return status;
}

/* What `from` holds, or, where that is NULL, what e holds. */
static fsh_status
write_all(writing *w, const char *from, const fsh_embeddings *e, fsh_err *err)
{
    fsh_status status =
        from ? fsh_embeddings_each(from, write_rows, w, err) : write_rows(w, e, err);

    if (status)
        return status;
    return from ? fsh_embeddings_each(from, write_rejected, w, err) : write_rejected(w, e, err);
}

/* Closes columns and file, also after a failure. */
static fsh_status
finish(writing *w, fsh_status status, fsh_err *err)
{
    fsh_status closed;
    int i;

    for (i = 0; i < FSH_EMBEDDINGS_COLUMN_N; i++) {
        if (!status)
            status = fsh_column_close(&w->columns[i], err);
        fsh_column_abandon(&w->columns[i]);
    }
    closed = fsh_store_close(&w->store, status ? NULL : err);
    return status ? status : closed;
}

static fsh_status
write_file(const char *path, const char *from, const fsh_embeddings *e, const fsh_listener *step,
           fsh_embeddings_totals *totals, fsh_err *err)
{
    char temporary[FSH_PATH_BYTES];
    writing w = {.step = step};
    fsh_status status;

    if (snprintf(temporary, sizeof temporary, "%s.%ld.tmp", path, (long)getpid()) >=
        (int)sizeof temporary)
        return fsh_fail(err, FSH_USAGE, "%.80s...: path too long", path);
    status = fsh_store_create(temporary, &w.store, err);
    if (!status)
        status = write_all(&w, from, e, err);
    status = finish(&w, status, err);
    if (!status)
        status = fsh_file_commit(temporary, path, err);
    if (status)
        unlink(temporary);
    else if (totals)
        *totals = w.totals;
    return status;
}

fsh_status
fsh_embeddings_write(const char *path, const fsh_embeddings *e, fsh_err *err)
{
    return write_file(path, NULL, e, NULL, NULL, err);
}

fsh_status
fsh_embeddings_convert(const char *from, const char *path, const fsh_listener *step,
                       fsh_embeddings_totals *totals, fsh_err *err)
{
    return write_file(path, from, NULL, step, totals, err);
}

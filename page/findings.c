#include "page/findings.h"

#include <stdlib.h>

#include "shards/layout.h"

/* *column gets memory for n cells of so many bytes, and the rows of the file. */
static fsh_status
read_column(fsh_findings *found, fsh_shard_column column, uint64_t n, size_t cell, void **to,
            fsh_err *err)
{
    *to = calloc(n + 1, cell);
    if (!*to)
        return fsh_fail(err, FSH_MEMORY, "no memory for %llu rows", (unsigned long long)n);
    return fsh_shard_read(found->file, column, 0, n, *to, err);
}

static fsh_status
read_rows(fsh_findings *found, fsh_err *err)
{
    void *variants = NULL, *distances = NULL;
    fsh_status status = read_column(found, FSH_COLUMN_VARIANT, found->rows, 1, &variants, err);

    if (!status)
        status = read_column(found, FSH_COLUMN_MEAN_DISTANCE, found->rows, sizeof(float),
                             &distances, err);
    found->variants = variants;
    found->distances = distances;
    return status;
}

static fsh_status
read_reasons(fsh_findings *found, fsh_err *err)
{
    char **codes;
    uint64_t i;
    fsh_status status = fsh_shard_read_texts(found->file, FSH_COLUMN_REJECTED_REASON, 0,
                                             found->rejected_n, &codes, err);

    if (status)
        return status;
    found->reasons = calloc(found->rejected_n + 1, sizeof *found->reasons);
    for (i = 0; found->reasons && i < found->rejected_n; i++)
        found->reasons[i] = fsh_reason_from_code(codes[i]);
    free(codes);
    return found->reasons ? FSH_OK : fsh_fail(err, FSH_MEMORY, "out of memory");
}

static fsh_status
read_rejected(fsh_findings *found, fsh_err *err)
{
    void *values = NULL, *variants = NULL, *boxes = NULL;
    uint64_t i;
    fsh_status status = read_reasons(found, err);

    if (!status)
        status = fsh_shard_read_texts(found->file, FSH_COLUMN_REJECTED_SOURCE, 0, found->rejected_n,
                                      &found->sources, err);
    if (!status)
        status = read_column(found, FSH_COLUMN_REJECTED_VALUE, found->rejected_n, sizeof(float),
                             &values, err);
    if (!status)
        status =
            read_column(found, FSH_COLUMN_REJECTED_VARIANT, found->rejected_n, 1, &variants, err);
    if (!status)
        status = read_column(found, FSH_COLUMN_REJECTED_BOX, found->rejected_n,
                             sizeof *found->boxes, &boxes, err);
    found->values = values;
    found->boxes = boxes;
    found->whole = variants;
    for (i = 0; !status && i < found->rejected_n; i++)
        found->whole[i] = found->whole[i] == FSH_SHARD_WHOLE_SAMPLE;
    return status;
}

static fsh_status
read_identities(fsh_findings *found, fsh_err *err)
{
    void *samples = NULL, *rejected = NULL;
    fsh_status status = read_column(found, FSH_COLUMN_IDENTITY_SAMPLES, found->identities,
                                    sizeof(uint64_t), &samples, err);

    if (!status)
        status = read_column(found, FSH_COLUMN_IDENTITY_REJECTED, found->identities,
                             sizeof(uint64_t), &rejected, err);
    found->samples_of = samples;
    found->rejected_of = rejected;
    return status;
}

fsh_status
fsh_findings_read(const char *index, fsh_findings *found, fsh_err *err)
{
    const uint64_t *rows;
    fsh_status status = fsh_shard_open(index, &found->file, err);

    if (status)
        return status;
    rows = fsh_shard_get_info(found->file)->rows;
    found->rows = rows[FSH_TABLE_ROWS];
    found->rejected_n = rows[FSH_TABLE_REJECTED];
    found->identities = rows[FSH_TABLE_IDENTITIES];
    status = read_rows(found, err);
    if (!status)
        status = read_rejected(found, err);
    if (!status)
        status = read_identities(found, err);
    if (status)
        fsh_findings_fini(found);
    return status;
}

void
fsh_findings_fini(fsh_findings *found)
{
    fsh_shard_close(&found->file);
    free(found->variants);
    free(found->distances);
    free(found->reasons);
    free(found->sources);
    free(found->values);
    free(found->boxes);
    free(found->whole);
    free(found->samples_of);
    free(found->rejected_of);
    *found = (fsh_findings){0};
}

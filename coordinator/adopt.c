#include "coordinator/adopt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "job/paths.h"
#include "shards/counts.h"
#include "shards/read.h"

static fsh_status
check_meta(const fsh_shard_file *file, const char *path, const char *job_hash, const fsh_unit *unit, fsh_err *err)
{
    const fsh_shard_info *info = fsh_shard_get_info(file);

    if (!info->index && info->meta.unit == unit->number && strcmp(info->meta.job_hash, job_hash) == 0)
        return FSH_OK;
    return fsh_fail(err, FSH_FORMAT, "%s: is not the shard of unit %u of this job", path, unit->number);
}

static fsh_status
check_identities(const fsh_counts *counts, const char *path, const fsh_unit *unit, fsh_err *err)
{
    uint32_t i;

    if (counts->classes_n != unit->identities_n || counts->first_label != unit->first_label)
        return fsh_fail(err, FSH_FORMAT, "%s: holds other identities than its unit", path);
    for (i = 0; i < unit->identities_n; i++)
        if (strcmp(counts->classes[i].name, unit->identity_names[i]) != 0)
            return fsh_fail(err, FSH_FORMAT, "%s: holds other identities than its unit", path);
    return FSH_OK;
}

/* The sources of one table, read from the front. */
typedef struct sources {
    char **names;
    uint8_t *variants; /* of rejected rows, otherwise NULL */
    size_t at, n;
} sources;

static fsh_status
read_sources(fsh_shard_file *file, fsh_shard_table table, sources *to, fsh_err *err)
{
    bool rejected = table == FSH_TABLE_REJECTED;
    fsh_status status;

    to->n = (size_t)fsh_shard_get_info(file)->rows[table];
    status = fsh_shard_read_texts(file, rejected ? FSH_COLUMN_REJECTED_SOURCE : FSH_COLUMN_SOURCE, 0, to->n,
                                  &to->names, err);
    if (status || !rejected)
        return status;
    to->variants = malloc(to->n + 1);
    if (!to->variants)
        return fsh_fail(err, FSH_MEMORY, "out of memory for %zu rejected samples", to->n);
    return fsh_shard_read(file, FSH_COLUMN_REJECTED_VARIANT, 0, to->n, to->variants, err);
}

static void
sources_fini(sources *of)
{
    free(of->names);
    free(of->variants);
}

/* Whether the rows of source are next; they are then behind. Rows of single faces and variants that are missing
 * belong to samples that are delivered, or count for nothing. */
static bool
take(sources *from, const char *source)
{
    size_t before;

    while (from->variants && from->at < from->n && from->variants[from->at] != FSH_SHARD_WHOLE_SAMPLE)
        from->at++;
    before = from->at;
    while (from->at < from->n && strcmp(from->names[from->at], source) == 0)
        from->at++;
    return from->at > before;
}

/* Both tables are in the order of the unit's samples, and each sample is in exactly one of them. */
static fsh_status
check_samples(sources *delivered, sources *rejected, const char *path, const fsh_reader *reader,
              const fsh_unit *unit, fsh_err *err)
{
    char source[FSH_PATH_BYTES];
    uint32_t i, identity = 0;
    bool whole = true;

    for (i = 0; i < unit->samples_n && whole; i++) {
        while (unit->identity_starts[identity + 1] <= i)
            identity++;
        whole = !fsh_reader_source(reader, unit->identity_names[identity], unit->sample_names[i], source, NULL) &&
                take(delivered, source) != take(rejected, source);
    }
    take(rejected, "");
    if (whole && delivered->at == delivered->n && rejected->at == rejected->n)
        return FSH_OK;
    return fsh_fail(err, FSH_FORMAT, "%s: does not hold exactly the samples of its unit", path);
}

static fsh_status
check_content(fsh_shard_file *file, const char *path, const fsh_reader *reader, const fsh_unit *unit,
              const fsh_counts *counts, fsh_err *err)
{
    sources delivered = {0}, rejected = {0};
    fsh_status status = check_identities(counts, path, unit, err);

    if (!status && counts->totals.samples != unit->samples_n)
        status = fsh_fail(err, FSH_FORMAT, "%s: has %llu samples, its unit %u", path,
                          (unsigned long long)counts->totals.samples, unit->samples_n);
    if (!status)
        status = read_sources(file, FSH_TABLE_ROWS, &delivered, err);
    if (!status)
        status = read_sources(file, FSH_TABLE_REJECTED, &rejected, err);
    if (!status)
        status = check_samples(&delivered, &rejected, path, reader, unit, err);
    sources_fini(&delivered);
    sources_fini(&rejected);
    return status;
}

static fsh_status
read_shard(fsh_shard_file *file, const char *path, const fsh_job *job, const fsh_unit *unit, fsh_report *report,
           fsh_err *err)
{
    fsh_counts counts = {0};
    fsh_status status = check_meta(file, path, job->hash, unit, err);

    if (!status)
        status = fsh_counts_read(file, path, &counts, err);
    if (!status)
        status = check_content(file, path, job->reader, unit, &counts, err);
    *report = (fsh_report){.unit = unit->number,
                           .samples = counts.totals.samples,
                           .delivered = counts.totals.delivered,
                           .images = counts.totals.images};
    memcpy(report->rejected, counts.totals.rejected, sizeof report->rejected);
    fsh_counts_fini(&counts);
    return status;
}

fsh_status
fsh_adopt_shard(const fsh_job *job, const fsh_unit *unit, fsh_report *report, fsh_err *err)
{
    char name[64], path[FSH_PATH_BYTES];
    fsh_report made;
    fsh_shard_file *file;
    fsh_status status;

    snprintf(name, sizeof name, FSH_PATH_SHARD, unit->number);
    status = fsh_path_join(path, job->output, name, err);
    if (!status)
        status = fsh_shard_open(path, &file, err);
    if (status)
        return status;
    status = read_shard(file, path, job, unit, &made, err);
    fsh_shard_close(&file);
    if (!status)
        status = fsh_hash_file(path, &made.shard_hash, &made.bytes, err);
    if (!status)
        *report = made;
    return status;
}

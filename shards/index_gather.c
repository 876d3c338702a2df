/* Reads every shard once: does it belong to the job, and what does it hold? */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shards/index_parts.h"

enum { BATCH_ROWS = 4096 };

fsh_status
fsh_index_no_memory(const fsh_index_builder *build, fsh_err *err)
{
    return fsh_fail(err, FSH_MEMORY, "%s: out of memory", build->path);
}

/* Ends the text of a failure with what mends it. */
static fsh_status
with_remedy(const fsh_index_builder *build, uint32_t unit, fsh_status status, fsh_err *err)
{
    size_t used = err ? strlen(err->text) : 0;

    if (err && (status == FSH_FORMAT || status == FSH_IO))
        snprintf(err->text + used, sizeof err->text - used,
                 "; remove %s if it is there and `faceshard unit JOB %u`, or `run` again",
                 build->path, unit);
    return status;
}

/* Whether the open shard belongs to this job, at this place. */
static fsh_status
check_meta(const fsh_index_builder *build, uint32_t unit, fsh_err *err)
{
    const fsh_shard_info *info = fsh_shard_get_info(build->shard);
    const fsh_shard_meta *meta = &info->meta;
    const fsh_shard_meta *first = build->first ? &fsh_shard_get_info(build->first)->meta : meta;

    if (info->index || meta->unit != unit)
        return fsh_fail(err, FSH_FORMAT, "%s: is not the shard of unit %u", build->path, unit);
    if (strcmp(meta->job_hash, build->plan->job_hash) != 0)
        return fsh_fail(err, FSH_FORMAT, "%s: made by another job (hash %.64s, not %.64s)",
                        build->path, meta->job_hash, build->plan->job_hash);
    if (meta->size != first->size || meta->encoding != first->encoding ||
        meta->dimension != first->dimension)
        return fsh_fail(err, FSH_FORMAT, "%s: pictures or embeddings are not shaped as in unit 0",
                        build->path);
    return FSH_OK;
}

/* Labels are the places of identities in the job: each shard goes on where the one before it ended.
 */
static fsh_status
add_identity(fsh_index_builder *build, int64_t label, const char *name, fsh_err *err)
{
    uint64_t room = build->identities_room ? build->identities_room * 2 : 1024;
    fsh_index_class *grown;

    if (label != (int64_t)build->identities_n)
        return fsh_fail(err, FSH_FORMAT, "%s: has label %lld where %llu is next", build->path,
                        (long long)label, (unsigned long long)build->identities_n);
    if (build->identities_n == build->identities_room) {
        if (!(grown = reallocarray(build->identities, room, sizeof *grown)))
            return fsh_index_no_memory(build, err);
        build->identities = grown;
        build->identities_room = room;
    }
    build->identities[build->identities_n] = (fsh_index_class){.name = strdup(name)};
    if (!build->identities[build->identities_n].name)
        return fsh_index_no_memory(build, err);
    build->identities_n++;
    return FSH_OK;
}

/* One batch of rows of a table: who they belong to and what stands in their text columns. */
typedef struct batch {
    size_t n;
    int64_t labels[BATCH_ROWS];
    uint8_t variants[BATCH_ROWS]; /* of rejected rows */
    char **texts;                 /* names, sources or reasons; one piece of memory */
} batch;

typedef fsh_status take_batch(fsh_index_builder *build, const batch *found,
                              fsh_index_totals *totals, char **last, fsh_err *err);

static fsh_status
take_identities(fsh_index_builder *build, const batch *found, fsh_index_totals *totals, char **last,
                fsh_err *err)
{
    fsh_status status = FSH_OK;
    size_t i;

    (void)last;
    for (i = 0; i < found->n && !status; i++)
        status = add_identity(build, found->labels[i], found->texts[i], err);
    totals->identities += found->n;
    return status;
}

/* The class of a row, or NULL where its label is none of the shard's. */
static fsh_index_class *
class_of(fsh_index_builder *build, int64_t label)
{
    return label >= (int64_t)build->shard_first_label && label < (int64_t)build->identities_n
               ? &build->identities[label]
               : NULL;
}

/* All pictures of one sample follow each other: a new source is a new sample. */
static fsh_status
take_rows(fsh_index_builder *build, const batch *found, fsh_index_totals *totals, char **last,
          fsh_err *err)
{
    size_t i;

    for (i = 0; i < found->n; i++) {
        const char *before = i ? found->texts[i - 1] : *last;
        bool another = !before || strcmp(before, found->texts[i]) != 0;
        fsh_index_class *class = class_of(build, found->labels[i]);

        if (!class)
            return fsh_fail(err, FSH_FORMAT,
                            "%s: a picture has label %lld, which is none of its own", build->path,
                            (long long)found->labels[i]);
        class->images++;
        class->samples += another;
        totals->images++;
        totals->delivered += another;
    }
    free(*last);
    if (!(*last = strdup(found->texts[found->n - 1])))
        return fsh_index_no_memory(build, err);
    return FSH_OK;
}

static fsh_status
take_rejected(fsh_index_builder *build, const batch *found, fsh_index_totals *totals, char **last,
              fsh_err *err)
{
    size_t i;

    (void)last;
    for (i = 0; i < found->n; i++) {
        fsh_reason reason = fsh_reason_from_code(found->texts[i]);
        fsh_index_class *class = class_of(build, found->labels[i]);

        if (!class || reason == FSH_REASON_N || reason == FSH_REASON_NONE)
            return fsh_fail(err, FSH_FORMAT,
                            "%s: /rejected has an unknown label or reason (%lld, %.40s)",
                            build->path, (long long)found->labels[i], found->texts[i]);
        if (found->variants[i] != FSH_SHARD_WHOLE_SAMPLE)
            continue;
        class->rejected++;
        totals->rejected[reason]++;
    }
    return FSH_OK;
}

/* How a table is walked: its label and text columns, its variant column or FSH_COLUMN_N, and who
 * takes it. */
typedef struct walk {
    fsh_shard_column labels, texts, variants;
    take_batch *take;
} walk;

static fsh_status
read_batch(fsh_index_builder *build, const walk *how, uint64_t first, batch *found, fsh_err *err)
{
    fsh_status status =
        fsh_shard_read(build->shard, how->labels, first, found->n, found->labels, err);

    if (!status && how->variants != FSH_COLUMN_N)
        status = fsh_shard_read(build->shard, how->variants, first, found->n, found->variants, err);
    if (!status)
        status =
            fsh_shard_read_texts(build->shard, how->texts, first, found->n, &found->texts, err);
    return status;
}

static fsh_status
walk_table(fsh_index_builder *build, const walk *how, fsh_index_totals *totals, fsh_err *err)
{
    uint64_t rows = fsh_shard_get_info(build->shard)->rows[fsh_shard_column_table(how->labels)];
    batch *found = calloc(1, sizeof *found);
    fsh_status status = found ? FSH_OK : fsh_index_no_memory(build, err);
    char *last = NULL;
    uint64_t first;

    for (first = 0; first < rows && !status; first += found->n) {
        found->n = rows - first < BATCH_ROWS ? (size_t)(rows - first) : BATCH_ROWS;
        status = read_batch(build, how, first, found, err);
        if (!status)
            status = how->take(build, found, totals, &last, err);
        free(found->texts);
        found->texts = NULL;
    }
    free(last);
    free(found);
    return status;
}

static fsh_status
read_tables(fsh_index_builder *build, fsh_index_totals *totals, fsh_err *err)
{
    static const walk walks[] = {
        {FSH_COLUMN_IDENTITY_LABEL, FSH_COLUMN_IDENTITY_NAME, FSH_COLUMN_N, take_identities},
        {FSH_COLUMN_LABEL, FSH_COLUMN_SOURCE, FSH_COLUMN_N, take_rows},
        {FSH_COLUMN_REJECTED_LABEL, FSH_COLUMN_REJECTED_REASON, FSH_COLUMN_REJECTED_VARIANT,
         take_rejected}};
    fsh_status status = FSH_OK;
    size_t i;

    build->shard_first_label = build->identities_n;
    for (i = 0; i < sizeof walks / sizeof walks[0] && !status; i++)
        status = walk_table(build, &walks[i], totals, err);
    totals->samples = totals->delivered;
    for (i = 0; i < FSH_REASON_N; i++)
        totals->samples += totals->rejected[i];
    return status;
}

static void
add_totals(fsh_index_totals *sum, const fsh_index_totals *more)
{
    int i;

    sum->samples += more->samples;
    sum->delivered += more->delivered;
    sum->images += more->images;
    sum->identities += more->identities;
    sum->bytes += more->bytes;
    for (i = 0; i < FSH_REASON_N; i++)
        sum->rejected[i] += more->rejected[i];
}

/* The size, and the sum of the bytes unless the caller knows it. */
static fsh_status
hash_shard(const fsh_index_builder *build, uint32_t unit, fsh_index_part *part, fsh_err *err)
{
    struct stat info;

    if (!build->plan->hashes)
        return fsh_hash_file(build->path, &part->hash, &part->totals.bytes, err);
    part->hash = build->plan->hashes[unit];
    if (stat(build->path, &info) != 0)
        return fsh_fail_errno(err, errno, "%s: cannot be examined", build->path);
    part->totals.bytes = (uint64_t)info.st_size;
    return FSH_OK;
}

fsh_status
fsh_index_gather(fsh_index_builder *build, uint32_t unit, fsh_err *err)
{
    fsh_index_part *part = &build->parts[unit];
    fsh_status status;

    snprintf(part->file, sizeof part->file, build->plan->shard, unit);
    status = fsh_path_join(build->path, build->plan->output, part->file, err);
    if (!status)
        status = fsh_shard_open(build->path, &build->shard, err);
    if (!status)
        status = check_meta(build, unit, err);
    if (!status)
        status = read_tables(build, &part->totals, err);
    if (!status)
        status = hash_shard(build, unit, part, err);
    if (!status) {
        memcpy(build->rows[unit], fsh_shard_get_info(build->shard)->rows, sizeof build->rows[unit]);
        add_totals(&build->totals, &part->totals);
    }
    if (build->first || status) {
        fsh_shard_close(&build->shard);
    } else {
        build->first = build->shard;
        build->shard = NULL;
    }
    return status ? with_remedy(build, unit, status, err) : FSH_OK;
}

void
fsh_index_fini(fsh_index_builder *build)
{
    uint64_t i;

    for (i = 0; i < build->identities_n; i++)
        free(build->identities[i].name);
    free(build->identities);
    free(build->rows);
    free(build->parts);
    fsh_shard_close(&build->first);
}

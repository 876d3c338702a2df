/* Reads every shard once: does it belong to the job, and what does it hold? */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shards/index_parts.h"

/* Ends the text of a failure with what mends it. */
static fsh_status
with_remedy(const char *path, uint32_t unit, fsh_status status, fsh_err *err)
{
    size_t used = err ? strlen(err->text) : 0;

    if (err && (status == FSH_FORMAT || status == FSH_IO))
        snprintf(err->text + used, sizeof err->text - used,
                 "; remove %s if it is there, then `faceshard unit JOB %u`, or `run` again", path,
                 unit);
    return status;
}

/* Whether a shard belongs to this job, at this place. */
static fsh_status
check_meta(const fsh_index_builder *build, const fsh_shard_info *info, const char *path,
           uint32_t unit, fsh_err *err)
{
    const fsh_shard_meta *meta = &info->meta;
    const fsh_shard_meta *first = build->first ? &fsh_shard_get_info(build->first)->meta : meta;

    if (info->index || meta->unit != unit)
        return fsh_fail(err, FSH_FORMAT, "%s: is not the shard of unit %u", path, unit);
    if (strcmp(meta->job_hash, build->plan->job_hash) != 0)
        return fsh_fail(err, FSH_FORMAT, "%s: made by another job (hash %.64s, not %.64s)", path,
                        meta->job_hash, build->plan->job_hash);
    if (meta->size != first->size || meta->encoding != first->encoding ||
        meta->dimension != first->dimension)
        return fsh_fail(err, FSH_FORMAT, "%s: pictures or embeddings are not shaped as in unit 0",
                        path);
    return FSH_OK;
}

/* Moves the classes of a shard to the end of all. Labels are the places of identities in the job,
 * so each shard goes on where the one before it ended. */
static fsh_status
take_classes(fsh_index_builder *build, const char *path, fsh_counts *counts, fsh_err *err)
{
    uint64_t room = build->classes_n + counts->classes_n;
    fsh_class_count *grown;

    if (counts->classes_n && counts->first_label != (int64_t)build->classes_n)
        return fsh_fail(err, FSH_FORMAT, "%s: its labels begin at %lld where %llu is next", path,
                        (long long)counts->first_label, (unsigned long long)build->classes_n);
    if (room > build->classes_room) {
        room *= 2;
        if (!(grown = reallocarray(build->classes, room, sizeof *grown)))
            return fsh_fail(err, FSH_MEMORY, "%s: out of memory", path);
        build->classes = grown;
        build->classes_room = room;
    }
    if (counts->classes_n)
        memcpy(&build->classes[build->classes_n], counts->classes,
               counts->classes_n * sizeof *counts->classes);
    build->classes_n += counts->classes_n;
    counts->classes_n = 0; /* the names are ours now */
    return FSH_OK;
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
hash_shard(const fsh_index_builder *build, const char *path, uint32_t unit, fsh_err *err)
{
    fsh_index_part *part = &build->parts[unit];
    struct stat info;

    if (!build->plan->hashes)
        return fsh_hash_file(path, &part->hash, &part->totals.bytes, err);
    if (stat(path, &info) != 0)
        return fsh_fail_errno(err, errno, "%s: cannot be examined", path);
    part->hash = build->plan->hashes[unit];
    part->totals.bytes = (uint64_t)info.st_size;
    return FSH_OK;
}

static fsh_status
copy_columns(fsh_index_builder *build, fsh_shard_file *file, fsh_err *err)
{
    fsh_status status = FSH_OK;
    int i;

    for (i = 0; i < FSH_COLUMN_N && !status; i++)
        if (build->copies[i])
            status = fsh_shard_copy(file, (fsh_shard_column)i, build->copies[i], err);
    return status;
}

static fsh_status
take_shard(fsh_index_builder *build, fsh_shard_file *file, const char *path, uint32_t unit,
           fsh_err *err)
{
    const fsh_shard_info *info = fsh_shard_get_info(file);
    fsh_index_part *part = &build->parts[unit];
    fsh_counts counts = {0};
    fsh_status status = check_meta(build, info, path, unit, err);

    if (!status)
        status = fsh_counts_read(file, path, &counts, err);
    if (!status)
        status = take_classes(build, path, &counts, err);
    part->totals = counts.totals;
    if (!status)
        status = copy_columns(build, file, err);
    if (!status)
        status = hash_shard(build, path, unit, err);
    memcpy(part->rows, info->rows, sizeof part->rows);
    add_totals(&build->totals, &part->totals);
    fsh_counts_fini(&counts);
    return status;
}

fsh_status
fsh_index_gather(fsh_index_builder *build, uint32_t unit, fsh_err *err)
{
    fsh_index_part *part = &build->parts[unit];
    char path[FSH_PATH_BYTES];
    fsh_shard_file *file = NULL;
    fsh_status status;

    snprintf(part->file, sizeof part->file, build->plan->shard, unit);
    status = fsh_path_join(path, build->plan->output, part->file, err);
    if (status)
        return status;
    status = fsh_shard_open(path, &file, err);
    if (!status)
        status = take_shard(build, file, path, unit, err);
    if (!status && !build->first)
        build->first = file;
    else
        fsh_shard_close(&file);
    return status ? with_remedy(path, unit, status, err) : FSH_OK;
}

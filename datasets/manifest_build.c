#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "datasets/keep.h"
#include "datasets/manifest_inside.h"

enum { PROGRESS_SAMPLES = 1 << 16 };

typedef struct builder {
    fsh_store *store;
    fsh_column *columns[COLUMNS_N];
    fsh_hasher *hasher;
    uint64_t images_per_unit;
    mark unit;     /* where the unit that is being filled began */
    mark identity; /* where the last identity began */
    mark end;      /* of what was written */
    uint64_t units, ignored;
    uint64_t told; /* samples, by the reader, before it gave any */
    fsh_manifest_progress *progress;
    void *self;
} builder;

/* Adds a name to its blob and to the digest; the kind keeps apart "a", "b" and "a" with the sample
 * "b". */
static fsh_status
add_name(builder *build, enum column column, char kind, const char *name, uint64_t *byte,
         fsh_err *err)
{
    size_t bytes = strlen(name) + 1;

    fsh_hasher_add(build->hasher, &kind, 1);
    fsh_hasher_add(build->hasher, name, bytes);
    *byte += bytes;
    return fsh_column_append(build->columns[column], name, bytes, err);
}

static fsh_status
begin_unit(builder *build, mark at, fsh_err *err)
{
    build->unit = at;
    return fsh_column_append(build->columns[UNITS], &at, 1, err);
}

/* Now that the last identity's size is known: does it still fit into the unit? Identities count
 * too, so that a million of empty folders are not one unit. */
static fsh_status
end_identity(builder *build, fsh_err *err)
{
    bool full = build->end.sample - build->unit.sample > build->images_per_unit ||
                build->end.identity - build->unit.identity > build->images_per_unit;
    bool first = build->end.identity == 0, alone = build->identity.identity == build->unit.identity;

    if (first || !full || alone)
        return FSH_OK;
    build->units++;
    return begin_unit(build, build->identity, err);
}

static fsh_status
add_identity(void *self, const char *name, fsh_err *err)
{
    builder *build = self;
    fsh_status status = end_identity(build, err);

    if (status)
        return status;
    build->identity = build->end;
    build->end.identity++;
    status = fsh_column_append(build->columns[IDENTITY_STARTS], &build->end.sample, 1, err);
    if (status)
        return status;
    return add_name(build, IDENTITY_NAMES, 'i', name, &build->end.identity_byte, err);
}

static fsh_status
add_sample(void *self, const char *name, fsh_err *err)
{
    builder *build = self;

    if (++build->end.sample % PROGRESS_SAMPLES == 0 && build->progress &&
        build->end.sample > build->told)
        build->progress(build->self, build->end.sample, build->end.identity);
    return add_name(build, SAMPLE_NAMES, 's', name, &build->end.sample_byte, err);
}

static void
add_ignored(void *self, const char *path, const char *why)
{
    builder *build = self;

    (void)path;
    (void)why;
    build->ignored++;
}

static void
tell_found(void *self, uint64_t samples, uint64_t identities)
{
    builder *build = self;

    build->told = samples;
    if (build->progress)
        build->progress(build->self, samples, identities);
}

static fsh_status
close_last_unit(builder *build, const fsh_reader *reader, const char *input, fsh_err *err)
{
    fsh_status status = end_identity(build, err);

    if (status)
        return status;
    if (!build->end.identity)
        return fsh_fail(err, FSH_USAGE,
                        "%s: no identity found (%llu entries ignored); input format %s is %s",
                        input, (unsigned long long)build->ignored, reader->format, reader->summary);
    build->units++;
    status = fsh_column_append(build->columns[IDENTITY_STARTS], &build->end.sample, 1, err);
    return status ? status : begin_unit(build, build->end, err);
}

static fsh_status
write_totals(builder *build, fsh_manifest_totals *totals, fsh_err *err)
{
    char hex[FSH_HASH_HEX];
    fsh_status status = FSH_OK;

    *totals = (fsh_manifest_totals){.samples = build->end.sample,
                                    .identities = build->end.identity,
                                    .units = build->units,
                                    .ignored = build->ignored};
    fsh_hasher_take(&build->hasher, &totals->digest);
    fsh_hash_hex(&totals->digest, hex);
    status = fsh_store_set_number(build->store, "format", MANIFEST_FORMAT, err);
    if (!status)
        status = fsh_store_set_number(build->store, "samples", totals->samples, err);
    if (!status)
        status = fsh_store_set_number(build->store, "identities", totals->identities, err);
    if (!status)
        status = fsh_store_set_number(build->store, "units", totals->units, err);
    if (!status)
        status = fsh_store_set_number(build->store, "ignored", totals->ignored, err);
    return status ? status : fsh_store_set_text(build->store, "digest", hex, err);
}

static fsh_status
build_file(builder *build, const char *path, const fsh_reader *reader, const char *input,
           const char *keep, fsh_manifest_totals *totals, fsh_err *err)
{
    const fsh_scan_sink sink = {build, add_identity, add_sample, add_ignored, tell_found};
    fsh_status status = fsh_store_create(path, &build->store, err);
    int i;

    for (i = 0; i < COLUMNS_N && !status; i++)
        status = fsh_column_create(build->store, &fsh_manifest_columns[i], &build->columns[i], err);
    if (!status && (status = fsh_hasher_new(&build->hasher)))
        fsh_fail(err, status, "%s: no SHA-256 to be had", path);
    if (!status)
        status = begin_unit(build, build->end, err);
    if (!status)
        status = fsh_scan_kept(reader, input, keep, &sink, err);
    if (!status)
        status = close_last_unit(build, reader, input, err);
    if (!status)
        status = write_totals(build, totals, err);
    for (i = 0; i < COLUMNS_N; i++) {
        if (!status)
            status = fsh_column_close(&build->columns[i], err);
        fsh_column_abandon(&build->columns[i]);
    }
    return status;
}

fsh_status
fsh_manifest_build(const char *path, const fsh_reader *reader, const char *input,
                   const char *keep, uint64_t images_per_unit, fsh_manifest_progress *progress, void *self,
                   fsh_manifest_totals *totals, fsh_err *err)
{
    builder build = {.images_per_unit = images_per_unit, .progress = progress, .self = self};
    char temporary[FSH_PATH_BYTES];
    fsh_manifest_totals found;
    fsh_status status, closed;

    if (snprintf(temporary, sizeof temporary, "%s.%ld.tmp", path, (long)getpid()) >=
        (int)sizeof temporary)
        return fsh_fail(err, FSH_USAGE, "%.80s...: path too long", path);
    status = build_file(&build, temporary, reader, input, keep, &found, err);
    closed = fsh_store_close(&build.store, status ? NULL : err);
    status = status ? status : closed;
    if (build.hasher)
        fsh_hasher_take(&build.hasher, &found.digest);
    if (!status)
        status = fsh_file_commit(temporary, path, err);
    if (status)
        unlink(temporary);
    else
        *totals = found;
    return status;
}

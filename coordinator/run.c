/* From a planned job to work that can be served. */
#include <stdlib.h>

#include "coordinator/adopt.h"
#include "coordinator/coordinator.h"
#include "datasets/packer.h"
#include "job/paths.h"

/* ---- parcels ---- */

typedef struct shelf {
    const fsh_job *job;
    fsh_manifest *manifest;
} shelf;

static fsh_status
read_parcel(void *self, uint64_t offset, void *data, size_t room, size_t *bytes, fsh_err *err)
{
    return fsh_packer_read(self, offset, data, room, bytes, err);
}

static void
sum_parcel(void *self, uint64_t *bytes, fsh_hash *hash)
{
    fsh_packer_sum(self, bytes, hash);
}

static void
close_parcel(void *self)
{
    fsh_packer_free(self);
}

/* Names are read here, on the loop, because HDF5 is for one thread; photographs later, on the pool. */
static fsh_status
open_parcel(void *self, uint32_t number, fsh_source *source, fsh_err *err)
{
    const shelf *of = self;
    fsh_unit unit;
    fsh_packer *packer;
    fsh_status status = fsh_manifest_unit(of->manifest, number, &unit, err);

    if (!status)
        status = fsh_packer_new(of->job->reader, of->job->input, &unit, &packer, err);
    if (!status)
        *source = (fsh_source){packer, read_parcel, sum_parcel, close_parcel};
    return status;
}

/* ---- names ---- */

static fsh_status
name_sample(void *self, uint32_t number, uint32_t sample, char path[FSH_PATH_BYTES], fsh_err *err)
{
    const shelf *of = self;
    fsh_unit unit;
    uint32_t identity = 0;
    fsh_status status = fsh_manifest_unit(of->manifest, number, &unit, err);

    if (status)
        return status;
    while (identity + 1 < unit.identities_n && unit.identity_starts[identity + 1] <= sample)
        identity++;
    status = sample < unit.samples_n ? fsh_reader_source(of->job->reader, unit.identity_names[identity],
                                                         unit.sample_names[sample], path, err)
                                     : fsh_fail(err, FSH_INTERNAL, "no such sample");
    fsh_unit_fini(&unit);
    return status;
}

/* ---- shards that are in no ledger ---- */

static fsh_status
adopt(void *self, uint32_t number, fsh_report *report, fsh_err *err)
{
    const shelf *of = self;
    fsh_unit unit;
    fsh_status status = fsh_manifest_unit(of->manifest, number, &unit, err);

    if (status)
        return status;
    status = fsh_adopt_shard(of->job, &unit, report, err);
    fsh_unit_fini(&unit);
    return status;
}

/* ---- serving ---- */

/* Photographs are read and shards are written on libuv's pool. It is made at its first use, and its four
 * threads are too few where storage answers late; who has set the variable keeps what it says. */
static void
widen_pool(void)
{
    setenv("UV_THREADPOOL_SIZE", "16", 0);
}

static fsh_status
serve_manifest(const fsh_job *job, fsh_manifest *manifest, const fsh_coordinator_options *options,
               fsh_coordinator_totals *totals, fsh_err *err)
{
    const fsh_manifest_totals *planned = fsh_manifest_get_totals(manifest);
    uint32_t units_n = (uint32_t)planned->units, i;
    uint32_t *samples = calloc(units_n, sizeof *samples);
    char input_hash[FSH_HASH_HEX];
    fsh_text text = {0};
    fsh_status status =
        samples ? FSH_OK : fsh_fail(err, FSH_MEMORY, "no memory for %u units", units_n);

    fsh_hash_hex(&planned->digest, input_hash);
    fsh_job_print(job, &text);
    for (i = 0; samples && i < units_n; i++)
        samples[i] = fsh_manifest_unit_samples(manifest, i);
    if (job->transport == FSH_TRANSPORT_STREAM)
        widen_pool();
    if (!status) {
        shelf of = {job, manifest};
        fsh_coordinator_parcels parcels = {&of, open_parcel};
        fsh_coordinator_names names = {&of, name_sample};
        fsh_listener step = fsh_listener_at(options->steps, "checking shards that are there");
        fsh_coordinator_adoption adoption = {&of, adopt, &step};
        fsh_coordinator_work work = {job->output,
                                     fsh_text_get(&text),
                                     job->hash,
                                     input_hash,
                                     units_n,
                                     samples,
                                     fsh_text_get(&job->recipe),
                                     job->transport == FSH_TRANSPORT_STREAM ? &parcels : NULL,
                                     &names,
                                     &adoption};

        status = fsh_coordinator_serve(&work, options, totals, err);
    }
    fsh_text_fini(&text);
    free(samples);
    return status;
}

/* A picture that takes its full time twice, with others before and behind it, is no stall. */
static uint32_t
stall_ms(const fsh_job *job, uint32_t least_ms)
{
    double ms = 2000 * job->image_seconds + 60000;

    return ms > least_ms ? (uint32_t)ms : least_ms;
}

fsh_status
fsh_coordinator_run(const fsh_job *job, const fsh_coordinator_options *options,
                    fsh_coordinator_totals *totals, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_manifest *manifest;
    fsh_coordinator_options adapted = *options;
    fsh_status status = fsh_path_join(path, job->output, FSH_PATH_UNITS, err);

    *totals = (fsh_coordinator_totals){0};
    adapted.stall_ms = stall_ms(job, options->stall_ms);
    if (!status)
        status = fsh_manifest_open(path, &manifest, err);
    if (status)
        return status;
    status = serve_manifest(job, manifest, &adapted, totals, err);
    fsh_manifest_close(manifest);
    return status;
}

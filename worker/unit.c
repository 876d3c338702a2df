#include "worker/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "job/facts.h"
#include "job/paths.h"
#include "shards/shard.h"
#include "worker/work.h"

/* The names of all variants, a line each. */
static void
variant_names(const fsh_job *job, fsh_text *out)
{
    uint32_t i;

    for (i = 0; i < job->variants_n; i++) {
        fsh_chain_name(&job->variants[i], out);
        fsh_text_add(out, "\n");
    }
}

/* The stages and variants as they stand in a job file, without the sections that name paths. */
static void
stage_list(const fsh_job *job, fsh_text *out)
{
    fsh_text all = {0};
    const char *stages;

    fsh_job_print(job, &all);
    stages = strstr(fsh_text_get(&all), "stages:\n");
    fsh_text_add(out, stages ? stages : "");
    fsh_text_fini(&all);
}

static fsh_status
create_shard(fsh_work *work, const char *path, fsh_err *err)
{
    const fsh_runner *runner = work->runner;
    const fsh_job *job = runner->job;
    fsh_text stages = {0}, variants = {0};
    fsh_shard_meta meta = {job->hash, (uint64_t)job->seed, NULL, fsh_text_get(&job->model_list), NULL,
                           FSH_VERSION, work->unit.number, (uint32_t)job->size,
                           (fsh_encoding)job->encoding, runner->env.dimension};
    fsh_status status;

    stage_list(job, &stages);
    variant_names(job, &variants);
    meta.stages = fsh_text_get(&stages);
    meta.variants = fsh_text_get(&variants);
    status = fsh_shard_create(path, &meta, &work->shard, err);
    fsh_text_fini(&stages);
    fsh_text_fini(&variants);
    return status;
}

static fsh_status
add_identities(fsh_work *work, fsh_err *err)
{
    fsh_status status = FSH_OK;
    uint32_t i;

    for (i = 0; i < work->unit.identities_n && !status; i++)
        status = fsh_shard_add_identity(work->shard, work->unit.first_label + i,
                                        work->unit.identity_names[i], err);
    return status;
}

static fsh_status
add_rejected(fsh_work *work, uint32_t sample, fsh_reason reason, float value, uint8_t variant,
             const fsh_face *face, fsh_err *err)
{
    const char *worn = variant == FSH_SHARD_WHOLE_SAMPLE ? work->facts[sample].worn : NULL;
    char source[FSH_PATH_BYTES];
    fsh_shard_rejected row = {source, work->unit.first_label + fsh_work_identity(work, sample), reason,
                              value, variant, worn,
                              face ? face->crop : (fsh_box){0}};
    fsh_status status = fsh_work_source(work, sample, source, err);

    return status ? status : fsh_shard_add_rejected(work->shard, &row, err);
}

/* A sample that gave no picture is one row; of one that did, every further face that was left out is one. */
static fsh_status
add_rejected_sample(fsh_work *work, uint32_t sample, fsh_err *err)
{
    const fsh_facts *facts = &work->facts[sample];
    fsh_status status = FSH_OK;
    uint32_t i;

    if (facts->pictures == 0) /* for the reason of its first face, where it has one */
        return add_rejected(work, sample, facts->reason, facts->value, FSH_SHARD_WHOLE_SAMPLE,
                            facts->faces, err);
    for (i = 0; i < facts->faces_n && !status; i++)
        if (facts->faces[i].reason != FSH_REASON_NONE)
            status = add_rejected(work, sample, facts->faces[i].reason, facts->faces[i].value,
                                  FSH_SHARD_ONE_FACE, &facts->faces[i], err);
    return status;
}

static fsh_status
add_all_rejected(fsh_work *work, fsh_err *err)
{
    fsh_status status = FSH_OK;
    uint32_t i;

    for (i = 0; i < work->unit.samples_n && !status; i++)
        status = add_rejected_sample(work, i, err);
    return status;
}

/* What is known from earlier attempts, which no facts of earlier runs undo. */
static void
note_suspects(fsh_work *work)
{
    const fsh_unit_order *order = work->order;
    uint64_t i;

    for (i = 0; i < order->suspects_n; i++) {
        fsh_facts *facts = order->suspects[i] < work->unit.samples_n
                               ? &work->facts[order->suspects[i]]
                               : NULL;

        if (!facts)
            continue;
        facts->alone = order->reasons[i] == FSH_REASON_NONE;
        if (facts->alone)
            continue;
        fsh_facts_clear(facts);
        facts->condemned = true;
        facts->reason = (fsh_reason)order->reasons[i];
        facts->value = order->values[i] ? (float)order->values[i] : NAN;
    }
}

/* Recalled or found, and kept before `select` says what becomes of them. */
static fsh_status
find_facts(fsh_work *work, fsh_err *err)
{
    uint64_t since = fsh_work_now_ns();
    bool found = false;
    fsh_status status = fsh_work_recall(work, &found, err);

    fsh_work_spent(work, 0, FSH_TIME_LOAD, &since);
    if (!status && !found)
        status = fsh_runner_open_analysis(work->runner, err);
    note_suspects(work);
    if (!status)
        status = fsh_work_analyse(work);
    since = fsh_work_now_ns();
    if (!status)
        status = fsh_work_keep(work, err);
    fsh_work_spent(work, 0, FSH_TIME_SHARD, &since);
    return status;
}

static fsh_status
run_phases(fsh_work *work, const char *path, fsh_err *err)
{
    uint64_t since;
    fsh_status status = find_facts(work, err);

    if (!status)
        status = fsh_work_select(work);
    if (!status)
        status = create_shard(work, path, err);
    if (!status)
        status = add_identities(work, err);
    if (!status)
        status = fsh_work_render(work);
    since = fsh_work_now_ns();
    if (!status)
        status = add_all_rejected(work, err);
    if (!status)
        status = fsh_shard_finish(&work->shard, err);
    else
        fsh_shard_abandon(&work->shard);
    fsh_work_spent(work, 0, FSH_TIME_SHARD, &since);
    return status;
}

/* Hashes before the rename: what is told is what was written. */
static fsh_status
commit_shard(fsh_work *work, const char *temporary, const char *path, fsh_report *report, fsh_err *err)
{
    uint64_t since = fsh_work_now_ns();
    fsh_status status = fsh_hash_file(temporary, &report->shard_hash, &report->bytes, err);

    if (!status)
        status = fsh_file_commit(temporary, path, err);
    fsh_work_spent(work, 0, FSH_TIME_SHARD, &since);
    return status;
}

static void
fill_report(const fsh_work *work, fsh_report *report)
{
    uint32_t i, k;

    report->unit = work->unit.number;
    report->samples = work->unit.samples_n;
    report->images = work->images;
    for (i = 0; i < work->unit.samples_n; i++) {
        if (work->facts[i].pictures)
            report->delivered++;
        else
            report->rejected[work->facts[i].reason]++;
    }
    for (i = 0; i < work->runner->env.threads; i++)
        for (k = 0; k < FSH_REPORT_TIMES_MAX; k++)
            report->times_ns[k] += work->times_ns[i][k];
}

static void
work_fini(fsh_work *work)
{
    uint32_t i;

    for (i = 0; work->facts && i < work->unit.samples_n; i++)
        fsh_facts_clear(&work->facts[i]);
    free(work->facts);
    free(work->times_ns);
    fsh_unit_fini(&work->unit);
    fsh_parcel_close(work->parcel);
}

static fsh_status
shard_paths(const fsh_job *job, uint32_t number, const char *token, char temporary[FSH_PATH_BYTES],
            char path[FSH_PATH_BYTES], fsh_err *err)
{
    char name[FSH_PATH_BYTES];
    fsh_status status;

    snprintf(name, sizeof name, FSH_PATH_SHARD_TEMPORARY, number, token);
    status = fsh_path_join(temporary, job->output, name, err);
    snprintf(name, sizeof name, FSH_PATH_SHARD, number);
    return status ? status : fsh_path_join(path, job->output, name, err);
}

static fsh_status
run_unit(fsh_work *work, const char *temporary, const char *path, fsh_report *report, fsh_err *err)
{
    fsh_status status;

    work->facts = calloc(work->unit.samples_n + 1, sizeof *work->facts);
    work->times_ns = calloc(work->runner->env.threads, sizeof *work->times_ns);
    if (!work->facts || !work->times_ns)
        return fsh_fail(err, FSH_MEMORY, "out of memory for a unit of %u samples", work->unit.samples_n);
    status = run_phases(work, temporary, err);
    if (!status)
        status = commit_shard(work, temporary, path, report, err);
    if (status)
        unlink(temporary);
    else
        fill_report(work, report);
    return status;
}

/* The unit's names, from the manifest or from the parcel that was fetched for this lease. */
static fsh_status
open_unit(const fsh_runner *runner, uint32_t number, const char *token, fsh_work *work, fsh_err *err)
{
    char name[FSH_PATH_BYTES], path[FSH_PATH_BYTES];
    fsh_status status;

    if (runner->manifest)
        return fsh_manifest_unit(runner->manifest, number, &work->unit, err);
    snprintf(name, sizeof name, FSH_PATH_PARCEL, number, token);
    status = fsh_path_join(path, runner->job->output, name, err);
    if (!status)
        status = fsh_parcel_open(path, &work->parcel, err);
    if (status)
        return status;
    fsh_parcel_take_unit(work->parcel, &work->unit);
    return work->unit.number == number ? FSH_OK
                                       : fsh_fail(err, FSH_FORMAT, "%s: holds another unit", path);
}

fsh_status
fsh_runner_unit(fsh_runner *runner, const fsh_unit_order *order, fsh_report *report, fsh_err *err)
{
    char temporary[FSH_PATH_BYTES], path[FSH_PATH_BYTES];
    fsh_work work = {0};
    fsh_report made = {0};
    fsh_status status =
        shard_paths(runner->job, order->unit, order->token, temporary, path, err);

    if (!status)
        status = open_unit(runner, order->unit, order->token, &work, err);
    if (status) {
        work_fini(&work);
        return status;
    }
    work.runner = runner;
    work.order = order;
    work.err = err;
    status = run_unit(&work, temporary, path, &made, err);
    work_fini(&work);
    if (!status)
        *report = made;
    return status;
}

#include "cli/job_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/report.h"
#include "cli/reuse.h"
#include "coordinator/finish.h"
#include "job/meeting.h"
#include "worker/unit.h"

static fsh_status
serve(const fsh_job *job, const fsh_run_options *options, fsh_hash *hashes, fsh_run_result *result,
      fsh_err *err)
{
    fsh_coordinator_options to;

    fsh_coordinator_options_init(&to);
    to.address = options->bind && options->bind[0] ? options->bind : NULL;
    to.announce = options->announce;
    to.insecure = options->insecure;
    to.keys = options->keys && options->keys[0] ? options->keys : NULL;
    to.workers = options->workers;
    to.threads = options->threads ? options->threads : 1;
    to.grace_ms = (uint32_t)(1000 * options->grace);
    fsh_far_use(&result->far, options->ssh, &to);
    to.shard_hashes = hashes;
    to.self = &result->progress;
    to.told = fsh_progress_told;
    to.steps = &result->steps;
    to.seer = result->live;
    to.seen = fsh_live_see;
    return fsh_coordinator_run(job, &to, &result->served, err);
}

/* What the ledger says of a job that was finished before. */
static void
known_totals(fsh_run_result *result)
{
    const fsh_coordinator_totals *served = &result->served;

    result->totals =
        (fsh_index_totals){served->samples_done,       served->delivered, served->images,
                           result->planned.identities, served->bytes,     {0}};
    memcpy(result->totals.rejected, served->rejected, sizeof result->totals.rejected);
}

/* Terminal and page are told of the same steps. */
static void
told_step(void *self, const char *text, uint64_t done, uint64_t of)
{
    fsh_run_result *result = self;

    fsh_progress_at(&result->progress, text, done, of);
    fsh_live_step(result->live, text, done, of);
}

/* The job is done, with or without it. */
static void
make_report(const fsh_job *job, fsh_run_result *result)
{
    fsh_err err;

    if (fsh_report_make(job->output, &result->steps, &err))
        fsh_progress_warn(&result->progress, err.text);
}

static fsh_status
finish(const fsh_job *job, bool report, const fsh_hash *hashes, fsh_run_result *result, fsh_err *err)
{
    fsh_status status;

    fsh_live_enter(result->live, FSH_PHASE_FINISHING);
    result->finished_before =
        result->served.units_known == result->served.units && fsh_finish_is_done(job);
    if (result->finished_before) {
        known_totals(result);
        return fsh_finish_again(job, err);
    }
    status = fsh_finish(job, (uint32_t)result->planned.units, hashes, &result->steps, &result->totals, err);
    if (!status && report)
        make_report(job, result);
    fsh_progress_clear(&result->progress);
    return status;
}

static void
scanned(void *self, uint64_t samples, uint64_t identities)
{
    fsh_run_result *result = self;

    fsh_progress_scan(&result->progress, samples, identities);
    fsh_live_scan(result->live, samples, identities);
}

static fsh_status
plan(const fsh_job *job, fsh_run_result *result, fsh_err *err)
{
    fsh_progress *progress = &result->progress;
    fsh_manifest_totals *planned = &result->planned;
    fsh_plan_outcome outcome;
    fsh_status status;

    fsh_progress_input(progress, job->format);
    status = fsh_plan(job, scanned, result, planned, &outcome, err);

    if (!status)
        status = fsh_reuse_tell(progress, job, outcome, err);
    if (status)
        return status;
    fsh_progress_planned(progress, planned->samples, planned->identities, planned->units,
                         outcome == FSH_PLAN_KNOWN);
    fsh_live_plan(result->live, planned);
    return FSH_OK;
}

/* Workers that come from now on need not wait; others would wait for a while. */
static void
tell_end(const fsh_job *job, fsh_run_result *result)
{
    fsh_err err;

    if (fsh_meeting_end(job->output, &err))
        fsh_progress_warn(&result->progress, err.text);
}

static fsh_status
run_planned(const fsh_job *job, const fsh_run_options *options, fsh_run_result *result, fsh_err *err)
{
    fsh_hash *hashes;
    fsh_status status = plan(job, result, err);

    if (status)
        return status;
    hashes = calloc(result->planned.units + 1, sizeof *hashes);
    if (!hashes)
        return fsh_fail(err, FSH_MEMORY, "out of memory for %llu units",
                        (unsigned long long)result->planned.units);
    status = serve(job, options, hashes, result, err);
    fsh_progress_clear(&result->progress);
    if (status != FSH_INTERRUPTED && status != FSH_BUSY)
        tell_end(job, result);
    if (!status)
        status = finish(job, options->report, hashes, result, err);
    free(hashes);
    return status;
}

fsh_status
fsh_run(const fsh_job *job, const fsh_run_options *options, fsh_run_result *result, fsh_err *err)
{
    fsh_status status;

    memset(result, 0, sizeof *result);
    result->steps = (fsh_listener){told_step, result, NULL};
    fsh_progress_start(&result->progress, options->log);
    status = fsh_live_open(job, &options->page, &result->live, err);
    if (status)
        return status;
    fsh_progress_page(&result->progress, fsh_live_address(result->live));
    status = fsh_meeting_reopen(job->output, err);
    if (!status)
        status = fsh_far_open(options->hosts, job->output, options->keys, &result->far, err);
    if (!status)
        status = run_planned(job, options, result, err);
    fsh_far_close(&result->far);
    fsh_live_enter(result->live, !status                     ? FSH_PHASE_FINISHED
                                 : status == FSH_INTERRUPTED ? FSH_PHASE_STOPPED
                                                             : FSH_PHASE_FAILED);
    fsh_live_close(&result->live);
    return status;
}

uint32_t
fsh_run_workers(int64_t workers)
{
    return workers ? (uint32_t)workers : (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
}

void
fsh_run_explain(const fsh_job *job)
{
    fsh_text text = {0};

    fsh_job_print(job, &text);
    printf("# job %s\n%s", job->hash, fsh_text_get(&text));
    if (job->model_list.bytes)
        printf("# models: role, card, SHA-256\n");
    for (const char *line = fsh_text_get(&job->model_list); *line; line++) {
        if (line == fsh_text_get(&job->model_list) || line[-1] == '\n')
            printf("#   ");
        putchar(*line);
    }
    fsh_text_fini(&text);
}

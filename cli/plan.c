/* `faceshard plan` and `finish`: the two ends of a job without a coordinator, for any engine that can run
 * commands: plan once, unit K (cli/unit.c) for every K in any order on any machine, finish once. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/outcome.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/summary.h"
#include "coordinator/finish.h"
#include "coordinator/plan.h"

/* ---- plan ---- */

typedef struct plan_options {
    fsh_job_options job;
} plan_options;

static const fsh_arg plan_rows[] = {FSH_JOB_OPTION_ROWS(plan_options), FSH_ARG_END};

static fsh_status
run_plan(const fsh_invocation *invocation, fsh_err *err)
{
    const plan_options *options = invocation->options;
    fsh_manifest_totals totals;
    fsh_progress progress;
    fsh_job *job;
    fsh_plan_outcome outcome;
    fsh_status status = fsh_job_from_command(invocation, &options->job, &job, err);

    if (status)
        return status;
    fsh_progress_start(&progress, fsh_outcome_mode(FSH_LOG_AUTO));
    fsh_progress_input(&progress, job->format);
    status = fsh_plan(job, fsh_progress_scan, &progress, &totals, &outcome, err);
    fsh_progress_clear(&progress);
    if (!status)
        printf("job %.12s%s\ninput %s (%s)\nidentities %llu\nsamples %llu\nignored %llu\nunits %llu\n", job->hash,
               outcome == FSH_PLAN_KNOWN      ? " (planned before)"
               : outcome == FSH_PLAN_REPLACED ? " (in the place of an earlier job)"
                                              : "", job->input, job->format,
               (unsigned long long)totals.identities,
               (unsigned long long)totals.samples, (unsigned long long)totals.ignored,
               (unsigned long long)totals.units);
    fsh_job_free(job);
    return status;
}

const fsh_command fsh_command_plan = {
    "plan", "JOB.yaml", 1, 1, "scan the input and cut it into units",
    "Scans the input once and writes the units to the output folder. The last line is `units N`; then any\n"
    "engine (a Slurm array, GNU parallel, Dask, Airflow) runs `faceshard unit JOB.yaml K` for K from 0 to N-1,\n"
    "in any order, on any machine that sees the folders, and at the end `faceshard finish JOB.yaml`.\n",
    plan_rows, sizeof(plan_options), true, run_plan};

/* ---- finish ---- */

static fsh_status
run_finish(const fsh_invocation *invocation, fsh_err *err)
{
    const plan_options *options = invocation->options;
    fsh_manifest_totals totals;
    fsh_index_totals result;
    fsh_progress progress;
    fsh_listener steps = fsh_progress_listener(&progress);
    fsh_job *job;
    fsh_status status = fsh_job_from_command(invocation, &options->job, &job, err);

    if (status)
        return status;
    fsh_progress_start(&progress, fsh_outcome_mode(FSH_LOG_AUTO));
    status = fsh_plan_check(job, &totals, err);
    if (!status)
        status = fsh_finish(job, (uint32_t)totals.units, NULL, &steps, &result, err);
    if (!status && fsh_report_make(job->output, &steps, err)) {
        fsh_progress_clear(&progress);
        printf("attention     %s\n", err->text);
    }
    fsh_progress_clear(&progress);
    if (!status) {
        fsh_summary_print(job, &result, (uint32_t)totals.units, NULL, 0);
        status = fsh_summary_judge(job, &result, err);
    }
    fsh_job_free(job);
    return status;
}

const fsh_command fsh_command_finish = {
    "finish", "JOB.yaml", 1, 1, "check and join the shards of a planned job",
    "Checks that every unit's shard is there and whole, then writes index.h5 and manifest.json. A shard that is\n"
    "missing is named, with the command that makes it.\n",
    plan_rows, sizeof(plan_options), true, run_finish};

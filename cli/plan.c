/* `faceshard plan`, `unit` and `finish`: the same job without a coordinator, for any engine that can run
 * commands: plan once, unit K for every K in any order on any machine, finish once. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/report.h"
#include "cli/summary.h"
#include "coordinator/finish.h"
#include "coordinator/plan.h"
#include "worker/alone.h"

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
    fsh_job *job;
    fsh_plan_outcome outcome;
    fsh_status status = fsh_job_from_command(invocation, &options->job, &job, err);

    if (status)
        return status;
    status = fsh_plan(job, NULL, NULL, &totals, &outcome, err);
    if (!status)
        printf("job %.12s%s\nidentities %llu\nsamples %llu\nignored %llu\nunits %llu\n", job->hash,
               outcome == FSH_PLAN_KNOWN      ? " (planned before)"
               : outcome == FSH_PLAN_REPLACED ? " (in the place of an earlier job)"
                                              : "", (unsigned long long)totals.identities,
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

/* ---- unit ---- */

typedef struct unit_options {
    fsh_job_options job;
    int64_t threads;
} unit_options;

static const fsh_arg unit_rows[] = {
    FSH_JOB_OPTION_ROWS(unit_options),
    FSH_ARG_INT(unit_options, threads, 0, 256, "0", "threads; 0: one for every processor"), FSH_ARG_END};

static fsh_status
check_number(const char *word, uint64_t units, uint32_t *number, fsh_err *err)
{
    char *end;
    unsigned long value = strtoul(word, &end, 10);

    if (end == word || *end || word[0] == '-' || value >= units)
        return fsh_fail(err, FSH_USAGE, "unit '%s': expected a number from 0 to %llu", word,
                        (unsigned long long)units - 1);
    *number = (uint32_t)value;
    return FSH_OK;
}

static fsh_status
run_unit(const fsh_invocation *invocation, fsh_err *err)
{
    const unit_options *options = invocation->options;
    uint32_t threads = (uint32_t)(options->threads ? options->threads : sysconf(_SC_NPROCESSORS_ONLN));
    uint32_t number = 0;
    fsh_manifest_totals totals;
    fsh_report report;
    fsh_job *job;
    fsh_status status = fsh_job_from_command(invocation, &options->job, &job, err);

    if (status)
        return status;
    status = fsh_plan_check(job, &totals, err);
    if (!status)
        status = check_number(invocation->words[1], totals.units, &number, err);
    if (!status)
        status = fsh_unit_run_alone(job, number, threads, NULL, &report, err);
    if (!status)
        printf("unit %u: %llu samples, %llu delivered, %llu pictures\n", number,
               (unsigned long long)report.samples, (unsigned long long)report.delivered,
               (unsigned long long)report.images);
    fsh_job_free(job);
    return status;
}

const fsh_command fsh_command_unit = {
    "unit", "JOB.yaml K", 2, 2, "run one unit of a planned job",
    "Runs unit K (from 0) and commits its shard: the same bytes as any other way of running it. May be repeated\n"
    "and may run beside others.\n",
    unit_rows, sizeof(unit_options), true, run_unit};

/* ---- finish ---- */

static fsh_status
run_finish(const fsh_invocation *invocation, fsh_err *err)
{
    const plan_options *options = invocation->options;
    fsh_manifest_totals totals;
    fsh_index_totals result;
    fsh_job *job;
    fsh_status status = fsh_job_from_command(invocation, &options->job, &job, err);

    if (status)
        return status;
    status = fsh_plan_check(job, &totals, err);
    if (!status)
        status = fsh_finish(job, (uint32_t)totals.units, NULL, &result, err);
    if (!status) {
        if (fsh_report_make(job->output, err))
            printf("attention     %s\n", err->text);
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

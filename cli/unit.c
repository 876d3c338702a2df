/* `faceshard unit`: some units of a planned job, without a coordinator. What another call has made
 * is kept. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "coordinator/adopt.h"
#include "coordinator/plan.h"
#include "job/paths.h"
#include "worker/alone.h"

typedef struct unit_options {
    fsh_job_options job;
    int64_t threads;
    bool again;
} unit_options;

static const fsh_arg rows[] = {
    FSH_JOB_OPTION_ROWS(unit_options),
    FSH_ARG_INT(unit_options, threads, 0, 256, "0", "threads; 0: one for every processor"),
    FSH_ARG_BOOL(unit_options, again, "false", "make a shard again that is there and whole"),
    FSH_ARG_END};

/* ---- which units ---- */

typedef struct span {
    uint64_t first, last, step;
} span;

static bool
take_number(const char **at, uint64_t *number)
{
    char *end;

    if (!isdigit((unsigned char)**at))
        return false;
    *number = strtoull(*at, &end, 10);
    *at = end;
    return true;
}

/* "7", "0-99", "3-:32" (from 3 to the last, each 32nd), as Slurm writes its arrays. */
static bool
parse_span(const char *at, uint64_t units, span *to)
{
    *to = (span){.step = 1};
    if (!take_number(&at, &to->first))
        return false;
    to->last = to->first;
    if (*at == '-' && *++at && *at != ':') {
        if (!take_number(&at, &to->last))
            return false;
    } else if (at[-1] == '-') {
        to->last = units - 1;
    }
    if (*at == ':' && (at++, !take_number(&at, &to->step)))
        return false;
    return *at == '\0' && to->step > 0;
}

/* A task of an array that is larger than the job has no units, which is fine. */
static fsh_status
find_span(const char *word, uint64_t units, span *to, fsh_err *err)
{
    bool open = false;

    if (!parse_span(word, units, to))
        return fsh_fail(err, FSH_USAGE,
                        "unit '%s': expected a number from 0 to %" PRIu64
                        ", or some of them as in 0-9 or 3-:32",
                        word, units - 1);
    for (const char *at = word; *at; at++)
        open |= *at == '-' && (at[1] == ':' || at[1] == '\0');
    if (!open && (to->last >= units || to->first > to->last))
        return fsh_fail(err, FSH_USAGE, "unit '%s': this job has the units 0 to %" PRIu64, word,
                        units - 1);
    return FSH_OK;
}

/* ---- running them ---- */

typedef struct labour {
    const fsh_job *job;
    const unit_options *options;
    fsh_manifest *manifest;
    uint32_t failed;
    fsh_err first; /* failure */
} labour;

static void
tell(uint32_t number, const fsh_report *report, const char *more)
{
    printf("unit %u: %llu samples, %llu delivered, %llu pictures%s\n", number,
           (unsigned long long)report->samples, (unsigned long long)report->delivered,
           (unsigned long long)report->images, more);
    fflush(stdout);
}

/* Read whole and compared: a shard that is damaged, or of another job, is made again. */
static bool
is_there(const labour *of, uint32_t number, fsh_report *report)
{
    char name[64], path[FSH_PATH_BYTES];
    fsh_unit unit;
    bool there;

    snprintf(name, sizeof name, FSH_PATH_SHARD, number);
    if (of->options->again || fsh_path_join(path, of->job->output, name, NULL) ||
        !fsh_file_exists(path) || fsh_manifest_unit(of->manifest, number, &unit, NULL))
        return false;
    there = fsh_adopt_shard(of->job, &unit, report, NULL) == FSH_OK;
    fsh_unit_fini(&unit);
    return there;
}

static fsh_status
run_one(const labour *of, uint32_t number, fsh_err *err)
{
    const unit_options *options = of->options;
    uint32_t threads =
        (uint32_t)(options->threads ? options->threads : sysconf(_SC_NPROCESSORS_ONLN));
    fsh_report report;
    fsh_status status;

    if (is_there(of, number, &report)) {
        tell(number, &report, ", made before");
        return FSH_OK;
    }
    status = fsh_unit_run_alone(of->job, number, threads, NULL, &report, err);
    if (!status)
        tell(number, &report, "");
    return status;
}

/* One unit's own trouble leaves the others alone; a full disk or a missing model would be theirs as
 * well. */
static fsh_status
run_all(labour *of, const span *units, uint64_t units_n, fsh_err *err)
{
    fsh_status status, result = FSH_OK;

    for (uint64_t number = units->first; number <= units->last && number < units_n;
         number += units->step) {
        fsh_err why;

        status = run_one(of, (uint32_t)number, &why);
        if (!status)
            continue;
        result = fsh_fail(err, status, "unit %" PRIu64 ": %s", number, why.text);
        if (status != FSH_INTERNAL || units->first == units->last)
            return result;
        fprintf(stderr, "unit %" PRIu64 ": %s\n", number, why.text);
        of->failed++;
    }
    return of->failed > 1
               ? fsh_fail(err, result, "%u units have failed; the last: %s", of->failed, err->text)
               : result;
}

static fsh_status
run_planned(const fsh_invocation *invocation, const fsh_job *job, fsh_err *err)
{
    labour of = {.job = job, .options = invocation->options};
    char path[FSH_PATH_BYTES];
    fsh_manifest_totals totals;
    span units;
    fsh_status status = fsh_plan_check(job, &totals, err);

    if (!status)
        status = find_span(invocation->words[1], totals.units, &units, err);
    if (!status)
        status = fsh_path_join(path, job->output, FSH_PATH_UNITS, err);
    if (!status)
        status = fsh_manifest_open(path, &of.manifest, err);
    if (status)
        return status;
    status = run_all(&of, &units, totals.units, err);
    fsh_manifest_close(of.manifest);
    return status;
}

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    const unit_options *options = invocation->options;
    fsh_job *job;
    fsh_status status = fsh_job_from_command(invocation, &options->job, &job, err);

    if (status)
        return status;
    status = run_planned(invocation, job, err);
    fsh_job_free(job);
    return status;
}

const fsh_command fsh_command_unit = {
    "unit",
    "JOB.yaml K",
    2,
    2,
    "run one unit of a planned job, or some",
    "Runs unit K (from 0) and commits its shard: the same bytes as any other way of running it. K "
    "is a number, or some:\n"
    "`0-9`, or `3-:32`, which is every 32nd from 3 to the last, what task 3 of an array of 32 "
    "does. A shard that is there and\n"
    "whole is kept, so that the same command continues after it was killed, and two that run the "
    "same unit do no harm.\n",
    rows,
    sizeof(unit_options),
    true,
    run};

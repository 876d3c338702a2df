/* `faceshard run` and `coordinator`: plan, serve workers until every unit is committed, join the shards. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/job_run.h"
#include "cli/summary.h"
#include "worker/unit.h"

typedef struct run_options {
    fsh_job_options job;
    int64_t workers, threads;
    double grace;
    char bind[FSH_ARG_TEXT_BYTES], keys[FSH_ARG_TEXT_BYTES], http[FSH_ARG_TEXT_BYTES], http_token[FSH_ARG_TEXT_BYTES];
    int32_t log;
    bool explain, insecure;
    char announce[FSH_ARG_TEXT_BYTES], hosts[FSH_ARG_TEXT_BYTES], ssh[FSH_ARG_TEXT_BYTES];
} run_options;

#define LOG_ROW \
    FSH_ARG_CHOICE(run_options, log, FSH_LOG_MODES, "auto", "what is told; auto: bar on a terminal, else json")
#define GRACE_ROW \
    FSH_ARG_REAL(run_options, grace, 0, 86400, "20", "seconds for the units in work after SIGINT or SIGTERM")
#define BIND_ROWS                                                                                      \
    FSH_ARG_TEXT(run_options, bind, "", "address for workers: ipc://PATH or tcp://HOST:PORT; private by default"), \
    FSH_ARG_TEXT(run_options, keys, "", "folder of keys from `faceshard keygen`: only listed workers may join"), \
    FSH_ARG_BOOL(run_options, insecure, "false", "allow an address that other machines reach, without keys"), \
    FSH_ARG_TEXT(run_options, announce, "", "name of this machine for `worker OUT`, where --bind has none; else its own")

#define HTTP_ROWS                                                                                                    \
    FSH_ARG_TEXT(run_options, http, "", "address of a page that shows the job, as in 127.0.0.1:8686; port 0: any"), \
    FSH_ARG_TEXT(run_options, http_token, "", "file with a word that visitors of the page must know")

static const fsh_arg run_rows[] = {
    FSH_JOB_OPTION_ROWS(run_options),
    FSH_ARG_INT(run_options, workers, 0, 1024, "0", "worker processes here; 0: one for every processor, none with --hosts"),
    FSH_ARG_INT(run_options, threads, 1, 256, "1", "compute threads of each worker"),
    FSH_ARG_TEXT(run_options, hosts, "", "file with a host a line, where workers are started over ssh"),
    FSH_ARG_TEXT(run_options, ssh, "ssh", "command that reaches them, as \"ssh -i key\"; it must ask for no password"),
    BIND_ROWS, HTTP_ROWS, GRACE_ROW, LOG_ROW,
    FSH_ARG_BOOL(run_options, explain, "false", "print the job with everything filled in and its hash; run nothing"),
    FSH_ARG_END};

static const fsh_arg coordinator_rows[] = {FSH_JOB_OPTION_ROWS(run_options), BIND_ROWS, HTTP_ROWS, GRACE_ROW, LOG_ROW, FSH_ARG_END};

/* Where the time of the workers' threads went, in the order of the pipeline; "rest" is what is in none of the
 * stages: starting, loading models, messages, waiting. */
static void
print_times(const fsh_job *job, const fsh_coordinator_totals *totals, double thread_seconds)
{
    const char *names[FSH_REPORT_TIMES_MAX + 1];
    double rest = 100;
    uint32_t i;

    fsh_job_time_names(job, names);
    printf("stages       ");
    for (i = 0; names[i]; i++) {
        double share = 100e-9 * (double)totals->times_ns[i] / thread_seconds;

        rest -= share;
        if (share >= 0.1)
            printf(" %s %.1f%%", names[i], share);
    }
    printf(" rest %.1f%%\nlargest worker %11.0f MB of memory\n", rest, (double)totals->rss_bytes / 1e6);
}

static void
report(const fsh_job *job, const run_options *options, uint32_t workers, const fsh_run_result *result)
{
    const fsh_coordinator_totals *served = &result->served;
    double seconds = fsh_progress_seconds(&result->progress);

    if (result->progress.mode == FSH_LOG_JSON)
        fsh_summary_print_json(&result->totals, served, seconds);
    if (result->progress.mode != FSH_LOG_BAR)
        return;
    fsh_summary_print(job, &result->totals, served->units, served, seconds);
    if (workers && served->rss_bytes)
        print_times(job, served, seconds * workers * (double)options->threads);
}

static void
tell_finished_before(const fsh_progress *progress)
{
    if (progress->mode == FSH_LOG_JSON)
        printf("{\"event\":\"finished_before\"}\n");
    else if (progress->mode == FSH_LOG_BAR)
        fprintf(stderr, "this job is finished: there is nothing to do\n");
}

static fsh_status
run_job(const fsh_job *job, const run_options *options, uint32_t workers, fsh_err *err)
{
    fsh_run_options how = {workers, (uint32_t)options->threads, options->grace, options->bind, options->keys,
                           options->announce, options->hosts, options->ssh, options->insecure, (fsh_log_mode)options->log, {options->http, options->http_token}, true};
    fsh_run_result result;
    fsh_status status = fsh_run(job, &how, &result, err);

    if (status)
        return status;
    if (result.finished_before)
        tell_finished_before(&result.progress);
    report(job, options, workers, &result);
    return fsh_summary_judge(job, &result.totals, err);
}

static fsh_status
run_or_explain(const fsh_invocation *invocation, bool with_workers, fsh_err *err)
{
    const run_options *options = invocation->options;
    bool here = with_workers && (options->workers || !options->hosts[0]);
    uint32_t workers = here ? fsh_run_workers(options->workers) : 0;
    fsh_job *job;
    fsh_status status = fsh_job_from_command(invocation, &options->job, &job, err);

    if (status)
        return status;
    if (options->explain)
        fsh_run_explain(job);
    else
        status = run_job(job, options, workers, err);
    fsh_job_free(job);
    return status;
}

static fsh_status
run_run(const fsh_invocation *invocation, fsh_err *err)
{
    return run_or_explain(invocation, true, err);
}

static fsh_status
run_coordinator(const fsh_invocation *invocation, fsh_err *err)
{
    return run_or_explain(invocation, false, err);
}

const fsh_command fsh_command_run = {
    "run", "JOB.yaml", 1, 1, "run a job on this machine",
    "Scans the input, starts a coordinator and workers, and leaves in the output folder: shards/*.h5, index.h5\n"
    "(all of them as one file, for h5py), manifest.json (rows, bytes and SHA-256 of every shard). Interrupted at\n"
    "any moment, the same command continues. More workers may join with `faceshard worker ADDRESS` when --bind\n"
    "is given. Example:\n\n"
    "  faceshard run docs/jobs/masked6.yaml --input CASIA-WebFace --output out --set seed=2\n\n"
    "With --hosts workers run on other hosts, which ssh reaches without a password. Each gets keys of its own, and what it\n"
    "says is in OUT/hosts. A line of the list is a host, and what it has:\n\n"
    "  user@node-1  workers=2 threads=8     # also program=, models=, templates=, spool=; threads of each worker\n\n"
    "They must see input and output under the same paths, or the job says `transport: {mode: stream}`.\n",
    run_rows, sizeof(run_options), true, run_run};

const fsh_command fsh_command_coordinator = {
    "coordinator", "JOB.yaml", 1, 1, "serve a job to workers that run elsewhere",
    "Like `run` without workers of its own: they join with `faceshard worker ADDRESS`, in any number and order.\n"
    "They must see the input and output folders under the same paths. Example:\n\n"
    "  faceshard keygen keys\n"
    "  faceshard coordinator JOB.yaml --bind tcp://0.0.0.0:8685 --keys keys\n",
    coordinator_rows, sizeof(run_options), true, run_coordinator};

/* Runs a whole job on this machine: scan, coordinator, workers, index. What `run`, `coordinator`,
 * `embed` and `mask-set` have in common.
 *
 *     fsh_run_options options = {.workers = fsh_run_workers(0), .grace = 20};
 *     fsh_run(job, &options, &result, &err);
 */
#ifndef FSH_CLI_JOB_RUN_H
#define FSH_CLI_JOB_RUN_H

#include "cli/far.h"
#include "cli/progress.h"
#include "coordinator/plan.h"
#include "page/live.h"
#include "shards/index.h"

typedef struct fsh_run_options {
    uint32_t workers;        /* processes to start here; 0: all come from elsewhere */
    uint32_t threads;        /* compute threads of each; 0: 1 */
    double grace;            /* seconds for the units in work after SIGINT or SIGTERM */
    const char *bind, *keys; /* address for workers and folder of keys; NULL or "": private, none */
    const char *announce;    /* name of this machine for workers that ask the output folder; NULL or "": its own */
    const char *hosts, *ssh; /* list of hosts to start workers on, and the command that reaches them; NULL or "": none */
    bool insecure;
    fsh_log_mode log;
    fsh_live_options page; /* zeroed: none */
    bool report;           /* report.html at the end */
} fsh_run_options;

typedef struct fsh_run_result {
    fsh_progress
        progress; /* started by fsh_run: its mode is what is told, and its clock the run's */
    fsh_live *live; /* while fsh_run is at it */
    fsh_listener steps; /* tell both */
    fsh_far far;    /* while fsh_run is at it */
    fsh_manifest_totals planned;
    fsh_coordinator_totals served;
    fsh_index_totals totals;
    bool finished_before; /* there was nothing to do */
} fsh_run_result;

/* Runs a job, whose hash is filled, to its end; what an earlier run has done is kept. Interrupted
 * at any moment, the same call continues. Progress is told while it runs; the end is the caller's
 * to tell. Fails as fsh_plan, fsh_coordinator_run and fsh_finish do. */
fsh_status fsh_run(const fsh_job *job, const fsh_run_options *options, fsh_run_result *result,
                   fsh_err *err);

/* The number of an option --workers, where 0 stands for one for every processor. */
uint32_t fsh_run_workers(int64_t workers);

/* Prints the job with everything filled in, as a job file, with hash and models as comments. */
void fsh_run_explain(const fsh_job *job);

#endif

/* Runs units: photographs in, one committed shard out. What the compute child of a worker does, and
 * `faceshard unit K`.
 *
 *     fsh_runner_open(job, threads, &runner, &err);      loads models and templates: seconds
 *     fsh_runner_unit(runner, &(fsh_unit_order){.unit = 7, .token = "e3a1"}, &report, &err);
 *     fsh_runner_close(runner);
 */
#ifndef FSH_WORKER_UNIT_H
#define FSH_WORKER_UNIT_H

#include "job/job.h"
#include "proto/report.h"
#include "worker/executing.h"

typedef struct fsh_runner fsh_runner;

/* Called from any compute thread, one at a time: how many steps of the unit are done. Each sample is two
 * steps, looking at it and drawing its pictures. A return value other than 0 stops the unit with
 * INTERRUPTED. */
typedef int fsh_unit_progress(void *self, uint32_t steps_done, uint32_t steps_n);

/* One unit to be run. Everything is borrowed for the call. */
typedef struct fsh_unit_order {
    uint32_t unit;
    const char *token; /* makes the temporary name unique */
    /* The lists of LEASE: samples that have been at a death of this unit. Without a reason they are
     * worked on alone, with one they are rejected for it unseen. NULL: none. */
    const uint64_t *suspects, *reasons, *values;
    uint64_t suspects_n;
    fsh_executing *executing;    /* where it is told what is executing; NULL: nowhere */
    fsh_unit_progress *progress; /* NULL: nobody wants to know */
    void *self;
} fsh_unit_order;

/* The job is borrowed until close and must have its hash. The job's manifest must exist in its output
 * folder. */
fsh_status fsh_runner_open(const fsh_job *job, uint32_t threads, fsh_runner **runner, fsh_err *err);
void fsh_runner_close(fsh_runner *runner);

/* Runs a unit and commits its shard: OUT/shards/.shard-NNNNNN-TOKEN.tmp, flushed, renamed to
 * OUT/shards/shard-NNNNNN.h5. Bad input never fails a unit; a full disk, a missing model or a manifest that
 * is gone does. */
fsh_status fsh_runner_unit(fsh_runner *runner, const fsh_unit_order *order, fsh_report *report,
                           fsh_err *err);

/* Names of report.times_ns, in order, ended by NULL: the same for every runner of the job. *names must have
 * FSH_REPORT_TIMES_MAX + 1 places. */
void fsh_job_time_names(const fsh_job *job, const char **names);

#endif

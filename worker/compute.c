/* What a compute child really does: the job is parsed once, its runner opened once, and units run
 * through it. */
#include <stdlib.h>
#include <string.h>

#include "worker/child.h"

typedef struct compute {
    fsh_job *job;
    fsh_runner *runner;
} compute;

static void
close_compute(void *state)
{
    compute *closing = state;

    fsh_runner_close(closing->runner);
    fsh_job_free(closing->job);
    free(closing);
}

/* The hash covers names and versions of stages and models: a worker of another build, or with other
 * files, makes another one. */
static fsh_status
other_hash(const fsh_job *job, const fsh_message_job *order, fsh_err *err)
{
    fsh_text diff = {0};
    fsh_status status;

    fsh_recipe_diff(fsh_text_get(&job->recipe), order->recipe, &diff);
    status = fsh_fail(err, FSH_USAGE,
                      "this worker would make other bytes than the coordinator expects (job %.12s, "
                      "here %.12s); of what decides them, %s: install the same program, models and "
                      "templates on both",
                      order->hash, job->hash, fsh_text_get(&diff));
    fsh_text_fini(&diff);
    return status;
}

static const char *
or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static fsh_status
open_runner(compute *opened, const fsh_message_job *order, fsh_err *err)
{
    fsh_job_places places = {or_null(order->spool), or_null(order->models),
                             or_null(order->templates)};
    fsh_status status = fsh_job_parse("the coordinator's job", order->text, &opened->job, err);

    if (status)
        return status;
    fsh_job_adapt(opened->job, &places);
    status = fsh_job_hash(opened->job, err);
    if (status)
        return status;
    if (strcmp(opened->job->hash, order->hash) != 0)
        return other_hash(opened->job, order, err);
    return fsh_runner_open(opened->job, order->threads, &opened->runner, err);
}

static fsh_status
open_compute(const fsh_message_job *order, void **state, fsh_child_limits *limits, fsh_err *err)
{
    compute *opened = calloc(1, sizeof *opened);
    fsh_status status;

    if (!opened)
        return fsh_fail(err, FSH_MEMORY, "no memory for a job");
    status = open_runner(opened, order, err);
    if (status) {
        close_compute(opened);
        return status;
    }
    limits->image_ms = (uint32_t)(1000 * opened->job->image_seconds);
    limits->memory_bytes = (order->threads + UINT64_C(1)) * (uint64_t)opened->job->thread_memory << 20;
    *state = opened;
    return FSH_OK;
}

static fsh_status
run_unit(void *state, const fsh_unit_order *order, fsh_report *report, fsh_err *err)
{
    compute *opened = state;

    return fsh_runner_unit(opened->runner, order, report, err);
}

const fsh_child_work fsh_compute_work = {open_compute, run_unit, close_compute};

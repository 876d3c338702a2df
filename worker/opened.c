/* What a runner holds open from unit to unit: the manifest, the stages with their models, the folder of facts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "job/facts.h"
#include "job/paths.h"
#include "stages/vision/decode.h"
#include "worker/work.h"

static const fsh_opened *
find_opened(const fsh_runner *runner, const fsh_step *step)
{
    uint32_t i;

    for (i = 0; i < runner->opened_n; i++) {
        const fsh_step *known = runner->opened[i].step;

        if (known->stage == step->stage &&
            memcmp(known->params, step->params, step->stage->params_size) == 0)
            return &runner->opened[i];
    }
    return NULL;
}

/* The place of a stage in the times: its first place among the names. */
static uint32_t
time_of(const fsh_job *job, const fsh_stage *stage)
{
    const char *names[FSH_REPORT_TIMES_MAX + 1];
    uint32_t i = 0;

    fsh_job_time_names(job, names);
    while (names[i] && names[i] != stage->name)
        i++;
    return i;
}

static fsh_status
open_step(fsh_runner *runner, const fsh_step *step, const fsh_opened **opened, fsh_err *err)
{
    fsh_opened *made = &runner->opened[runner->opened_n];
    fsh_status status = FSH_OK;

    *opened = find_opened(runner, step);
    if (*opened)
        return FSH_OK;
    if (runner->opened_n == sizeof runner->opened / sizeof runner->opened[0])
        return fsh_fail(err, FSH_USAGE, "more than %u stages with different parameters", runner->opened_n);
    *made = (fsh_opened){step, NULL, time_of(runner->job, step->stage)};
    if (step->stage->open)
        status = step->stage->open(&runner->env, step->params, &made->state, err);
    if (status)
        return fsh_fail_within(err, status, "stage %s", step->stage->name);
    runner->opened_n++;
    *opened = made;
    return FSH_OK;
}

static fsh_status
open_chain(fsh_runner *runner, const fsh_chain *chain, const fsh_opened **opened, fsh_err *err)
{
    fsh_status status = FSH_OK;
    uint32_t i;

    for (i = 0; i < chain->steps_n && !status; i++)
        status = open_step(runner, &chain->steps[i], &opened[i], err);
    return status;
}

/* The stages of one phase, or of the other two. */
static fsh_status
open_stages(fsh_runner *runner, bool analyse, fsh_err *err)
{
    const fsh_chain *chain = &runner->job->stages;
    fsh_status status = FSH_OK;
    uint32_t i;

    for (i = 0; i < chain->steps_n && !status; i++)
        if ((chain->steps[i].stage->phase == FSH_PHASE_ANALYSE) == analyse)
            status = open_step(runner, &chain->steps[i], &runner->stages[i], err);
    return status;
}

fsh_status
fsh_runner_open_analysis(fsh_runner *runner, fsh_err *err)
{
    fsh_status status = FSH_OK;

#pragma omp critical(fsh_open)
    {
        if (!runner->analysis_open)
            status = open_stages(runner, true, err);
        if (!status)
            runner->analysis_open = true;
    }
    return status;
}

/* Where facts are kept the models may not be needed at all. A spool ends with its worker: nothing is kept. */
static fsh_status
open_facts(fsh_runner *runner, fsh_err *err)
{
    uint32_t units = 0;
    fsh_status status;

    if (runner->job->spooled)
        return fsh_runner_open_analysis(runner, err);
    status = fsh_facts_folder(runner->job, runner->facts, err);

    if (!status)
        status = fsh_facts_key(runner->job, &runner->facts_key, NULL, err);
    if (!status)
        status = fsh_facts_count(runner->job, &units, err);
    return status || units ? status : fsh_runner_open_analysis(runner, err);
}

static fsh_status
open_all(fsh_runner *runner, fsh_err *err)
{
    const fsh_job *job = runner->job;
    char path[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(path, job->output, FSH_PATH_UNITS, err);
    uint32_t i;

    if (!status && !job->spooled)
        status = fsh_manifest_open(path, &runner->manifest, err);
    if (!status)
        status = open_facts(runner, err);
    if (!status)
        status = open_stages(runner, false, err);
    for (i = 0; i < job->variants_n && !status; i++)
        status = open_chain(runner, &job->variants[i], runner->variants[i], err);
    return status;
}

fsh_status
fsh_runner_open(const fsh_job *job, uint32_t threads, fsh_runner **runner, fsh_err *err)
{
    fsh_runner *made = calloc(1, sizeof *made);
    fsh_status status;

    if (!made)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    fsh_vision_init();
    made->job = job;
    made->env = (fsh_stage_env){(uint64_t)job->seed, (uint32_t)job->size, threads, 0, NAN, &job->models,
                                job->templates};
    status = open_all(made, err);
    if (status) {
        fsh_runner_close(made);
        return status;
    }
    *runner = made;
    return FSH_OK;
}

void
fsh_runner_close(fsh_runner *runner)
{
    if (!runner)
        return;
    while (runner->opened_n > 0) {
        const fsh_opened *opened = &runner->opened[--runner->opened_n];

        if (opened->step->stage->close)
            opened->step->stage->close(opened->state);
    }
    fsh_manifest_close(runner->manifest);
    free(runner);
}

static uint32_t
add_name(const char **names, uint32_t n, const char *name)
{
    uint32_t i;

    for (i = 0; i < n; i++)
        if (names[i] == name)
            return n;
    if (n < FSH_REPORT_TIMES_MAX)
        names[n++] = name;
    return n;
}

void
fsh_job_time_names(const fsh_job *job, const char **names)
{
    static const char *const fixed[FSH_TIME_STAGES] = {"load", "decode", "cut", "encode", "shard"};
    uint32_t i, k, n = 0;

    for (i = 0; i < FSH_TIME_STAGES; i++)
        n = add_name(names, n, fixed[i]);
    for (i = 0; i < job->stages.steps_n; i++)
        n = add_name(names, n, job->stages.steps[i].stage->name);
    for (i = 0; i < job->variants_n; i++)
        for (k = 0; k < job->variants[i].steps_n; k++)
            n = add_name(names, n, job->variants[i].steps[k].stage->name);
    names[n] = NULL;
}

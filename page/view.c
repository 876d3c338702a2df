#include "page/view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/unit.h"

void
fsh_view_init(fsh_view *view, const char *output)
{
    uint32_t i;

    memset(view, 0, sizeof *view);
    snprintf(view->output, sizeof view->output, "%s", output);
#define NUMBER(name, metric, kind, help) view->name = NAN;
#include "page/view.def"
#undef NUMBER
    for (i = 0; i < FSH_REPORT_TIMES_MAX; i++)
        view->times_s[i] = NAN;
    view->history_step_s = 1;
}

void
fsh_view_fini(fsh_view *view)
{
    free(view->workers);
    free(view->states);
    view->workers = NULL;
    view->states = NULL;
    view->workers_n = view->states_n = 0;
}

void
fsh_view_take_job(fsh_view *view, const fsh_job *job)
{
    const char *names[FSH_REPORT_TIMES_MAX + 1];
    uint32_t i;

    fsh_job_time_names(job, names);
    for (i = 0; names[i]; i++)
        snprintf(view->time_names[i], FSH_VIEW_TIME_BYTES, "%s", names[i]);
}

double
fsh_view_rejected(const fsh_view *view)
{
    double n = 0;
    int i;

    for (i = 0; i < FSH_REASON_N; i++)
        n += view->rejected[i];
    return n;
}

void
fsh_view_conclude(fsh_view *view)
{
    double done = view->samples_done + (isnan(view->samples_running) ? 0 : view->samples_running);

    view->share = view->samples > 0 ? fmin(1, done / view->samples) : NAN;
    view->left_s = view->rate > 0 ? fmax(0, view->samples - done) / view->rate : NAN;
}

/* ---- names ---- */

static const struct {
    const char *name, *text;
} phases[] = {
#define PHASE(name, word, help) {word, help},
#include "page/view.def"
#undef PHASE
};

const char *
fsh_view_phase_name(fsh_view_phase phase)
{
    return phases[phase].name;
}

const char *
fsh_view_phase_text(fsh_view_phase phase)
{
    return phases[phase].text;
}

const char *
fsh_worker_state_name(fsh_worker_state state)
{
    static const char *const names[] = {
#define WORKER(name, word, help) word,
#include "page/view.def"
#undef WORKER
    };

    return names[state];
}

/* Two threads: that of the coordinator's loop calls see, scan, plan and enter, which copy and
 * return; ours makes views of the copies and shows them. */
#include "page/live.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/thread.h"
#include "job/paths.h"
#include "page/server.h"
#include "page/sighted.h"

struct fsh_live {
    pthread_t thread;
    pthread_mutex_t lock; /* guards what stands between the lines */
    pthread_cond_t changed;
    /* ---- */
    fsh_sighted fresh; /* there: not looked at yet */
    fsh_view_phase phase;
    double scanned, identities, units;
    char step[FSH_VIEW_STEP_BYTES]; /* "": none, */
    double step_done, step_of;      /* and how far it is */
    bool stepped;                   /* since the last look */
    bool closing;
    /* ---- of our thread alone: */
    fsh_server *server; /* NULL: no page */
    fsh_sighted sighted;
    fsh_course course;
    fsh_view view;
    fsh_view_phase entered; /* phase, as it was last taken over */
    char file[FSH_PATH_BYTES], temporary[FSH_PATH_BYTES + 8];
    struct timespec began;
};

static double
seconds_since(const struct timespec *began)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - began->tv_sec) + 1e-9 * (double)(now.tv_nsec - began->tv_nsec);
}

/* ---- our thread ---- */

/* Not flushed to disk: after a power cut nobody asks how it went a second before. */
static void
write_file(const fsh_live *live)
{
    fsh_text text = {0};
    FILE *file;
    bool good;

    fsh_view_print_json(&live->view, false, &text);
    file = fsh_text_ok(&text) ? fopen(live->temporary, "we") : NULL;
    if (file) {
        good = fwrite(text.data, 1, text.bytes, file) == text.bytes;
        good = fclose(file) == 0 && good;
        if (!good || rename(live->temporary, live->file) != 0)
            unlink(live->temporary);
    }
    fsh_text_fini(&text);
}

/* Takes over what is new; false: nothing is. The lock is held. */
static bool
take_over(fsh_live *live)
{
    fsh_sighted old = live->sighted;
    bool fresh = live->fresh.there, entered = live->entered != live->phase || live->stepped;

    live->view.phase = live->entered = live->phase;
    memcpy(live->view.step, live->step, sizeof live->step);
    live->view.step_done = live->step_done;
    live->view.step_of = live->step_of;
    live->view.identities = live->identities;
    if (isnan(live->view.samples) || live->phase == FSH_PHASE_PLANNING)
        live->view.samples = live->scanned;
    live->view.units = live->units;
    live->stepped = false;
    if (fresh) {
        live->sighted = live->fresh;
        live->fresh = old;
        live->fresh.there = false;
    }
    return fresh || entered || live->phase == FSH_PHASE_PLANNING;
}

static void
bring_up_to_date(fsh_live *live, bool fresh)
{
    double now_s = seconds_since(&live->began);

    if (fresh)
        fsh_course_follow(&live->course, &live->sighted, now_s, &live->view);
    if (live->view.phase == FSH_PHASE_RUNNING && live->sighted.draining)
        live->view.phase = FSH_PHASE_DRAINING;
    live->view.elapsed_s = now_s;
    live->view.updated_s = (double)time(NULL);
}

static void *
show(void *self)
{
    fsh_live *live = self;
    bool closing = false, fresh, any;

    while (!closing) {
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++;
        pthread_mutex_lock(&live->lock);
        while (!live->fresh.there && live->phase == live->entered && !live->closing &&
               pthread_cond_timedwait(&live->changed, &live->lock, &until) == 0)
            ;
        fresh = live->fresh.there;
        closing = live->closing;
        any = take_over(live);
        pthread_mutex_unlock(&live->lock);
        if (!any)
            continue;
        bring_up_to_date(live, fresh);
        write_file(live);
        if (live->server)
            fsh_server_publish(live->server, &live->view);
    }
    return NULL;
}

/* ---- the loop's thread ---- */

static void
set_up(fsh_live *live, const fsh_job *job)
{
    fsh_view_init(&live->view, job->output);
    memcpy(live->view.job, job->hash, sizeof live->view.job);
    fsh_view_take_job(&live->view, job);
    live->phase = FSH_PHASE_PLANNING;
    live->scanned = live->identities = live->units = live->step_done = live->step_of = NAN;
    snprintf(live->temporary, sizeof live->temporary, "%s.tmp", live->file);
    clock_gettime(CLOCK_MONOTONIC, &live->began);
    pthread_mutex_init(&live->lock, NULL);
    fsh_cond_init(&live->changed);
}

static void
tear_down(fsh_live *live)
{
    pthread_cond_destroy(&live->changed);
    pthread_mutex_destroy(&live->lock);
    fsh_server_close(&live->server);
    fsh_sighted_fini(&live->fresh);
    fsh_sighted_fini(&live->sighted);
    fsh_view_fini(&live->view);
    free(live);
}

static fsh_status
open_server(fsh_live *live, const fsh_job *job, const fsh_live_options *options, fsh_err *err)
{
    fsh_server_options to = {options->http, options->token, job->output, job->input};

    return options->http && options->http[0] ? fsh_server_open(&to, &live->server, err) : FSH_OK;
}

const char *
fsh_live_address(const fsh_live *live)
{
    return live->server ? fsh_server_address(live->server) : "";
}

fsh_status
fsh_live_open(const fsh_job *job, const fsh_live_options *options, fsh_live **live, fsh_err *err)
{
    fsh_live *opened = calloc(1, sizeof *opened);
    fsh_status status = opened ? FSH_OK : fsh_fail(err, FSH_MEMORY, "out of memory");

    if (!status)
        status = fsh_path_join(opened->file, job->output, FSH_PATH_LIVE, err);
    if (status) {
        free(opened);
        return status;
    }
    set_up(opened, job);
    status = open_server(opened, job, options, err);
    if (!status && pthread_create(&opened->thread, NULL, show, opened) != 0)
        status = fsh_fail(err, FSH_MEMORY, "no thread can be made");
    if (status) {
        tear_down(opened);
        return status;
    }
    *live = opened;
    return FSH_OK;
}

static void
set_plan(fsh_live *live, fsh_view_phase phase, double samples, double identities, double units)
{
    pthread_mutex_lock(&live->lock);
    live->phase = phase;
    live->scanned = samples;
    live->identities = identities;
    live->units = units;
    pthread_mutex_unlock(&live->lock);
}

void
fsh_live_scan(fsh_live *live, uint64_t samples, uint64_t identities)
{
    set_plan(live, FSH_PHASE_PLANNING, (double)samples, (double)identities, NAN);
}

void
fsh_live_plan(fsh_live *live, const fsh_manifest_totals *planned)
{
    set_plan(live, FSH_PHASE_RUNNING, (double)planned->samples, (double)planned->identities,
             (double)planned->units);
}

/* A copy of some hundred kilobytes at most; the lock is only ever held for as long as that takes.
 */
void
fsh_live_see(void *self, const fsh_coordinator_sight *sight)
{
    fsh_live *live = self;

    pthread_mutex_lock(&live->lock);
    fsh_sighted_copy(&live->fresh, sight);
    live->step[0] = '\0'; /* workers are served: that is no single step */
    live->step_done = live->step_of = NAN;
    pthread_cond_signal(&live->changed);
    pthread_mutex_unlock(&live->lock);
}

/* Shown with the next look, within a second. */
void
fsh_live_step(fsh_live *live, const char *text, uint64_t done, uint64_t of)
{
    pthread_mutex_lock(&live->lock);
    snprintf(live->step, sizeof live->step, "%s", text);
    live->step_done = of || done ? (double)done : NAN;
    live->step_of = of ? (double)of : NAN;
    live->stepped = true;
    pthread_mutex_unlock(&live->lock);
}

void
fsh_live_enter(fsh_live *live, fsh_view_phase phase)
{
    pthread_mutex_lock(&live->lock);
    live->phase = phase;
    live->step[0] = '\0';
    live->step_done = live->step_of = NAN;
    pthread_cond_signal(&live->changed);
    pthread_mutex_unlock(&live->lock);
}

void
fsh_live_close(fsh_live **live)
{
    fsh_live *closing = *live;

    *live = NULL;
    if (!closing)
        return;
    fsh_thread_end(closing->thread, &closing->lock, &closing->changed, &closing->closing);
    tear_down(closing);
}

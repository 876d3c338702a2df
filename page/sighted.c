#include "page/sighted.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SILENT_S = 4, GONE_KEPT = 64, GONE_KEPT_S = 600, MARKS = 64, WINDOW_S = 60 };

/* ---- the copy ---- */

static void
copy_worker(fsh_view_worker *to, const fsh_coordinator_worker *from)
{
    *to = (fsh_view_worker){.pid = from->pid,
                            .unit = from->unit == FSH_COORDINATOR_NO_UNIT ? NAN : from->unit,
                            .done = from->done,
                            .units_done = from->units_done,
                            .samples_done = (double)from->samples_done,
                            .rss_bytes = (double)from->rss_bytes,
                            .here_s = 1e-3 * (double)from->here_ms,
                            .heard_s = 1e-3 * (double)from->heard_ms};
    snprintf(to->host, sizeof to->host, "%s", from->host);
    to->state = to->heard_s > SILENT_S ? FSH_WORKER_SILENT
                : isnan(to->unit)      ? FSH_WORKER_IDLE
                                       : FSH_WORKER_WORKING;
}

static bool
make_room(fsh_sighted *to, const fsh_coordinator_sight *sight)
{
    if (to->states_n != sight->units_n || !to->states) {
        free(to->states);
        to->states = malloc(sight->units_n + 1u);
        to->states_n = sight->units_n;
    }
    if (to->workers_room < sight->workers_n) {
        free(to->workers);
        to->workers_room = 2 * sight->workers_n;
        to->workers = malloc(to->workers_room * sizeof *to->workers);
    }
    return to->states && (to->workers || !to->workers_room);
}

bool
fsh_sighted_copy(fsh_sighted *to, const fsh_coordinator_sight *sight)
{
    uint32_t i;

    if (!make_room(to, sight)) {
        fsh_sighted_fini(to);
        return false;
    }
    to->totals = *sight->totals;
    to->draining = sight->draining;
    to->there = true;
    to->workers_n = sight->workers_n;
    for (i = 0; i < sight->workers_n; i++)
        copy_worker(&to->workers[i], &sight->workers[i]);
    memcpy(to->states, sight->states, sight->units_n);
    return true;
}

void
fsh_sighted_fini(fsh_sighted *sighted)
{
    free(sighted->workers);
    free(sighted->states);
    *sighted = (fsh_sighted){0};
}

/* ---- workers ---- */

static int
compare_names(const void *a, const void *b)
{
    const fsh_view_worker *x = a, *y = b;
    int order = strcmp(x->host, y->host);

    return order ? order : (x->pid > y->pid) - (x->pid < y->pid);
}

/* Who needs a look comes first: silent ones, then those that are gone, then the rest by name. */
static int
urgency(const fsh_view_worker *worker)
{
    return worker->state == FSH_WORKER_SILENT ? 0
           : worker->state == FSH_WORKER_LOST ? 1
           : worker->state == FSH_WORKER_LEFT ? 3
                                              : 2;
}

static int
compare_workers(const void *a, const void *b)
{
    int order = urgency(a) - urgency(b);

    return order ? order : compare_names(a, b);
}

/* A worker that is not there any more: silent before, it was given up. */
static bool
keep_gone(fsh_course *course, fsh_view_worker *gone, double passed_s)
{
    if (gone->state != FSH_WORKER_LOST && gone->state != FSH_WORKER_LEFT) {
        gone->state = gone->state == FSH_WORKER_SILENT ? FSH_WORKER_LOST : FSH_WORKER_LEFT;
        course->lost += gone->state == FSH_WORKER_LOST;
        gone->unit = NAN;
    }
    gone->heard_s += passed_s;
    return gone->heard_s < GONE_KEPT_S;
}

/* Puts those of the last look who are not there now behind those who are. */
static void
follow_workers(fsh_course *course, const fsh_sighted *sighted, double passed_s, fsh_view *view)
{
    fsh_view_worker *workers = malloc((sighted->workers_n + GONE_KEPT) * sizeof *workers);
    uint32_t n = sighted->workers_n, i;

    if (!workers)
        return;
    if (n)
        memcpy(workers, sighted->workers, n * sizeof *workers);
    qsort(workers, n, sizeof *workers, compare_names);
    for (i = 0; i < view->workers_n && n < sighted->workers_n + GONE_KEPT; i++)
        if (!bsearch(&view->workers[i], workers, sighted->workers_n, sizeof *workers,
                     compare_names) &&
            keep_gone(course, &view->workers[i], passed_s))
            workers[n++] = view->workers[i];
    qsort(workers, n, sizeof *workers, compare_workers);
    free(view->workers);
    view->workers = workers;
    view->workers_n = n;
    view->workers_here = sighted->workers_n;
    view->workers_lost = course->lost;
}

/* ---- rates ---- */

static void
mark(fsh_course *course, double now_s, double samples, double images)
{
    if (course->marks_n == MARKS) {
        memmove(course->marks, course->marks + 1, (MARKS - 1) * sizeof *course->marks);
        course->marks_n--;
    }
    course->marks[course->marks_n].at_s = now_s;
    course->marks[course->marks_n].samples = samples;
    course->marks[course->marks_n++].images = images;
}

static void
follow_rate(fsh_course *course, double now_s, double samples, fsh_view *view)
{
    double passed;
    uint32_t first = 0;

    mark(course, now_s, samples, view->images);
    while (first + 1 < course->marks_n && course->marks[first].at_s < now_s - WINDOW_S)
        first++;
    passed = now_s - course->marks[first].at_s;
    if (passed < 0.5)
        return;
    view->rate = fmax(0, (samples - course->marks[first].samples) / passed);
    view->images_rate = fmax(0, (view->images - course->marks[first].images) / passed);
}

/* A full curve keeps every pair of points as one. */
static void
thin(fsh_view *view)
{
    uint32_t i;

    for (i = 0; i < FSH_VIEW_HISTORY / 2; i++)
        view->history[i] = (view->history[2 * i] + view->history[2 * i + 1]) / 2;
    view->history_n = FSH_VIEW_HISTORY / 2;
    view->history_step_s *= 2;
}

static void
follow_curve(fsh_course *course, double now_s, double samples, fsh_view *view)
{
    double passed = now_s - (course->point_s - view->history_step_s);

    if (now_s < course->point_s)
        return;
    if (view->history_n == FSH_VIEW_HISTORY)
        thin(view);
    view->history[view->history_n++] = (float)fmax(0, (samples - course->point_samples) / passed);
    course->point_s = now_s + view->history_step_s;
    course->point_samples = samples;
}

/* ---- all ---- */

static void
follow_totals(const fsh_coordinator_totals *totals, fsh_view *view)
{
    uint32_t i;

    view->samples = (double)totals->samples;
    view->samples_done = (double)totals->samples_done;
    view->samples_running = (double)totals->samples_running;
    view->units = totals->units;
    view->delivered = (double)totals->delivered;
    view->images = (double)totals->images;
    view->bytes = (double)totals->bytes;
    view->worker_rss_bytes = (double)totals->rss_bytes;
    view->refused_connections = (double)totals->refused_connections;
    view->refused_workers = (double)totals->refused_workers;
    view->refused_messages = (double)totals->refused_messages;
    view->broken_messages = (double)totals->broken_messages;
    for (i = 0; i < FSH_REASON_N; i++)
        view->rejected[i] = (double)totals->rejected[i];
    for (i = 0; i < FSH_REPORT_TIMES_MAX; i++)
        view->times_s[i] = 1e-9 * (double)totals->times_ns[i];
}

static void
follow_units(const fsh_sighted *sighted, fsh_view *view)
{
    uint32_t i;

    if (view->states_n != sighted->states_n || !view->states) {
        free(view->states);
        view->states = malloc(sighted->states_n + 1u);
        view->states_n = view->states ? sighted->states_n : 0;
    }
    memset(view->units_in, 0, sizeof view->units_in);
    for (i = 0; i < view->states_n; i++) {
        view->states[i] = sighted->states[i];
        view->units_in[sighted->states[i]]++;
    }
}

void
fsh_course_follow(fsh_course *course, const fsh_sighted *sighted, double now_s, fsh_view *view)
{
    double samples = (double)(sighted->totals.samples_done + sighted->totals.samples_running);
    double passed_s = course->begun ? now_s - view->elapsed_s : 0;

    follow_totals(&sighted->totals, view);
    follow_units(sighted, view);
    follow_workers(course, sighted, passed_s, view);
    if (!course->begun) {
        course->point_samples = samples;
        course->point_s = now_s + view->history_step_s;
    }
    course->begun = true;
    follow_rate(course, now_s, samples, view);
    follow_curve(course, now_s, samples, view);
    view->elapsed_s = now_s;
    fsh_view_conclude(view);
}

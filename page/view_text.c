/* A view for a terminal. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page/view.h"

enum { WORKERS_SHOWN = 20, BAR_MOST = 50, NAME_COLUMNS = 12 };

typedef struct printer {
    const fsh_view *view;
    uint32_t columns;
    bool colours;
    fsh_text *out;
} printer;

static void
paint(const printer *to, const char *code, const char *text)
{
    if (to->colours)
        fsh_text_addf(to->out, "\x1b[%sm%s\x1b[0m", code, text);
    else
        fsh_text_add(to->out, text);
}

static void
add_name(const printer *to, const char *name)
{
    fsh_text_addf(to->out, "%-*s", NAME_COLUMNS, name);
}

static void
print_head(const printer *to)
{
    static const char *const colours[FSH_PHASE_N] = {"0",  "36", "32", "33", "36",
                                                     "33", "31", "33", "32"};
    const fsh_view *view = to->view;

    add_name(to, "job");
    fsh_text_addf(to->out, "%.12s  ", view->job[0] ? view->job : "not known yet");
    paint(to, colours[view->phase], fsh_view_phase_name(view->phase));
    fsh_text_addf(to->out, ": %s\n", fsh_view_phase_text(view->phase));
    add_name(to, "output");
    fsh_text_add_visible(to->out, view->output);
    fsh_text_add(to->out, "\n");
}

static void
print_step(const printer *to)
{
    const fsh_view *view = to->view;

    if (!view->step[0])
        return;
    add_name(to, "step");
    fsh_text_add_visible(to->out, view->step);
    if (view->step_of > 0)
        fsh_text_addf(to->out, ", %.0f of %.0f", view->step_done, view->step_of);
    else if (view->step_done > 0)
        fsh_text_addf(to->out, ", %.0f", view->step_done);
    fsh_text_add(to->out, "\n");
}

static void
print_bar(const printer *to)
{
    uint32_t cells = to->columns > 40 ? to->columns - 30 : 10, i, filled;
    double share = to->view->share;

    if (isnan(share))
        return;
    cells = cells > BAR_MOST ? BAR_MOST : cells;
    filled = (uint32_t)(share * cells);
    add_name(to, "progress");
    fsh_text_addf(to->out, "%3.0f%% ", floor(100 * share));
    for (i = 0; i < cells; i++)
        fsh_text_add(to->out, i < filled ? "#" : ".");
    if (to->view->left_s >= 0 && share < 1) {
        fsh_text_add(to->out, "  ETA ");
        fsh_text_add_time(to->out, to->view->left_s);
    }
    fsh_text_add(to->out, "\n");
}

static void
print_counts(const printer *to)
{
    const fsh_view *view = to->view;
    const char *separator = "";
    int i;

    if (isnan(view->samples))
        return;
    add_name(to, "photographs");
    fsh_text_addf(to->out,
                  "%.0f of %.0f, of %.0f people; %.0f delivered as %.0f pictures, %.1f MB\n",
                  view->samples_done, view->samples, view->identities, view->delivered,
                  view->images, view->bytes / 1e6);
    add_name(to, "units");
    for (i = 0; i < FSH_UNIT_STATE_N; i++)
        if (view->units_in[i] > 0) {
            fsh_text_addf(to->out, "%s%.0f %s", separator, view->units_in[i],
                          fsh_unit_state_name((fsh_unit_state)i));
            separator = ", ";
        }
    fsh_text_addf(to->out, " of %.0f\n", view->units);
}

static void
print_rate(const printer *to)
{
    const fsh_view *view = to->view;

    if (isnan(view->rate))
        return;
    add_name(to, "rate");
    fsh_text_addf(to->out, "%.1f photographs/s, %.1f pictures/s; ", view->rate, view->images_rate);
    fsh_text_add_time(to->out, view->elapsed_s);
    fsh_text_add(to->out, " so far\n");
}

static void
print_rejected(const printer *to)
{
    int i;

    add_name(to, "rejected");
    fsh_text_addf(to->out, "%.0f\n", fsh_view_rejected(to->view));
    for (i = 1; i < FSH_REASON_N; i++)
        if (to->view->rejected[i] > 0)
            fsh_text_addf(to->out, "  %-16s %9.0f  %.*s\n", fsh_reason_code((fsh_reason)i),
                          to->view->rejected[i], to->columns > 60 ? (int)to->columns - 30 : 30,
                          fsh_reason_text((fsh_reason)i));
}

static void
print_times(const printer *to)
{
    const fsh_view *view = to->view;
    double all = 0;
    int i;

    for (i = 0; i < FSH_REPORT_TIMES_MAX && view->time_names[i][0]; i++)
        all += view->times_s[i] > 0 ? view->times_s[i] : 0;
    if (all <= 0)
        return;
    add_name(to, "time");
    for (i = 0; i < FSH_REPORT_TIMES_MAX && view->time_names[i][0]; i++)
        if (view->times_s[i] >= 0.005 * all)
            fsh_text_addf(to->out, "%s %.0f%%  ", view->time_names[i],
                          100 * view->times_s[i] / all);
    fsh_text_add(to->out, "\n");
}

static void
print_worker(const printer *to, const fsh_view_worker *worker)
{
    static const char *const colours[FSH_WORKER_STATE_N] = {"32", "0", "33", "31", "2"};
    char unit[32] = "-", name[16];

    if (!isnan(worker->unit))
        snprintf(unit, sizeof unit, "%.0f (%.0f%%)", worker->unit, 100 * worker->done);
    snprintf(name, sizeof name, "%-8s", fsh_worker_state_name(worker->state));
    fsh_text_add(to->out, "  ");
    paint(to, colours[worker->state], name);
    fsh_text_addf(to->out, " unit %-14s %6.0f units %9.0f photographs %6.0f MB  heard %.0f s ago  ",
                  unit, worker->units_done, worker->samples_done, worker->rss_bytes / 1e6,
                  worker->heard_s);
    fsh_text_add_visible(to->out, worker->host);
    fsh_text_addf(to->out, " %" PRIu32 "\n", worker->pid);
}

static void
print_workers(const printer *to)
{
    const fsh_view *view = to->view;
    uint32_t i;

    if (isnan(view->workers_here))
        return;
    add_name(to, "workers");
    fsh_text_addf(to->out, "%.0f", view->workers_here);
    if (view->workers_lost > 0)
        fsh_text_addf(to->out, ", %.0f lost", view->workers_lost);
    fsh_text_add(to->out, "\n");
    for (i = 0; i < view->workers_n && i < WORKERS_SHOWN; i++)
        print_worker(to, &view->workers[i]);
    if (view->workers_here > WORKERS_SHOWN)
        fsh_text_add(to->out, "  ... `--json` has more\n");
}

void
fsh_view_print(const fsh_view *view, uint32_t columns, bool colours, fsh_text *out)
{
    printer to = {view, columns, colours, out};

    print_head(&to);
    print_step(&to);
    print_bar(&to);
    print_counts(&to);
    print_rate(&to);
    print_rejected(&to);
    print_times(&to);
    print_workers(&to);
}

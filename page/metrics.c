/* A view as Prometheus reads it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "page/view.h"

#define COUNTER "counter"
#define GAUGE   "gauge"

static void
add_head(fsh_text *out, const char *metric, const char *kind, const char *help)
{
    fsh_text_addf(out, "# HELP faceshard_%s %s\n# TYPE faceshard_%s %s\n", metric, help, metric,
                  kind);
}

/* A label's value is UTF-8 in quotes, with \ before \ and ". */
static void
add_value(fsh_text *out, const char *value)
{
    fsh_text visible = {0};
    const char *at;

    fsh_text_add_visible(&visible, value);
    fsh_text_add(out, "\"");
    for (at = fsh_text_get(&visible); *at; at++) {
        if (*at == '\\' || *at == '"')
            fsh_text_add(out, "\\");
        fsh_text_add_bytes(out, at, 1);
    }
    fsh_text_add(out, "\"");
    fsh_text_fini(&visible);
}

static void
add_number(fsh_text *out, double number)
{
    fsh_text_addf(out, " %.15g\n", number);
}

/* A metric that is not known has no line. */
static void
add_plain(fsh_text *out, const char *metric, const char *kind, const char *help, double number)
{
    if (!isfinite(number))
        return;
    add_head(out, metric, kind, help);
    fsh_text_addf(out, "faceshard_%s", metric);
    add_number(out, number);
}

static void
add_labelled(fsh_text *out, const char *metric, const char *label, const char *value, double number)
{
    if (!isfinite(number))
        return;
    fsh_text_addf(out, "faceshard_%s{%s=", metric, label);
    add_value(out, value);
    fsh_text_add(out, "}");
    add_number(out, number);
}

static void
add_info(const fsh_view *view, fsh_text *out)
{
    add_head(out, "info", GAUGE, "always 1; the labels say which job it is");
    fsh_text_addf(out, "faceshard_info{version=\"%s\",job=\"%s\",output=", FSH_VERSION, view->job);
    add_value(out, view->output);
    fsh_text_addf(out, ",phase=\"%s\"} 1\n", fsh_view_phase_name(view->phase));
}

static void
add_worker_states(const fsh_view *view, fsh_text *out)
{
    double n[FSH_WORKER_STATE_N] = {0};
    uint32_t i;

    for (i = 0; i < view->workers_n; i++)
        n[view->workers[i].state]++;
    add_head(out, "workers_in", GAUGE, "workers by what they do");
    for (i = 0; i < FSH_WORKER_STATE_N; i++)
        add_labelled(out, "workers_in", "state", fsh_worker_state_name((fsh_worker_state)i), n[i]);
}

void
fsh_view_print_metrics(const fsh_view *view, fsh_text *out)
{
    int i;

    add_info(view, out);
#define NUMBER(name, metric, kind, help) add_plain(out, metric, kind, help, view->name);
#include "page/view.def"
#undef NUMBER
    add_head(out, "units", GAUGE, "units by state");
    for (i = 0; i < FSH_UNIT_STATE_N; i++)
        add_labelled(out, "units", "state", fsh_unit_state_name((fsh_unit_state)i),
                     view->units_in[i]);
    add_head(out, "rejected", GAUGE,
             "photographs of committed units that were rejected, by reason");
    for (i = 1; i < FSH_REASON_N; i++)
        add_labelled(out, "rejected", "reason", fsh_reason_code((fsh_reason)i), view->rejected[i]);
    add_head(out, "stage_seconds_total", COUNTER, "thread time of committed units by stage");
    for (i = 0; i < FSH_REPORT_TIMES_MAX && view->time_names[i][0]; i++)
        add_labelled(out, "stage_seconds_total", "stage", view->time_names[i], view->times_s[i]);
    add_worker_states(view, out);
}

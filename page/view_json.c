/* A view as JSON, there and back. */
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tree.h"
#include "page/view.h"

void
fsh_json_add_number(fsh_text *out, double number)
{
    if (!isfinite(number))
        fsh_text_add(out, "null");
    else if (number == floor(number) && fabs(number) < 9e15)
        fsh_text_addf(out, "%.0f", number);
    else
        fsh_text_addf(out, "%.4f", number);
}

static void
add_entry(fsh_text *out, const char *key, double number)
{
    fsh_text_add_json(out, key);
    fsh_text_add(out, ":");
    fsh_json_add_number(out, number);
}

/* ---- writing ---- */

static void
print_counts(const fsh_view *view, fsh_text *out)
{
    const char *separator = "";
    int i;

    fsh_text_add(out, ",\"units_in\":{");
    for (i = 0; i < FSH_UNIT_STATE_N; i++) {
        fsh_text_add(out, i ? "," : "");
        add_entry(out, fsh_unit_state_name((fsh_unit_state)i), view->units_in[i]);
    }
    fsh_text_add(out, "},\"rejected\":{");
    for (i = 1; i < FSH_REASON_N; i++)
        if (view->rejected[i] > 0) {
            fsh_text_add(out, separator);
            add_entry(out, fsh_reason_code((fsh_reason)i), view->rejected[i]);
            separator = ",";
        }
    fsh_text_add(out, "},\"times_s\":{");
    for (i = 0; i < FSH_REPORT_TIMES_MAX && view->time_names[i][0]; i++) {
        fsh_text_add(out, i ? "," : "");
        add_entry(out, view->time_names[i], view->times_s[i]);
    }
    fsh_text_add(out, "}");
}

static void
print_worker(const fsh_view_worker *worker, fsh_text *out)
{
    fsh_text_add(out, "{\"host\":");
    fsh_text_add_json(out, worker->host);
    fsh_text_addf(out, ",\"pid\":%" PRIu32 ",\"state\":\"%s\"", worker->pid,
                  fsh_worker_state_name(worker->state));
#define PART(name)                                                                                 \
    fsh_text_add(out, ",");                                                                        \
    add_entry(out, #name, worker->name)
    PART(unit);
    PART(done);
    PART(units_done);
    PART(samples_done);
    PART(rss_bytes);
    PART(here_s);
    PART(heard_s);
#undef PART
    fsh_text_add(out, "}");
}

static void
print_workers(const fsh_view *view, fsh_text *out)
{
    uint32_t i;

    fsh_text_addf(out, ",\"workers_n\":%" PRIu32 ",\"workers\":[", view->workers_n);
    for (i = 0; i < view->workers_n && i < FSH_VIEW_WORKERS; i++) {
        fsh_text_add(out, i ? "," : "");
        print_worker(&view->workers[i], out);
    }
    fsh_text_add(out, "]");
}

static void
print_history(const fsh_view *view, fsh_text *out)
{
    uint32_t i;

    fsh_text_addf(out, ",\"history\":{\"step_s\":%g,\"rates\":[", view->history_step_s);
    for (i = 0; i < view->history_n; i++)
        fsh_text_addf(out, "%s%.1f", i ? "," : "", view->history[i]);
    fsh_text_add(out, "]}");
}

static void
print_map(const fsh_view *view, fsh_text *out)
{
    uint32_t i, end;

    fsh_text_add(out, ",\"map\":[");
    for (i = 0; i < view->states_n; i = end) {
        for (end = i + 1; end < view->states_n && view->states[end] == view->states[i]; end++)
            ;
        fsh_text_addf(out, "%s[%u,%" PRIu32 "]", i ? "," : "", view->states[i], end - i);
    }
    fsh_text_add(out, "]");
}

void
fsh_view_print_json(const fsh_view *view, bool map, fsh_text *out)
{
    fsh_text_addf(out,
                  "{\"version\":\"%s\",\"job\":\"%s\",\"phase\":\"%s\",\"output\":", FSH_VERSION,
                  view->job, fsh_view_phase_name(view->phase));
    fsh_text_add_json(out, view->output);
    fsh_text_add(out, ",\"step\":");
    fsh_text_add_json(out, view->step);
#define NUMBER(name, metric, kind, help)                                                           \
    fsh_text_add(out, ",");                                                                        \
    add_entry(out, #name, view->name);
#include "page/view.def"
#undef NUMBER
    print_counts(view, out);
    print_workers(view, out);
    print_history(view, out);
    if (map)
        print_map(view, out);
    fsh_text_add(out, "}");
}

/* ---- reading ---- */

static double
number_at(const fsh_node *map, const char *key)
{
    const fsh_node *node = fsh_node_get(map, key);
    char *end;
    double number = node && node->text ? strtod(node->text, &end) : NAN;

    return node && node->text && end != node->text ? number : NAN;
}

static const char *
text_at(const fsh_node *map, const char *key)
{
    const fsh_node *node = fsh_node_get(map, key);

    return node && node->text ? node->text : "";
}

static void
parse_counts(const fsh_node *root, fsh_view *view)
{
    const fsh_node *states = fsh_node_get(root, "units_in"),
                   *reasons = fsh_node_get(root, "rejected");
    const fsh_node *times = fsh_node_get(root, "times_s"), *row;
    uint32_t i;

    for (i = 0; i < FSH_UNIT_STATE_N; i++)
        view->units_in[i] = number_at(states, fsh_unit_state_name((fsh_unit_state)i));
    for (i = 1; i < FSH_REASON_N; i++)
        if (fsh_node_get(reasons, fsh_reason_code((fsh_reason)i)))
            view->rejected[i] = number_at(reasons, fsh_reason_code((fsh_reason)i));
    for (i = 0, row = times ? times->child : NULL; row && i < FSH_REPORT_TIMES_MAX;
         row = row->next, i++) {
        snprintf(view->time_names[i], FSH_VIEW_TIME_BYTES, "%s", row->key);
        view->times_s[i] = number_at(times, row->key);
    }
}

static fsh_worker_state
worker_state(const char *name)
{
    int i;

    for (i = 0; i < FSH_WORKER_STATE_N - 1; i++)
        if (strcmp(name, fsh_worker_state_name((fsh_worker_state)i)) == 0)
            break;
    return (fsh_worker_state)i;
}

static void
parse_worker(const fsh_node *row, fsh_view_worker *worker)
{
    *worker = (fsh_view_worker){.pid = (uint32_t)number_at(row, "pid"),
                                .state = worker_state(text_at(row, "state")),
                                .unit = number_at(row, "unit"),
                                .done = number_at(row, "done"),
                                .units_done = number_at(row, "units_done"),
                                .samples_done = number_at(row, "samples_done"),
                                .rss_bytes = number_at(row, "rss_bytes"),
                                .here_s = number_at(row, "here_s"),
                                .heard_s = number_at(row, "heard_s")};
    snprintf(worker->host, sizeof worker->host, "%s", text_at(row, "host"));
}

static fsh_status
parse_workers(const fsh_node *root, fsh_view *view, fsh_err *err)
{
    const fsh_node *list = fsh_node_get(root, "workers"), *row;
    fsh_view_worker *workers = calloc(FSH_VIEW_WORKERS, sizeof *workers);

    if (!workers)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    free(view->workers);
    view->workers = workers;
    view->workers_n = 0;
    for (row = list ? list->child : NULL; row && view->workers_n < FSH_VIEW_WORKERS;
         row = row->next)
        parse_worker(row, &workers[view->workers_n++]);
    return FSH_OK;
}

static void
parse_history(const fsh_node *root, fsh_view *view)
{
    const fsh_node *history = fsh_node_get(root, "history"),
                   *rates = fsh_node_get(history, "rates"), *row;

    view->history_n = 0;
    view->history_step_s = number_at(history, "step_s");
    for (row = rates ? rates->child : NULL; row && row->text && view->history_n < FSH_VIEW_HISTORY;
         row = row->next)
        view->history[view->history_n++] = strtof(row->text, NULL);
}

static void
parse_phase(const char *name, fsh_view *view)
{
    int i;

    for (i = 0; i < FSH_PHASE_N; i++)
        if (strcmp(name, fsh_view_phase_name((fsh_view_phase)i)) == 0)
            view->phase = (fsh_view_phase)i;
}

fsh_status
fsh_view_parse(const char *name, const char *json, size_t bytes, fsh_view *view, fsh_err *err)
{
    fsh_tree *tree;
    const fsh_node *root;
    fsh_status status = fsh_tree_parse(name, json, bytes, &tree, err);

    if (status)
        return status;
    root = fsh_tree_root(tree);
    snprintf(view->job, sizeof view->job, "%s", text_at(root, "job"));
    parse_phase(text_at(root, "phase"), view);
    snprintf(view->step, sizeof view->step, "%s", text_at(root, "step"));
#define NUMBER(member, metric, kind, help) view->member = number_at(root, #member);
#include "page/view.def"
#undef NUMBER
    parse_counts(root, view);
    parse_history(root, view);
    status = parse_workers(root, view, err);
    fsh_tree_free(tree);
    return status;
}

/* What is to be seen of a job: the one struct that `faceshard status`, the page, /api/job, /metrics
 * and the report are made from. Filled from the output folder (view_disk.c) or from a running
 * coordinator (live.c).
 *
 *     fsh_view view = {0};
 *     fsh_view_read("out", &view, &err);
 *     fsh_view_print(&view, 80, &text);
 *     fsh_view_fini(&view);
 */
#ifndef FSH_PAGE_VIEW_H
#define FSH_PAGE_VIEW_H

#include <stdint.h>

#include "base/files.h"
#include "base/hash.h"
#include "base/reason.h"
#include "base/text.h"
#include "job/job.h"
#include "proto/report.h"
#include "proto/states.h"

typedef enum fsh_view_phase {
#define PHASE(name, word, help) FSH_PHASE_##name,
#include "page/view.def"
#undef PHASE
    FSH_PHASE_N
} fsh_view_phase;

typedef enum fsh_worker_state {
#define WORKER(name, word, help) FSH_WORKER_##name,
#include "page/view.def"
#undef WORKER
    FSH_WORKER_STATE_N
} fsh_worker_state;

enum {
    FSH_VIEW_HISTORY = 360, /* points of the curve of rates */
    FSH_VIEW_WORKERS =
        200, /* that are told one by one: the page and the file stay small with thousands */
    FSH_VIEW_TIME_BYTES = 24,
    FSH_VIEW_STEP_BYTES = 64
};

typedef struct fsh_view_worker {
    char host[72];
    uint32_t pid;
    fsh_worker_state state;
    double unit; /* NaN: none */
    double done; /* share of it */
    double units_done, samples_done, rss_bytes, here_s, heard_s;
} fsh_view_worker;

/* Numbers that are not known are NaN. A zeroed struct is a view of nothing. */
typedef struct fsh_view {
    char job[FSH_HASH_HEX]; /* "": not planned */
    char output[FSH_PATH_BYTES];
    fsh_view_phase phase;
    char step[FSH_VIEW_STEP_BYTES]; /* a single step of the phase that takes a while; "": none */
#define NUMBER(name, metric, kind, help) double name;
#include "page/view.def"
#undef NUMBER
    double units_in[FSH_UNIT_STATE_N];
    double rejected[FSH_REASON_N];
    char time_names[FSH_REPORT_TIMES_MAX][FSH_VIEW_TIME_BYTES]; /* "" ends them */
    double times_s[FSH_REPORT_TIMES_MAX];
    fsh_view_worker *workers; /* owned; who needs a look first */
    uint32_t workers_n;
    uint8_t *states; /* owned; fsh_unit_state of every unit; NULL: not known */
    uint32_t states_n;
    double history_step_s;           /* between two points */
    float history[FSH_VIEW_HISTORY]; /* photographs a second, oldest first */
    uint32_t history_n;
} fsh_view;

/* All numbers unknown, phase NONE; of an output folder. */
void fsh_view_init(fsh_view *view, const char *output);
void fsh_view_fini(fsh_view *view);

/* Reads what the output folder says: its plan, its ledger, and what a coordinator that works on it
 * has written there. Changes nothing and takes no lock. A folder without a plan is USAGE. Not in
 * the process of the coordinator itself: asking whether its lock is held would release it. */
fsh_status fsh_view_read(const char *output, fsh_view *view, fsh_err *err);

/* Counts and names that stand in a job. */
void fsh_view_take_job(fsh_view *view, const fsh_job *job);

/* Fills what follows from the other numbers: share, time left. */
void fsh_view_conclude(fsh_view *view);

double fsh_view_rejected(const fsh_view *view); /* all of them */

/* "running", "working". */
const char *fsh_view_phase_name(fsh_view_phase phase);
const char *fsh_view_phase_text(fsh_view_phase phase);
const char *fsh_worker_state_name(fsh_worker_state state);

/* Appends the view as one JSON object; at most FSH_VIEW_WORKERS workers. map: with the state of
 * every unit, as
 * [[state, how many in a row], ...]. */
void fsh_view_print_json(const fsh_view *view, bool map, fsh_text *out);

/* Reads what fsh_view_print_json made, over what is in the view; the map is left out. */
fsh_status fsh_view_parse(const char *name, const char *json, size_t bytes, fsh_view *view,
                          fsh_err *err);

/* Appends it for a terminal of so many columns; colours: with them. */
void fsh_view_print(const fsh_view *view, uint32_t columns, bool colours, fsh_text *out);

/* Appends it in Prometheus' text format, version 0.0.4. */
void fsh_view_print_metrics(const fsh_view *view, fsh_text *out);

/* Appends a number as JSON: whole where it is, null where it is not known. */
void fsh_json_add_number(fsh_text *out, double number);

#endif

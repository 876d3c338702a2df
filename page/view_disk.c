/* A view of what lies in an output folder, with or without a coordinator that works on it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/commit.h"
#include "coordinator/finish.h"
#include "coordinator/ledger.h"
#include "coordinator/lock.h"
#include "coordinator/plan.h"
#include "job/paths.h"
#include "page/view.h"

enum { LIVE_BYTES_MAX = 1 << 20 };

/* ---- the ledger ---- */

static void
add_report(fsh_view *view, const fsh_report *report)
{
    uint32_t i;

    view->samples_done += (double)report->samples;
    view->delivered += (double)report->delivered;
    view->images += (double)report->images;
    view->bytes += (double)report->bytes;
    for (i = 0; i < FSH_REASON_N; i++)
        view->rejected[i] += (double)report->rejected[i];
    for (i = 0; i < FSH_REPORT_TIMES_MAX; i++)
        view->times_s[i] += 1e-9 * (double)report->times_ns[i];
}

static void
take_entry(void *self, const fsh_ledger_entry *entry)
{
    fsh_view *view = self;

    if (entry->unit >= view->states_n || entry->state == FSH_UNIT_READY)
        return;
    view->states[entry->unit] = (uint8_t)entry->state;
    view->units_in[entry->state]++;
    view->units_in[FSH_UNIT_READY]--;
    if (entry->report)
        add_report(view, entry->report);
}

static void
begin_counts(fsh_view *view, const fsh_manifest_totals *planned)
{
    view->samples = (double)planned->samples;
    view->identities = (double)planned->identities;
    view->units = view->units_in[FSH_UNIT_READY] = (double)planned->units;
    view->samples_done = view->delivered = view->images = view->bytes = 0;
    memset(view->times_s, 0, sizeof view->times_s);
}

/* No ledger: nothing was begun, or the job is run without a coordinator. */
static fsh_status
read_ledger(const char *output, fsh_view *view, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(path, output, FSH_PATH_LEDGER, err);

    view->states_n = (uint32_t)view->units;
    view->states = calloc(view->states_n + 1u, 1);
    if (!status && !view->states)
        status = fsh_fail(err, FSH_MEMORY, "no memory for %u units", view->states_n);
    return status || !fsh_file_exists(path) ? status
                                            : fsh_ledger_look(output, take_entry, view, err);
}

/* ---- the plan ---- */

/* Shards that are in no ledger: made by `faceshard unit`, or handed in at this moment. */
static void
look_for_shards(const char *output, const fsh_manifest *manifest, fsh_view *view)
{
    uint32_t i;

    view->samples_running = 0;
    for (i = 0; i < view->states_n; i++) {
        if (view->states[i] != FSH_UNIT_READY || !fsh_commit_has_file(output, i))
            continue;
        view->states[i] = FSH_UNIT_DONE;
        view->units_in[FSH_UNIT_DONE]++;
        view->units_in[FSH_UNIT_READY]--;
        view->samples_running += fsh_manifest_unit_samples(manifest, i);
    }
}

static fsh_status
read_books(const char *output, fsh_view *view, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_manifest *manifest;
    fsh_status status = fsh_path_join(path, output, FSH_PATH_UNITS, err);

    if (!status)
        status = fsh_manifest_open(path, &manifest, err);
    if (status)
        return status;
    begin_counts(view, fsh_manifest_get_totals(manifest));
    status = read_ledger(output, view, err);
    if (!status)
        look_for_shards(output, manifest, view);
    fsh_manifest_close(manifest);
    return status;
}

/* ---- what a running coordinator says ---- */

/* It is replaced once a second, by renaming, so it is always whole. One of an earlier job is none.
 */
static bool
read_live(const char *output, fsh_view *view)
{
    char path[FSH_PATH_BYTES];
    uint8_t *data;
    size_t bytes;
    fsh_view live;
    bool ours;

    if (fsh_path_join(path, output, FSH_PATH_LIVE, NULL) ||
        fsh_file_read(path, LIVE_BYTES_MAX, &data, &bytes, NULL))
        return false;
    fsh_view_init(&live, output);
    ours = fsh_view_parse(path, (const char *)data, bytes, &live, NULL) == FSH_OK &&
           strcmp(live.job, view->job) == 0;
    if (ours) {
        live.states = view->states;
        live.states_n = view->states_n;
        view->states = NULL;
        fsh_view_fini(view);
        *view = live;
    } else {
        fsh_view_fini(&live);
    }
    free(data);
    return ours;
}

/* ---- all of it ---- */

static fsh_view_phase
phase_at_rest(const fsh_job *job, const fsh_view *view)
{
    double committed = view->units_in[FSH_UNIT_COMMITTED];

    if (fsh_finish_is_done(job))
        return FSH_PHASE_FINISHED;
    if (committed == view->units)
        return FSH_PHASE_COMMITTED;
    return committed + view->units_in[FSH_UNIT_BURIED] == view->units ? FSH_PHASE_FAILED
                                                                      : FSH_PHASE_STOPPED;
}

static fsh_status
read_job(const char *output, const fsh_job *job, fsh_view *view, fsh_err *err)
{
    bool held = fsh_lock_is_held(output);
    fsh_status status;

    memcpy(view->job, job->hash, sizeof view->job);
    fsh_view_take_job(view, job);
    status = read_books(output, view, err);
    if (status)
        return status;
    if (!held)
        view->phase = phase_at_rest(job, view);
    else if (!read_live(output, view))
        view->phase = FSH_PHASE_RUNNING;
    fsh_view_conclude(view);
    return FSH_OK;
}

fsh_status
fsh_view_read(const char *output, fsh_view *view, fsh_err *err)
{
    fsh_job *job;
    fsh_status status;

    fsh_view_init(view, output);
    status = fsh_plan_held(output, &job, err);
    if (status)
        return status;
    if (!job && fsh_lock_is_held(output)) {
        view->phase = FSH_PHASE_PLANNING;
        return FSH_OK;
    }
    if (!job)
        return fsh_fail(
            err, FSH_USAGE,
            "%s holds no plan of a job: give the output folder of `faceshard run` or `plan`",
            output);
    status = read_job(output, job, view, err);
    fsh_job_free(job);
    if (status)
        fsh_view_fini(view);
    return status;
}

/* What a running coordinator shows: it hands over what it sees, a thread of its own makes a view
 * of it once a second, writes it to state/live.json for `faceshard status`, and serves it over HTTP
 * where an address is given. The loop of the coordinator never waits for any of this.
 *
 *     fsh_live_open(job, &options, &live, &err);
 *     fsh_live_plan(live, &planned);
 *     coordinator_options.seer = live, .seen = fsh_live_see;
 *     fsh_live_enter(live, FSH_PHASE_FINISHING);
 *     fsh_live_close(&live); */
#ifndef FSH_PAGE_LIVE_H
#define FSH_PAGE_LIVE_H

#include "coordinator/coordinator.h"
#include "datasets/manifest.h"
#include "page/view.h"

typedef struct fsh_live fsh_live;

typedef struct fsh_live_options {
    const char *http, *token; /* as in fsh_server_options; http NULL or "": no page */
} fsh_live_options;

/* The job, whose hash is filled, is borrowed until close. Fails as fsh_server_open does. */
fsh_status fsh_live_open(const fsh_job *job, const fsh_live_options *options, fsh_live **live,
                         fsh_err *err);

/* Where the page is, "" where there is none. */
const char *fsh_live_address(const fsh_live *live);

/* While the input is scanned; what the plan has. */
void fsh_live_scan(fsh_live *live, uint64_t samples, uint64_t identities);
void fsh_live_plan(fsh_live *live, const fsh_manifest_totals *planned);

/* `seen` of fsh_coordinator_options; self is the fsh_live. */
void fsh_live_see(void *self, const fsh_coordinator_sight *sight);

/* A single step of the phase: which, and how much of it is done; of 0: not known how many. The text is copied. */
void fsh_live_step(fsh_live *live, const char *text, uint64_t done, uint64_t of);

/* Another phase; it begins without a step. */
void fsh_live_enter(fsh_live *live, fsh_view_phase phase);

/* Shows the last state, ends the thread, closes all connections. NULL is fine. */
void fsh_live_close(fsh_live **live);

#endif

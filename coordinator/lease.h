/* The lending desk: which unit is with which worker, since when, and what is due. Pure: no clock,
 * no socket, no file; now_ms is an argument and never runs backwards. Every call takes constant
 * time, also with thousands of workers and a hundred thousand units.
 *
 *     fsh_leases_new(units_n, epoch, &rules, &watch, &leases, &err);
 *     fsh_lessee *lessee = fsh_leases_join(leases, owner, now_ms);
 *     fsh_leases_credit(leases, lessee, 2);
 *     while (fsh_leases_lend(leases, now_ms, &lease)) ...            tell the worker
 *     fsh_leases_heard(leases, lessee, now_ms);                      with every message
 *     fsh_leases_renew(leases, lessee, unit, token, done, now_ms);
 *     fsh_leases_hand_in(leases, unit);                              its shard is checked now
 *     fsh_leases_settle(leases, unit, true);
 *     fsh_leases_free(leases);
 *
 * Two timers, for two ways to be lost. Silence: nothing at all was heard from a worker for
 * silence_ms, and all that it holds is lost. Stall: heartbeats come, but the counter of the unit
 * that it works on has not moved for stall_ms, and that unit is lost. Because both times are the
 * same for all, the order in which workers were last heard is the order in which they fall due: a
 * ring each, no heap.
 *
 * Only the unit that a worker is working on (the oldest that it holds) is suspect when it is lost;
 * those that wait behind it just come back. A unit that stalls or fails loses an attempt. One whose
 * worker dies does not, because machines are taken away in the middle of work; but after losses_max
 * dead workers it is taken for what kills them.
 *
 * A worker that has asked ahead gives what it has not begun to one that has nothing (relieve).
 *
 * Stragglers: when nothing is READY and the end is near (three quarters of the units are done, or
 * fewer are left than there are workers), the unit that has been lent for longest goes to an idle
 * worker as well, if that is half as long again as units take. The first that is handed in counts;
 * the other worker learns it when its next renewal is refused. */
#ifndef FSH_COORDINATOR_LEASE_H
#define FSH_COORDINATOR_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "proto/states.h"

typedef struct fsh_leases fsh_leases;
typedef struct fsh_lessee fsh_lessee; /* a worker, as the desk knows it */

typedef struct fsh_lease_rules {
    uint32_t silence_ms, stall_ms;
    uint32_t attempts_max;
    uint32_t losses_max; /* workers that may be lost over one unit; 0: any number */
    uint32_t copy_ms;    /* no unit that was lent for less is lent a second time; 0: none is */
} fsh_lease_rules;

typedef struct fsh_lease {
    uint32_t unit, attempt; /* attempt from 1 */
    uint64_t token;         /* epoch << 32 | counter */
    bool copy;              /* another worker has it as well */
    void *owner;            /* of the worker that has it */
} fsh_lease;

/* Called for every change of a unit's state, after it; must not call the desk. */
typedef struct fsh_lease_watch {
    void *self;
    void (*changed)(void *self, uint32_t unit, fsh_unit_event event, fsh_unit_state state,
                    uint32_t attempts, bool record);
} fsh_lease_watch;

/* All units are READY. */
fsh_status fsh_leases_new(uint32_t units_n, uint32_t epoch, const fsh_lease_rules *rules,
                          const fsh_lease_watch *watch, fsh_leases **leases, fsh_err *err);
void fsh_leases_free(fsh_leases *leases);

/* Sets a unit to what the ledger remembers (READY, COMMITTED or BURIED), before any lending; not
 * watched. */
void fsh_leases_restore(fsh_leases *leases, uint32_t unit, fsh_unit_state state, uint32_t attempts);

/* At the start: the shard of a COMMITTED unit is gone; a BURIED unit is given all its attempts
 * again. */
void fsh_leases_miss(fsh_leases *leases, uint32_t unit);
void fsh_leases_kick(fsh_leases *leases, uint32_t unit);

/* A worker comes. The lessee lives until fsh_leases_leave; NULL when out of memory. */
fsh_lessee *fsh_leases_join(fsh_leases *leases, void *owner, uint64_t now_ms);

/* A worker goes. Died: it counts against the unit that it worked on; otherwise all just comes
 * back. */
void fsh_leases_leave(fsh_leases *leases, fsh_lessee *lessee, bool died);

void *fsh_lessee_owner(const fsh_lessee *lessee);
uint32_t fsh_lessee_held(const fsh_lessee *lessee);
uint64_t fsh_lessee_done(const fsh_lessee *lessee); /* steps of the unit that it works on */
uint64_t fsh_lessee_heard_ms(const fsh_lessee *lessee);
bool fsh_lessee_unit(const fsh_leases *leases, const fsh_lessee *lessee, uint32_t *unit); /* false: it has none */

/* Any message is a sign of life. */
void fsh_leases_heard(fsh_leases *leases, fsh_lessee *lessee, uint64_t now_ms);

/* The worker wants units_n more; clear: and nothing that it wanted before. With what it
 * holds that is at most FSH_CREDIT_MAX: nobody gathers all units. */
enum { FSH_CREDIT_MAX = 64 };
void fsh_leases_credit(fsh_leases *leases, fsh_lessee *lessee, uint32_t units_n, bool clear);

/* Where nothing is READY and a worker is idle: takes back a unit that waits behind another one in a
 * worker's hands; the lease is to be revoked, and the unit is READY. False: there is none. */
bool fsh_leases_relieve(fsh_leases *leases, uint64_t now_ms, fsh_lease *lease);

/* Lends the next ready unit to the worker that has waited longest, of those that hold nothing where there are
 * any; or a copy of a late one to one that is idle. False: no unit, or nobody who wants one. */
bool fsh_leases_lend(fsh_leases *leases, uint64_t now_ms, fsh_lease *lease);

/* The worker says that it has this lease, and how far it is. A unit that is READY is adopted (the
 * worker held it before a restart). False: the lease is lost and is to be revoked. */
bool fsh_leases_renew(fsh_leases *leases, fsh_lessee *lessee, uint32_t unit, uint64_t token,
                      uint64_t done, uint64_t now_ms);

/* Whether the worker has this lease: the right to write the unit's shard, and to say how it goes. */
bool fsh_leases_holds(const fsh_leases *leases, const fsh_lessee *lessee, uint32_t unit,
                      uint64_t token);

/* The worker has told all leases that it has. What was lent to it before lent_before_ms and is not
 * among tokens was lost on the way, and comes back. */
void fsh_leases_keep(fsh_leases *leases, fsh_lessee *lessee, const uint64_t *tokens, uint64_t n,
                     uint64_t lent_before_ms);

/* FAILED and RETURN. Convicted: the sample at fault has been found. False where the worker does not
 * have this lease: nothing changes. */
bool fsh_leases_fail(fsh_leases *leases, fsh_lessee *lessee, uint32_t unit, uint64_t token,
                     bool convicted, uint64_t now_ms);

/* A lease that was lost by the fault of the machine: costs no attempt, as a worker that dies. */
bool fsh_leases_lose(fsh_leases *leases, fsh_lessee *lessee, uint32_t unit, uint64_t token,
                     uint64_t now_ms);

bool fsh_leases_give_back(fsh_leases *leases, fsh_lessee *lessee, uint32_t unit, uint64_t token,
                          uint64_t now_ms);

/* DONE: from any worker and also late, since whoever runs a unit makes the same shard. True: the
 * unit is DONE now and the shard is to be checked; false: it is being checked, or committed
 * already. */
bool fsh_leases_hand_in(fsh_leases *leases, uint32_t unit, uint64_t now_ms);

/* The result of the check. */
void fsh_leases_settle(fsh_leases *leases, uint32_t unit, bool accepted);

/* The worker that has been silent for too long and longest, or NULL; the caller lets it leave. */
fsh_lessee *fsh_leases_silent(const fsh_leases *leases, uint64_t now_ms);

/* Takes the next unit that has stalled away from its worker; false: none. */
bool fsh_leases_stalled(fsh_leases *leases, uint64_t now_ms, fsh_lease *lease);

/* When the next of the two above can be due; UINT64_MAX: never. */
uint64_t fsh_leases_due_ms(const fsh_leases *leases);

fsh_unit_state fsh_leases_state(const fsh_leases *leases, uint32_t unit);
uint32_t fsh_leases_attempts(const fsh_leases *leases, uint32_t unit);
uint32_t fsh_leases_count(const fsh_leases *leases, fsh_unit_state state);

/* Events that were not a step of the table. */
uint64_t fsh_leases_refused(const fsh_leases *leases);

#endif

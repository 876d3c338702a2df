#include "coordinator/lease.h"

#include <stdlib.h>

#include "coordinator/ring.h"

/* Invariants:
 * 1. A unit's link is in `ready` when READY, in its lessee's `held` when LENT, in no ring
 * otherwise.
 * 2. token and lessee of a unit are set when LENT and 0 and NULL otherwise.
 * 3. A lessee's link `moving` is in the desk's `moving` exactly while it holds a unit.
 * 4. A lessee's link `wanting` is in the desk's `wanting` exactly while it has credit. */

typedef struct unit {
    fsh_ring link;
    fsh_lessee *lessee;
    uint64_t token, lent_ms;
    uint8_t state, attempts, losses;
} unit;

struct fsh_lessee {
    void *owner;
    fsh_ring held;    /* its units, oldest first: the first is being worked on */
    fsh_ring heard;   /* link in fsh_leases.heard */
    fsh_ring moving;  /* link in fsh_leases.moving */
    fsh_ring wanting; /* link in fsh_leases.wanting */
    uint64_t heard_ms, moved_ms;
    uint64_t done; /* steps of the first unit */
    uint32_t held_n, credit;
};

struct fsh_leases {
    fsh_lease_rules rules;
    fsh_lease_watch watch;
    fsh_ring ready;   /* units, next to be lent first */
    fsh_ring heard;   /* lessees, silent for longest first */
    fsh_ring moving;  /* lessees, without progress for longest first */
    fsh_ring wanting; /* lessees with credit, waiting for longest first */
    uint64_t next_token, refused;
    uint32_t counts[FSH_UNIT_STATE_N];
    uint32_t units_n;
    unit units[];
};

static uint32_t
number_of(const fsh_leases *leases, const unit *of)
{
    return (uint32_t)(of - leases->units);
}

static unit *
working_on(const fsh_lessee *lessee)
{
    return fsh_ring_is_empty(&lessee->held) ? NULL : FSH_RING_OWNER(lessee->held.next, unit, link);
}

fsh_status
fsh_leases_new(uint32_t units_n, uint32_t epoch, const fsh_lease_rules *rules,
               const fsh_lease_watch *watch, fsh_leases **leases, fsh_err *err)
{
    fsh_leases *desk = calloc(1, sizeof *desk + units_n * sizeof *desk->units);
    uint32_t i;

    if (!desk)
        return fsh_fail(err, FSH_MEMORY, "no memory for %u units", units_n);
    desk->rules = *rules;
    desk->watch = *watch;
    desk->next_token = (uint64_t)epoch << 32 | 1;
    desk->units_n = desk->counts[FSH_UNIT_READY] = units_n;
    fsh_ring_init(&desk->ready);
    fsh_ring_init(&desk->heard);
    fsh_ring_init(&desk->moving);
    fsh_ring_init(&desk->wanting);
    for (i = 0; i < units_n; i++) {
        fsh_ring_init(&desk->units[i].link);
        fsh_ring_append(&desk->ready, &desk->units[i].link);
    }
    *leases = desk;
    return FSH_OK;
}

void
fsh_leases_free(fsh_leases *leases)
{
    if (!leases)
        return;
    while (!fsh_ring_is_empty(&leases->heard)) {
        fsh_lessee *lessee = FSH_RING_OWNER(leases->heard.next, fsh_lessee, heard);

        fsh_ring_remove(&lessee->heard);
        free(lessee);
    }
    free(leases);
}

static void
set_state(fsh_leases *leases, unit *of, fsh_unit_state state)
{
    leases->counts[of->state]--;
    leases->counts[state]++;
    of->state = (uint8_t)state;
}

void
fsh_leases_restore(fsh_leases *leases, uint32_t number, fsh_unit_state state, uint32_t attempts)
{
    unit *of = &leases->units[number];

    of->attempts = (uint8_t)attempts;
    set_state(leases, of, state);
    if (state == FSH_UNIT_READY)
        fsh_ring_append(&leases->ready, &of->link);
    else
        fsh_ring_remove(&of->link);
}

/* The clock of the unit that is worked on starts when the one before it is gone. */
static void
restart_progress(fsh_leases *leases, fsh_lessee *lessee, uint64_t now_ms)
{
    lessee->done = 0;
    lessee->moved_ms = now_ms;
    if (lessee->held_n)
        fsh_ring_append(&leases->moving, &lessee->moving);
    else
        fsh_ring_remove(&lessee->moving);
}

static void
take_from_lessee(fsh_leases *leases, unit *of, uint64_t now_ms)
{
    fsh_lessee *lessee = of->lessee;
    bool first;

    if (!lessee)
        return;
    first = working_on(lessee) == of;
    fsh_ring_remove(&of->link);
    of->lessee = NULL;
    of->token = 0;
    lessee->held_n--;
    if (first)
        restart_progress(leases, lessee, now_ms);
}

static void
give_to_lessee(fsh_leases *leases, unit *of, fsh_lessee *lessee, uint64_t token, uint64_t now_ms)
{
    of->lessee = lessee;
    of->token = token;
    of->lent_ms = now_ms;
    fsh_ring_append(&lessee->held, &of->link);
    if (lessee->held_n++ == 0)
        restart_progress(leases, lessee, now_ms);
}

/* Failures go to the end of the queue, so that one bad unit does not hold up the others. */
static void
put_into_ready(fsh_leases *leases, unit *of, bool failed)
{
    if (failed)
        fsh_ring_append(&leases->ready, &of->link);
    else
        fsh_ring_prepend(&leases->ready, &of->link);
}

/* Whether the event is one failure too many. */
static bool
is_last(const fsh_leases *leases, unit *of, fsh_unit_event event, const fsh_unit_step *step)
{
    if (event == FSH_EVENT_LOSE && of->losses < UINT8_MAX)
        return ++of->losses == leases->rules.losses_max;
    return step->attempts > 0 &&
           fsh_unit_step_count(step, of->attempts) >= leases->rules.attempts_max;
}

/* The one place where a unit changes its state. */
static bool
happen(fsh_leases *leases, unit *of, fsh_unit_event event, uint64_t now_ms)
{
    fsh_unit_step step;

    if (!fsh_unit_step_find(of->state, event, &step)) {
        leases->refused++;
        return false;
    }
    if (is_last(leases, of, event, &step)) {
        event = FSH_EVENT_EXHAUST;
        fsh_unit_step_find(of->state, event, &step);
    }
    take_from_lessee(leases, of, now_ms);
    fsh_ring_remove(&of->link);
    set_state(leases, of, step.next);
    of->attempts = (uint8_t)fsh_unit_step_count(&step, of->attempts);
    if (step.next == FSH_UNIT_READY)
        put_into_ready(leases, of, step.attempts != 0);
    leases->watch.changed(leases->watch.self, number_of(leases, of), event, step.next, of->attempts,
                          step.record);
    return true;
}

void
fsh_leases_miss(fsh_leases *leases, uint32_t number)
{
    happen(leases, &leases->units[number], FSH_EVENT_MISS, 0);
}

void
fsh_leases_kick(fsh_leases *leases, uint32_t number)
{
    leases->units[number].attempts = leases->units[number].losses = 0;
    happen(leases, &leases->units[number], FSH_EVENT_KICK, 0);
}

/* ---- workers ---- */

fsh_lessee *
fsh_leases_join(fsh_leases *leases, void *owner, uint64_t now_ms)
{
    fsh_lessee *lessee = calloc(1, sizeof *lessee);

    if (!lessee)
        return NULL;
    lessee->owner = owner;
    fsh_ring_init(&lessee->held);
    fsh_ring_init(&lessee->heard);
    fsh_ring_init(&lessee->moving);
    fsh_ring_init(&lessee->wanting);
    fsh_leases_heard(leases, lessee, now_ms);
    return lessee;
}

void
fsh_leases_leave(fsh_leases *leases, fsh_lessee *lessee, bool died)
{
    unit *of = working_on(lessee);

    if (of && died)
        happen(leases, of, FSH_EVENT_LOSE, lessee->heard_ms);
    while ((of = working_on(lessee)))
        happen(leases, of, FSH_EVENT_RETURN, lessee->heard_ms);
    fsh_ring_remove(&lessee->heard);
    fsh_ring_remove(&lessee->moving);
    fsh_ring_remove(&lessee->wanting);
    free(lessee);
}

void *
fsh_lessee_owner(const fsh_lessee *lessee)
{
    return lessee->owner;
}

uint32_t
fsh_lessee_held(const fsh_lessee *lessee)
{
    return lessee->held_n;
}

uint64_t
fsh_lessee_done(const fsh_lessee *lessee)
{
    return lessee->done;
}

void
fsh_leases_heard(fsh_leases *leases, fsh_lessee *lessee, uint64_t now_ms)
{
    lessee->heard_ms = now_ms;
    fsh_ring_append(&leases->heard, &lessee->heard);
}

void
fsh_leases_credit(fsh_leases *leases, fsh_lessee *lessee, uint32_t units_n, bool clear)
{
    uint64_t wanted = clear ? units_n : (uint64_t)lessee->credit + units_n;
    uint32_t room = lessee->held_n < FSH_CREDIT_MAX ? FSH_CREDIT_MAX - lessee->held_n : 0;

    lessee->credit = wanted < room ? (uint32_t)wanted : room;
    if (lessee->credit == 0)
        fsh_ring_remove(&lessee->wanting);
    else if (fsh_ring_is_empty(&lessee->wanting))
        fsh_ring_append(&leases->wanting, &lessee->wanting);
}

/* ---- lending and coming back ---- */

static void
spend_credit(fsh_leases *leases, fsh_lessee *lessee)
{
    if (--lessee->credit)
        fsh_ring_append(&leases->wanting, &lessee->wanting);
    else
        fsh_ring_remove(&lessee->wanting);
}

static fsh_lease
describe(const fsh_leases *leases, const unit *of)
{
    return (fsh_lease){number_of(leases, of), of->attempts + 1u, of->token, of->lessee->owner};
}

bool
fsh_leases_lend(fsh_leases *leases, uint64_t now_ms, fsh_lease *lease)
{
    fsh_lessee *lessee;
    unit *of;

    if (fsh_ring_is_empty(&leases->ready) || fsh_ring_is_empty(&leases->wanting))
        return false;
    of = FSH_RING_OWNER(leases->ready.next, unit, link);
    lessee = FSH_RING_OWNER(leases->wanting.next, fsh_lessee, wanting);
    happen(leases, of, FSH_EVENT_LEND, now_ms);
    give_to_lessee(leases, of, lessee, leases->next_token++, now_ms);
    spend_credit(leases, lessee);
    *lease = describe(leases, of);
    return true;
}

bool
fsh_leases_is_held(const fsh_leases *leases, const fsh_lessee *lessee, uint32_t number,
                   uint64_t token)
{
    const unit *of = number < leases->units_n ? &leases->units[number] : NULL;

    return of && of->lessee == lessee && of->token == token;
}

/* The unit of this lease, if this worker has it. */
static unit *
find_held(fsh_leases *leases, const fsh_lessee *lessee, uint32_t number, uint64_t token)
{
    return fsh_leases_is_held(leases, lessee, number, token) ? &leases->units[number] : NULL;
}

bool
fsh_leases_holds(const fsh_leases *leases, const fsh_lessee *lessee, uint32_t number,
                 uint64_t token)
{
    return number < leases->units_n && leases->units[number].lessee == lessee &&
           leases->units[number].token == token;
}

static bool
adopt(fsh_leases *leases, fsh_lessee *lessee, uint32_t number, uint64_t token, uint64_t now_ms)
{
    unit *of = number < leases->units_n ? &leases->units[number] : NULL;

    if (!of || of->state != FSH_UNIT_READY)
        return of && of->state == FSH_UNIT_DONE;
    happen(leases, of, FSH_EVENT_ADOPT, now_ms);
    give_to_lessee(leases, of, lessee, token, now_ms);
    return true;
}

bool
fsh_leases_renew(fsh_leases *leases, fsh_lessee *lessee, uint32_t number, uint64_t token,
                 uint64_t done, uint64_t now_ms)
{
    unit *of = find_held(leases, lessee, number, token);

    if (!of)
        return adopt(leases, lessee, number, token, now_ms);
    if (of != working_on(lessee) || done == lessee->done)
        return true;
    lessee->done = done;
    lessee->moved_ms = now_ms;
    fsh_ring_append(&leases->moving, &lessee->moving);
    return true;
}

static bool
contains(const uint64_t *tokens, uint64_t n, uint64_t token)
{
    uint64_t i;

    for (i = 0; i < n; i++)
        if (tokens[i] == token)
            return true;
    return false;
}

void
fsh_leases_keep(fsh_leases *leases, fsh_lessee *lessee, const uint64_t *tokens, uint64_t n,
                uint64_t lent_before_ms)
{
    fsh_ring *link = lessee->held.next, *next;

    for (; link != &lessee->held; link = next) {
        unit *of = FSH_RING_OWNER(link, unit, link);

        next = link->next;
        if (of->lent_ms < lent_before_ms && !contains(tokens, n, of->token))
            happen(leases, of, FSH_EVENT_RETURN, lessee->heard_ms);
    }
}

bool
fsh_leases_fail(fsh_leases *leases, fsh_lessee *lessee, uint32_t number, uint64_t token,
                bool convicted, uint64_t now_ms)
{
    unit *of = find_held(leases, lessee, number, token);

    return of && happen(leases, of, convicted ? FSH_EVENT_CONVICT : FSH_EVENT_FAIL, now_ms);
}

bool
fsh_leases_give_back(fsh_leases *leases, fsh_lessee *lessee, uint32_t number, uint64_t token,
                     uint64_t now_ms)
{
    unit *of = find_held(leases, lessee, number, token);

    return of && happen(leases, of, FSH_EVENT_RETURN, now_ms);
}

bool
fsh_leases_hand_in(fsh_leases *leases, uint32_t number, uint64_t now_ms)
{
    return number < leases->units_n &&
           happen(leases, &leases->units[number], FSH_EVENT_HAND_IN, now_ms);
}

void
fsh_leases_settle(fsh_leases *leases, uint32_t number, bool accepted)
{
    happen(leases, &leases->units[number], accepted ? FSH_EVENT_ACCEPT : FSH_EVENT_REJECT, 0);
}

/* ---- what is due ---- */

static fsh_lessee *
longest_silent(const fsh_leases *leases)
{
    return fsh_ring_is_empty(&leases->heard)
               ? NULL
               : FSH_RING_OWNER(leases->heard.next, fsh_lessee, heard);
}

static fsh_lessee *
longest_unmoved(const fsh_leases *leases)
{
    return fsh_ring_is_empty(&leases->moving)
               ? NULL
               : FSH_RING_OWNER(leases->moving.next, fsh_lessee, moving);
}

fsh_lessee *
fsh_leases_silent(const fsh_leases *leases, uint64_t now_ms)
{
    fsh_lessee *lessee = longest_silent(leases);

    return lessee && lessee->heard_ms + leases->rules.silence_ms <= now_ms ? lessee : NULL;
}

bool
fsh_leases_stalled(fsh_leases *leases, uint64_t now_ms, fsh_lease *lease)
{
    fsh_lessee *lessee = longest_unmoved(leases);

    if (!lessee || lessee->moved_ms + leases->rules.stall_ms > now_ms)
        return false;
    *lease = describe(leases, working_on(lessee));
    return happen(leases, working_on(lessee), FSH_EVENT_EXPIRE, now_ms);
}

uint64_t
fsh_leases_due_ms(const fsh_leases *leases)
{
    const fsh_lessee *silent = longest_silent(leases), *unmoved = longest_unmoved(leases);
    uint64_t silence = silent ? silent->heard_ms + leases->rules.silence_ms : UINT64_MAX;
    uint64_t stall = unmoved ? unmoved->moved_ms + leases->rules.stall_ms : UINT64_MAX;

    return silence < stall ? silence : stall;
}

fsh_unit_state
fsh_leases_state(const fsh_leases *leases, uint32_t number)
{
    return leases->units[number].state;
}

uint32_t
fsh_leases_attempts(const fsh_leases *leases, uint32_t number)
{
    return leases->units[number].attempts;
}

uint32_t
fsh_leases_count(const fsh_leases *leases, fsh_unit_state state)
{
    return leases->counts[state];
}

uint64_t
fsh_leases_refused(const fsh_leases *leases)
{
    return leases->refused;
}

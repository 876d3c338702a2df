/* The half of the lending desk that is about units: lent, come back, finished. */
#include "coordinator/lease.h"

#include <stdlib.h>

#include "coordinator/desk.h"

static uint32_t
number_of(const fsh_leases *leases, const fsh_desk_unit *unit)
{
    return (uint32_t)(unit - leases->units);
}

fsh_desk_unit *
fsh_desk_unit_of(fsh_leases *leases, const fsh_loan *loan)
{
    size_t at = (size_t)((const char *)loan - (const char *)leases->units);

    return &leases->units[at / sizeof *leases->units];
}

fsh_lease
fsh_desk_describe(fsh_leases *leases, const fsh_loan *loan)
{
    const fsh_desk_unit *unit = fsh_desk_unit_of(leases, loan);

    return (fsh_lease){number_of(leases, unit), unit->attempts + 1u, loan->token,
                       unit->state == FSH_UNIT_COPIED, loan->lessee->owner};
}

/* ---- beginning and end ---- */

static void
init_unit(fsh_leases *desk, fsh_desk_unit *unit)
{
    uint32_t i;

    fsh_ring_init(&unit->link);
    for (i = 0; i < FSH_LOANS_MAX; i++)
        fsh_ring_init(&unit->loans[i].link);
    fsh_ring_append(&desk->ready, &unit->link);
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
    fsh_ring_init(&desk->lent);
    fsh_ring_init(&desk->heard);
    fsh_ring_init(&desk->moving);
    fsh_ring_init(&desk->wanting);
    fsh_ring_init(&desk->idle);
    fsh_ring_init(&desk->hoarding);
    for (i = 0; i < units_n; i++)
        init_unit(desk, &desk->units[i]);
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

/* ---- one unit changes its state ---- */

static void
set_state(fsh_leases *leases, fsh_desk_unit *unit, fsh_unit_state state)
{
    leases->counts[unit->state]--;
    leases->counts[state]++;
    unit->state = (uint8_t)state;
}

/* Failures go to the end of the queue, so that one bad unit does not hold up the others. A unit
 * that is lent to one worker again instead of two is older than those that were lent since. */
static void
set_ring(fsh_leases *leases, fsh_desk_unit *unit, fsh_unit_state before, bool failed)
{
    fsh_ring_remove(&unit->link);
    if (unit->state == FSH_UNIT_READY && failed)
        fsh_ring_append(&leases->ready, &unit->link);
    else if (unit->state == FSH_UNIT_READY)
        fsh_ring_prepend(&leases->ready, &unit->link);
    else if (unit->state == FSH_UNIT_LENT && before == FSH_UNIT_COPIED)
        fsh_ring_prepend(&leases->lent, &unit->link);
    else if (unit->state == FSH_UNIT_LENT)
        fsh_ring_append(&leases->lent, &unit->link);
}

/* Where the unit stays with a worker, only the loan that the event is about ends. */
static void
end_loans(fsh_leases *leases, fsh_desk_unit *unit, fsh_loan *loan, fsh_unit_state next,
          uint64_t now_ms)
{
    uint32_t i;

    if (next == FSH_UNIT_LENT || next == FSH_UNIT_COPIED) {
        if (loan)
            fsh_lessee_take(leases, loan, now_ms);
        return;
    }
    for (i = 0; i < FSH_LOANS_MAX; i++)
        fsh_lessee_take(leases, &unit->loans[i], now_ms);
}

/* Whether the event is one failure too many. */
static bool
is_last(const fsh_leases *leases, fsh_desk_unit *unit, fsh_unit_event event,
        const fsh_unit_step *step)
{
    if (event == FSH_EVENT_LOSE && unit->losses < UINT8_MAX)
        return ++unit->losses == leases->rules.losses_max;
    return step->attempts > 0 &&
           fsh_unit_step_count(step, unit->attempts) >= leases->rules.attempts_max;
}

bool
fsh_desk_happen(fsh_leases *leases, fsh_desk_unit *unit, fsh_loan *loan, fsh_unit_event event,
                uint64_t now_ms)
{
    fsh_unit_state before = unit->state;
    fsh_unit_step step;

    if (!fsh_unit_step_find(before, event, &step)) {
        leases->refused++;
        return false;
    }
    if (is_last(leases, unit, event, &step)) {
        event = FSH_EVENT_EXHAUST;
        fsh_unit_step_find(before, event, &step);
    }
    end_loans(leases, unit, loan, step.next, now_ms);
    set_state(leases, unit, step.next);
    set_ring(leases, unit, before, step.attempts != 0);
    unit->attempts = (uint8_t)fsh_unit_step_count(&step, unit->attempts);
    leases->watch.changed(leases->watch.self, number_of(leases, unit), event, step.next,
                          unit->attempts, step.record);
    return true;
}

void
fsh_leases_restore(fsh_leases *leases, uint32_t number, fsh_unit_state state, uint32_t attempts)
{
    fsh_desk_unit *unit = &leases->units[number];

    unit->attempts = (uint8_t)attempts;
    set_state(leases, unit, state);
    set_ring(leases, unit, state, true);
}

void
fsh_leases_miss(fsh_leases *leases, uint32_t number)
{
    fsh_desk_happen(leases, &leases->units[number], NULL, FSH_EVENT_MISS, 0);
}

void
fsh_leases_kick(fsh_leases *leases, uint32_t number)
{
    fsh_desk_unit *unit = &leases->units[number];

    unit->attempts = unit->losses = 0;
    fsh_desk_happen(leases, unit, NULL, FSH_EVENT_KICK, 0);
}

/* ---- lending ---- */

static void
lend_to(fsh_leases *leases, fsh_desk_unit *unit, fsh_lessee *lessee, fsh_unit_event event,
        uint64_t now_ms, fsh_lease *lease)
{
    fsh_loan *loan = unit->loans[0].lessee ? &unit->loans[1] : &unit->loans[0];

    fsh_desk_happen(leases, unit, NULL, event, now_ms);
    fsh_lessee_give(leases, lessee, loan, leases->next_token++, now_ms);
    fsh_lessee_spend(leases, lessee);
    *lease = fsh_desk_describe(leases, loan);
}

/* The end is near: three quarters are done, or there are fewer units left than workers. */
static bool
is_near_end(const fsh_leases *leases)
{
    uint32_t done = leases->counts[FSH_UNIT_COMMITTED] + leases->counts[FSH_UNIT_BURIED];
    uint32_t left = leases->units_n - done;

    return left < leases->lessees_n || left <= leases->units_n / 4;
}

/* Half as long again as units take. UINT64_MAX: nobody knows yet. */
static uint64_t
late_after_ms(const fsh_leases *leases)
{
    uint64_t median_ms = fsh_pace_median_ms(&leases->pace);
    uint64_t late_ms = median_ms + median_ms / 2;

    if (leases->pace.n == 0)
        return UINT64_MAX;
    return late_ms > leases->rules.copy_ms ? late_ms : leases->rules.copy_ms;
}

static uint64_t
lent_since_ms(const fsh_desk_unit *unit)
{
    const fsh_loan *loans = unit->loans;

    if (!loans[0].lessee || (loans[1].lessee && loans[1].lent_ms < loans[0].lent_ms))
        return loans[1].lent_ms;
    return loans[0].lent_ms;
}

/* The unit that has been lent for longest, if that is too long, goes to an idle worker as well. */
static bool
lend_copy(fsh_leases *leases, uint64_t now_ms, fsh_lease *lease)
{
    fsh_desk_unit *unit;

    if (leases->rules.copy_ms == 0 || fsh_ring_is_empty(&leases->idle) ||
        fsh_ring_is_empty(&leases->lent) || !is_near_end(leases))
        return false;
    unit = FSH_RING_OWNER(leases->lent.next, fsh_desk_unit, link);
    if (now_ms - lent_since_ms(unit) < late_after_ms(leases))
        return false;
    lend_to(leases, unit, FSH_RING_OWNER(leases->idle.next, fsh_lessee, idle), FSH_EVENT_COPY,
            now_ms, lease);
    return true;
}

/* Whoever has nothing at all comes before those who have something to work on. */
static fsh_lessee *
next_wanting(const fsh_leases *leases)
{
    if (!fsh_ring_is_empty(&leases->idle))
        return FSH_RING_OWNER(leases->idle.next, fsh_lessee, idle);
    return FSH_RING_OWNER(leases->wanting.next, fsh_lessee, wanting);
}

bool
fsh_leases_lend(fsh_leases *leases, uint64_t now_ms, fsh_lease *lease)
{
    if (fsh_ring_is_empty(&leases->ready))
        return lend_copy(leases, now_ms, lease);
    if (fsh_ring_is_empty(&leases->wanting))
        return false;
    lend_to(leases, FSH_RING_OWNER(leases->ready.next, fsh_desk_unit, link),
            next_wanting(leases), FSH_EVENT_LEND, now_ms, lease);
    return true;
}

/* ---- coming back ---- */

/* The place of the loan that this is the token of, if this worker has it; otherwise FSH_LOANS_MAX. */
static uint32_t
find_place(const fsh_leases *leases, const fsh_lessee *lessee, uint32_t number, uint64_t token)
{
    uint32_t i;

    for (i = 0; number < leases->units_n && i < FSH_LOANS_MAX; i++) {
        const fsh_loan *loan = &leases->units[number].loans[i];

        if (loan->lessee == lessee && loan->token == token)
            return i;
    }
    return FSH_LOANS_MAX;
}

static fsh_loan *
find_held(fsh_leases *leases, const fsh_lessee *lessee, uint32_t number, uint64_t token)
{
    uint32_t place = find_place(leases, lessee, number, token);

    return place < FSH_LOANS_MAX ? &leases->units[number].loans[place] : NULL;
}

bool
fsh_leases_holds(const fsh_leases *leases, const fsh_lessee *lessee, uint32_t number,
                 uint64_t token)
{
    return find_place(leases, lessee, number, token) < FSH_LOANS_MAX;
}

static bool
adopt(fsh_leases *leases, fsh_lessee *lessee, uint32_t number, uint64_t token, uint64_t now_ms)
{
    fsh_desk_unit *unit = number < leases->units_n ? &leases->units[number] : NULL;

    if (!unit || unit->state != FSH_UNIT_READY)
        return unit && unit->state == FSH_UNIT_DONE;
    fsh_desk_happen(leases, unit, NULL, FSH_EVENT_ADOPT, now_ms);
    fsh_lessee_give(leases, lessee, &unit->loans[0], token, now_ms);
    return true;
}

bool
fsh_leases_renew(fsh_leases *leases, fsh_lessee *lessee, uint32_t number, uint64_t token,
                 uint64_t done, uint64_t now_ms)
{
    const fsh_loan *loan = find_held(leases, lessee, number, token);

    if (!loan)
        return adopt(leases, lessee, number, token, now_ms);
    if (loan != fsh_lessee_at(lessee) || done == lessee->done)
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
        fsh_loan *loan = FSH_RING_OWNER(link, fsh_loan, link);

        next = link->next;
        if (loan->lent_ms < lent_before_ms && !contains(tokens, n, loan->token))
            fsh_desk_happen(leases, fsh_desk_unit_of(leases, loan), loan, FSH_EVENT_RETURN,
                            lessee->heard_ms);
    }
}

static bool
end_held(fsh_leases *leases, const fsh_lessee *lessee, uint32_t number, uint64_t token,
         fsh_unit_event event, uint64_t now_ms)
{
    fsh_loan *loan = find_held(leases, lessee, number, token);

    return loan && fsh_desk_happen(leases, &leases->units[number], loan, event, now_ms);
}

bool
fsh_leases_fail(fsh_leases *leases, fsh_lessee *lessee, uint32_t number, uint64_t token,
                bool convicted, uint64_t now_ms)
{
    return end_held(leases, lessee, number, token, convicted ? FSH_EVENT_CONVICT : FSH_EVENT_FAIL,
                    now_ms);
}

bool
fsh_leases_lose(fsh_leases *leases, fsh_lessee *lessee, uint32_t number, uint64_t token,
                uint64_t now_ms)
{
    return end_held(leases, lessee, number, token, FSH_EVENT_LOSE, now_ms);
}

bool
fsh_leases_give_back(fsh_leases *leases, fsh_lessee *lessee, uint32_t number, uint64_t token,
                     uint64_t now_ms)
{
    return end_held(leases, lessee, number, token, FSH_EVENT_RETURN, now_ms);
}

bool
fsh_leases_hand_in(fsh_leases *leases, uint32_t number, uint64_t now_ms)
{
    fsh_desk_unit *unit = number < leases->units_n ? &leases->units[number] : NULL;

    if (unit && (unit->state == FSH_UNIT_LENT || unit->state == FSH_UNIT_COPIED))
        fsh_pace_note(&leases->pace, now_ms - lent_since_ms(unit));
    return unit && fsh_desk_happen(leases, unit, NULL, FSH_EVENT_HAND_IN, now_ms);
}

void
fsh_leases_settle(fsh_leases *leases, uint32_t number, bool accepted)
{
    fsh_desk_happen(leases, &leases->units[number], NULL,
                    accepted ? FSH_EVENT_ACCEPT : FSH_EVENT_REJECT, 0);
}

/* ---- asking ---- */

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

/* The half of the lending desk that is about workers: what they hold, when they were heard, and
 * when they are due. */
#include <stdlib.h>

#include "coordinator/desk.h"

fsh_loan *
fsh_lessee_at(const fsh_lessee *lessee)
{
    return fsh_ring_is_empty(&lessee->held) ? NULL
                                            : FSH_RING_OWNER(lessee->held.next, fsh_loan, link);
}

/* Of a lessee that holds something: what it would come to last. */
static fsh_loan *
last_of(const fsh_lessee *lessee)
{
    return FSH_RING_OWNER(lessee->held.previous, fsh_loan, link);
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

uint64_t
fsh_lessee_heard_ms(const fsh_lessee *lessee)
{
    return lessee->heard_ms;
}

bool
fsh_lessee_unit(const fsh_leases *leases, const fsh_lessee *lessee, uint32_t *unit)
{
    const fsh_ring *first = lessee->held.next;
    const fsh_desk_unit *of;

    if (fsh_ring_is_empty(&lessee->held))
        return false;
    of = fsh_desk_unit_of((fsh_leases *)(uintptr_t)leases, FSH_RING_OWNER(first, fsh_loan, link));
    *unit = (uint32_t)(of - leases->units);
    return true;
}

/* ---- coming and going ---- */

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
    fsh_ring_init(&lessee->idle);
    fsh_ring_init(&lessee->hoarding);
    leases->lessees_n++;
    fsh_leases_heard(leases, lessee, now_ms);
    return lessee;
}

void
fsh_leases_leave(fsh_leases *leases, fsh_lessee *lessee, bool died)
{
    fsh_unit_event event = died ? FSH_EVENT_LOSE : FSH_EVENT_RETURN;
    fsh_loan *loan;

    for (; (loan = fsh_lessee_at(lessee)); event = FSH_EVENT_RETURN)
        fsh_desk_happen(leases, fsh_desk_unit_of(leases, loan), loan, event, lessee->heard_ms);
    fsh_ring_remove(&lessee->heard);
    fsh_ring_remove(&lessee->moving);
    fsh_ring_remove(&lessee->wanting);
    fsh_ring_remove(&lessee->idle);
    fsh_ring_remove(&lessee->hoarding);
    leases->lessees_n--;
    free(lessee);
}

void
fsh_leases_heard(fsh_leases *leases, fsh_lessee *lessee, uint64_t now_ms)
{
    lessee->heard_ms = now_ms;
    fsh_ring_append(&leases->heard, &lessee->heard);
}

/* ---- what it holds and wants ---- */

/* Whoever was in a ring before keeps its place. */
static void
settle_rings(fsh_leases *leases, fsh_lessee *lessee)
{
    if (lessee->held_n < 2)
        fsh_ring_remove(&lessee->hoarding);
    else if (fsh_ring_is_empty(&lessee->hoarding))
        fsh_ring_append(&leases->hoarding, &lessee->hoarding);
    if (lessee->credit == 0 || lessee->held_n > 0)
        fsh_ring_remove(&lessee->idle);
    else if (fsh_ring_is_empty(&lessee->idle))
        fsh_ring_append(&leases->idle, &lessee->idle);
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
    settle_rings(leases, lessee);
}

void
fsh_lessee_spend(fsh_leases *leases, fsh_lessee *lessee)
{
    if (--lessee->credit)
        fsh_ring_append(&leases->wanting, &lessee->wanting);
    else
        fsh_ring_remove(&lessee->wanting);
    settle_rings(leases, lessee);
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

void
fsh_lessee_give(fsh_leases *leases, fsh_lessee *lessee, fsh_loan *loan, uint64_t token,
                uint64_t now_ms)
{
    loan->lessee = lessee;
    loan->token = token;
    loan->lent_ms = now_ms;
    fsh_ring_append(&lessee->held, &loan->link);
    if (lessee->held_n++ == 0)
        restart_progress(leases, lessee, now_ms);
    settle_rings(leases, lessee);
}

void
fsh_lessee_take(fsh_leases *leases, fsh_loan *loan, uint64_t now_ms)
{
    fsh_lessee *lessee = loan->lessee;
    bool first;

    if (!lessee)
        return;
    first = fsh_lessee_at(lessee) == loan;
    fsh_ring_remove(&loan->link);
    loan->lessee = NULL;
    loan->token = 0;
    lessee->held_n--;
    if (first)
        restart_progress(leases, lessee, now_ms);
    settle_rings(leases, lessee);
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

bool
fsh_leases_relieve(fsh_leases *leases, uint64_t now_ms, fsh_lease *lease)
{
    fsh_desk_unit *unit;
    fsh_loan *loan;

    if (!fsh_ring_is_empty(&leases->ready) || fsh_ring_is_empty(&leases->idle) ||
        fsh_ring_is_empty(&leases->hoarding))
        return false;
    loan = last_of(FSH_RING_OWNER(leases->hoarding.next, fsh_lessee, hoarding));
    unit = fsh_desk_unit_of(leases, loan);
    if (unit->state != FSH_UNIT_LENT)
        return false;
    *lease = fsh_desk_describe(leases, loan);
    return fsh_desk_happen(leases, unit, loan, FSH_EVENT_RETURN, now_ms);
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
    fsh_loan *loan;

    if (!lessee || lessee->moved_ms + leases->rules.stall_ms > now_ms)
        return false;
    loan = fsh_lessee_at(lessee);
    *lease = fsh_desk_describe(leases, loan);
    return fsh_desk_happen(leases, fsh_desk_unit_of(leases, loan), loan, FSH_EVENT_EXPIRE, now_ms);
}

uint64_t
fsh_leases_due_ms(const fsh_leases *leases)
{
    const fsh_lessee *silent = longest_silent(leases), *unmoved = longest_unmoved(leases);
    uint64_t silence = silent ? silent->heard_ms + leases->rules.silence_ms : UINT64_MAX;
    uint64_t stall = unmoved ? unmoved->moved_ms + leases->rules.stall_ms : UINT64_MAX;

    return silence < stall ? silence : stall;
}

/* The lending desk, driven by any sequence of events: true, late, doubled, from the wrong worker, with a token
 * of an older epoch. Whatever happens, every unit is in one place, every change is a row of states.def, nothing
 * that is committed is ever touched again, and a good worker can always finish what is not buried. */
#include "tests/fuzz/fuzzing.h"

#include "coordinator/lease.h"

enum { UNITS = 6, WORKERS = 4, SILENCE_MS = 1000, STALL_MS = 5000, COPY_MS = 100, EPOCH = 3 };

typedef struct worker {
    fsh_lessee *lessee; /* NULL: away */
} worker;

typedef struct world {
    fsh_leases *leases;
    worker workers[WORKERS];
    fsh_unit_state states[UNITS];
    uint64_t tokens[UNITS][2]; /* of the last leases */
    uint64_t now_ms, last_token;
} world;

static void
on_changed(void *self, uint32_t unit, fsh_unit_event event, fsh_unit_state state, uint32_t attempts,
           bool record)
{
    world *of = self;
    fsh_unit_step step;

    (void)attempts;
    FUZZ_CHECK(unit < UNITS);
    FUZZ_CHECK(of->states[unit] != FSH_UNIT_COMMITTED);
    FUZZ_CHECK(fsh_unit_step_find(of->states[unit], event, &step));
    FUZZ_CHECK(step.next == state && step.record == record);
    of->states[unit] = state;
}

static void
open_world(world *of)
{
    static const fsh_lease_rules rules = {SILENCE_MS, STALL_MS, 3, 3, COPY_MS};
    fsh_lease_watch watch = {of, on_changed};

    *of = (world){.now_ms = 1, .last_token = (uint64_t)EPOCH << 32};
    FUZZ_CHECK(fsh_leases_new(UNITS, EPOCH, &rules, &watch, &of->leases, NULL) == FSH_OK);
}

static void
check_world(const world *of)
{
    uint32_t i, held = 0, all = 0;

    for (i = 0; i < WORKERS; i++)
        if (of->workers[i].lessee)
            held += fsh_lessee_held(of->workers[i].lessee);
    for (i = 0; i < FSH_UNIT_STATE_N; i++)
        all += fsh_leases_count(of->leases, (fsh_unit_state)i);
    FUZZ_CHECK(all == UNITS);
    FUZZ_CHECK(held == fsh_leases_count(of->leases, FSH_UNIT_LENT) +
                           2 * fsh_leases_count(of->leases, FSH_UNIT_COPIED));
    for (i = 0; i < UNITS; i++)
        FUZZ_CHECK(fsh_leases_state(of->leases, i) == of->states[i]);
}

/* The token that was last lent for a unit, or one of an older epoch, or nonsense. */
static uint64_t
choose_token(world *of, fuzz_choices *choices, uint32_t unit)
{
    switch (fuzz_choose(choices, 4)) {
    case 0: return ((uint64_t)(EPOCH - 1) << 32) + fuzz_choose(choices, 8);
    case 1: return fuzz_choose(choices, 65536);
    default: return unit < UNITS ? of->tokens[unit][fuzz_choose(choices, 2)] : 1;
    }
}

static void
lend(world *of)
{
    fsh_lease lease;

    if (fsh_leases_relieve(of->leases, of->now_ms, &lease))
        FUZZ_CHECK(of->states[lease.unit] == FSH_UNIT_READY);
    if (!fsh_leases_lend(of->leases, of->now_ms, &lease))
        return;
    FUZZ_CHECK(lease.token > of->last_token);
    FUZZ_CHECK(of->states[lease.unit] == (lease.copy ? FSH_UNIT_COPIED : FSH_UNIT_LENT));
    of->tokens[lease.unit][1] = of->tokens[lease.unit][0];
    of->tokens[lease.unit][0] = of->last_token = lease.token;
}

static void
come_or_go(world *of, fuzz_choices *choices, worker *who)
{
    if (who->lessee) {
        fsh_leases_leave(of->leases, who->lessee, fuzz_choose(choices, 2));
        who->lessee = NULL;
    } else {
        who->lessee = fsh_leases_join(of->leases, who, of->now_ms);
    }
}

/* A worker that is there says something about a unit. */
static void
speak(world *of, fuzz_choices *choices, const worker *who)
{
    uint32_t unit = fuzz_choose(choices, UNITS + 2);
    uint64_t token = choose_token(of, choices, unit), tokens[3];
    bool mine = fsh_leases_holds(of->leases, who->lessee, unit, token), taken;

    switch (fuzz_choose(choices, 6)) {
    case 0:
        fsh_leases_renew(of->leases, who->lessee, unit, token, fuzz_choose(choices, 4), of->now_ms);
        break;
    case 1:
        taken = fsh_leases_fail(of->leases, who->lessee, unit, token, fuzz_choose(choices, 2), of->now_ms);
        FUZZ_CHECK(taken == mine);
        break;
    case 2:
        taken = fsh_leases_give_back(of->leases, who->lessee, unit, token, of->now_ms);
        FUZZ_CHECK(taken == mine);
        break;
    case 3:
        tokens[0] = token, tokens[1] = tokens[2] = 0;
        fsh_leases_keep(of->leases, who->lessee, tokens, fuzz_choose(choices, 4), of->now_ms);
        break;
    case 4:
        fsh_leases_credit(of->leases, who->lessee, fuzz_choose(choices, 17), fuzz_choose(choices, 2));
        break;
    default: fsh_leases_hand_in(of->leases, unit, of->now_ms); break;
    }
}

static void
pass_time(world *of, fuzz_choices *choices)
{
    fsh_lessee *silent;
    fsh_lease stalled;

    of->now_ms += fuzz_choose(choices, 2 * SILENCE_MS);
    while ((silent = fsh_leases_silent(of->leases, of->now_ms))) {
        worker *who = fsh_lessee_owner(silent);

        fsh_leases_leave(of->leases, who->lessee, true);
        who->lessee = NULL;
    }
    while (fsh_leases_stalled(of->leases, of->now_ms, &stalled))
        FUZZ_CHECK(of->states[stalled.unit] != FSH_UNIT_COPIED);
    FUZZ_CHECK(fsh_leases_due_ms(of->leases) > of->now_ms);
}

static void
happen(world *of, fuzz_choices *choices)
{
    worker *who = &of->workers[fuzz_choose(choices, WORKERS)];
    uint32_t unit = fuzz_choose(choices, UNITS);

    switch (fuzz_choose(choices, 8)) {
    case 0: come_or_go(of, choices, who); break;
    case 1: pass_time(of, choices); break;
    case 2:
        if (of->states[unit] == FSH_UNIT_DONE)
            fsh_leases_settle(of->leases, unit, fuzz_choose(choices, 4) != 0);
        break;
    case 3: lend(of); break;
    default:
        if (!who->lessee)
            break;
        fsh_leases_heard(of->leases, who->lessee, of->now_ms);
        speak(of, choices, who);
    }
    check_world(of);
}

/* One good worker is left, and finishes. */
static void
finish(world *of)
{
    worker *good = &of->workers[0];
    uint32_t i;

    for (i = 0; i < WORKERS; i++)
        if (of->workers[i].lessee)
            fsh_leases_leave(of->leases, of->workers[i].lessee, false);
    memset(of->workers, 0, sizeof of->workers);
    good->lessee = fsh_leases_join(of->leases, good, of->now_ms);
    fsh_leases_credit(of->leases, good->lessee, UNITS, false);
    for (i = 0; i < UNITS; i++)
        lend(of);
    for (i = 0; i < UNITS; i++) {
        fsh_leases_hand_in(of->leases, i, of->now_ms);
        if (of->states[i] == FSH_UNIT_DONE)
            fsh_leases_settle(of->leases, i, true);
    }
    check_world(of);
    FUZZ_CHECK(fsh_leases_count(of->leases, FSH_UNIT_COMMITTED) == UNITS);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fuzz_choices choices = {data, data + bytes};
    world of;

    open_world(&of);
    while (choices.at < choices.end)
        happen(&of, &choices);
    finish(&of);
    fsh_leases_free(of.leases);
    return 0;
}

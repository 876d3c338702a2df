#include "tests/testing.h"

#include "base/rng.h"
#include "coordinator/lease.h"

enum { SILENCE_MS = 1000, STALL_MS = 5000 };

static const fsh_lease_rules rules = {SILENCE_MS, STALL_MS, 3, 4, 400};

typedef struct desk {
    fsh_leases *leases;
    uint32_t events[FSH_EVENT_N];
} desk;

static void
count_event(void *self, uint32_t unit, fsh_unit_event event, fsh_unit_state state,
            uint32_t attempts, bool record)
{
    (void)unit, (void)state, (void)attempts, (void)record;
    ((desk *)self)->events[event]++;
}

static void
open_desk(desk *opened, uint32_t units_n)
{
    fsh_lease_watch watch = {opened, count_event};
    fsh_err err;

    *opened = (desk){0};
    assert_ok(fsh_leases_new(units_n, 1, &rules, &watch, &opened->leases, &err), err);
}

static fsh_lessee *
join(desk *at, uint32_t credit, uint64_t now_ms)
{
    fsh_lessee *lessee = fsh_leases_join(at->leases, NULL, now_ms);

    fsh_leases_credit(at->leases, lessee, credit, false);
    return lessee;
}

static fsh_lease
lend(desk *at, uint64_t now_ms)
{
    fsh_lease lease = {0};

    assert_true(fsh_leases_lend(at->leases, now_ms, &lease));
    return lease;
}

static void
nothing_is_lent_beyond_credit(void **state)
{
    desk at;
    fsh_lease lease;

    (void)state;
    open_desk(&at, 5);
    join(&at, 2, 0);
    lend(&at, 0);
    lend(&at, 0);
    assert_false(fsh_leases_lend(at.leases, 0, &lease));
    assert_int_equal(fsh_leases_count(at.leases, FSH_UNIT_READY), 3);
    fsh_leases_free(at.leases);
}

static void
workers_take_turns_and_tokens_carry_the_epoch(void **state)
{
    desk at;
    fsh_lessee *one, *two;

    (void)state;
    open_desk(&at, 4);
    one = join(&at, 2, 0);
    two = join(&at, 2, 0);
    assert_int_equal(lend(&at, 0).token, (UINT64_C(1) << 32) + 1);
    lend(&at, 0);
    assert_int_equal(fsh_lessee_held(one), 1);
    assert_int_equal(fsh_lessee_held(two), 1);
    fsh_leases_free(at.leases);
}

static void
a_silent_worker_loses_its_units_and_they_lose_no_attempt(void **state)
{
    desk at;
    fsh_lessee *lessee;

    (void)state;
    open_desk(&at, 3);
    lessee = join(&at, 2, 0);
    lend(&at, 0);
    lend(&at, 0);
    assert_null(fsh_leases_silent(at.leases, SILENCE_MS - 1));
    assert_int_equal(fsh_leases_due_ms(at.leases), SILENCE_MS);
    assert_ptr_equal(fsh_leases_silent(at.leases, SILENCE_MS), lessee);
    fsh_leases_leave(at.leases, lessee, true);
    assert_int_equal(fsh_leases_count(at.leases, FSH_UNIT_READY), 3);
    assert_int_equal(at.events[FSH_EVENT_LOSE], 1);
    assert_int_equal(at.events[FSH_EVENT_RETURN], 1);
    assert_int_equal(fsh_leases_attempts(at.leases, 0), 0);
    assert_int_equal(fsh_leases_attempts(at.leases, 1), 0);
    fsh_leases_free(at.leases);
}

static void
a_unit_over_which_many_workers_die_is_buried(void **state)
{
    desk at;
    fsh_lessee *last;
    uint32_t i;

    (void)state;
    open_desk(&at, 1);
    for (i = 0; i < rules.losses_max; i++) {
        fsh_lessee *lessee = join(&at, 1, 0);

        assert_int_equal(fsh_leases_state(at.leases, 0), FSH_UNIT_READY);
        lend(&at, 0);
        fsh_leases_leave(at.leases, lessee, true);
    }
    assert_int_equal(fsh_leases_state(at.leases, 0), FSH_UNIT_BURIED);
    fsh_leases_kick(at.leases, 0);
    last = join(&at, 1, 0);
    lend(&at, 0);
    fsh_leases_leave(at.leases, last, true);
    assert_int_equal(fsh_leases_state(at.leases, 0), FSH_UNIT_READY);
    fsh_leases_free(at.leases);
}

/* Two deaths a culprit, and any number of culprits: the attempts are those that found nobody. */
static void
a_found_culprit_gives_the_attempt_back(void **state)
{
    desk at;
    fsh_lessee *lessee;
    uint32_t i;

    (void)state;
    open_desk(&at, 1);
    lessee = join(&at, 100, 0);
    for (i = 0; i < 20; i++) {
        uint64_t token = lend(&at, 0).token;

        assert_true(fsh_leases_holds(at.leases, lessee, 0, token));
        assert_true(fsh_leases_fail(at.leases, lessee, 0, token, i % 2 == 1, 0));
        assert_false(fsh_leases_holds(at.leases, lessee, 0, token));
        assert_int_equal(fsh_leases_attempts(at.leases, 0), (i + 1) % 2);
    }
    assert_int_equal(fsh_leases_state(at.leases, 0), FSH_UNIT_READY);
    fsh_leases_free(at.leases);
}

static void
progress_holds_off_the_stall_and_heartbeats_do_not(void **state)
{
    desk at;
    fsh_lessee *lessee;
    fsh_lease lease, lost;

    (void)state;
    open_desk(&at, 1);
    lessee = join(&at, 1, 0);
    lease = lend(&at, 0);
    assert_true(fsh_leases_renew(at.leases, lessee, 0, lease.token, 10, 3000));
    assert_true(fsh_leases_renew(at.leases, lessee, 0, lease.token, 10, 7000));
    assert_false(fsh_leases_stalled(at.leases, 3000 + STALL_MS - 1, &lost));
    assert_true(fsh_leases_stalled(at.leases, 3000 + STALL_MS, &lost));
    assert_int_equal(lost.token, lease.token);
    assert_int_equal(fsh_leases_attempts(at.leases, 0), 1);
    assert_false(fsh_leases_fail(at.leases, lessee, 0, lease.token, false, 9000));
    fsh_leases_free(at.leases);
}

static void
the_stall_clock_of_a_waiting_unit_starts_when_its_turn_comes(void **state)
{
    desk at;
    fsh_lease first, lost;

    (void)state;
    open_desk(&at, 2);
    join(&at, 2, 0);
    first = lend(&at, 0);
    lend(&at, 0);
    assert_true(fsh_leases_hand_in(at.leases, first.unit, 4000));
    assert_false(fsh_leases_stalled(at.leases, 4000 + STALL_MS - 1, &lost));
    assert_true(fsh_leases_stalled(at.leases, 4000 + STALL_MS, &lost));
    assert_int_equal(lost.unit, 1);
    fsh_leases_free(at.leases);
}

static void
a_late_result_is_taken_and_a_second_one_is_not(void **state)
{
    desk at;
    fsh_lessee *slow, *fast;
    fsh_lease old;

    (void)state;
    open_desk(&at, 1);
    slow = join(&at, 1, 0);
    old = lend(&at, 0);
    fsh_leases_leave(at.leases, slow, true);
    fast = join(&at, 1, 2000);
    assert_int_not_equal(lend(&at, 2000).token, old.token);
    assert_true(fsh_leases_hand_in(at.leases, 0, 2500));
    assert_int_equal(fsh_lessee_held(fast), 0);
    assert_false(fsh_leases_hand_in(at.leases, 0, 2600));
    fsh_leases_settle(at.leases, 0, true);
    assert_false(fsh_leases_hand_in(at.leases, 0, 2700));
    assert_int_equal(fsh_leases_state(at.leases, 0), FSH_UNIT_COMMITTED);
    assert_int_equal(at.events[FSH_EVENT_ACCEPT], 1);
    fsh_leases_free(at.leases);
}

static void
the_third_failure_buries_and_a_kick_gives_three_more(void **state)
{
    desk at;
    fsh_lessee *lessee;
    int i;

    (void)state;
    open_desk(&at, 1);
    lessee = join(&at, 9, 0);
    for (i = 0; i < 3; i++) {
        fsh_lease lease = lend(&at, 0);

        assert_int_equal(lease.attempt, i + 1);
        assert_true(fsh_leases_fail(at.leases, lessee, 0, lease.token, false, 0));
    }
    assert_int_equal(fsh_leases_state(at.leases, 0), FSH_UNIT_BURIED);
    fsh_leases_kick(at.leases, 0);
    assert_int_equal(lend(&at, 0).attempt, 1);
    fsh_leases_free(at.leases);
}

static void
a_worker_keeps_its_units_over_a_restart_of_the_desk(void **state)
{
    desk at;
    fsh_lessee *lessee, *other;

    (void)state;
    open_desk(&at, 3);
    fsh_leases_restore(at.leases, 2, FSH_UNIT_COMMITTED, 0);
    lessee = fsh_leases_join(at.leases, NULL, 0);
    other = fsh_leases_join(at.leases, NULL, 0);
    assert_true(fsh_leases_renew(at.leases, lessee, 1, 77, 0, 0));
    assert_false(fsh_leases_renew(at.leases, other, 1, 78, 0, 0));
    assert_false(fsh_leases_renew(at.leases, lessee, 2, 79, 0, 0));
    assert_false(fsh_leases_renew(at.leases, lessee, 9999, 80, 0, 0));
    assert_int_equal(fsh_lessee_held(lessee), 1);
    assert_true(fsh_leases_fail(at.leases, lessee, 1, 77, false, 0));
    fsh_leases_free(at.leases);
}

static void
a_lease_lost_on_its_way_comes_back_without_blame(void **state)
{
    desk at;
    fsh_lessee *lessee;
    uint64_t kept;

    (void)state;
    open_desk(&at, 2);
    lessee = join(&at, 2, 0);
    kept = lend(&at, 0).token;
    lend(&at, 10);
    fsh_leases_keep(at.leases, lessee, &kept, 1, 10);
    assert_int_equal(fsh_lessee_held(lessee), 2);
    fsh_leases_keep(at.leases, lessee, &kept, 1, 11);
    assert_int_equal(fsh_lessee_held(lessee), 1);
    assert_int_equal(fsh_leases_state(at.leases, 1), FSH_UNIT_READY);
    assert_int_equal(fsh_leases_attempts(at.leases, 1), 0);
    fsh_leases_free(at.leases);
}

static void
what_is_no_step_of_the_table_is_refused_and_counted(void **state)
{
    desk at;

    (void)state;
    open_desk(&at, 1);
    fsh_leases_settle(at.leases, 0, true);
    fsh_leases_miss(at.leases, 0);
    assert_int_equal(fsh_leases_state(at.leases, 0), FSH_UNIT_READY);
    assert_int_equal(fsh_leases_refused(at.leases), 2);
    fsh_leases_free(at.leases);
}

/* ---- a crowd ---- */

enum { CROWD = 1000, UNITS = 20000, HANDS = 2 };

/* A simulated worker: works on its oldest lease for some time; may die, hang, fall silent, or fail.
 */
typedef struct mate {
    fsh_lessee *lessee;
    fsh_lease leases[HANDS];
    uint32_t n;
    uint64_t ready_ms;
    bool hung, silent;
} mate;

typedef struct crowd {
    desk at;
    fsh_rng rng;
    uint64_t now_ms;
    mate mates[CROWD];
    uint32_t committed[UNITS];
} crowd;

static void
begin_mate(crowd *of, mate *who)
{
    *who = (mate){0};
    who->lessee = fsh_leases_join(of->at.leases, who, of->now_ms);
    fsh_leases_credit(of->at.leases, who->lessee, HANDS, false);
}

static void
begin_unit(crowd *of, mate *who)
{
    who->ready_ms = of->now_ms + 20 + fsh_rng_below(&of->rng, 200);
    who->hung = fsh_rng_chance(&of->rng, 0.002);
    who->silent = fsh_rng_chance(&of->rng, 0.002);
}

static void
forget(mate *who, uint64_t token)
{
    uint32_t i;

    for (i = 1; i < who->n; i++)
        if (who->leases[i].token == token)
            memmove(who->leases + i, who->leases + i + 1, (--who->n - i) * sizeof *who->leases);
}

static void
take_leases(crowd *of)
{
    fsh_lease lease;

    while (fsh_leases_relieve(of->at.leases, of->now_ms, &lease)) {
        forget(lease.owner, lease.token);
        assert_int_equal(fsh_leases_state(of->at.leases, lease.unit), FSH_UNIT_READY);
    }
    while (fsh_leases_lend(of->at.leases, of->now_ms, &lease)) {
        mate *who = lease.owner;

        if (fsh_rng_chance(&of->rng, 0.005))
            continue; /* lost on its way */
        assert_true(who->n < HANDS);
        who->leases[who->n++] = lease;
        if (who->n == 1)
            begin_unit(of, who);
    }
}

static void
drop_first(crowd *of, mate *who)
{
    memmove(who->leases, who->leases + 1, --who->n * sizeof *who->leases);
    if (who->n)
        begin_unit(of, who);
}

static void
hand_in(crowd *of, uint32_t unit)
{
    bool good = !fsh_rng_chance(&of->rng, 0.005);

    if (!fsh_leases_hand_in(of->at.leases, unit, of->now_ms))
        return;
    fsh_leases_settle(of->at.leases, unit, good);
    of->committed[unit] += good;
}

static void
finish_unit(crowd *of, mate *who)
{
    fsh_lease lease = who->leases[0];

    if (fsh_rng_chance(&of->rng, 0.005))
        fsh_leases_fail(of->at.leases, who->lessee, lease.unit, lease.token, false, of->now_ms);
    else
        hand_in(of, lease.unit);
    drop_first(of, who);
    fsh_leases_credit(of->at.leases, who->lessee, 1, false);
}

static void
beat(crowd *of, mate *who)
{
    uint64_t tokens[HANDS];
    uint32_t i;

    fsh_leases_heard(of->at.leases, who->lessee, of->now_ms);
    for (i = 0; i < who->n; i++)
        tokens[i] = who->leases[i].token;
    for (i = 0; i < who->n; i++)
        if (!fsh_leases_renew(of->at.leases, who->lessee, who->leases[i].unit, tokens[i],
                              who->hung ? 0 : of->now_ms, of->now_ms) &&
            i == 0)
            who->hung = false, who->ready_ms = of->now_ms; /* revoked: its result comes late */
    fsh_leases_keep(of->at.leases, who->lessee, tokens, who->n,
                    of->now_ms > SILENCE_MS ? of->now_ms - SILENCE_MS : 0);
    if (who->n + 1 < HANDS)
        fsh_leases_credit(of->at.leases, who->lessee, HANDS - who->n, true);
}

static void
live(crowd *of, mate *who)
{
    if (fsh_rng_chance(&of->rng, 0.0005)) {
        fsh_leases_leave(of->at.leases, who->lessee, true);
        begin_mate(of, who);
    } else if (!who->silent) {
        beat(of, who);
        if (who->n && !who->hung && who->ready_ms <= of->now_ms)
            finish_unit(of, who);
    }
}

static void
expire(crowd *of)
{
    fsh_lessee *silent;
    fsh_lease lost;

    while ((silent = fsh_leases_silent(of->at.leases, of->now_ms))) {
        mate *who = fsh_lessee_owner(silent);

        fsh_leases_leave(of->at.leases, silent, true);
        if (who->n)
            hand_in(of, who->leases[0].unit); /* it was only cut off, and comes late */
        begin_mate(of, who);
    }
    while (fsh_leases_stalled(of->at.leases, of->now_ms, &lost)) {
        mate *who = lost.owner;

        if (who->n && who->leases[0].token == lost.token)
            drop_first(of, who);
        fsh_leases_credit(of->at.leases, who->lessee, 1, false);
    }
}

static bool
is_over(const crowd *of)
{
    return fsh_leases_count(of->at.leases, FSH_UNIT_COMMITTED) +
               fsh_leases_count(of->at.leases, FSH_UNIT_BURIED) ==
           UNITS;
}

static void
a_crowd_with_faults_commits_every_unit_exactly_once(void **state)
{
    crowd *of = calloc(1, sizeof *of);
    uint32_t i, buried = 0, seed = *(const uint32_t *)*state;

    open_desk(&of->at, UNITS);
    of->rng = fsh_rng_new(seed, 1, 1, 0);
    for (i = 0; i < CROWD; i++)
        begin_mate(of, &of->mates[i]);
    while (!is_over(of) && of->now_ms < 1000000) {
        of->now_ms += 50;
        take_leases(of);
        for (i = 0; i < CROWD; i++)
            live(of, &of->mates[i]);
        expire(of);
    }
    assert_true(is_over(of));
    for (i = 0; i < UNITS; i++) {
        bool lies = fsh_leases_state(of->at.leases, i) == FSH_UNIT_BURIED;

        buried += lies;
        assert_int_equal(of->committed[i], lies ? 0 : 1);
    }
    assert_true(buried < 20);
    assert_true(of->at.events[FSH_EVENT_LOSE] > 30 && of->at.events[FSH_EVENT_FAIL] > 50);
    assert_true(of->at.events[FSH_EVENT_EXPIRE] + of->at.events[FSH_EVENT_COPY] > 50);
    fsh_leases_free(of->at.leases);
    free(of);
}

int
main(void)
{
    static uint32_t one = 1, two = 2;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lent_beyond_credit),
        cmocka_unit_test(workers_take_turns_and_tokens_carry_the_epoch),
        cmocka_unit_test(a_silent_worker_loses_its_units_and_they_lose_no_attempt),
        cmocka_unit_test(a_unit_over_which_many_workers_die_is_buried),
        cmocka_unit_test(a_found_culprit_gives_the_attempt_back),
        cmocka_unit_test(progress_holds_off_the_stall_and_heartbeats_do_not),
        cmocka_unit_test(the_stall_clock_of_a_waiting_unit_starts_when_its_turn_comes),
        cmocka_unit_test(a_late_result_is_taken_and_a_second_one_is_not),
        cmocka_unit_test(the_third_failure_buries_and_a_kick_gives_three_more),
        cmocka_unit_test(a_worker_keeps_its_units_over_a_restart_of_the_desk),
        cmocka_unit_test(a_lease_lost_on_its_way_comes_back_without_blame),
        cmocka_unit_test(what_is_no_step_of_the_table_is_refused_and_counted),
        cmocka_unit_test_prestate(a_crowd_with_faults_commits_every_unit_exactly_once, &one),
        cmocka_unit_test_prestate(a_crowd_with_faults_commits_every_unit_exactly_once, &two),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

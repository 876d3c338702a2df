#include "tests/testing.h"

#include "coordinator/lease.h"
#include "coordinator/pace.h"

enum { COPY_MS = 100, UNIT_MS = 1000 };

static const fsh_lease_rules rules = {60000, 600000, 3, 20, COPY_MS};

static void
ignore(void *self, uint32_t unit, fsh_unit_event event, fsh_unit_state state, uint32_t attempts,
       bool record)
{
    (void)self, (void)unit, (void)event, (void)state, (void)attempts, (void)record;
}

static fsh_leases *
open_desk(uint32_t units_n)
{
    fsh_lease_watch watch = {NULL, ignore};
    fsh_leases *leases;
    fsh_err err;

    assert_ok(fsh_leases_new(units_n, 1, &rules, &watch, &leases, &err), err);
    return leases;
}

static fsh_lessee *
join(fsh_leases *leases, uint32_t credit)
{
    fsh_lessee *lessee = fsh_leases_join(leases, NULL, 0);

    fsh_leases_credit(leases, lessee, credit, false);
    return lessee;
}

static fsh_lease
lend(fsh_leases *leases, uint64_t now_ms)
{
    fsh_lease lease = {0};

    assert_true(fsh_leases_lend(leases, now_ms, &lease));
    return lease;
}

static void
finish(fsh_leases *leases, uint32_t unit, uint64_t now_ms)
{
    assert_true(fsh_leases_hand_in(leases, unit, now_ms));
    fsh_leases_settle(leases, unit, true);
}

/* Four units, one each: three are done after UNIT_MS, the last is with the slow one. */
typedef struct tail {
    fsh_leases *leases;
    fsh_lessee *slow, *idle;
    fsh_lease first; /* what the slow one has */
} tail;

static tail
open_tail(void)
{
    tail of = {.leases = open_desk(4)};
    uint32_t i;

    of.slow = join(of.leases, 1);
    of.first = lend(of.leases, 0);
    of.idle = join(of.leases, 3);
    for (i = 0; i < 3; i++)
        finish(of.leases, lend(of.leases, 0).unit, UNIT_MS);
    fsh_leases_credit(of.leases, of.idle, 2, true);
    return of;
}

static void
a_late_unit_goes_to_an_idle_worker_once(void **state)
{
    tail of = open_tail();
    fsh_lease copy;

    (void)state;
    assert_false(fsh_leases_lend(of.leases, UNIT_MS * 3 / 2 - 1, &copy));
    copy = lend(of.leases, UNIT_MS * 3 / 2);
    assert_int_equal(copy.unit, of.first.unit);
    assert_true(copy.copy && !of.first.copy);
    assert_true(copy.token != of.first.token);
    assert_int_equal(fsh_leases_state(of.leases, copy.unit), FSH_UNIT_COPIED);
    join(of.leases, 1);
    assert_false(fsh_leases_lend(of.leases, 100 * UNIT_MS, &copy));
    fsh_leases_free(of.leases);
}

static void
the_first_of_two_counts_and_the_other_is_refused(void **state)
{
    tail of = open_tail();
    fsh_lease copy = lend(of.leases, 2 * UNIT_MS);

    (void)state;
    finish(of.leases, copy.unit, 2 * UNIT_MS + 10);
    assert_int_equal(fsh_lessee_held(of.slow), 0);
    assert_int_equal(fsh_lessee_held(of.idle), 0);
    assert_false(
        fsh_leases_renew(of.leases, of.slow, copy.unit, of.first.token, 5, 2 * UNIT_MS + 20));
    assert_false(fsh_leases_hand_in(of.leases, copy.unit, 2 * UNIT_MS + 30));
    assert_int_equal(fsh_leases_count(of.leases, FSH_UNIT_COMMITTED), 4);
    fsh_leases_free(of.leases);
}

static void
whoever_of_two_fails_leaves_the_unit_to_the_other(void **state)
{
    tail of = open_tail();
    fsh_lease copy = lend(of.leases, 2 * UNIT_MS);

    (void)state;
    assert_true(fsh_leases_fail(of.leases, of.slow, copy.unit, of.first.token, false, 2 * UNIT_MS));
    assert_int_equal(fsh_leases_state(of.leases, copy.unit), FSH_UNIT_LENT);
    assert_int_equal(fsh_leases_attempts(of.leases, copy.unit), 1);
    assert_false(fsh_leases_holds(of.leases, of.slow, copy.unit, of.first.token));
    assert_true(fsh_leases_holds(of.leases, of.idle, copy.unit, copy.token));
    finish(of.leases, copy.unit, 3 * UNIT_MS);
    fsh_leases_free(of.leases);
}

static void
a_copy_whose_worker_dies_may_be_copied_again(void **state)
{
    tail of = open_tail();
    fsh_lease copy = lend(of.leases, 2 * UNIT_MS);
    fsh_lessee *another;

    (void)state;
    fsh_leases_leave(of.leases, of.idle, true);
    assert_int_equal(fsh_leases_state(of.leases, copy.unit), FSH_UNIT_LENT);
    assert_true(fsh_leases_holds(of.leases, of.slow, copy.unit, of.first.token));
    another = join(of.leases, 1);
    assert_int_equal(lend(of.leases, 2 * UNIT_MS).unit, copy.unit);
    fsh_leases_leave(of.leases, of.slow, false);
    assert_int_equal(fsh_leases_state(of.leases, copy.unit), FSH_UNIT_LENT);
    fsh_leases_leave(of.leases, another, false);
    assert_int_equal(fsh_leases_state(of.leases, copy.unit), FSH_UNIT_READY);
    fsh_leases_free(of.leases);
}

static void
nothing_is_copied_in_the_middle_of_a_job_or_to_somebody_busy(void **state)
{
    fsh_leases *leases = open_desk(8);
    fsh_lessee *idle;
    fsh_lease lease;
    uint32_t i;

    (void)state;
    join(leases, 20); /* holds something and wants more, all the time */
    for (i = 0; i < 8; i++)
        lend(leases, 0);
    idle = join(leases, 1);
    for (i = 0; i < 5; i++)
        finish(leases, i, UNIT_MS);
    assert_false(fsh_leases_lend(leases, 9 * UNIT_MS, &lease));
    finish(leases, 5, UNIT_MS);
    assert_int_equal(lend(leases, 9 * UNIT_MS).unit, 6);
    assert_int_equal(fsh_lessee_held(idle), 1);
    fsh_leases_credit(leases, idle, 1, true);
    assert_false(fsh_leases_lend(leases, 9 * UNIT_MS, &lease));
    fsh_leases_free(leases);
}

/* ---- a crowd with one slow worker ---- */

enum { CROWD = 10, UNITS = 200, SLOWER = 40, STEP_MS = 50 };

typedef struct mate {
    fsh_lessee *lessee;
    fsh_lease lease;
    uint64_t until_ms, unit_ms; /* 0: it has no unit */
} mate;

static void
work_on(fsh_leases *leases, mate *who, uint64_t now_ms)
{
    if (who->until_ms &&
        !fsh_leases_renew(leases, who->lessee, who->lease.unit, who->lease.token, now_ms, now_ms))
        who->until_ms = 0; /* revoked */
    else if (who->until_ms && who->until_ms <= now_ms) {
        if (fsh_leases_hand_in(leases, who->lease.unit, now_ms))
            fsh_leases_settle(leases, who->lease.unit, true);
        who->until_ms = 0;
    }
    if (!who->until_ms)
        fsh_leases_credit(leases, who->lessee, 1, true);
}

/* How long the crowd takes for all units. */
static uint64_t
run_crowd(const fsh_lease_rules *with)
{
    fsh_lease_watch watch = {NULL, ignore};
    mate mates[CROWD] = {{0}};
    fsh_leases *leases;
    fsh_lease lease;
    uint64_t now_ms = 0;
    uint32_t i;

    assert_int_equal(fsh_leases_new(UNITS, 1, with, &watch, &leases, NULL), FSH_OK);
    for (i = 0; i < CROWD; i++) {
        mates[i].lessee = fsh_leases_join(leases, &mates[i], 0);
        mates[i].unit_ms = i ? UNIT_MS : UNIT_MS * SLOWER;
    }
    for (; fsh_leases_count(leases, FSH_UNIT_COMMITTED) < UNITS; now_ms += STEP_MS) {
        for (i = 0; i < CROWD; i++)
            work_on(leases, &mates[i], now_ms);
        while (fsh_leases_lend(leases, now_ms, &lease)) {
            mate *who = lease.owner;

            who->lease = lease;
            who->until_ms = now_ms + who->unit_ms;
        }
    }
    assert_int_equal(fsh_leases_refused(leases), 0);
    fsh_leases_free(leases);
    return now_ms;
}

static void
one_slow_worker_does_not_hold_up_the_end(void **state)
{
    fsh_lease_rules never = rules;
    uint64_t ideal_ms = UNIT_MS * (UNITS / (CROWD - 1) + 1);

    (void)state;
    never.copy_ms = 0;
    assert_true(run_crowd(&never) >= UNIT_MS * SLOWER);
    assert_true(run_crowd(&rules) <= ideal_ms + 2 * UNIT_MS);
}

static void
the_median_is_of_the_last_units(void **state)
{
    fsh_pace pace = {{0}, 0};
    uint32_t i;

    (void)state;
    assert_int_equal(fsh_pace_median_ms(&pace), 0);
    fsh_pace_note(&pace, 5);
    fsh_pace_note(&pace, 900);
    fsh_pace_note(&pace, 7);
    assert_int_equal(fsh_pace_median_ms(&pace), 7);
    for (i = 0; i < FSH_PACE_MAX; i++)
        fsh_pace_note(&pace, 100 + i);
    assert_int_equal(fsh_pace_median_ms(&pace), 100 + FSH_PACE_MAX / 2);
}

static void
what_waits_behind_a_unit_goes_to_an_idle_worker(void **state)
{
    fsh_leases *leases = open_desk(2);
    fsh_lessee *early = join(leases, 2), *late;
    fsh_lease first = lend(leases, 0), second = lend(leases, 0), moved, again;

    (void)state;
    assert_false(fsh_leases_relieve(leases, 1, &moved)); /* nobody is idle */
    late = join(leases, 2);
    assert_true(fsh_leases_relieve(leases, 1, &moved));
    assert_int_equal(moved.unit, second.unit);
    assert_true(moved.token == second.token);
    assert_false(fsh_leases_holds(leases, early, second.unit, second.token));
    again = lend(leases, 1);
    assert_int_equal(again.unit, second.unit);
    assert_false(again.copy);
    assert_true(fsh_leases_holds(leases, late, again.unit, again.token));
    assert_true(fsh_leases_holds(leases, early, first.unit, first.token));
    assert_int_equal(fsh_leases_attempts(leases, second.unit), 0);
    fsh_leases_free(leases);
}

static void
a_unit_that_is_worked_on_stays_where_it_is(void **state)
{
    fsh_leases *leases = open_desk(2);
    fsh_lessee *one = join(leases, 1), *other = join(leases, 1);
    fsh_lease lease;

    (void)state;
    lend(leases, 0);
    lend(leases, 0);
    assert_int_equal(fsh_lessee_held(one) + fsh_lessee_held(other), 2);
    join(leases, 1);
    assert_false(fsh_leases_relieve(leases, 1, &lease));
    fsh_leases_free(leases);
}

static void
whoever_has_nothing_is_lent_to_first(void **state)
{
    fsh_leases *leases = open_desk(3);
    fsh_lessee *busy = join(leases, 3), *idle;
    fsh_lease lease = lend(leases, 0);

    (void)state;
    idle = join(leases, 1);
    assert_int_equal(fsh_lessee_held(busy), 1);
    lease = lend(leases, 1);
    assert_true(fsh_leases_holds(leases, idle, lease.unit, lease.token));
    fsh_leases_free(leases);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_unit_goes_to_an_idle_worker_once),
        cmocka_unit_test(the_first_of_two_counts_and_the_other_is_refused),
        cmocka_unit_test(whoever_of_two_fails_leaves_the_unit_to_the_other),
        cmocka_unit_test(a_copy_whose_worker_dies_may_be_copied_again),
        cmocka_unit_test(nothing_is_copied_in_the_middle_of_a_job_or_to_somebody_busy),
        cmocka_unit_test(one_slow_worker_does_not_hold_up_the_end),
        cmocka_unit_test(the_median_is_of_the_last_units),
        cmocka_unit_test(what_waits_behind_a_unit_goes_to_an_idle_worker),
        cmocka_unit_test(a_unit_that_is_worked_on_stays_where_it_is),
        cmocka_unit_test(whoever_has_nothing_is_lent_to_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

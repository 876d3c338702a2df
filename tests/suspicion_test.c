#include "tests/testing.h"

#include <signal.h>

#include "proto/messages.h"
#include "proto/suspicion.h"

static bool
crash(fsh_suspicion *suspicion, uint64_t n, const uint64_t *samples)
{
    const fsh_death death = {samples, n, FSH_REASON_CRASHED, 11};

    return fsh_suspicion_note(suspicion, &death);
}

static bool
crash_at(fsh_suspicion *suspicion, uint64_t sample)
{
    return crash(suspicion, 1, &sample);
}

static void
the_first_death_condemns_nobody(void **state)
{
    static const uint64_t samples[] = {4, 5};
    fsh_suspicion suspicion = {0};

    (void)state;
    assert_false(crash(&suspicion, 2, samples));
    assert_int_equal(suspicion.n, 2);
    assert_int_equal(suspicion.suspects[1].sample, 5);
    assert_false(suspicion.suspects[0].condemned || suspicion.suspects[1].condemned);
    fsh_suspicion_fini(&suspicion);
}

static void
who_dies_alone_after_that_is_condemned_and_nobody_else(void **state)
{
    static const uint64_t samples[] = {4, 5};
    uint64_t suspects[FSH_SUSPECTS_MAX], reasons[FSH_SUSPECTS_MAX], values[FSH_SUSPECTS_MAX];
    fsh_suspicion suspicion = {0};

    (void)state;
    crash(&suspicion, 2, samples);
    assert_true(crash_at(&suspicion, 5));
    assert_int_equal(fsh_suspicion_tell(&suspicion, suspects, reasons, values), 2);
    assert_int_equal(suspects[0], 4);
    assert_int_equal(reasons[0], FSH_REASON_NONE);
    assert_int_equal(values[0], 0);
    assert_int_equal(suspects[1], 5);
    assert_int_equal(reasons[1], FSH_REASON_CRASHED);
    assert_int_equal(values[1], 11);
    fsh_suspicion_fini(&suspicion);
}

/* Two threads may take up the same two samples in every attempt. */
static void
who_dies_twice_in_company_is_not_condemned(void **state)
{
    static const uint64_t samples[] = {4, 5};
    fsh_suspicion suspicion = {0};

    (void)state;
    assert_false(crash(&suspicion, 2, samples));
    assert_false(crash(&suspicion, 2, samples));
    assert_true(crash_at(&suspicion, 4));
    assert_false(suspicion.suspects[1].condemned);
    fsh_suspicion_fini(&suspicion);
}

static void
the_last_reason_counts(void **state)
{
    const uint64_t sample = 7;
    const fsh_death slow = {&sample, 1, FSH_REASON_TIMED_OUT, 0};
    fsh_suspicion suspicion = {0};

    (void)state;
    assert_false(crash_at(&suspicion, sample));
    assert_true(fsh_suspicion_note(&suspicion, &slow));
    assert_int_equal(suspicion.suspects[0].reason, FSH_REASON_TIMED_OUT);
    assert_int_equal(suspicion.suspects[0].value, 0);
    fsh_suspicion_fini(&suspicion);
}

static void
a_death_without_samples_or_reason_finds_nobody(void **state)
{
    const uint64_t sample = 7;
    const fsh_death failure = {&sample, 1, FSH_REASON_NONE, 0};
    fsh_suspicion suspicion = {0};

    (void)state;
    assert_false(crash(&suspicion, 0, NULL));
    assert_false(crash(&suspicion, 0, NULL));
    assert_false(fsh_suspicion_note(&suspicion, &failure));
    assert_false(fsh_suspicion_note(&suspicion, &failure));
    assert_int_equal(suspicion.n, 0);
    assert_int_equal(fsh_suspicion_tell(NULL, NULL, NULL, NULL), 0);
}

static void
a_condemned_sample_is_condemned_once(void **state)
{
    fsh_suspicion suspicion = {0};

    (void)state;
    crash_at(&suspicion, 1);
    assert_true(crash_at(&suspicion, 1));
    assert_false(crash_at(&suspicion, 1));
    fsh_suspicion_fini(&suspicion);
}

static bool
kill_at(fsh_suspicion *suspicion, uint64_t sample)
{
    const fsh_death death = {&sample, 1, FSH_REASON_CRASHED, SIGKILL};

    assert_true(fsh_death_is_outside(&death));
    return fsh_suspicion_note(suspicion, &death);
}

static void
whoever_is_killed_from_outside_is_condemned_late(void **state)
{
    fsh_suspicion suspicion = {0};
    uint32_t i;

    (void)state;
    for (i = 1; i < FSH_KILLS_MAX; i++)
        assert_false(kill_at(&suspicion, 3));
    assert_true(kill_at(&suspicion, 3));
    assert_false(kill_at(&suspicion, 4));
    assert_true(crash_at(&suspicion, 4));
    fsh_suspicion_fini(&suspicion);
}

/* A machine on which everything crashes must not turn a whole job into rejects. */
static void
the_number_of_culprits_and_of_suspects_is_bounded(void **state)
{
    fsh_suspicion suspicion = {0};
    uint64_t sample;
    uint32_t condemned = 0;

    (void)state;
    for (sample = 0; sample < 1000; sample++) {
        crash_at(&suspicion, sample);
        condemned += crash_at(&suspicion, sample);
    }
    assert_int_equal(condemned, FSH_CULPRITS_MAX);
    assert_int_equal(suspicion.n, FSH_SUSPECTS_MAX);
    fsh_suspicion_fini(&suspicion);
}

static void
what_was_kept_goes_on_where_it_was(void **state)
{
    static const fsh_suspect kept = {3, 1, FSH_REASON_CRASHED, 6, false};
    fsh_suspicion suspicion = {0};

    (void)state;
    assert_true(fsh_suspicion_restore(&suspicion, &kept));
    assert_true(crash_at(&suspicion, 3));
    fsh_suspicion_fini(&suspicion);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_death_condemns_nobody),
        cmocka_unit_test(who_dies_alone_after_that_is_condemned_and_nobody_else),
        cmocka_unit_test(who_dies_twice_in_company_is_not_condemned),
        cmocka_unit_test(whoever_is_killed_from_outside_is_condemned_late),
        cmocka_unit_test(the_last_reason_counts),
        cmocka_unit_test(a_death_without_samples_or_reason_finds_nobody),
        cmocka_unit_test(a_condemned_sample_is_condemned_once),
        cmocka_unit_test(the_number_of_culprits_and_of_suspects_is_bounded),
        cmocka_unit_test(what_was_kept_goes_on_where_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

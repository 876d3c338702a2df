/* The leases that a worker has. */
#include "tests/testing.h"

#include "worker/held.h"

static bool
add(fsh_held *held, uint32_t unit, uint64_t token)
{
    fsh_message_work order = {.unit = unit, .token = token};

    return fsh_held_add(held, &order);
}

static void
pieces_that_move_are_progress_of_their_unit(void **state)
{
    fsh_held held = {0};
    fsh_message_renew renew;

    (void)state;
    assert_true(add(&held, 7, 1));
    fsh_held_find(&held, 1)->carried = 5;
    fsh_held_to_renew(&held, &renew);
    assert_int_equal(renew.done.at[0], 5);
    assert_int_equal(renew.steps.at[0], 0);
    held.leases[0].done = held.leases[0].steps = 20;
    fsh_held_to_renew(&held, &renew);
    assert_int_equal(renew.done.at[0], 25);
    assert_int_equal(renew.steps.at[0], 25);
}

static void
what_is_missing_is_fetched_oldest_first_and_only_while_it_waits(void **state)
{
    fsh_held held = {0};

    (void)state;
    add(&held, 7, 1);
    add(&held, 8, 2);
    add(&held, 9, 3);
    assert_int_equal(fsh_held_missing(&held)->token, 1);
    fsh_held_find(&held, 1)->here = true;
    assert_int_equal(fsh_held_missing(&held)->token, 2);
    fsh_held_find(&held, 2)->state = FSH_HELD_HANDED_IN;
    assert_int_equal(fsh_held_missing(&held)->token, 3);
    fsh_held_find(&held, 3)->here = true;
    assert_null(fsh_held_missing(&held));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_that_move_are_progress_of_their_unit),
        cmocka_unit_test(what_is_missing_is_fetched_oldest_first_and_only_while_it_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

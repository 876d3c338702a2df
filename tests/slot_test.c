/* A place for one thing between two threads: nothing is lost, nothing comes twice, closing wakes
 * everybody. */
#include "door/slot.h"

#include "tests/testing.h"

enum { THINGS = 5000 };

static uint32_t things[THINGS];

typedef struct sender {
    fsh_slot *slot;
    bool replace; /* in place of waiting */
    uint32_t put, replaced;
} sender;

static void *
send_all(void *opaque)
{
    sender *me = opaque;
    uint32_t i;

    for (i = 0; i < THINGS; i++) {
        bool taken = true;

        things[i] = i; /* only written before it is put there */
        if (me->replace)
            me->replaced += fsh_slot_replace(me->slot, &things[i], &taken) != NULL;
        else
            taken = fsh_slot_put(me->slot, &things[i]);
        me->put += taken;
    }
    fsh_slot_close(me->slot);
    return NULL;
}

/* Takes until it is closed; whether things came in their order. */
static uint32_t
take_all(fsh_slot *slot, uint32_t wait_ms)
{
    uint32_t n = 0, last = 0;

    while (!fsh_slot_is_done(slot)) {
        const uint32_t *thing = fsh_slot_take(slot, wait_ms);

        if (!thing)
            continue;
        assert_true(!n || *thing > last);
        last = *thing;
        n++;
    }
    assert_int_equal(last, THINGS - 1);
    return n;
}

static uint32_t
pass(sender *from, uint32_t wait_ms)
{
    fsh_slot slot;
    pthread_t thread;
    uint32_t n;

    fsh_slot_init(&slot);
    from->slot = &slot;
    assert_int_equal(pthread_create(&thread, NULL, send_all, from), 0);
    n = take_all(&slot, wait_ms);
    pthread_join(thread, NULL);
    fsh_slot_fini(&slot);
    return n;
}

static void
all_that_is_put_comes_out_in_order(void **state)
{
    sender from = {.replace = false};

    (void)state;
    assert_int_equal(pass(&from, UINT32_MAX), THINGS);
    assert_int_equal(from.put, THINGS);
}

static void
what_is_replaced_is_given_back_and_the_last_one_comes_out(void **state)
{
    sender from = {.replace = true};
    uint32_t came;

    (void)state;
    came = pass(&from, 1);
    assert_int_equal(from.put, THINGS);
    assert_int_equal(came + from.replaced, THINGS);
}

static void *
put_two(void *opaque)
{
    sender *me = opaque;

    me->put += fsh_slot_put(me->slot, &things[0]);
    me->put += fsh_slot_put(me->slot, &things[1]);
    return NULL;
}

/* The second put waits for room, if it has come so far, and finds the slot closed. */
static void
closing_wakes_who_waits_for_room_and_leaves_the_thing(void **state)
{
    fsh_slot slot;
    sender from = {.slot = &slot};
    pthread_t thread;
    bool taken = true;

    (void)state;
    fsh_slot_init(&slot);
    assert_true(fsh_slot_put(&slot, &things[2]));
    assert_int_equal(pthread_create(&thread, NULL, put_two, &from), 0);
    fsh_slot_close(&slot);
    pthread_join(thread, NULL);
    assert_int_equal(from.put, 0);
    assert_null(fsh_slot_replace(&slot, &things[3], &taken));
    assert_false(taken);
    assert_false(fsh_slot_is_done(&slot));
    assert_ptr_equal(fsh_slot_take(&slot, UINT32_MAX), &things[2]);
    assert_true(fsh_slot_is_done(&slot));
    assert_null(fsh_slot_take(&slot, UINT32_MAX));
    fsh_slot_fini(&slot);
}

static void
nothing_comes_within_the_time(void **state)
{
    fsh_slot slot;

    (void)state;
    fsh_slot_init(&slot);
    assert_null(fsh_slot_take(&slot, 1));
    assert_null(fsh_slot_take(&slot, 0));
    fsh_slot_fini(&slot);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_put_comes_out_in_order),
        cmocka_unit_test(what_is_replaced_is_given_back_and_the_last_one_comes_out),
        cmocka_unit_test(closing_wakes_who_waits_for_room_and_leaves_the_thing),
        cmocka_unit_test(nothing_comes_within_the_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

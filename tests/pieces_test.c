/* Both ends of a stream of pieces over a link that loses, doubles, delays and reorders them. */
#include "tests/testing.h"

#include "base/rng.h"
#include "proto/pieces.h"

enum { STREAM_BYTES = 40 * FSH_PIECE_BYTES + 12345, WIRE_MAX = 4096 };

typedef struct on_wire {
    bool request, again;
    uint64_t a, b; /* from and until, or offset and bytes */
} on_wire;

/* One stream with all that is under way. Bytes are not carried: a piece is its range. */
typedef struct stream {
    fsh_intake intake;
    fsh_outlet outlet;
    on_wire wire[WIRE_MAX];
    uint32_t wire_n;
    uint64_t most_under_way, taken;
    fsh_rng rng;
} stream;

static void
put(stream *of, on_wire message)
{
    assert_true(of->wire_n < WIRE_MAX);
    of->wire[of->wire_n++] = message;
}

static void
ask(stream *of, bool again)
{
    put(of, (on_wire){true, again, of->intake.next, of->intake.until});
}

static void
begin(stream *of, uint32_t seed)
{
    memset(of, 0, sizeof *of);
    of->rng = fsh_rng_new(seed, 1, 1, 0);
    assert_true(fsh_intake_widens(&of->intake));
    ask(of, false);
}

static void
send_all(stream *of)
{
    size_t room;

    while ((room = fsh_outlet_room(&of->outlet)) > 0) {
        uint64_t left = STREAM_BYTES - of->outlet.next;
        uint64_t bytes = left < room ? left : room;

        if (bytes == 0) {
            fsh_outlet_stop(&of->outlet);
            return;
        }
        put(of, (on_wire){false, false, of->outlet.next, bytes});
        fsh_outlet_sent(&of->outlet, bytes);
        if (of->outlet.next - of->outlet.from > of->most_under_way)
            of->most_under_way = of->outlet.next - of->outlet.from;
    }
}

static void
arrive(stream *of, const on_wire *message)
{
    if (message->request) {
        fsh_outlet_fetch(&of->outlet, message->a, message->b, message->again);
        send_all(of);
        return;
    }
    switch (fsh_intake_piece(&of->intake, message->a, message->b)) {
    case FSH_TAKEN:
        of->taken += message->b;
        fsh_intake_store(&of->intake, message->b);
        if (fsh_intake_widens(&of->intake))
            ask(of, false);
        break;
    case FSH_TAKEN_HOLE: ask(of, true); break;
    case FSH_TAKEN_REFUSED: break;
    }
}

static on_wire
take(stream *of, uint32_t at)
{
    on_wire message = of->wire[at];

    of->wire_n--;
    memmove(&of->wire[at], &of->wire[at + 1], (of->wire_n - at) * sizeof *of->wire);
    return message;
}

/* Delivers until nothing is under way, with these chances of faults in percent. Silence makes the
 * receiver ask again. Gives the number of times that it had to. */
static uint32_t
run(stream *of, uint32_t lost, uint32_t doubled, uint32_t reordered)
{
    uint32_t asked = 0;

    while (of->intake.next < STREAM_BYTES) {
        on_wire message;

        if (of->wire_n == 0) {
            assert_true(++asked < 1000);
            ask(of, true);
        }
        message = take(
            of, fsh_rng_below(&of->rng, 100) < reordered ? fsh_rng_below(&of->rng, of->wire_n) : 0);
        if (fsh_rng_below(&of->rng, 100) < lost)
            continue;
        if (fsh_rng_below(&of->rng, 100) < doubled)
            put(of, message);
        arrive(of, &message);
    }
    return asked;
}

static void
check(const stream *of)
{
    assert_int_equal(of->intake.next, STREAM_BYTES);
    assert_int_equal(of->taken, STREAM_BYTES);
    assert_true(of->most_under_way <= FSH_WINDOW_BYTES);
}

static void
a_stream_arrives_with_never_more_than_a_window_under_way(void **state)
{
    stream *of = calloc(1, sizeof *of);

    (void)state;
    begin(of, 1);
    assert_int_equal(run(of, 0, 0, 0), 0);
    check(of);
    assert_int_equal(of->intake.refused, 0);
    assert_int_equal(of->most_under_way, FSH_WINDOW_BYTES);
    free(of);
}

static void
lost_doubled_and_reordered_messages_change_nothing(void **state)
{
    static const uint32_t faults[][3] = {
        {10, 0, 0}, {0, 30, 0}, {0, 0, 30}, {10, 20, 20}, {30, 10, 50}};
    stream *of = calloc(1, sizeof *of);
    uint32_t seed, i;

    (void)state;
    for (seed = 1; seed <= 20; seed++)
        for (i = 0; i < sizeof faults / sizeof *faults; i++) {
            begin(of, seed);
            run(of, faults[i][0], faults[i][1], faults[i][2]);
            check(of);
        }
    free(of);
}

static void
a_hole_is_asked_for_once(void **state)
{
    fsh_intake intake = {0};

    (void)state;
    fsh_intake_widens(&intake);
    assert_int_equal(fsh_intake_piece(&intake, 0, 10), FSH_TAKEN);
    assert_int_equal(fsh_intake_piece(&intake, 20, 10), FSH_TAKEN_HOLE);
    assert_int_equal(fsh_intake_piece(&intake, 30, 10), FSH_TAKEN_REFUSED);
    assert_int_equal(fsh_intake_piece(&intake, 0, 10), FSH_TAKEN_REFUSED);
    assert_int_equal(fsh_intake_piece(&intake, 10, 10), FSH_TAKEN);
    assert_int_equal(intake.refused, 3);
    assert_int_equal(intake.next, 20);
}

static void
a_piece_beyond_what_was_allowed_is_refused(void **state)
{
    fsh_intake intake = {0};

    (void)state;
    assert_int_equal(fsh_intake_piece(&intake, 0, 1), FSH_TAKEN_REFUSED);
    fsh_intake_widens(&intake);
    assert_int_equal(fsh_intake_piece(&intake, 0, FSH_WINDOW_BYTES + 1), FSH_TAKEN_REFUSED);
    assert_int_equal(fsh_intake_piece(&intake, UINT64_MAX, UINT64_MAX), FSH_TAKEN_REFUSED);
    assert_int_equal(fsh_intake_piece(&intake, 0, UINT64_MAX), FSH_TAKEN_REFUSED);
    assert_int_equal(intake.next, 0);
}

static void
a_receiver_that_claims_what_was_never_sent_gets_nothing(void **state)
{
    fsh_outlet outlet = {0};

    (void)state;
    assert_false(fsh_outlet_fetch(&outlet, 1, UINT64_MAX, false));
    assert_int_equal(fsh_outlet_room(&outlet), 0);
    assert_int_equal(outlet.refused, 1);
    assert_true(fsh_outlet_fetch(&outlet, 0, UINT64_MAX, false));
    assert_int_equal(fsh_outlet_room(&outlet), FSH_PIECE_BYTES);
    fsh_outlet_sent(&outlet, FSH_WINDOW_BYTES);
    assert_int_equal(fsh_outlet_room(&outlet), 0);
    assert_true(fsh_outlet_fetch(&outlet, UINT64_MAX, UINT64_MAX, true));
    assert_int_equal(fsh_outlet_room(&outlet), 0);
}

static void
what_was_stopped_goes_on_only_when_it_is_asked_for_again(void **state)
{
    fsh_outlet outlet = {0};

    (void)state;
    fsh_outlet_fetch(&outlet, 0, FSH_WINDOW_BYTES, false);
    fsh_outlet_sent(&outlet, 10);
    fsh_outlet_stop(&outlet);
    assert_true(fsh_outlet_fetch(&outlet, 10, 2 * FSH_WINDOW_BYTES, false));
    assert_int_equal(fsh_outlet_room(&outlet), 0);
    assert_true(fsh_outlet_fetch(&outlet, 5, FSH_WINDOW_BYTES, true));
    assert_int_equal(outlet.next, 5);
    assert_int_equal(fsh_outlet_room(&outlet), FSH_PIECE_BYTES);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_arrives_with_never_more_than_a_window_under_way),
        cmocka_unit_test(lost_doubled_and_reordered_messages_change_nothing),
        cmocka_unit_test(a_hole_is_asked_for_once),
        cmocka_unit_test(a_piece_beyond_what_was_allowed_is_refused),
        cmocka_unit_test(a_receiver_that_claims_what_was_never_sent_gets_nothing),
        cmocka_unit_test(what_was_stopped_goes_on_only_when_it_is_asked_for_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A compute child as its worker sees it die. This program is the child as well: its unit number
 * says what happens to it. */
#include "tests/testing.h"

#include <signal.h>
#include <stdbool.h>

#include "worker/child.h"
#include "worker/sandbox.h"

enum { LIMIT_MS = 300 };
enum { FINE, CRASH, CRASH_IDLE, HANG, LEAVE, BLOATED, BROKEN_DISK };

/* ---- the child ---- */

static fsh_status
open_work(const fsh_message_job *job, void **state, fsh_child_limits *limits, fsh_err *err)
{
    (void)job, (void)err;
    limits->image_ms = LIMIT_MS;
    *state = limits;
    return FSH_OK;
}

static fsh_status
fail_over(const fsh_unit_order *order, uint32_t thread, fsh_status status, fsh_err *err)
{
    fsh_executing_freeze(order->executing, thread);
    fsh_executing_end(order->executing, thread);
    return fsh_fail(err, status, "no memory for a picture");
}

static fsh_status
run_unit(void *state, const fsh_unit_order *order, fsh_report *report, fsh_err *err)
{
    (void)state;
    if (order->unit != CRASH_IDLE)
        fsh_executing_begin(order->executing, 0, 17, FSH_DOING_ANALYSE);
    fsh_executing_begin(order->executing, 1, 4, FSH_DOING_READ);
    switch (order->unit) {
    case CRASH_IDLE: fsh_executing_end(order->executing, 1); /* fallthrough */
    case CRASH: raise(SIGSEGV); break;
    case HANG:
        while (true)
            pause();
    case LEAVE: _exit(1);
    case BLOATED: return fail_over(order, 0, FSH_MEMORY, err);
    case BROKEN_DISK: return fail_over(order, 1, FSH_IO, err);
    default: break;
    }
    *report = (fsh_report){.unit = order->unit, .samples = order->suspects_n};
    return FSH_OK;
}

static void
close_work(void *state)
{
    (void)state;
}

static const fsh_child_work work = {open_work, run_unit, close_work};

/* ---- its worker ---- */

typedef struct scene {
    uv_loop_t loop;
    uv_timer_t timer; /* lets a stopped child go on */
    fsh_sandbox *sandbox;
    fsh_message_work order;
    bool stop;            /* the child while it is at the unit */
    const uint32_t *then; /* a second unit, when the child has failed over the first; NULL: none */
    bool ended, stopped_meanwhile;
    fsh_message said; /* the last one, or the FAILED of the end */
    char text[1024];
} scene;

static void
keep(scene *of, const fsh_message *message)
{
    of->said = *message;
    of->text[0] = '\0';
    if (message->number == FSH_MESSAGE_FAILED)
        snprintf(of->text, sizeof of->text, "%s", message->failed.text);
}

static void
on_timer(uv_timer_t *timer)
{
    scene *of = timer->data;

    of->stopped_meanwhile = !of->ended;
    kill((pid_t)fsh_sandbox_pid(of->sandbox), SIGCONT);
    uv_close((uv_handle_t *)timer, NULL);
}

static void
stop_for_a_while(scene *of)
{
    kill((pid_t)fsh_sandbox_pid(of->sandbox), SIGSTOP);
    uv_timer_init(&of->loop, &of->timer);
    of->timer.data = of;
    uv_timer_start(&of->timer, on_timer, 3 * LIMIT_MS, 0);
}

static void
on_said(void *self, const fsh_message *message)
{
    scene *of = self;

    keep(of, message);
    if (message->number == FSH_MESSAGE_FAILED && of->then) {
        of->order.unit = *of->then;
        of->then = NULL;
    } else if (message->number != FSH_MESSAGE_READY) {
        fsh_sandbox_close(&of->sandbox);
        return;
    }
    fsh_sandbox_work(of->sandbox, &of->order);
    if (of->stop)
        stop_for_a_while(of);
}

static void
on_ended(void *self, const fsh_message *failed)
{
    scene *of = self;

    of->ended = true;
    of->said.number = FSH_MESSAGE_BYE;
    if (failed)
        keep(of, failed);
    fsh_sandbox_close(&of->sandbox);
}

/* Until the child has said how its unit went, or is dead. */
static scene
run_two(uint32_t unit, bool stop, const uint32_t *then)
{
    static const char *const command[] = {"/proc/self/exe", "compute-child", NULL};
    scene of = {.order = {.unit = unit, .token = 99, .suspects = {3, {5, 6, 7}}},
                .stop = stop,
                .then = then};
    fsh_sandbox_options options = {.command = command,
                                   .job = {.threads = 1, .text = "a", .hash = "b"},
                                   .self = &of,
                                   .said = on_said,
                                   .ended = on_ended};
    fsh_err err;

    of.order.reasons.n = of.order.values.n = 3;
    assert_int_equal(uv_loop_init(&of.loop), 0);
    assert_ok(fsh_sandbox_open(&of.loop, &options, &of.sandbox, &err), err);
    uv_run(&of.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&of.loop), 0);
    return of;
}

static scene
run(uint32_t unit, bool stop)
{
    return run_two(unit, stop, NULL);
}

static const fsh_message_failed *
failed(const scene *of)
{
    assert_int_equal(of->said.number, FSH_MESSAGE_FAILED);
    assert_int_equal(of->said.failed.token, 99);
    return &of->said.failed;
}

static void
a_unit_that_ends_well_knows_its_suspects(void **state)
{
    scene of = run(FINE, false);

    (void)state;
    assert_int_equal(of.said.number, FSH_MESSAGE_DONE);
    assert_int_equal(of.said.done.samples, 3);
}

static void
a_crash_names_its_signal_and_what_was_executing(void **state)
{
    scene of = run(CRASH, false);

    (void)state;
    assert_int_equal(failed(&of)->unit, CRASH);
    assert_int_equal(failed(&of)->signal, SIGSEGV);
    assert_int_equal(failed(&of)->reason, FSH_REASON_CRASHED);
    assert_int_equal(failed(&of)->suspects.n, 2);
    assert_int_equal(failed(&of)->suspects.at[0], 17);
    assert_int_equal(failed(&of)->suspects.at[1], 4);
    assert_text_has(of.text, "signal 11");
    assert_text_has(of.text, "samples 17, 4");
}

static void
a_crash_while_nothing_is_executing_has_no_suspect(void **state)
{
    scene of = run(CRASH_IDLE, false);

    (void)state;
    assert_int_equal(failed(&of)->suspects.n, 0);
    assert_int_equal(failed(&of)->reason, FSH_REASON_NONE);
}

static void
a_child_that_just_leaves_has_suspects_too(void **state)
{
    scene of = run(LEAVE, false);

    (void)state;
    assert_true(of.ended);
    assert_int_equal(failed(&of)->signal, 0);
    assert_int_equal(failed(&of)->suspects.n, 2);
}

static void
a_hang_is_killed_and_the_sample_that_hangs_is_the_only_suspect(void **state)
{
    scene of = run(HANG, false);

    (void)state;
    assert_int_equal(failed(&of)->reason, FSH_REASON_TIMED_OUT);
    assert_int_equal(failed(&of)->suspects.n, 1);
    assert_int_equal(failed(&of)->suspects.at[0], 17);
    assert_int_equal(failed(&of)->signal, 0);
}

static void
a_child_that_is_stopped_from_outside_is_not_slow(void **state)
{
    scene of = run(HANG, true);

    (void)state;
    assert_true(of.stopped_meanwhile);
    assert_int_equal(failed(&of)->reason, FSH_REASON_TIMED_OUT);
}

static void
a_failure_over_a_picture_leaves_it_under_suspicion_and_the_child_alive(void **state)
{
    scene of = run(BLOATED, false);

    (void)state;
    assert_false(of.ended);
    assert_int_equal(failed(&of)->status, FSH_MEMORY);
    assert_int_equal(failed(&of)->reason, FSH_REASON_NO_MEMORY);
    assert_int_equal(failed(&of)->suspects.n, 2);
    assert_int_equal(failed(&of)->suspects.at[0], 17);
}

static void
suspects_of_one_unit_are_not_those_of_the_next(void **state)
{
    static const uint32_t then = CRASH_IDLE;
    scene of = run_two(BLOATED, false, &then);

    (void)state;
    assert_int_equal(failed(&of)->unit, CRASH_IDLE);
    assert_int_equal(failed(&of)->signal, SIGSEGV);
    assert_int_equal(failed(&of)->suspects.n, 0);
}

static void
a_failure_to_read_leaves_nobody_under_suspicion(void **state)
{
    scene of = run(BROKEN_DISK, false);

    (void)state;
    assert_int_equal(failed(&of)->status, FSH_IO);
    assert_int_equal(failed(&of)->reason, FSH_REASON_NONE);
    assert_int_equal(failed(&of)->suspects.n, 0);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_unit_that_ends_well_knows_its_suspects),
        cmocka_unit_test(a_crash_names_its_signal_and_what_was_executing),
        cmocka_unit_test(a_crash_while_nothing_is_executing_has_no_suspect),
        cmocka_unit_test(a_child_that_just_leaves_has_suspects_too),
        cmocka_unit_test(a_hang_is_killed_and_the_sample_that_hangs_is_the_only_suspect),
        cmocka_unit_test(a_child_that_is_stopped_from_outside_is_not_slow),
        cmocka_unit_test(a_failure_over_a_picture_leaves_it_under_suspicion_and_the_child_alive),
        cmocka_unit_test(suspects_of_one_unit_are_not_those_of_the_next),
        cmocka_unit_test(a_failure_to_read_leaves_nobody_under_suspicion),
    };

    (void)argv;
    if (argc > 1) {
        signal(SIGSEGV, SIG_DFL); /* also where a sanitizer would tell its own story */
        return fsh_child_main(&work);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What is made of the looks that a coordinator gives: workers that come, fall silent and go; rates;
 * the curve. */
#include <math.h>

#include "page/sighted.h"
#include "testing.h"

enum { UNITS = 4 };

typedef struct scene {
    fsh_course course;
    fsh_sighted sighted;
    fsh_view view;
    fsh_coordinator_totals totals;
    uint8_t states[UNITS];
} scene;

static int
set_up(void **state)
{
    scene *of = calloc(1, sizeof *of);

    fsh_view_init(&of->view, "out");
    of->totals = (fsh_coordinator_totals){.units = UNITS, .samples = 1000};
    *state = of;
    return 0;
}

static int
tear_down(void **state)
{
    scene *of = *state;

    fsh_sighted_fini(&of->sighted);
    fsh_view_fini(&of->view);
    free(of);
    return 0;
}

static void
look(scene *of, double now_s, const fsh_coordinator_worker *workers, uint32_t n)
{
    fsh_coordinator_sight sight = {&of->totals, workers, n, UNITS, of->states, false};

    assert_true(fsh_sighted_copy(&of->sighted, &sight));
    fsh_course_follow(&of->course, &of->sighted, now_s, &of->view);
}

static fsh_coordinator_worker
worker(const char *host, uint32_t pid, uint32_t unit, uint64_t heard_ms)
{
    return (fsh_coordinator_worker){.host = host, .pid = pid, .unit = unit, .heard_ms = heard_ms};
}

static void
a_worker_falls_silent_and_is_lost_and_is_told_first(void **state)
{
    scene *of = *state;
    fsh_coordinator_worker both[] = {worker("a", 1, 0, 100),
                                     worker("b", 2, FSH_COORDINATOR_NO_UNIT, 100)};

    look(of, 1, both, 2);
    assert_int_equal(of->view.workers[0].state, FSH_WORKER_WORKING);
    assert_int_equal(of->view.workers[1].state, FSH_WORKER_IDLE);
    both[1].heard_ms = 9000;
    look(of, 2, both, 2);
    assert_string_equal(of->view.workers[0].host, "b");
    assert_int_equal(of->view.workers[0].state, FSH_WORKER_SILENT);
    look(of, 3, both, 1);
    assert_int_equal(of->view.workers_n, 2);
    assert_int_equal(of->view.workers[0].state, FSH_WORKER_LOST);
    assert_true(of->view.workers_lost == 1 && of->view.workers_here == 1);
    look(of, 1000, both, 1);
    assert_int_equal(of->view.workers_n, 1);
    assert_true(of->view.workers_lost == 1);
}

static void
a_worker_that_was_heard_and_goes_has_left(void **state)
{
    scene *of = *state;
    fsh_coordinator_worker one = worker("a", 1, 3, 0);

    look(of, 1, &one, 1);
    look(of, 2, NULL, 0);
    assert_int_equal(of->view.workers[0].state, FSH_WORKER_LEFT);
    assert_true(isnan(of->view.workers[0].unit));
    assert_true(of->view.workers_lost == 0);
    look(of, 3, &one, 1);
    assert_int_equal(of->view.workers_n, 1);
    assert_int_equal(of->view.workers[0].state, FSH_WORKER_WORKING);
}

static void
the_rate_is_that_of_the_last_minute_and_says_how_long_it_takes(void **state)
{
    scene *of = *state;
    int i;

    of->totals.samples_known = of->totals.samples_done = 100;
    for (i = 0; i <= 200; i++) {
        of->totals.samples_done = 100 + (uint64_t)(i < 100 ? i : 100 + 4 * (i - 100));
        look(of, i, NULL, 0);
    }
    assert_float_equal(of->view.rate, 4, 0.1);
    assert_float_equal(of->view.share, 0.6, 1e-9);
    assert_float_equal(of->view.left_s, 100, 3);
    assert_int_equal(of->view.history_n, 200);
    assert_float_equal(of->view.history[50], 1, 1e-6);
    assert_float_equal(of->view.history[150], 4, 1e-6);
}

static void
a_long_curve_is_thinned(void **state)
{
    scene *of = *state;
    double points = 0;
    uint32_t i;

    for (i = 0; i < 5000; i++) {
        of->totals.samples_running = 2 * i;
        look(of, i, NULL, 0);
    }
    for (i = 0; i < of->view.history_n; i++)
        points += of->view.history[i];
    assert_in_range(of->view.history_n, FSH_VIEW_HISTORY / 2, FSH_VIEW_HISTORY);
    assert_float_equal(points / of->view.history_n, 2, 0.01);
    assert_float_equal(of->view.history_step_s * of->view.history_n, 5000, 100);
}

static void
json_there_and_back_says_the_same(void **state)
{
    scene *of = *state;
    fsh_coordinator_worker one = worker("a \"quoted\" <host>", 7, 2, 10);
    fsh_text first = {0}, second = {0};
    fsh_view back;
    fsh_err err;

    of->totals.rejected[FSH_REASON_NO_FACE] = 3;
    of->totals.times_ns[0] = 1500000000;
    snprintf(of->view.time_names[0], FSH_VIEW_TIME_BYTES, "load");
    look(of, 1, &one, 1);
    look(of, 2, &one, 1);
    fsh_view_print_json(&of->view, false, &first);
    fsh_view_init(&back, "out");
    assert_ok(fsh_view_parse("live", first.data, first.bytes, &back, &err), err);
    fsh_view_print_json(&back, false, &second);
    assert_string_equal(fsh_text_get(&first), fsh_text_get(&second));
    fsh_text_fini(&first);
    fsh_text_fini(&second);
    fsh_view_fini(&back);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_worker_falls_silent_and_is_lost_and_is_told_first),
        TEST(a_worker_that_was_heard_and_goes_has_left),
        TEST(the_rate_is_that_of_the_last_minute_and_says_how_long_it_takes),
        TEST(a_long_curve_is_thinned), TEST(json_there_and_back_says_the_same)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Whole jobs over a coordinator, workers and compute children as real processes. */
#include "tests/queue_testing.h"

static void
two_workers_do_all_units_and_a_second_run_does_nothing(void **state)
{
    scene *of = new_scene(60, 2);

    (void)state;
    assert_ok(serve(of), of->err);
    check_whole(of);
    assert_int_equal(of->seen[FSH_COORDINATOR_STARTED], 1);
    assert_ok(serve(of), of->err);
    check_whole(of);
    assert_int_equal(of->seen[FSH_COORDINATOR_STARTED], 1);
    free_scene(of);
}

static void
a_missing_shard_is_made_again(void **state)
{
    scene *of = new_scene(4, 1);
    char path[FSH_PATH_BYTES];

    (void)state;
    assert_ok(serve(of), of->err);
    snprintf(path, sizeof path, "%s/shards/shard-000002.h5", of->output);
    assert_int_equal(unlink(path), 0);
    assert_ok(serve(of), of->err);
    check_whole(of);
    free_scene(of);
}

static void
the_job_is_finished_although_a_worker_is_killed(void **state)
{
    scene *of = new_scene(30, 2);

    (void)state;
    plant(of, 5, "once-hold");
    assert_ok(serve(of), of->err);
    check_whole(of);
    assert_true(of->seen[FSH_COORDINATOR_UNIT_FAILED] >= 1);
    assert_text_has(of->failure, "not heard");
    assert_true(of->seen[FSH_COORDINATOR_WORKER_JOINED] >= 2);
    free_scene(of);
}

static void
a_crash_costs_one_compute_child_and_one_attempt(void **state)
{
    scene *of = new_scene(20, 1);

    (void)state;
    plant(of, 3, "once-crash");
    assert_ok(serve(of), of->err);
    check_whole(of);
    assert_int_equal(of->seen[FSH_COORDINATOR_UNIT_FAILED], 1);
    assert_int_equal(of->seen[FSH_COORDINATOR_WORKER_JOINED], 1);
    assert_text_has(of->failure, "signal 9");
    free_scene(of);
}

static void
a_unit_that_hangs_is_taken_away(void **state)
{
    scene *of = new_scene(10, 2);

    (void)state;
    of->options.stall_ms = 500;
    plant(of, 2, "once-hold");
    of->options.told = NULL; /* nobody kills it */
    assert_ok(serve(of), of->err);
    check_whole(of);
    free_scene(of);
}

static void
a_unit_that_always_fails_is_buried_and_named_and_tried_again_later(void **state)
{
    scene *of = new_scene(20, 2);
    char path[FSH_PATH_BYTES];

    (void)state;
    plant(of, 7, "fail");
    assert_int_equal(serve(of), FSH_IO);
    assert_text_has(of->err.text, "unit 7 failed 3 times");
    assert_text_has(of->err.text, "asked to fail");
    assert_int_equal(of->totals.units_done, 19);
    assert_int_equal(of->totals.units_buried, 1);
    snprintf(path, sizeof path, "%s/fault-7", of->output);
    unlink(path);
    assert_ok(serve(of), of->err);
    check_whole(of);
    free_scene(of);
}

static void
a_full_disk_stops_the_job_and_costs_no_attempt(void **state)
{
    scene *of = new_scene(10, 1);

    (void)state;
    plant(of, 4, "once-full");
    assert_int_equal(serve(of), FSH_FULL);
    assert_text_has(of->err.text, "no space left");
    assert_int_equal(of->seen[FSH_COORDINATOR_UNIT_FAILED], 0);
    assert_ok(serve(of), of->err);
    check_whole(of);
    free_scene(of);
}

static void
a_job_that_cannot_be_run_ends_with_the_reason(void **state)
{
    scene *of = new_scene(10, 2);

    (void)state;
    of->work.job_hash = "broken";
    assert_int_equal(serve(of), FSH_MODEL);
    assert_text_has(of->err.text, "models/none.onnx");
    free_scene(of);
}

static void
an_interrupted_job_continues(void **state)
{
    scene *of = new_scene(40, 2);

    (void)state;
    of->interrupt_at = 1;
    assert_int_equal(serve(of), FSH_INTERRUPTED);
    assert_true(of->totals.units_done < 40);
    of->interrupt_at = 0;
    assert_ok(serve(of), of->err);
    check_whole(of);
    free_scene(of);
}

/* The worker is in unit 9 when its coordinator is killed, finishes it alone, and hands it in to the
 * next one. */
static void
a_killed_coordinator_continues_and_its_worker_comes_back(void **state)
{
    scene *of = new_scene(RESTART_UNITS, 0);
    char address[FSH_PATH_BYTES];
    pid_t coordinator, worker;
    int code;

    (void)state;
    snprintf(address, sizeof address, "ipc://%s/wire", of->output);
    of->options.address = address;
    plant(of, 9, "once-hold");
    coordinator = start("coordinator", of->output, address, NULL);
    worker = start("worker", address, NULL, NULL);
    wait_for_file(of, "waiting");
    kill(coordinator, SIGKILL);
    waitpid(coordinator, &code, 0);
    assert_true(WIFSIGNALED(code));
    plant_file(of, "go", "");
    wait_for_file(of, "shards/shard-000009.h5");
    of->options.told = NULL;
    assert_ok(serve(of), of->err);
    check_whole(of);
    waitpid(worker, &code, 0);
    assert_true(WIFEXITED(code));
    assert_int_equal(WEXITSTATUS(code), 0);
    free_scene(of);
}

static void
workers_may_come_over_tcp(void **state)
{
    scene *of = new_scene(20, 2);

    (void)state;
    of->options.address = "tcp://127.0.0.1:*";
    assert_ok(serve(of), of->err);
    check_whole(of);
    free_scene(of);
}

static void
an_address_that_others_reach_needs_the_word_insecure(void **state)
{
    scene *of = new_scene(1, 1);

    (void)state;
    of->options.address = "tcp://0.0.0.0:*";
    assert_int_equal(serve(of), FSH_USAGE);
    assert_text_has(of->err.text, "--insecure");
    of->options.insecure = true;
    of->options.address = "tcp://0.0.0.0:*";
    of->options.workers = 0;
    free_scene(of);
}

/* Not a test: units a second with nothing in them, `queue_test bench UNITS WORKERS`. */
static int
bench(uint32_t units_n, uint32_t workers)
{
    scene *of = new_scene(units_n, workers);
    struct timespec from, to;
    fsh_status status;
    double seconds;

    clock_gettime(CLOCK_MONOTONIC, &from);
    status = serve(of);
    clock_gettime(CLOCK_MONOTONIC, &to);
    seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) * 1e-9;
    printf("%s: %u units, %u workers, %.2f s, %.0f units/s\n", fsh_status_name(status), units_n,
           workers, seconds, units_n / seconds);
    free_scene(of);
    return 0;
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_workers_do_all_units_and_a_second_run_does_nothing),
        cmocka_unit_test(a_missing_shard_is_made_again),
        cmocka_unit_test(the_job_is_finished_although_a_worker_is_killed),
        cmocka_unit_test(a_crash_costs_one_compute_child_and_one_attempt),
        cmocka_unit_test(a_unit_that_hangs_is_taken_away),
        cmocka_unit_test(a_unit_that_always_fails_is_buried_and_named_and_tried_again_later),
        cmocka_unit_test(a_full_disk_stops_the_job_and_costs_no_attempt),
        cmocka_unit_test(a_job_that_cannot_be_run_ends_with_the_reason),
        cmocka_unit_test(an_interrupted_job_continues),
        cmocka_unit_test(a_killed_coordinator_continues_and_its_worker_comes_back),
        cmocka_unit_test(workers_may_come_over_tcp),
        cmocka_unit_test(an_address_that_others_reach_needs_the_word_insecure),
    };

    if (argc > 3 && strcmp(argv[1], "bench") == 0)
        return bench((uint32_t)atoi(argv[2]), (uint32_t)atoi(argv[3]));
    if (argc > 1)
        return role_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

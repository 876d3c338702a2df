/* Ends that are asked for by a signal, and workers that are slow: over real processes. */
#include "tests/queue_testing.h"

enum { HELD = 9 }; /* the unit during which it happens */

/* What is done to the worker that has said that it is at the held unit. */
typedef struct push {
    scene *of;
    int signals[2]; /* 0: none */
    bool let_go;    /* and then its unit may be finished */
} push;

static void
push_waiting(void *self, const fsh_coordinator_event *event)
{
    push *at = self;
    scene *of = at->of;
    char path[FSH_PATH_BYTES];
    uint8_t *data;
    size_t bytes;
    int i;

    of->seen[event->kind]++;
    snprintf(path, sizeof path, "%s/waiting", of->output);
    if (event->kind != FSH_COORDINATOR_PROGRESS ||
        fsh_file_read(path, 32, &data, &bytes, NULL) != FSH_OK)
        return;
    for (i = 0; i < 2 && at->signals[i]; i++)
        kill(atoi((const char *)data), at->signals[i]);
    unlink(path);
    free(data);
    if (at->let_go)
        plant_file(of, "go", "");
}

static size_t
times_begun(const scene *of, uint32_t unit)
{
    char path[FSH_PATH_BYTES];
    struct stat info;

    snprintf(path, sizeof path, "%s/begun-%u", of->output, unit);
    return stat(path, &info) == 0 ? (size_t)info.st_size : 0;
}

static int
code_of(pid_t pid)
{
    int code;

    waitpid(pid, &code, 0);
    return WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

/* One job with two workers that come from elsewhere; one of them is pushed in the held unit. */
static scene *
run_pushed(const push *how, const char *grace)
{
    scene *of = new_scene(RESTART_UNITS, 0);
    push at = *how;
    char address[FSH_PATH_BYTES];
    pid_t workers[2];
    int i, codes[2];

    snprintf(address, sizeof address, "ipc://%s/wire", of->output);
    plant(of, HELD, "once-hold");
    at.of = of;
    of->options.address = address;
    of->options.self = &at;
    of->options.told = push_waiting;
    for (i = 0; i < 2; i++)
        workers[i] = start("worker", address, "--grace", grace);
    assert_ok(serve(of), of->err);
    for (i = 0; i < 2; i++)
        codes[i] = code_of(workers[i]);
    check_whole(of);
    assert_int_equal(of->seen[FSH_COORDINATOR_UNIT_FAILED], 0);
    assert_int_equal(codes[0] + codes[1], 130); /* one was asked to end, one was not */
    assert_true(codes[0] == 0 || codes[1] == 0);
    of->options.address = NULL;
    return of;
}

static void
a_worker_that_is_asked_to_end_finishes_its_unit(void **state)
{
    static const push how = {NULL, {SIGTERM, 0}, true};
    scene *of = run_pushed(&how, "600");

    (void)state;
    assert_int_equal(times_begun(of, HELD), 1);
    free_scene(of);
}

static void
a_worker_whose_grace_is_over_gives_its_unit_back(void **state)
{
    static const push how = {NULL, {SIGTERM, 0}, false};
    scene *of = run_pushed(&how, "0.2");

    (void)state;
    assert_int_equal(times_begun(of, HELD), 2);
    free_scene(of);
}

static void
a_second_signal_ends_a_worker_at_once(void **state)
{
    static const push how = {NULL, {SIGINT, SIGTERM}, false};
    scene *of = run_pushed(&how, "600");

    (void)state;
    assert_int_equal(times_begun(of, HELD), 2);
    free_scene(of);
}

/* A coordinator and a worker as processes, up to the held unit. */
typedef struct pair {
    scene *of;
    char address[FSH_PATH_BYTES];
    pid_t coordinator, worker;
} pair;

static pair
start_pair(void)
{
    pair at = {.of = new_scene(RESTART_UNITS, 0)};

    snprintf(at.address, sizeof at.address, "ipc://%s/wire", at.of->output);
    plant(at.of, HELD, "once-hold");
    at.coordinator = start("coordinator", at.of->output, at.address, NULL);
    at.worker = start("worker", at.address, NULL, NULL);
    wait_for_file(at.of, "waiting");
    return at;
}

/* The next coordinator finishes the job. */
static void
finish_pair(pair *at, uint32_t workers)
{
    at->of->options.address = at->address;
    at->of->options.told = NULL;
    at->of->options.workers = workers;
    assert_ok(serve(at->of), at->of->err);
    check_whole(at->of);
    free_scene(at->of);
}

static void
a_coordinator_that_is_asked_to_end_waits_for_units_in_work(void **state)
{
    pair at = start_pair();

    (void)state;
    kill(at.coordinator, SIGTERM);
    plant_file(at.of, "go", "");
    assert_int_equal(code_of(at.coordinator), 130);
    assert_int_equal(code_of(at.worker), 0);
    assert_true(has_shard(at.of, HELD));
    assert_int_equal(times_begun(at.of, HELD), 1);
    finish_pair(&at, 1);
}

/* While a unit is held: nobody else ends the newcomer, and without a word from the coordinator it would outlive that. */
static void
a_worker_that_starts_while_a_coordinator_ends_is_sent_home(void **state)
{
    pair at = start_pair();

    (void)state;
    kill(at.coordinator, SIGTERM);
    assert_int_equal(code_of(start("worker", at.address, NULL, NULL)), 0);
    assert_int_equal(waitpid(at.coordinator, NULL, WNOHANG), 0);
    plant_file(at.of, "go", "");
    assert_int_equal(code_of(at.coordinator), 130);
    assert_int_equal(code_of(at.worker), 0);
    finish_pair(&at, 1);
}

static void
a_second_signal_ends_a_coordinator_at_once_and_the_next_one_goes_on(void **state)
{
    pair at = start_pair();
    int code;

    (void)state;
    kill(at.coordinator, SIGINT);
    kill(at.coordinator, SIGTERM);
    assert_int_equal(code_of(at.coordinator), 130);
    assert_false(has_shard(at.of, HELD));
    plant_file(at.of, "go", "");
    wait_for_file(at.of, "shards/shard-000009.h5");
    code = code_of(at.worker);
    /* Who ends at once does not wait until its DRAIN is delivered; without it the worker gives up looking for it. */
    assert_true(code == 0 || code == fsh_status_exit_code(FSH_NETWORK));
    finish_pair(&at, 1);
}

/* Nobody kills or expires the slow worker: it is beaten. */
static void
an_idle_worker_gets_a_copy_of_a_unit_that_is_slow(void **state)
{
    scene *of = new_scene(20, 2);

    (void)state;
    plant(of, 2, "once-hold");
    of->options.copy_ms = 300;
    of->options.told = push_waiting;
    of->options.self = &(push){of, {0, 0}, false};
    assert_ok(serve(of), of->err);
    check_whole(of);
    assert_true(of->seen[FSH_COORDINATOR_UNIT_COPIED] >=
                1); /* and perhaps of what waits behind it */
    assert_int_equal(of->seen[FSH_COORDINATOR_UNIT_FAILED], 0);
    assert_int_equal(times_begun(of, 2), 2);
    free_scene(of);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_that_is_asked_to_end_finishes_its_unit),
        cmocka_unit_test(a_worker_whose_grace_is_over_gives_its_unit_back),
        cmocka_unit_test(a_second_signal_ends_a_worker_at_once),
        cmocka_unit_test(a_coordinator_that_is_asked_to_end_waits_for_units_in_work),
        cmocka_unit_test(a_worker_that_starts_while_a_coordinator_ends_is_sent_home),
        cmocka_unit_test(a_second_signal_ends_a_coordinator_at_once_and_the_next_one_goes_on),
        cmocka_unit_test(an_idle_worker_gets_a_copy_of_a_unit_that_is_slow),
    };

    if (argc > 1)
        return role_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/testing.h"

#include <signal.h>
#include <sys/wait.h>

#include "worker/executing.h"

enum { LIMIT_MS = 1000, STEP_MS = 100 };

static fsh_executing *
open_table(int *file)
{
    fsh_executing *table;
    fsh_err err;

    assert_ok(fsh_executing_new(&table, file, &err), err);
    return table;
}

/* Steps until the watch finds something; 0: it does not. */
static uint32_t
steps_until_found(fsh_watch *watch, const fsh_executing *table, uint32_t *sample)
{
    uint32_t i;

    for (i = 1; i <= 30; i++)
        if (fsh_watch_step(watch, table, STEP_MS, LIMIT_MS, sample))
            return i;
    return 0;
}

static void
what_a_dead_process_was_at_can_be_read(void **state)
{
    uint64_t samples[FSH_SUSPECTS_MAX];
    int file, code;
    fsh_executing *table = open_table(&file), *mine;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        mine = fsh_executing_map(file);
        fsh_executing_begin(mine, 0, 0, FSH_DOING_ANALYSE);
        fsh_executing_begin(mine, 1, 41, FSH_DOING_READ);
        fsh_executing_begin(mine, 2, 42, FSH_DOING_DRAW);
        fsh_executing_begin(mine, 3, 42, FSH_DOING_DRAW);
        fsh_executing_end(mine, 1);
        kill(getpid(), SIGKILL);
    }
    waitpid(pid, &code, 0);
    assert_int_equal(fsh_executing_list(table, samples), 2);
    assert_int_equal(samples[0], 0);
    assert_int_equal(samples[1], 42);
    close(file);
    fsh_executing_close(&table);
}

static void
a_frozen_table_stays_as_it_is_until_it_is_cleared(void **state)
{
    uint64_t samples[FSH_SUSPECTS_MAX];
    int file;
    fsh_executing *table = open_table(&file);

    (void)state;
    fsh_executing_begin(table, 0, 5, FSH_DOING_ANALYSE);
    fsh_executing_begin(table, 1, 6, FSH_DOING_READ);
    fsh_executing_freeze(table, 1);
    assert_false(fsh_executing_is_frozen(table));
    fsh_executing_end(table, 1);
    fsh_executing_freeze(table, 0);
    fsh_executing_end(table, 0);
    fsh_executing_begin(table, 1, 6, FSH_DOING_ANALYSE);
    assert_true(fsh_executing_is_frozen(table));
    assert_int_equal(fsh_executing_list(table, samples), 1);
    assert_int_equal(samples[0], 5);
    fsh_executing_clear(table);
    assert_int_equal(fsh_executing_list(table, samples), 0);
    fsh_executing_begin(table, 1, 6, FSH_DOING_ANALYSE);
    assert_int_equal(fsh_executing_list(table, samples), 1);
    close(file);
    fsh_executing_close(&table);
}

static void
without_a_table_nothing_is_noted(void **state)
{
    fsh_executing *none = NULL;

    (void)state;
    fsh_executing_begin(none, 0, 1, FSH_DOING_ANALYSE);
    fsh_executing_freeze(none, 0);
    fsh_executing_clear(none);
    assert_false(fsh_executing_is_frozen(none));
    assert_int_equal(fsh_executing_list(none, NULL), 0);
    assert_null(fsh_executing_map(-1));
}

static void
only_the_thread_that_stays_at_one_sample_is_found(void **state)
{
    fsh_watch watch = {{0}, {0}};
    uint32_t sample = 0, i;
    int file;
    fsh_executing *table = open_table(&file);

    (void)state;
    fsh_executing_begin(table, 3, 77, FSH_DOING_ANALYSE);
    for (i = 0; i < LIMIT_MS / STEP_MS; i++) {
        fsh_executing_begin(table, 0, 5, FSH_DOING_ANALYSE); /* the same sample, another turn */
        assert_false(fsh_watch_step(&watch, table, STEP_MS, LIMIT_MS, &sample));
    }
    assert_true(fsh_watch_step(&watch, table, STEP_MS, LIMIT_MS, &sample));
    assert_int_equal(sample, 77);
    close(file);
    fsh_executing_close(&table);
}

static void
storage_and_idle_threads_have_no_limit(void **state)
{
    fsh_watch watch = {{0}, {0}};
    uint32_t sample;
    int file;
    fsh_executing *table = open_table(&file);

    (void)state;
    assert_int_equal(steps_until_found(&watch, table, &sample), 0);
    fsh_executing_begin(table, 0, 9, FSH_DOING_READ);
    assert_int_equal(steps_until_found(&watch, table, &sample), 0);
    fsh_executing_begin(table, 0, 9, FSH_DOING_ANALYSE);
    assert_int_equal(steps_until_found(&watch, table, &sample), LIMIT_MS / STEP_MS + 1);
    assert_int_equal(sample, 9);
    close(file);
    fsh_executing_close(&table);
}

static void
those_that_are_worked_on_together_are_all_suspects_and_share_the_time(void **state)
{
    static const uint32_t together[] = {7, 8, 9};
    uint64_t samples[FSH_SUSPECTS_MAX];
    fsh_watch watch = {{0}, {0}};
    uint32_t sample;
    int file;
    fsh_executing *table = open_table(&file);

    (void)state;
    fsh_executing_begin(table, 0, 7, FSH_DOING_ANALYSE);
    fsh_executing_begin_together(table, 1, together, 3, FSH_DOING_ANALYSE);
    assert_int_equal(fsh_executing_list(table, samples), 3);
    assert_int_equal(samples[1] + samples[2], 8 + 9);
    fsh_executing_end(table, 0);
    assert_int_equal(steps_until_found(&watch, table, &sample), 0);
    assert_int_equal(steps_until_found(&watch, table, &sample), 1);
    fsh_executing_begin(table, 1, 8, FSH_DOING_ANALYSE);
    assert_int_equal(fsh_executing_list(table, samples), 1);
    assert_int_equal(samples[0], 8);
    fsh_executing_end(table, 1);
    assert_int_equal(fsh_executing_list(table, samples), 0);
    close(file);
    fsh_executing_close(&table);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_dead_process_was_at_can_be_read),
        cmocka_unit_test(a_frozen_table_stays_as_it_is_until_it_is_cleared),
        cmocka_unit_test(without_a_table_nothing_is_noted),
        cmocka_unit_test(only_the_thread_that_stays_at_one_sample_is_found),
        cmocka_unit_test(storage_and_idle_threads_have_no_limit),
        cmocka_unit_test(those_that_are_worked_on_together_are_all_suspects_and_share_the_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

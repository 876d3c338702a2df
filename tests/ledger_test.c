#include "tests/testing.h"

#include <sys/wait.h>

#include "base/files.h"
#include "coordinator/commit.h"
#include "coordinator/ledger.h"

static const fsh_ledger_about about = {"aaaa0000", "bbbb0000", 100};

static fsh_ledger *
open_ledger(const char *folder)
{
    fsh_ledger *ledger;
    fsh_err err;

    assert_ok(fsh_ledger_open(folder, &about, &ledger, &err), err);
    return ledger;
}

typedef struct memory {
    uint32_t n;
    fsh_ledger_entry entries[8];
    fsh_report report;
    char text[64];
} memory;

static void
remember(void *self, const fsh_ledger_entry *entry)
{
    memory *of = self;

    of->entries[of->n++] = *entry;
    if (entry->report)
        of->report = *entry->report;
    if (entry->failure_text)
        snprintf(of->text, sizeof of->text, "%s", entry->failure_text);
}

static memory
read_ledger(fsh_ledger *ledger)
{
    memory of = {0};
    fsh_err err;

    assert_ok(fsh_ledger_read(ledger, remember, &of, &err), err);
    return of;
}

static void
record_two(fsh_ledger *ledger)
{
    fsh_report report = {.unit = 7, .samples = 10, .delivered = 9, .images = 54, .bytes = 1000};
    fsh_ledger_entry committed = {7, FSH_UNIT_COMMITTED, 1, FSH_OK, NULL, &report};
    fsh_ledger_entry failed = {9, FSH_UNIT_READY, 2, FSH_IO, "disk on fire", NULL};
    fsh_err err;

    report.rejected[FSH_REASON_NO_FACE] = 1;
    report.shard_hash.bytes[0] = 3;
    assert_ok(fsh_ledger_record(ledger, &committed, &err), err);
    assert_ok(fsh_ledger_record(ledger, &failed, &err), err);
}

typedef struct suspects {
    uint32_t n, unit;
    fsh_suspect last;
} suspects;

static void
remember_suspect(void *self, uint32_t unit, const fsh_suspect *suspect)
{
    suspects *of = self;

    of->n++;
    of->unit = unit;
    of->last = *suspect;
}

static void
suspects_are_there_after_a_restart(void **state)
{
    char *folder = fsh_test_folder();
    fsh_ledger *ledger = open_ledger(folder);
    fsh_suspect one = {17, 1, FSH_REASON_TIMED_OUT, 0, false};
    fsh_suspect again = {17, 2, FSH_REASON_CRASHED, 11, true};
    suspects of = {0};
    fsh_err err;

    (void)state;
    assert_ok(fsh_ledger_suspect(ledger, 4, &one, &err), err);
    assert_ok(fsh_ledger_suspect(ledger, 4, &again, &err), err);
    assert_ok(fsh_ledger_flush(ledger, &err), err);
    fsh_ledger_close(&ledger);
    ledger = open_ledger(folder);
    assert_ok(fsh_ledger_read_suspects(ledger, remember_suspect, &of, &err), err);
    assert_int_equal(of.n, 1);
    assert_int_equal(of.unit, 4);
    assert_int_equal(of.last.sample, 17);
    assert_int_equal(of.last.deaths, 2);
    assert_int_equal(of.last.reason, FSH_REASON_CRASHED);
    assert_int_equal(of.last.value, 11);
    assert_true(of.last.condemned);
    fsh_ledger_close(&ledger);
    fsh_test_remove(folder);
}

static void
what_was_flushed_is_there_after_a_restart(void **state)
{
    char *folder = fsh_test_folder();
    fsh_ledger *ledger = open_ledger(folder);
    memory of;
    fsh_err err;

    (void)state;
    assert_int_equal(fsh_ledger_epoch(ledger), 1);
    record_two(ledger);
    assert_ok(fsh_ledger_flush(ledger, &err), err);
    fsh_ledger_close(&ledger);
    ledger = open_ledger(folder);
    assert_int_equal(fsh_ledger_epoch(ledger), 2);
    of = read_ledger(ledger);
    assert_int_equal(of.n, 2);
    assert_int_equal(of.entries[0].unit, 7);
    assert_int_equal(of.entries[0].state, FSH_UNIT_COMMITTED);
    assert_int_equal(of.report.images, 54);
    assert_int_equal(of.report.rejected[FSH_REASON_NO_FACE], 1);
    assert_int_equal(of.report.shard_hash.bytes[0], 3);
    assert_int_equal(of.entries[1].attempts, 2);
    assert_int_equal(of.entries[1].failure, FSH_IO);
    assert_string_equal(of.text, "disk on fire");
    fsh_ledger_close(&ledger);
    fsh_test_remove(folder);
}

static void
what_was_not_flushed_is_gone_as_a_whole(void **state)
{
    char *folder = fsh_test_folder();
    fsh_ledger *ledger = open_ledger(folder);

    (void)state;
    record_two(ledger);
    fsh_ledger_close(&ledger);
    ledger = open_ledger(folder);
    assert_int_equal(read_ledger(ledger).n, 0);
    fsh_ledger_close(&ledger);
    fsh_test_remove(folder);
}

static void
another_job_or_input_in_the_same_folder_is_told_what_to_do(void **state)
{
    char *folder = fsh_test_folder();
    fsh_ledger *ledger = open_ledger(folder);
    fsh_ledger_about job = {"cccc0000", "bbbb0000", 100}, input = {"aaaa0000", "dddd0000", 100};
    fsh_err err;

    (void)state;
    fsh_ledger_close(&ledger);
    assert_int_equal(fsh_ledger_open(folder, &job, &ledger, &err), FSH_USAGE);
    assert_text_has(err.text,
                    "holds another job (aaaa0000, now cccc0000): choose another output folder");
    assert_int_equal(fsh_ledger_open(folder, &input, &ledger, &err), FSH_USAGE);
    assert_text_has(err.text, "over another input");
    ledger = open_ledger(folder);
    assert_int_equal(fsh_ledger_epoch(ledger), 2);
    fsh_ledger_close(&ledger);
    fsh_test_remove(folder);
}

/* The second coordinator is another process: a POSIX lock does not hold against its own. */
static void
a_second_coordinator_is_told_who_holds_the_output(void **state)
{
    char *folder = fsh_test_folder(), holder[64];
    fsh_ledger *ledger = open_ledger(folder);
    int code;
    pid_t pid;

    (void)state;
    snprintf(holder, sizeof holder, "process %ld on ", (long)getpid());
    pid = fork();
    if (pid == 0) {
        fsh_ledger *second;
        fsh_err err;
        fsh_status status = fsh_ledger_open(folder, &about, &second, &err);

        _exit(status == FSH_BUSY && strstr(err.text, holder) ? 0 : 1);
    }
    waitpid(pid, &code, 0);
    assert_int_equal(code, 0);
    fsh_ledger_close(&ledger);
    fsh_test_remove(folder);
}

static void
a_ledger_that_is_no_database_is_told(void **state)
{
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES];
    fsh_ledger *ledger;
    fsh_err err;

    (void)state;
    snprintf(path, sizeof path, "%s/state", folder);
    assert_ok(fsh_folder_make(path, &err), err);
    snprintf(path, sizeof path, "%s/state/ledger.sqlite", folder);
    assert_ok(fsh_file_write(path, "this is no database, but it is long enough", 43, &err), err);
    assert_int_equal(fsh_ledger_open(folder, &about, &ledger, &err), FSH_FORMAT);
    assert_text_has(err.text, "ledger.sqlite");
    fsh_test_remove(folder);
}

static void
a_shard_is_checked_by_size_and_sum(void **state)
{
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES];
    fsh_report report = {.unit = 4, .bytes = 5, .shard_hash = fsh_hash_of("shard", 5)};
    fsh_err err;

    (void)state;
    assert_ok(fsh_commit_prepare(folder, true, &err), err);
    assert_int_equal(fsh_commit_check(folder, &report, &err), FSH_IO);
    assert_false(fsh_commit_is_there(folder, &report));
    snprintf(path, sizeof path, "%s/shards/shard-000004.h5", folder);
    assert_ok(fsh_file_write(path, "shard", 5, &err), err);
    assert_ok(fsh_commit_check(folder, &report, &err), err);
    assert_true(fsh_commit_is_there(folder, &report));
    assert_ok(fsh_file_write(path, "shark", 5, &err), err);
    assert_int_equal(fsh_commit_check(folder, &report, &err), FSH_FORMAT);
    assert_ok(fsh_file_write(path, "shar", 4, &err), err);
    assert_int_equal(fsh_commit_check(folder, &report, &err), FSH_FORMAT);
    assert_false(fsh_commit_is_there(folder, &report));
    fsh_test_remove(folder);
}

static void
half_written_shards_are_swept(void **state)
{
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES];
    fsh_err err;

    (void)state;
    assert_ok(fsh_commit_prepare(folder, false, &err), err);
    snprintf(path, sizeof path, "%s/shards/.shard-000004-100000001.tmp", folder);
    assert_ok(fsh_file_write(path, "half", 4, &err), err);
    assert_ok(fsh_commit_prepare(folder, false, &err), err);
    assert_true(fsh_file_exists(path));
    assert_ok(fsh_commit_prepare(folder, true, &err), err);
    assert_false(fsh_file_exists(path));
    fsh_test_remove(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_flushed_is_there_after_a_restart),
        cmocka_unit_test(suspects_are_there_after_a_restart),
        cmocka_unit_test(what_was_not_flushed_is_gone_as_a_whole),
        cmocka_unit_test(another_job_or_input_in_the_same_folder_is_told_what_to_do),
        cmocka_unit_test(a_second_coordinator_is_told_who_holds_the_output),
        cmocka_unit_test(a_ledger_that_is_no_database_is_told),
        cmocka_unit_test(a_shard_is_checked_by_size_and_sum),
        cmocka_unit_test(half_written_shards_are_swept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

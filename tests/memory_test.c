/* Every k-th allocation fails: what is asked of our modules then ends with a status and a text, or
 * is done all the same; never with a signal, and never so that it cannot be done afterwards. Each
 * attempt is a process by itself. Where HDF5 is underneath it may die inside of it, which is
 * counted; the child that runs units is expendable for that reason.
 *
 * The short form takes at most SHORT allocations of each, spread evenly; FSH_LONG=1 takes all. */
#include "tests/testing.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/files.h"
#include "coordinator/books.h"
#include "coordinator/commit.h"
#include "coordinator/ledger.h"
#include "datasets/manifest.h"
#include "datasets/readers.h"
#include "job/job.h"
#include "proto/messages.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int
main(void)
{
    puts("skipped: the allocator belongs to the sanitizer");
    return 77;
}
#else

enum {
    SHORT = 60,
    LIBRARY_EXIT = 255 /* with which HDF5 ends the process where it sees no way on */
};

/* ---- the allocator ---- */

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);

static uint64_t allocations, fail_at; /* of this process; fail_at 0: none */
static bool armed;

static bool
fails(void)
{
    if (!armed || ++allocations != fail_at)
        return false;
    errno = ENOMEM;
    return true;
}

void *
malloc(size_t bytes)
{
    return fails() ? NULL : __libc_malloc(bytes);
}

void *
calloc(size_t n, size_t bytes)
{
    return fails() ? NULL : __libc_calloc(n, bytes);
}

void *
realloc(void *old, size_t bytes)
{
    return fails() ? NULL : __libc_realloc(old, bytes);
}

/* ---- what is asked of our modules; each in a folder of its own, and repeatable there ---- */

/* In the process of an attempt, which cmocka knows nothing of. */
static void
require(bool good)
{
    if (!good)
        _exit(9);
}

static fsh_status
wire(const char *folder, fsh_err *err)
{
    fsh_message refuse = {.number = FSH_MESSAGE_REFUSE, .refuse = {"no room"}}, heard;
    fsh_text bytes = {0};
    fsh_status status = fsh_message_encode(&refuse, FSH_FROM_COORDINATOR, &bytes, err);

    (void)folder;
    if (!status)
        status = fsh_message_decode(bytes.data, bytes.bytes, FSH_FROM_COORDINATOR, &heard, err);
    if (!status) {
        require(strcmp(heard.refuse.why, "no room") == 0);
        fsh_message_fini(&heard);
    }
    fsh_text_fini(&bytes);
    return status;
}

static const char job_text[] = "input: {path: people}\n"
                               "output: {path: out}\n"
                               "models: {detector: none}\n"
                               "stages:\n"
                               "  - detect: {min_side: 20}\n"
                               "  - sample: {per_class: 4}\n"
                               "  - variants: [[], [augment], [augment: {noise: 1}]]\n";

static fsh_status
job(const char *folder, fsh_err *err)
{
    fsh_text text = {0};
    fsh_job *parsed;
    fsh_status status = fsh_job_parse("test", job_text, &parsed, err);

    (void)folder;
    if (status)
        return status;
    status = fsh_job_hash(parsed, err);
    fsh_job_print(parsed, &text);
    if (!status && !fsh_text_ok(&text))
        status = fsh_fail(err, FSH_MEMORY, "the job cannot be printed");
    if (!status)
        require(strstr(fsh_text_get(&text), "min_side: 20") != NULL);
    fsh_text_fini(&text);
    fsh_job_free(parsed);
    return status;
}

static fsh_status
file(const char *folder, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    uint8_t *data;
    size_t bytes;
    fsh_status status = fsh_path_join(path, folder, "file", err);

    if (!status)
        status = fsh_file_write(path, "hello", 5, err);
    if (!status)
        status = fsh_file_read(path, 100, &data, &bytes, err);
    if (status)
        return status;
    require(bytes == 5);
    free(data);
    return FSH_OK;
}

static void
ignore_failure(void *self, uint32_t unit, uint32_t attempts, bool buried, const char *why)
{
    (void)self, (void)unit, (void)attempts, (void)buried, (void)why;
}

static fsh_status
lend_and_commit(fsh_books *books, const fsh_coordinator_work *work, fsh_err *err)
{
    fsh_leases *leases = fsh_books_leases(books);
    fsh_lessee *lessee = fsh_leases_join(leases, books, 0);
    fsh_report report = {.unit = 0, .samples = 3, .delivered = 3, .images = 3};
    fsh_lease lease;

    if (!lessee)
        return fsh_fail(err, FSH_MEMORY, "no memory for a worker");
    fsh_leases_credit(leases, lessee, 1, false);
    if (fsh_leases_lend(leases, 1, &lease)) {
        report.unit = lease.unit;
        fsh_leases_hand_in(leases, lease.unit, 2);
        fsh_books_settle(books, &report, FSH_OK, "");
    }
    require(work->units_n == 2);
    fsh_leases_leave(leases, lessee, false);
    return fsh_books_flush(books, err);
}

static fsh_status
books(const char *folder, fsh_err *err)
{
    static const uint32_t samples[] = {3, 3};
    fsh_coordinator_work work = {.output = folder,
                                 .job = "job",
                                 .job_hash = "f00d",
                                 .input_hash = "beef",
                                 .units_n = 2,
                                 .samples = samples};
    fsh_lease_rules rules = {.silence_ms = 1000, .stall_ms = 1000, .attempts_max = 3};
    fsh_books_watch watch = {NULL, ignore_failure};
    fsh_books *opened;
    fsh_status status = fsh_books_open(&work, &rules, NULL, &watch, &opened, err);

    if (status)
        return status;
    status = lend_and_commit(opened, &work, err);
    fsh_books_close(&opened);
    return status;
}

static fsh_status
scan(const char *folder, fsh_err *err)
{
    char input[FSH_PATH_BYTES], path[FSH_PATH_BYTES], manifest[FSH_PATH_BYTES];
    fsh_manifest_totals totals;
    fsh_status status = fsh_path_join(input, folder, "people/anna", err);

    if (!status)
        status = fsh_folder_make(input, err);
    if (!status)
        status = fsh_path_join(path, input, "1.jpg", err);
    if (!status)
        status = fsh_file_write(path, "", 0, err);
    if (!status)
        status = fsh_path_join(input, folder, "people", err);
    if (!status)
        status = fsh_path_join(manifest, folder, "manifest.h5", err);
    if (!status)
        status = fsh_manifest_build(manifest, fsh_reader_find("folders"), input, "", 10, NULL, NULL,
                                    &totals, err);
    if (!status)
        require(totals.samples == 1);
    return status;
}

static fsh_status
unit(const char *folder, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_manifest *manifest;
    fsh_unit read;
    fsh_status status = fsh_path_join(path, folder, "manifest.h5", err);

    if (!status && !fsh_file_exists(path))
        status = scan(folder, err);
    if (!status)
        status = fsh_manifest_open(path, &manifest, err);
    if (status)
        return status;
    status = fsh_manifest_unit(manifest, 0, &read, err);
    if (!status) {
        require(strcmp(read.sample_names[0], "1.jpg") == 0);
        fsh_unit_fini(&read);
    }
    fsh_manifest_close(manifest);
    return status;
}

/* ---- breaking it ---- */

typedef fsh_status action(const char *folder, fsh_err *err);

typedef struct attempt {
    fsh_status status;
    uint64_t allocations;
    bool told; /* a failure has a text */
} attempt;

/* Signals end the process again, and libraries that complain do it unheard. */
static void
settle_in(void)
{
    static const int numbers[] = {SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL};
    uint32_t i;

    for (i = 0; i < sizeof numbers / sizeof *numbers; i++)
        signal(numbers[i], SIG_DFL);
    alarm(60); /* HDF5 can loop for ever when it ends */
    if (!freopen("/dev/null", "w", stderr))
        _exit(8);
}

/* One attempt in a process by itself. Gives what a library has ended it with: a signal, or
 * LIBRARY_EXIT; 0: nothing. */
static int
try(action *what, const char *folder, uint64_t at, attempt *result)
{
    pid_t pid = fork();
    int code;

    if (pid == 0) {
        fsh_err err = {""};

        settle_in();
        fail_at = at;
        armed = true;
        result->status = what(folder, &err);
        armed = false;
        result->allocations = allocations;
        result->told = err.text[0] != '\0';
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &code, 0), pid);
    if (WIFSIGNALED(code))
        return WTERMSIG(code);
    if (WEXITSTATUS(code) != LIBRARY_EXIT)
        assert_int_equal(WEXITSTATUS(code), 0); /* what was required was not so */
    return WEXITSTATUS(code);
}

static void
check(action *what, const char *folder, uint64_t at, attempt *result, uint32_t *deaths,
      bool may_die)
{
    int end = try(what, folder, at, result);

    if (end && !may_die)
        fail_msg("allocation %llu: ended with %d", (unsigned long long)at, end);
    if (!end && result->status && !result->told)
        fail_msg("allocation %llu: %s without a text", (unsigned long long)at,
                 fsh_status_name(result->status));
    *deaths += end != 0;
    if (try(what, folder, 0, result) || result->status)
        fail_msg("after allocation %llu it cannot be done any more: %s", (unsigned long long)at,
                 fsh_status_name(result->status));
}

static void
break_every_allocation(const char *name, action *what, bool may_die)
{
    attempt *result =
        mmap(NULL, sizeof *result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *folder = fsh_test_folder();
    uint32_t deaths = 0, tried = 0;
    uint64_t n, step, at;
    fsh_err err;

    assert_ok(what(folder, &err),
              err); /* libraries have made themselves ready when it is counted */
    assert_int_equal(try(what, folder, 0, result), 0);
    assert_int_equal(result->status, FSH_OK);
    fsh_test_remove(folder);
    n = result->allocations;
    step = getenv("FSH_LONG") || n <= SHORT ? 1 : n / SHORT + 1;
    assert_true(n > 0);
    folder = fsh_test_folder();
    for (at = 1; at <= n; at += step, tried++)
        check(what, folder, at, result, &deaths, may_die);
    fsh_test_remove(folder);
    munmap(result, sizeof *result);
    print_message("%s: %u of %llu allocations failed, %u deaths in a library\n", name, tried,
                  (unsigned long long)n, deaths);
}

static void
messages_do_without_memory(void **state)
{
    (void)state;
    break_every_allocation("messages", wire, false);
}

static void
job_files_do_without_memory(void **state)
{
    (void)state;
    break_every_allocation("job files", job, false);
}

static void
files_do_without_memory(void **state)
{
    (void)state;
    break_every_allocation("files", file, false);
}

static void
desk_and_ledger_do_without_memory(void **state)
{
    (void)state;
    break_every_allocation("desk and ledger", books, false);
}

static void
planning_does_without_memory(void **state)
{
    (void)state;
    break_every_allocation("planning", scan, true);
}

static void
a_unit_is_read_without_memory(void **state)
{
    (void)state;
    break_every_allocation("reading a unit", unit, true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_do_without_memory),
        cmocka_unit_test(job_files_do_without_memory),
        cmocka_unit_test(files_do_without_memory),
        cmocka_unit_test(desk_and_ledger_do_without_memory),
        cmocka_unit_test(planning_does_without_memory),
        cmocka_unit_test(a_unit_is_read_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif

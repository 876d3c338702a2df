/* Coordinator, workers and compute children as real processes, with units that only write a few
 * bytes. The test program is all of them: `PROGRAM worker ADDRESS ...`, `PROGRAM coordinator OUTPUT
 * ADDRESS` and `PROGRAM compute-child` are what the coordinator, the workers and the tests start.
 */
#ifndef FSH_TESTS_QUEUE_TESTING_H
#define FSH_TESTS_QUEUE_TESTING_H

#include "tests/testing.h"

#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/files.h"
#include "coordinator/coordinator.h"
#include "job/paths.h"
#include "worker/child.h"
#include "worker/supervisor.h"

enum { UNITS_MAX = 100000, SAMPLES = 10, RESTART_UNITS = 30, LONG_MS = 600000 };

/* ---- units that only write a few bytes; the job's text is the output folder ---- */

typedef struct fake {
    char output[FSH_PATH_BYTES];
    uint32_t threads;
} fake;

/* A test asks for a fault by a file OUT/fault-UNIT with its name in it; "once-" is removed when it
 * happens. */
static inline void
read_fault(const fake *of, uint32_t unit, char word[32])
{
    char path[FSH_PATH_BYTES + 32];
    FILE *file;

    word[0] = '\0';
    snprintf(path, sizeof path, "%s/fault-%u", of->output, unit);
    file = fopen(path, "r");
    if (!file)
        return;
    if (fscanf(file, "%31s", word) != 1)
        word[0] = '\0';
    fclose(file);
    if (strncmp(word, "once-", 5) == 0) {
        unlink(path);
        memmove(word, word + 5, strlen(word) - 4);
    }
}

/* Tells the test which worker is at it, and ends when it is allowed to. */
static inline void
wait_for_go(const fake *of)
{
    char waiting[FSH_PATH_BYTES + 32], go[FSH_PATH_BYTES + 32], text[32];

    snprintf(waiting, sizeof waiting, "%s/waiting", of->output);
    snprintf(go, sizeof go, "%s/go", of->output);
    snprintf(text, sizeof text, "%ld", (long)getppid());
    fsh_file_write(waiting, text, strlen(text), NULL);
    while (!fsh_file_exists(go))
        usleep(1000);
}

/* A byte in OUT/begun-UNIT for every time that it is begun. */
static inline void
note_begun(const fake *of, uint32_t unit)
{
    char path[FSH_PATH_BYTES + 32];
    FILE *file;

    snprintf(path, sizeof path, "%s/begun-%u", of->output, unit);
    file = fopen(path, "a");
    if (file && fputc('.', file) != EOF)
        fclose(file);
}

static inline fsh_status
happen(const fake *of, uint32_t unit, fsh_err *err)
{
    char fault[32];

    note_begun(of, unit);
    read_fault(of, unit, fault);
    if (strcmp(fault, "crash") == 0)
        kill(getpid(), SIGKILL);
    if (strcmp(fault, "hold") == 0)
        wait_for_go(of);
    if (strcmp(fault, "fail") == 0)
        return fsh_fail(err, FSH_IO, "unit %u: asked to fail", unit);
    if (strcmp(fault, "full") == 0)
        return fsh_fail(err, FSH_FULL, "unit %u: no space left on device", unit);
    return FSH_OK;
}

static inline fsh_status
fake_open(const fsh_message_job *job, void **state, fsh_child_limits *limits, fsh_err *err)
{
    fake *opened;

    (void)limits;
    if (strcmp(job->hash, "broken") == 0)
        return fsh_fail(err, FSH_MODEL, "models/none.onnx: no such file; run doctor");
    opened = calloc(1, sizeof *opened);
    snprintf(opened->output, sizeof opened->output, "%s", job->text);
    opened->threads = job->threads;
    *state = opened;
    return FSH_OK;
}

static inline bool
write_plain(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    if (!file)
        return false;
    fputs(text, file);
    return fclose(file) == 0;
}

static inline fsh_status
fake_unit(void *state, const fsh_unit_order *order, fsh_report *report, fsh_err *err)
{
    const fake *of = state;
    uint32_t unit = order->unit;
    char name[64], text[64];
    char path[FSH_PATH_BYTES + 64], temporary[FSH_PATH_BYTES + 64];
    fsh_status status = happen(of, unit, err);

    if (status || order->progress(order->self, 1, 2))
        return status ? status : FSH_INTERRUPTED;
    snprintf(text, sizeof text, "shard of unit %u", unit);
    snprintf(name, sizeof name, FSH_PATH_SHARD_TEMPORARY, unit, order->token);
    snprintf(temporary, sizeof temporary, "%s/%s", of->output, name);
    snprintf(name, sizeof name, FSH_PATH_SHARD, unit);
    snprintf(path, sizeof path, "%s/%s", of->output, name);
    if (!write_plain(temporary, text) || rename(temporary, path) != 0)
        return fsh_fail(err, FSH_IO, "%s: cannot be written", path);
    *report = (fsh_report){
        .unit = unit, .samples = SAMPLES, .delivered = SAMPLES - 1, .images = 2 * SAMPLES};
    report->rejected[FSH_REASON_NO_FACE] = 1;
    report->bytes = strlen(text);
    report->shard_hash = fsh_hash_of(text, strlen(text));
    return FSH_OK;
}

static inline void
fake_close(void *state)
{
    free(state);
}

static const fsh_child_work fake_work = {fake_open, fake_unit, fake_close};
static const char *const child_command[] = {"/proc/self/exe", "compute-child", NULL};
static const char *const worker_command[] = {"/proc/self/exe", "worker", NULL};

static inline int
worker_main(int argc, char **argv)
{
    fsh_worker_options options;
    fsh_status status;
    fsh_err err = {""};
    int i;

    fsh_worker_options_init(&options);
    options.child_command = child_command;
    options.give_up_ms = 20000;
    for (i = 3; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--threads") == 0)
            options.threads = (uint32_t)atoi(argv[i + 1]);
        if (strcmp(argv[i], "--grace") == 0)
            options.grace_ms = (uint32_t)(1000 * atof(argv[i + 1]));
        if (strcmp(argv[i], "--parent") == 0)
            options.parent_pid = (uint32_t)atoi(argv[i + 1]);
    }
    status = fsh_worker_run(argv[2], &options, &err);
    return fsh_status_exit_code(status);
}

/* ---- the coordinator's side ---- */

typedef struct scene {
    char *output;
    uint32_t samples[UNITS_MAX];
    fsh_hash hashes[UNITS_MAX];
    fsh_coordinator_work work;
    fsh_coordinator_options options;
    fsh_coordinator_totals totals;
    uint32_t seen[FSH_COORDINATOR_ENDED + 1];
    char failure[1024];
    uint32_t interrupt_at; /* joined workers at which SIGINT is raised; 0: never */
    fsh_err err;
} scene;

/* Kills the worker that a unit with the fault "hold" has named. */
static inline void
kill_waiting(const scene *of)
{
    char path[FSH_PATH_BYTES];
    uint8_t *data;
    size_t bytes;

    snprintf(path, sizeof path, "%s/waiting", of->output);
    if (fsh_file_read(path, 32, &data, &bytes, NULL) != FSH_OK)
        return;
    kill(atoi((const char *)data), SIGKILL);
    unlink(path);
    free(data);
}

static inline void
on_told(void *self, const fsh_coordinator_event *event)
{
    scene *of = self;

    of->seen[event->kind]++;
    if (event->kind == FSH_COORDINATOR_UNIT_FAILED || event->kind == FSH_COORDINATOR_UNIT_BURIED)
        snprintf(of->failure, sizeof of->failure, "%s", event->text);
    if (event->kind == FSH_COORDINATOR_PROGRESS)
        kill_waiting(of);
    if (event->kind == FSH_COORDINATOR_WORKER_JOINED &&
        of->seen[FSH_COORDINATOR_WORKER_JOINED] == of->interrupt_at)
        raise(SIGINT);
}

static inline scene *
new_scene_in(char *output, uint32_t units_n, uint32_t workers)
{
    scene *of = calloc(1, sizeof *of);
    uint32_t i;

    of->output = output;
    for (i = 0; i < units_n; i++)
        of->samples[i] = SAMPLES;
    of->work = (fsh_coordinator_work){.output = of->output,
                                      .job = of->output,
                                      .job_hash = "f00d",
                                      .input_hash = "beef",
                                      .units_n = units_n,
                                      .samples = of->samples};
    fsh_coordinator_options_init(&of->options);
    of->options.workers = workers;
    of->options.worker_command = worker_command;
    of->options.shard_hashes = of->hashes;
    of->options.heartbeat_ms = 100;
    of->options.silence_ms = 700;
    of->options.stall_ms = 30000;
    of->options.self = of;
    of->options.told = on_told;
    return of;
}

static inline scene *
new_scene(uint32_t units_n, uint32_t workers)
{
    return new_scene_in(fsh_test_folder(), units_n, workers);
}

static inline void
free_scene(scene *of)
{
    fsh_test_remove(of->output);
    free(of);
}

static inline void
plant_file(const scene *of, const char *name, const char *text)
{
    char path[FSH_PATH_BYTES];

    snprintf(path, sizeof path, "%s/%s", of->output, name);
    assert_int_equal(fsh_file_write(path, text, strlen(text), NULL), FSH_OK);
}

static inline void
plant(const scene *of, uint32_t unit, const char *fault)
{
    char name[32];

    snprintf(name, sizeof name, "fault-%u", unit);
    plant_file(of, name, fault);
}

static inline fsh_status
serve(scene *of)
{
    return fsh_coordinator_serve(&of->work, &of->options, &of->totals, &of->err);
}

static inline bool
has_shard(const scene *of, uint32_t unit)
{
    char name[64], path[FSH_PATH_BYTES];

    snprintf(name, sizeof name, FSH_PATH_SHARD, unit);
    snprintf(path, sizeof path, "%s/%s", of->output, name);
    return fsh_file_exists(path);
}

/* Everything is there, counted once, and nothing half written lies about. */
static inline void
check_whole(const scene *of)
{
    uint32_t i, swept = 0;
    char folder[FSH_PATH_BYTES];

    assert_int_equal(of->totals.units_done, of->work.units_n);
    assert_int_equal(of->totals.samples_done, SAMPLES * of->work.units_n);
    assert_int_equal(of->totals.images, 2 * SAMPLES * of->work.units_n);
    assert_int_equal(of->totals.rejected[FSH_REASON_NO_FACE], of->work.units_n);
    for (i = 0; i < of->work.units_n; i++) {
        char text[64];
        fsh_hash hash;

        snprintf(text, sizeof text, "shard of unit %u", i);
        hash = fsh_hash_of(text, strlen(text));
        assert_true(has_shard(of, i));
        assert_memory_equal(&hash, &of->hashes[i], sizeof hash);
    }
    snprintf(folder, sizeof folder, "%s/shards", of->output);
    assert_int_equal(fsh_folder_sweep(folder, ".shard-", ".tmp", &swept, NULL), FSH_OK);
    assert_int_equal(swept, 0);
}

/* ---- other processes ---- */

/* Another process with this program: `PROGRAM ROLE ARGUMENT ...`. */
static inline pid_t
start(const char *role, const char *first, const char *second, const char *third)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl("/proc/self/exe", "queue", role, first, second, third, (char *)NULL);
        _exit(127);
    }
    return pid;
}

static inline int
coordinator_main(char *output, const char *address)
{
    scene *of = new_scene_in(output, RESTART_UNITS, 0);
    fsh_status status;

    of->options.address = address;
    of->options.told = NULL;
    of->options.grace_ms = LONG_MS;
    status = serve(of);
    free(of);
    return fsh_status_exit_code(status);
}

/* What this program is when it is started with arguments. */
static inline int
role_main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "worker") == 0)
        return worker_main(argc, argv);
    if (argc > 3 && strcmp(argv[1], "coordinator") == 0)
        return coordinator_main(argv[2], argv[3]);
    return fsh_child_main(&fake_work);
}

static inline void
wait_for_file(const scene *of, const char *name)
{
    char path[FSH_PATH_BYTES];

    snprintf(path, sizeof path, "%s/%s", of->output, name);
    while (!fsh_file_exists(path))
        usleep(1000);
}

#endif

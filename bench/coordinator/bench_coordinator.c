/* One real coordinator against a thousand simulated workers: units a second, time from DONE to
 * COMMITTED, processor time and memory of the coordinator, which is a process by itself. See
 * README.md beside this file.
 *
 *     bench_coordinator [UNITS [WORKERS [RATE...]]] */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "bench/coordinator/crowd.h"
#include "coordinator/coordinator.h"

static void
fail(const char *what)
{
    fprintf(stderr, "bench_coordinator: %s\n", what);
    exit(3);
}

/* Two descriptors a worker on each side. */
static void
raise_files(uint32_t workers)
{
    struct rlimit files;

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    if (files.rlim_cur < 4 * workers + 64 || setrlimit(RLIMIT_NOFILE, &files) != 0)
        fail("too few open files are allowed: ulimit -n");
}

/* ---- the coordinator's process ---- */

static void
on_told(void *self, const fsh_coordinator_event *event)
{
    int pipe_in = *(int *)self;

    if (event->kind == FSH_COORDINATOR_STARTED &&
        write(pipe_in, event->text, strlen(event->text) + 1) < 0)
        fail("the address cannot be told");
}

static int
coordinate(const char *output, uint32_t units, int pipe_in)
{
    uint32_t *samples = calloc(units, sizeof *samples), i;
    fsh_coordinator_work work = {.output = output,
                                 .job = "simulated",
                                 .job_hash = "f00d",
                                 .input_hash = "beef",
                                 .units_n = units,
                                 .samples = samples};
    fsh_coordinator_options options;
    fsh_coordinator_totals totals;
    fsh_err err = {""};
    fsh_status status;

    for (i = 0; i < units; i++)
        samples[i] = 1;
    fsh_coordinator_options_init(&options);
    options.address = "tcp://127.0.0.1:*";
    options.self = &pipe_in;
    options.told = on_told;
    status = fsh_coordinator_serve(&work, &options, &totals, &err);
    if (status)
        fprintf(stderr, "coordinator: %s\n", err.text);
    free(samples);
    return status == FSH_OK && totals.units_done == units ? 0 : 3;
}

static pid_t
start_coordinator(const char *output, uint32_t units, char *address, size_t room)
{
    int ends[2];
    ssize_t n;
    pid_t pid;

    if (pipe(ends) != 0 || (pid = fork()) < 0)
        fail("no process can be started");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[0]);
        _exit(coordinate(output, units, ends[1]));
    }
    close(ends[1]);
    n = read(ends[0], address, room - 1);
    close(ends[0]);
    if (n <= 0)
        fail("the coordinator does not start");
    address[n] = '\0';
    return pid;
}

/* ---- what came out ---- */

static int
compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static double
milliseconds(const fsh_crowd_result *result, double share)
{
    return result->answers_n ? result->answer_us[(uint32_t)(share * (result->answers_n - 1))] / 1e3
                             : 0;
}

static double
seconds_of(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec * 1e-6;
}

static void
print_row(const fsh_crowd_options *options, fsh_crowd_result *result, const struct rusage *used)
{
    double processor = seconds_of(&used->ru_utime) + seconds_of(&used->ru_stime);
    char offered[32] = "all";

    if (options->rate > 0)
        snprintf(offered, sizeof offered, "%.0f/s", options->rate);
    qsort(result->answer_us, result->answers_n, sizeof *result->answer_us, compare);
    printf("%8s %9.0f %9.2f %9.2f %9.2f %13.1f %10.1f %9.0f %8u\n", offered,
           result->answers_n / result->seconds, milliseconds(result, 0.5),
           milliseconds(result, 0.99), milliseconds(result, 1), 1e6 * processor / options->units,
           1e6 * result->processor_seconds / options->units, (double)used->ru_maxrss / 1024,
           result->answers_n);
    fflush(stdout);
}

/* State lies here, on a disk that has to flush; the shards lie in memory, as they do not lie on
 * this machine's disk in a cluster either. */
static void
make_output(char output[], char shards[])
{
    char link[64];

    if (!mkdtemp(output) || !mkdtemp(shards))
        fail("no folder can be made here and in /dev/shm");
    snprintf(link, sizeof link, "%s/shards", output);
    if (symlink(shards, link) != 0)
        fail("no symbolic link can be made here");
}

static fsh_status
measure(uint32_t units, uint32_t workers, double rate, fsh_err *err)
{
    char output[] = "faceshard-bench-XXXXXX", shards[] = "/dev/shm/faceshard-bench-XXXXXX";
    char address[FSH_PATH_BYTES], command[128];
    fsh_crowd_options options = {address, output, workers, units, rate};
    fsh_crowd_result result;
    struct rusage used;
    fsh_status status;
    pid_t pid;
    int code;

    make_output(output, shards);
    pid = start_coordinator(output, units, address, sizeof address);
    status = fsh_crowd_run(&options, &result, err);
    if (status)
        kill(pid, SIGKILL);
    if (wait4(pid, &code, 0, &used) == pid && !status && code != 0)
        status = fsh_fail(err, FSH_INTERNAL, "the coordinator did not finish all units");
    if (!status)
        print_row(&options, &result, &used);
    fsh_crowd_result_fini(&result);
    snprintf(command, sizeof command, "rm -rf %s %s", output, shards);
    return system(command) == 0 ? status : FSH_IO;
}

int
main(int argc, char **argv)
{
    uint32_t units = argc > 1 ? (uint32_t)atoi(argv[1]) : 100000;
    uint32_t workers = argc > 2 ? (uint32_t)atoi(argv[2]) : 1000;
    fsh_err err = {""};
    fsh_status status;
    int i;

    if (units == 0 || workers == 0)
        fail("expected: [UNITS [WORKERS [RATE...]]]");
    raise_files(workers);
    printf("%u units, %u workers on one machine with them\n", units, workers);
    printf("%8s %9s %9s %9s %9s %13s %10s %9s %8s\n", "offered", "units/s", "p50 ms", "p99 ms",
           "max ms", "coord. us/unit", "crowd us", "MiB", "answers");
    status = measure(units, workers, 0, &err);
    for (i = 3; i < argc && !status; i++)
        status = measure(units, workers, atof(argv[i]), &err);
    if (status)
        fprintf(stderr, "bench_coordinator: %s\n", err.text);
    return fsh_status_exit_code(status);
}

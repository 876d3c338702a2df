/* The page of a large job, without the job: a coordinator's sight of so many workers and units is
 * made up and shown once a second, as the loop of a coordinator does. bench/page/crowded.py starts
 * this and looks.
 *
 *     bench_page OUT [UNITS [WORKERS [SECONDS [UNITS A SECOND]]]]
 *
 * Prints the page's address as a line of JSON, and at the end what showing has cost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/files.h"
#include "job/paths.h"
#include "page/live.h"

typedef struct scene {
    fsh_coordinator_totals totals;
    fsh_coordinator_worker *workers;
    char (*hosts)[32];
    uint8_t *states;
    uint32_t units, workers_n, done;
} scene;

static void
fail(const char *what)
{
    fprintf(stderr, "bench_page: %s\n", what);
    exit(3);
}

static double
now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double
processor_s(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
           1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static void
begin(scene *of)
{
    uint32_t i;

    of->workers = calloc(of->workers_n, sizeof *of->workers);
    of->hosts = calloc(of->workers_n, sizeof *of->hosts);
    of->states = calloc(of->units, 1);
    if (!of->workers || !of->hosts || !of->states)
        fail("no memory");
    of->totals.units = of->units;
    of->totals.samples = 500ull * of->units;
    of->totals.workers = of->workers_n;
    for (i = 0; i < of->workers_n; i++) {
        snprintf(of->hosts[i], sizeof of->hosts[i], "node-%04u.example", i / 16);
        of->workers[i] = (fsh_coordinator_worker){
            .host = of->hosts[i], .pid = 1000 + i, .held = 1, .unit = i % of->units};
    }
}

/* A second later: every unit in work is further, the next `rate` units are done and lent in their
 * places; some workers are late. */
static void
go_on(scene *of, uint32_t rate)
{
    uint32_t i;

    for (i = 0; i < rate && of->done < of->units; i++)
        of->states[of->done++] = FSH_UNIT_COMMITTED;
    for (i = 0; i < of->workers_n; i++) {
        fsh_coordinator_worker *worker = &of->workers[i];
        uint32_t unit = of->done + i;

        worker->unit = unit < of->units ? unit : FSH_COORDINATOR_NO_UNIT;
        worker->done = (double)((i * 37u + of->done) % 100u) / 100;
        worker->here_ms += 1000;
        worker->heard_ms = i % 97 == 0 ? worker->heard_ms + 1000 : 500;
        worker->samples_done += 50;
        if (unit < of->units)
            of->states[unit] = FSH_UNIT_LENT;
    }
    of->totals.units_done = of->done;
    of->totals.samples_done = 500ull * of->done;
    of->totals.images = of->totals.delivered = of->totals.samples_done;
}

static fsh_live *
open_live(const char *output)
{
    static fsh_job job;
    fsh_live_options options = {"127.0.0.1:0", ""};
    fsh_live *live = NULL;
    char state[FSH_PATH_BYTES];
    fsh_err err = {""};

    snprintf(job.output, sizeof job.output, "%s", output);
    snprintf(job.input, sizeof job.input, "%s", output);
    snprintf(job.hash, sizeof job.hash, "%064d", 0);
    if (fsh_path_join(state, output, FSH_PATH_STATE, &err) || fsh_folder_make(state, &err) ||
        fsh_live_open(&job, &options, &live, &err))
        fail(err.text);
    printf("{\"address\":\"%s\"}\n", fsh_live_address(live));
    fflush(stdout);
    return live;
}

int
main(int argc, char **argv)
{
    scene of = {.units = argc > 2 ? (uint32_t)atoi(argv[2]) : 100000,
                .workers_n = argc > 3 ? (uint32_t)atoi(argv[3]) : 2000};
    uint32_t seconds = argc > 4 ? (uint32_t)atoi(argv[4]) : 30,
             rate = argc > 5 ? (uint32_t)atoi(argv[5]) : 300, i;
    double shown = 0, most = 0, spent;
    fsh_manifest_totals planned = {
        .samples = 500ull * of.units, .identities = of.units, .units = of.units};
    fsh_live *live;

    if (argc < 2 || !of.units || !of.workers_n)
        fail("bench_page OUT [UNITS [WORKERS [SECONDS [UNITS A SECOND]]]]");
    begin(&of);
    live = open_live(argv[1]);
    fsh_live_plan(live, &planned);
    for (i = 0, spent = processor_s(); i < seconds; i++) {
        fsh_coordinator_sight sight = {&of.totals, of.workers, of.workers_n,
                                       of.units,   of.states,  false};
        const struct timespec second = {1, 0};
        double began;

        go_on(&of, rate);
        began = now_s();
        fsh_live_see(live, &sight);
        began = now_s() - began;
        shown += began;
        most = began > most ? began : most;
        nanosleep(&second, NULL);
    }
    spent = processor_s() - spent;
    printf(
        "{\"looks\":%u,\"loop_ms_mean\":%.3f,\"loop_ms_most\":%.3f,\"processor_ms_a_look\":%.2f}\n",
        seconds, 1e3 * shown / seconds, 1e3 * most, 1e3 * spent / seconds);
    fsh_live_close(&live);
    free(of.workers);
    free(of.hosts);
    free(of.states);
    return 0;
}

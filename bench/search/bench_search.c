/* Nearest neighbours of all probes, best of some rounds, with the threads that OMP_NUM_THREADS
 * says: bench_search GALLERY PROBES DIMENSION K ROWS GALLERY and PROBES are float32, row after row;
 * the K rows of each probe go to ROWS as uint32. */
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/files.h"
#include "evaluate/search.h"

enum { ROUNDS = 3 };

static const size_t file_bytes_max = (size_t)8 << 30;

static double
processor_s(void)
{
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           1e-6 * (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

static double
clock_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static fsh_status
run(const fsh_search_gallery *gallery, const float *probes, uint64_t n, uint32_t k,
    fsh_search_hit *hits, fsh_err *err)
{
    double best_s = DBL_MAX, best_cpu_s = DBL_MAX,
           flop = 2.0 * (double)n * gallery->n * gallery->dimension;
    fsh_status status = FSH_OK;
    uint64_t fallbacks = 0;
    int round;

    for (round = 0; round < ROUNDS && !status; round++) {
        double start = clock_s(), cpu_start = processor_s();
        fsh_search *search = NULL;

        status = fsh_search_new(gallery, &search, err);
        if (!status)
            status = fsh_search_run(search, probes, n, k, hits, NULL, err);
        if (!status)
            fallbacks = fsh_search_fallbacks(search);
        fsh_search_free(search);
        best_s = clock_s() - start < best_s ? clock_s() - start : best_s;
        best_cpu_s =
            processor_s() - cpu_start < best_cpu_s ? processor_s() - cpu_start : best_cpu_s;
    }
    if (!status)
        printf("{\"seconds\": %.4f, \"processor_seconds\": %.4f, \"gflop_per_processor_second\": "
               "%.1f, \"fallbacks\": %llu}\n",
               best_s, best_cpu_s, 1e-9 * flop / best_cpu_s, (unsigned long long)fallbacks);
    return status;
}

static fsh_status
write_rows(const fsh_search_hit *hits, size_t n, const char *path, fsh_err *err)
{
    uint32_t *rows = malloc((n + 1) * sizeof *rows);
    fsh_status status = rows ? FSH_OK : fsh_fail(err, FSH_MEMORY, "out of memory");
    size_t i;

    for (i = 0; i < n && !status; i++)
        rows[i] = hits[i].row;
    if (!status)
        status = fsh_file_write(path, rows, n * sizeof *rows, err);
    free(rows);
    return status;
}

int
main(int argc, char **argv)
{
    uint8_t *gallery = NULL, *probes = NULL;
    size_t gallery_bytes = 0, probes_bytes = 0, row_bytes, n;
    uint32_t dimension, k;
    fsh_search_hit *hits;
    fsh_status status;
    fsh_err err = {""};

    if (argc != 6 || atoi(argv[3]) <= 0 || atoi(argv[4]) <= 0) {
        fprintf(stderr, "usage: bench_search GALLERY PROBES DIMENSION K ROWS\n");
        return 2;
    }
    dimension = (uint32_t)atoi(argv[3]);
    k = (uint32_t)atoi(argv[4]);
    row_bytes = dimension * sizeof(float);
    status = fsh_file_read(argv[1], file_bytes_max, &gallery, &gallery_bytes, &err);
    if (!status)
        status = fsh_file_read(argv[2], file_bytes_max, &probes, &probes_bytes, &err);
    n = probes_bytes / row_bytes;
    hits = malloc((n * k + 1) * sizeof *hits);
    if (!status) {
        const fsh_search_gallery of = {(const float *)(const void *)gallery, NULL,
                                       (uint32_t)(gallery_bytes / row_bytes), 0, dimension};

        status = run(&of, (const float *)(const void *)probes, n, k, hits, &err);
    }
    if (!status)
        status = write_rows(hits, n * k, argv[5], &err);
    if (status)
        fprintf(stderr, "bench_search: %s\n", err.text);
    free(hits);
    free(gallery);
    free(probes);
    return status != FSH_OK;
}

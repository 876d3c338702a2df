/* What planning a large dataset costs: the manifest of millions of generated names, the scan of a
 * real folder tree of empty files, and of one large file in each format. Each is measured in a
 * process by itself. See README.md beside this file.
 *
 *     bench_plan [SAMPLES [IDENTITIES [FILES [BYTES [FORMAT]]]]] */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "bench/plan/large.h"
#include "datasets/manifest.h"
#include "datasets/readers.h"

enum { IMAGES_PER_UNIT = 512 };

static uint64_t samples_n = 8456240, identities_n = 99892, files_n = 500000; /* MS-Celeb-1M */
static uint64_t picture_bytes;

static void
fail(const char *what)
{
    fprintf(stderr, "bench_plan: %s: %s\n", what, strerror(errno));
    exit(3);
}

/* ---- a dataset of which there are only the names, as long as those of MS-Celeb-1M ---- */

/* Identity i has the samples from first_of(i) to first_of(i + 1). */
static uint64_t
first_of(uint64_t identity)
{
    return samples_n * identity / identities_n;
}

static fsh_status
scan_names(const char *input, const fsh_scan_sink *sink, fsh_err *err)
{
    char name[64];
    fsh_status status = FSH_OK;
    uint64_t i, k;

    (void)input;
    for (i = 0; i < identities_n && !status; i++) {
        snprintf(name, sizeof name, "m.%07llx", (unsigned long long)i);
        status = sink->identity(sink->self, name, err);
        for (k = first_of(i); k < first_of(i + 1) && !status; k++) {
            snprintf(name, sizeof name, "%llu-FaceId-0.jpg", (unsigned long long)k);
            status = sink->sample(sink->self, name, err);
        }
    }
    return status;
}

static const fsh_reader names_only = {
    .format = "names", .summary = "generated", .scan = scan_names};

/* ---- the first of these as a real tree of empty files ---- */

static void
make_identity(const char *folder, uint64_t identity)
{
    char name[64];
    uint64_t k;
    int dir;

    if (mkdir(folder, 0777) != 0 || (dir = open(folder, O_DIRECTORY | O_CLOEXEC)) < 0)
        fail(folder);
    for (k = first_of(identity); k < first_of(identity + 1); k++) {
        int file;

        snprintf(name, sizeof name, "%llu-FaceId-0.jpg", (unsigned long long)k);
        file = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        if (file < 0)
            fail(name);
        close(file);
    }
    close(dir);
}

static void
make_tree(const char *folder)
{
    char path[FSH_PATH_BYTES];
    uint64_t i;

    if (mkdir(folder, 0777) != 0)
        fail(folder);
    for (i = 0; i < identities_n && first_of(i) < files_n; i++) {
        snprintf(path, sizeof path, "%s/m.%07llx", folder, (unsigned long long)i);
        make_identity(path, i);
    }
}

/* ---- measuring ---- */

static int
build(const fsh_reader *reader, const char *input, const char *manifest)
{
    fsh_manifest_totals totals;
    fsh_err err = {""};
    fsh_status status =
        fsh_manifest_build(manifest, reader, input, "", IMAGES_PER_UNIT, NULL, NULL, &totals, &err);

    if (status)
        fprintf(stderr, "bench_plan: %s\n", err.text);
    else
        printf("%llu samples, %llu identities, %llu units", (unsigned long long)totals.samples,
               (unsigned long long)totals.identities, (unsigned long long)totals.units);
    fflush(stdout);
    return fsh_status_exit_code(status);
}

static double
now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static double
processor_seconds(const struct rusage *used)
{
    return (double)(used->ru_utime.tv_sec + used->ru_stime.tv_sec) +
           (double)(used->ru_utime.tv_usec + used->ru_stime.tv_usec) * 1e-6;
}

static void
measure(const char *what, const fsh_reader *reader, const char *input, const char *manifest)
{
    double begin = now();
    struct rusage used;
    struct stat file;
    int code;
    pid_t pid;

    printf("%-10s ", what);
    fflush(stdout);
    pid = fork();
    if (pid == 0)
        _exit(build(reader, input, manifest));
    if (pid < 0 || wait4(pid, &code, 0, &used) != pid || code != 0 || stat(manifest, &file) != 0)
        fail("no manifest was made");
    printf(": %.2f s (%.2f s of processor), %.0f MiB at most, manifest of %.0f MB\n", now() - begin,
           processor_seconds(&used), (double)used.ru_maxrss / 1024, (double)file.st_size / 1e6);
}

/* ---- large files ---- */

/* Lets the system forget a file, so that the disk is measured too. */
static void
forget(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0 || fdatasync(file) != 0 || posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) != 0)
        fail(path);
    close(file);
}

/* What the disk gives to who does nothing with it. */
static void
measure_reading(const char *path)
{
    enum { PIECE = 1 << 20 };
    double begin = now();
    char *data = malloc(PIECE);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    uint64_t bytes = 0;
    ssize_t n;

    if (!data || file < 0)
        fail(path);
    while ((n = read(file, data, PIECE)) > 0)
        bytes += (uint64_t)n;
    printf("  read       %.2f s, %.0f MB/s\n", now() - begin, (double)bytes / 1e6 / (now() - begin));
    close(file);
    free(data);
}

/* Once from the disk and once from memory, as far as it holds the file. */
static void
measure_file(const char *what, const char *format, const char *input, const char *file, uint64_t bytes,
             const char *manifest)
{
    const fsh_reader *reader = fsh_reader_find(format);

    printf("%s, %.2f GB\n", what, (double)bytes / 1e9);
    forget(file);
    measure_reading(file);
    forget(file);
    measure("  disk", reader, input, manifest);
    measure("  memory", reader, input, manifest);
}

static void
measure_large(const char *folder, const char *only, const char *manifest)
{
    const large_plan plan = {samples_n, identities_n, picture_bytes};
    char path[128], file[160], index[160];

    snprintf(path, sizeof path, "%s/large", folder);
    snprintf(file, sizeof file, "%s/train.rec", path);
    snprintf(index, sizeof index, "%s/train.idx", path);
    if (!*only || strcmp(only, "mscelebtsv") == 0) {
        measure_file("tsv", "mscelebtsv", path, path, large_tsv(path, &plan), manifest);
        unlink(path);
    }
    if (!*only || strcmp(only, "tar") == 0) {
        measure_file("tar", "tar", path, path, large_tar(path, &plan), manifest);
        unlink(path);
    }
    if (strcmp(only, "list") == 0) {
        uint64_t bytes;

        snprintf(path, sizeof path, "%s/large.csv", folder);
        bytes = large_list(path, &plan);
        measure_file("list", "list", path, path, bytes, manifest);
        unlink(path);
    }
    if (!*only || strcmp(only, "recordio") == 0) {
        uint64_t bytes = large_records(path, &plan);

        measure_file("rec with idx", "recordio", path, file, bytes, manifest);
        unlink(index);
        measure_file("rec without", "recordio", path, file, bytes, manifest);
    }
}

int
main(int argc, char **argv)
{
    char folder[] = "faceshard-bench-XXXXXX", tree[64], manifest[64], command[64];

    samples_n = argc > 1 ? strtoull(argv[1], NULL, 10) : samples_n;
    identities_n = argc > 2 ? strtoull(argv[2], NULL, 10) : identities_n;
    files_n = argc > 3 ? strtoull(argv[3], NULL, 10) : files_n;
    picture_bytes = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;
    if (!mkdtemp(folder))
        fail("no folder can be made here");
    snprintf(tree, sizeof tree, "%s/tree", folder);
    snprintf(manifest, sizeof manifest, "%s/manifest.h5", folder);
    if (files_n) {
        measure("names", &names_only, "generated", manifest);
        make_tree(tree);
        measure("tree", fsh_reader_find("folders"), tree, manifest);
    }
    if (picture_bytes)
        measure_large(folder, argc > 5 ? argv[5] : "", manifest);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? 0 : 3;
}

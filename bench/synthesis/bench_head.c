/* How well the head is fitted that masks, glasses and turned views lie on: its turn beside the true
 * one of people who were drawn. bench_head INDEX.h5 TRUTH.tsv, see README.md beside this file. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shards/read.h"
#include "stages/head.h"

enum { ANGLES_N = 3, LINE_BYTES = 4096 };

static const char *const angle_names[ANGLES_N] = {"yaw", "pitch", "roll"};

typedef struct faces {
    uint64_t n;
    fsh_point (*landmarks)[FSH_LANDMARKS_N];
    fsh_box *boxes;
    char **sources;
} faces;

typedef struct errors {
    float *of[ANGLES_N]; /* fitted less true, degrees */
    uint64_t n, unfit;
    double microseconds;
} errors;

static void
stop_on(fsh_status status, const fsh_err *err)
{
    if (!status)
        return;
    fprintf(stderr, "bench_head: %s\n", err->text);
    exit(3);
}

static void *
take(size_t n, size_t bytes)
{
    void *made = calloc(n + 1, bytes);

    if (!made) {
        fprintf(stderr, "bench_head: out of memory\n");
        exit(3);
    }
    return made;
}

static faces
read_faces(const char *path)
{
    fsh_shard_file *file = NULL;
    fsh_err err = {""};
    faces f;

    stop_on(fsh_shard_open(path, &file, &err), &err);
    f.n = fsh_shard_get_info(file)->rows[FSH_TABLE_ROWS];
    f.landmarks = take(f.n, sizeof *f.landmarks);
    f.boxes = take(f.n, sizeof *f.boxes);
    stop_on(fsh_shard_read(file, FSH_COLUMN_LANDMARKS, 0, f.n, f.landmarks, &err), &err);
    stop_on(fsh_shard_read(file, FSH_COLUMN_BOX, 0, f.n, f.boxes, &err), &err);
    stop_on(fsh_shard_read_texts(file, FSH_COLUMN_SOURCE, 0, f.n, &f.sources, &err), &err);
    fsh_shard_close(&file);
    return f;
}

static uint64_t
find_face(const faces *f, const char *source)
{
    uint64_t i = 0;

    while (i < f->n && strcmp(f->sources[i], source) != 0)
        i++;
    return i;
}

static void
compare(const faces *f, uint64_t face, const double truth[ANGLES_N], errors *found)
{
    float aspect = (float)f->boxes[face].height / (float)f->boxes[face].width;
    clock_t since = clock();
    fsh_head head;
    int i;

    if (fsh_head_fit(f->landmarks[face], aspect, &head)) {
        found->unfit++;
        return;
    }
    found->microseconds += 1e6 * (double)(clock() - since) / CLOCKS_PER_SEC;
    for (i = 0; i < ANGLES_N; i++)
        found->of[i][found->n] = (float)((double)(i == 0   ? head.yaw
                                                  : i == 1 ? head.pitch
                                                           : head.roll) -
                                         truth[i]);
    found->n++;
}

/* path, shows, planted, reason, yaw, pitch, roll. */
static void
read_truth(const char *path, const faces *f, errors *found)
{
    FILE *file = fopen(path, "r");
    char line[LINE_BYTES], source[LINE_BYTES], planted[LINE_BYTES];
    double truth[ANGLES_N];

    if (!file) {
        fprintf(stderr,
                "bench_head: %s: cannot be read; it is the truth.tsv of faceshard generate\n",
                path);
        exit(3);
    }
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "%4095[^\t]\t%*[^\t]\t%4095[^\t]\t%*[^\t]\t%lf\t%lf\t%lf", source, planted,
                   &truth[0], &truth[1], &truth[2]) == 2 + ANGLES_N) {
            uint64_t face = find_face(f, source);

            truth[2] = -truth[2]; /* theirs is against the clock */
            if (face < f->n)
                compare(f, face, truth, found);
        }
    fclose(file);
}

static int
by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

/* Mean, then what is left after it: in the middle, and for 95 %. */
static void
print_angle(const char *name, float *errors_of, uint64_t n)
{
    double sum = 0;
    uint64_t i;

    for (i = 0; i < n; i++)
        sum += (double)errors_of[i];
    for (i = 0; i < n; i++)
        errors_of[i] = fabsf(errors_of[i] - (float)(sum / (double)n));
    qsort(errors_of, n, sizeof *errors_of, by_size);
    printf("%-6s mean %5.1f  off after it: half under %4.1f, 95 %% under %4.1f degrees\n", name,
           sum / (double)n, (double)errors_of[n / 2], (double)errors_of[95 * n / 100]);
}

int
main(int argc, char **argv)
{
    errors found = {{NULL}, 0, 0, 0};
    faces f;
    int i;

    if (argc != 3) {
        fprintf(stderr, "bench_head INDEX.h5 TRUTH.tsv\n");
        return 2;
    }
    f = read_faces(argv[1]);
    for (i = 0; i < ANGLES_N; i++)
        found.of[i] = take(f.n, sizeof **found.of);
    read_truth(argv[2], &f, &found);
    printf("%llu faces, %llu that no head fits\n", (unsigned long long)found.n,
           (unsigned long long)found.unfit);
    for (i = 0; i < ANGLES_N && found.n; i++)
        print_angle(angle_names[i], found.of[i], found.n);
    if (found.n)
        printf("a fit takes %.0f us\n", found.microseconds / (double)found.n);
    return 0;
}

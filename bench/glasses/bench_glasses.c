/* Where glasses lie on real faces, by the 68 points of each, and what one pair takes. See README.md
 * beside this file.
 *
 *     bench_glasses INDEX.h5
 *
 * Coverage is what black, opaque sunglasses leave of a white picture, with light, shadow and glare
 * off. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shards/read.h"
#include "stages/head.h"
#include "stages/table.h"

enum { BINS_N = 4, COVERED = 128 };
static const float bin_end[BINS_N] = {15, 30, 45, 90}; /* degrees of yaw to either side */

typedef struct faces {
    uint64_t n;
    uint32_t size;
    fsh_point (*landmarks)[FSH_LANDMARKS_N];
    uint64_t *keys;
} faces;

typedef struct opened {
    const fsh_stage *stage;
    void *params, *state;
} opened;

typedef struct tally {
    uint32_t faces, worn, eyes, mouth, reasons[FSH_REASON_N];
} tally;

static void
stop_on(fsh_status status, const fsh_err *err)
{
    if (!status)
        return;
    fprintf(stderr, "bench_glasses: %s\n", err->text);
    exit(3);
}

static faces
read_faces(const char *path)
{
    fsh_shard_file *file = NULL;
    fsh_err err = {""};
    faces f;

    stop_on(fsh_shard_open(path, &file, &err), &err);
    f.n = fsh_shard_get_info(file)->rows[FSH_TABLE_ROWS];
    f.size = fsh_shard_get_info(file)->meta.size;
    f.landmarks = calloc(f.n + 1, sizeof *f.landmarks);
    f.keys = calloc(f.n + 1, sizeof *f.keys);
    if (!f.landmarks || !f.keys)
        exit(3);
    stop_on(fsh_shard_read(file, FSH_COLUMN_LANDMARKS, 0, f.n, f.landmarks, &err), &err);
    stop_on(fsh_shard_read(file, FSH_COLUMN_SAMPLE_ID, 0, f.n, f.keys, &err), &err);
    fsh_shard_close(&file);
    return f;
}

/* A stage with some parameters set: name, text, name, text, NULL. */
static opened
open_stage(const char *name, uint32_t size, const char *const *settings)
{
    fsh_stage_env env = {
        .seed = 1, .size = size, .threads = 1, .templates = FSH_SOURCE_DIR "/datasets/templates"};
    opened o = {fsh_stage_find(name), NULL, NULL};
    fsh_err err = {""};
    const fsh_arg *row;

    o.params = calloc(1, o.stage->params_size);
    stop_on(o.params ? fsh_args_defaults(o.stage->args, o.params, &err) : FSH_MEMORY, &err);
    for (; settings[0]; settings += 2)
        for (row = o.stage->args; row->name; row++)
            if (strcmp(row->name, settings[0]) == 0)
                stop_on(fsh_arg_set(row, o.params, settings[1], &err), &err);
    stop_on(o.stage->open(&env, o.params, &o.state, &err), &err);
    return o;
}

static void
close_stage(opened *o)
{
    o->stage->close(o->state);
    free(o->params);
}

/* Puts glasses on a white picture. */
static fsh_reason
wear(const opened *o, const faces *f, uint64_t face, fsh_image *image)
{
    fsh_canvas canvas = {.image = *image, .has_landmarks = true};

    memset(image->data, 255, fsh_image_bytes(image));
    memcpy(canvas.landmarks, f->landmarks[face], sizeof canvas.landmarks);
    canvas.rng = fsh_rng_new(1, o->stage->id, f->keys[face], 0);
    return o->stage->synthesise(o->state, o->params, 0, &canvas);
}

/* Points outside of the picture are not covered. */
static bool
is_covered(const fsh_image *image, fsh_point at)
{
    int32_t x = (int32_t)lroundf(at.x), y = (int32_t)lroundf(at.y);

    return x >= 0 && y >= 0 && x < image->width && y < image->height &&
           fsh_image_at(image, x, y)[1] < COVERED;
}

static bool
has_both_eyes_covered(const fsh_image *image, const fsh_point *p)
{
    return is_covered(image, fsh_points_mean(p + 36, 6)) &&
           is_covered(image, fsh_points_mean(p + 42, 6));
}

/* Tip of the nose and mouth. */
static bool
leaves_rest_free(const fsh_image *image, const fsh_point *p)
{
    int i;

    for (i = 48; i <= 67; i++)
        if (is_covered(image, p[i]))
            return false;
    return !is_covered(image, p[30]);
}

static tally *
bin_of(tally bins[BINS_N], const fsh_point *landmarks)
{
    fsh_head head;
    int i = 0;

    if (fsh_head_fit(landmarks, 1, &head) == FSH_REASON_NONE)
        while (i < BINS_N - 1 && fabsf(head.yaw) > bin_end[i])
            i++;
    else
        i = BINS_N - 1;
    return &bins[i];
}

static void
judge_placement(const faces *f, fsh_image *image)
{
    static const char *const settings[] = {
        "template", "classic-black", "light", "0", "shadow", "0", "glare", "0", "tint", "0", NULL};
    opened o = open_stage("sunglasses", f->size, settings);
    tally bins[BINS_N] = {{0}};
    uint64_t i;
    int b;

    for (i = 0; i < f->n; i++) {
        tally *bin = bin_of(bins, f->landmarks[i]);
        fsh_reason reason = wear(&o, f, i, image);

        bin->faces++;
        bin->worn += !reason;
        bin->reasons[reason]++;
        bin->eyes += !reason && has_both_eyes_covered(image, f->landmarks[i]);
        bin->mouth += !reason && leaves_rest_free(image, f->landmarks[i]);
    }
    printf("yaw under  faces  worn  eyes behind lenses %%  nose tip and mouth free %%\n");
    for (b = 0; b < BINS_N; b++)
        printf("%9.0f %6u %5u %21.1f %26.1f\n", bin_end[b], bins[b].faces, bins[b].worn,
               100.0 * bins[b].eyes / fmax(bins[b].worn, 1),
               100.0 * bins[b].mouth / fmax(bins[b].worn, 1));
    close_stage(&o);
}

static double
now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void
measure_time(const faces *f, const char *stage, fsh_image *image)
{
    static const char *const nothing[] = {NULL};
    opened o = open_stage(stage, f->size, nothing);
    double before = now_us();
    uint64_t i;

    for (i = 0; i < f->n; i++)
        wear(&o, f, i, image);
    printf("%-11s %4.0f us a pair at %u px\n", stage, (now_us() - before) / (double)f->n, f->size);
    close_stage(&o);
}

int
main(int argc, char **argv)
{
    fsh_image image = {0};
    faces f;

    if (argc != 2) {
        fprintf(stderr, "usage: bench_glasses INDEX.h5\n");
        return 2;
    }
    f = read_faces(argv[1]);
    if (fsh_image_init(&image, (int32_t)f.size, (int32_t)f.size, 3))
        return 3;
    judge_placement(&f, &image);
    measure_time(&f, "glasses", &image);
    measure_time(&f, "sunglasses", &image);
    fsh_image_fini(&image);
    free(f.landmarks);
    free(f.keys);
    return 0;
}

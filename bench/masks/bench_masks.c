/* Where masks lie on real faces, by the 68 points of each, and what one takes. See README.md beside
 * this file.
 *
 *     bench_masks INDEX.h5 [FAILED.tsv]
 *
 * A mask's coverage is what the stage leaves of a white picture and adds to a black one, with light
 * and shadow off: exactly its alpha, whatever its colours. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shards/read.h"
#include "stages/head.h"
#include "stages/table.h"

enum { COVERED = 128, BINS_N = 3, OUTLINE_N = 27 };

/* How far beyond the jaw line, as a share of the distance from eyes to chin, and how much of the
 * mask. */
static const float beyond = 0.08f, beyond_share = 0.01f;
static const float bin_end[BINS_N] = {30, 45, 90}; /* degrees of yaw to either side */

typedef struct way {
    const char *name;
    const char *settings[2][2];
} way;

static const way ways[] = {{"fitted", {{"style", "fitted"}}}, {"overlay", {{"style", "overlay"}}}};
enum { WAYS_N = sizeof ways / sizeof *ways };

typedef struct verdict {
    fsh_reason reason;
    bool covers, eyes_free, within;
    float outside; /* share of the mask */
} verdict;

typedef struct tally {
    uint32_t faces, worn, covers, eyes_free, within, all;
    uint32_t reasons[FSH_REASON_N];
    double microseconds;
} tally;

typedef struct faces {
    uint64_t n;
    uint32_t size;
    fsh_point (*landmarks)[FSH_LANDMARKS_N];
    fsh_box *boxes;
    uint64_t *keys;
    char **sources;
} faces;

static void
stop_on(fsh_status status, const fsh_err *err)
{
    if (!status)
        return;
    fprintf(stderr, "bench_masks: %s\n", err->text);
    exit(3);
}

static faces
read_faces(const char *path)
{
    fsh_shard_file *file = NULL;
    const fsh_shard_info *info;
    fsh_err err = {""};
    faces f;

    stop_on(fsh_shard_open(path, &file, &err), &err);
    info = fsh_shard_get_info(file);
    f.n = info->rows[FSH_TABLE_ROWS];
    f.size = info->meta.size;
    f.landmarks = calloc(f.n + 1, sizeof *f.landmarks);
    f.boxes = calloc(f.n + 1, sizeof *f.boxes);
    f.keys = calloc(f.n + 1, sizeof *f.keys);
    if (!f.landmarks || !f.boxes || !f.keys)
        exit(3);
    stop_on(fsh_shard_read(file, FSH_COLUMN_LANDMARKS, 0, f.n, f.landmarks, &err), &err);
    stop_on(fsh_shard_read(file, FSH_COLUMN_BOX, 0, f.n, f.boxes, &err), &err);
    stop_on(fsh_shard_read(file, FSH_COLUMN_SAMPLE_ID, 0, f.n, f.keys, &err), &err);
    stop_on(fsh_shard_read_texts(file, FSH_COLUMN_SOURCE, 0, f.n, &f.sources, &err), &err);
    fsh_shard_close(&file);
    return f;
}

static void *
make_params(const fsh_stage *stage, const way *w)
{
    void *params = calloc(1, stage->params_size);
    const char *const off[][2] = {{"light", "0"}, {"shadow", "0"}};
    const fsh_arg *row;
    fsh_err err = {""};
    int i;

    stop_on(params ? fsh_args_defaults(stage->args, params, &err) : FSH_MEMORY, &err);
    for (row = stage->args; row->name; row++)
        for (i = 0; i < 2; i++) {
            if (strcmp(row->name, off[i][0]) == 0)
                stop_on(fsh_arg_set(row, params, off[i][1], &err), &err);
            if (w->settings[i][0] && strcmp(row->name, w->settings[i][0]) == 0)
                stop_on(fsh_arg_set(row, params, w->settings[i][1], &err), &err);
        }
    return params;
}

static double
microseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* The mask on a picture of one brightness. */
static fsh_reason
wear_on(const fsh_stage *stage, void *state, const void *params, const faces *f, uint64_t face,
        int brightness, fsh_image *image)
{
    fsh_face facts = {.crop = f->boxes[face]};
    fsh_canvas canvas = {.image = *image, .has_landmarks = true, .face = &facts};
    fsh_reason reason;

    memset(image->data, brightness, fsh_image_bytes(image));
    memcpy(canvas.landmarks, f->landmarks[face], sizeof canvas.landmarks);
    canvas.rng = fsh_rng_new(1, stage->id, f->keys[face], 0);
    reason = stage->synthesise(state, params, 0, &canvas);
    *image = canvas.image;
    return reason;
}

/* black becomes the alpha of the mask. */
static void
make_alpha(fsh_image *black, const fsh_image *white)
{
    size_t i, n = fsh_image_bytes(black);

    for (i = 0; i < n; i++)
        black->data[i] = (uint8_t)fsh_clampi(255 - (white->data[i] - black->data[i]), 0, 255);
}

static bool
is_covered(const fsh_image *alpha, fsh_point at)
{
    int32_t x = (int32_t)lroundf(at.x), y = (int32_t)lroundf(at.y);

    return x >= 0 && y >= 0 && x < alpha->width && y < alpha->height &&
           fsh_image_at(alpha, x, y)[1] >= COVERED;
}

/* How many of landmarks first to last lie in the picture, and how many of them under the mask. */
static bool
all_covered(const fsh_image *alpha, const fsh_point *p, int first, int last, bool wanted)
{
    int i;

    for (i = first; i <= last; i++) {
        bool seen = p[i].x >= 0 && p[i].y >= 0 && p[i].x < (float)alpha->width &&
                    p[i].y < (float)alpha->height;

        if (seen && is_covered(alpha, p[i]) != wanted)
            return false;
    }
    return true;
}

/* Jaw and brows: what is looked at as the outline of the face. */
static void
make_outline(const fsh_point *p, fsh_point outline[OUTLINE_N])
{
    int i;

    for (i = 0; i < 17; i++)
        outline[i] = p[i];
    for (i = 17; i < OUTLINE_N; i++)
        outline[i] = p[43 - i];
}

/* How far a point lies outside of the outline, px. */
static float
distance_outside(const fsh_point outline[OUTLINE_N], fsh_point at)
{
    float best = INFINITY;
    bool inside = false;
    int i;

    for (i = 0; i < OUTLINE_N; i++) {
        fsh_point a = outline[i], b = outline[(i + 1) % OUTLINE_N];
        float ex = b.x - a.x, ey = b.y - a.y, dx = at.x - a.x, dy = at.y - a.y;
        float t = fsh_clampf((dx * ex + dy * ey) / (ex * ex + ey * ey + 1e-6f), 0, 1);

        best = fminf(best, hypotf(dx - t * ex, dy - t * ey));
        if ((a.y > at.y) != (b.y > at.y) && at.x < a.x + ex * dy / ey)
            inside = !inside;
    }
    return inside ? 0 : best;
}

static float
share_outside(const fsh_image *alpha, const fsh_point *p, float tolerance)
{
    fsh_point outline[OUTLINE_N];
    uint32_t mask = 0, out = 0;
    int32_t x, y;

    make_outline(p, outline);
    for (y = 0; y < alpha->height; y++)
        for (x = 0; x < alpha->width; x++)
            if (fsh_image_at(alpha, x, y)[1] >= COVERED) {
                mask++;
                out += distance_outside(outline, (fsh_point){(float)x, (float)y}) > tolerance;
            }
    return mask ? (float)out / (float)mask : 0;
}

static verdict
judge(const fsh_image *alpha, const fsh_point *p)
{
    fsh_point eyes = fsh_points_mean(p + 36, 12);
    verdict v = {.reason = FSH_REASON_NONE};

    v.covers = all_covered(alpha, p, 48, 67, true) && all_covered(alpha, p, 30, 30, true);
    v.eyes_free = all_covered(alpha, p, 36, 47, false);
    v.outside = share_outside(alpha, p, beyond * hypotf(p[8].x - eyes.x, p[8].y - eyes.y));
    v.within = v.outside <= beyond_share;
    return v;
}

static void
count(tally *t, const verdict *v, double taken)
{
    t->faces++;
    t->reasons[v->reason]++;
    t->microseconds += taken;
    if (v->reason)
        return;
    t->worn++;
    t->covers += v->covers;
    t->eyes_free += v->eyes_free;
    t->within += v->within;
    t->all += v->covers && v->eyes_free && v->within;
}

static float
yaw_of(const fsh_point *landmarks, const fsh_box *box)
{
    fsh_head head;

    return fsh_head_fit(landmarks, (float)box->height / (float)box->width, &head) ? 90 : head.yaw;
}

static void
try_way(const way *w, const faces *f, FILE *failed, tally bins[BINS_N])
{
    const fsh_stage *stage = &fsh_stage_mask;
    fsh_stage_env env = {.seed = 1,
                         .size = f->size,
                         .threads = 1,
                         .templates = FSH_SOURCE_DIR "/datasets/templates"};
    int32_t size = (int32_t)f->size;
    void *params = make_params(stage, w), *state = NULL;
    fsh_image black, white;
    fsh_err err = {""};
    uint64_t i;

    stop_on(stage->open(&env, params, &state, &err), &err);
    if (fsh_image_init(&black, size, size, 3) || fsh_image_init(&white, size, size, 3))
        exit(3);
    for (i = 0; i < f->n; i++) {
        float yaw = yaw_of(f->landmarks[i], &f->boxes[i]);
        double begin = microseconds();
        fsh_reason reason = wear_on(stage, state, params, f, i, 0, &black);
        double taken = microseconds() - begin;
        verdict v = {.reason = reason};
        int bin = 0;

        while (bin + 1 < BINS_N && !(fabsf(yaw) < bin_end[bin]))
            bin++;
        if (!reason) {
            wear_on(stage, state, params, f, i, 255, &white);
            make_alpha(&black, &white);
            v = judge(&black, f->landmarks[i]);
        }
        count(&bins[bin], &v, taken);
        if (failed && (v.reason || !v.covers || !v.eyes_free || !v.within))
            fprintf(failed, "%s\t%s\t%.0f\t%s\t%d\t%d\t%.3f\n", w->name, f->sources[i], (double)yaw,
                    fsh_reason_code(v.reason), v.covers, v.eyes_free, (double)v.outside);
    }
    stage->close(state);
    fsh_image_fini(&black);
    fsh_image_fini(&white);
    free(params);
}

static void
print_bin(const way *w, int bin, const tally *t)
{
    double worn = t->worn ? t->worn : 1;
    int i;

    printf("%-10s %2.0f to %2.0f %6u %6u %8.2f %8.2f %8.2f %8.2f %7.0f", w->name,
           bin ? (double)bin_end[bin - 1] : 0.0, (double)bin_end[bin], t->faces, t->worn,
           100 * t->covers / worn, 100 * t->eyes_free / worn, 100 * t->within / worn,
           100 * t->all / worn, t->microseconds / (t->faces ? t->faces : 1));
    for (i = 1; i < FSH_REASON_N; i++)
        if (t->reasons[i])
            printf("  %s %u", fsh_reason_code((fsh_reason)i), t->reasons[i]);
    printf("\n");
}

int
main(int argc, char **argv)
{
    FILE *failed = argc > 2 ? fopen(argv[2], "w") : NULL;
    faces f;
    int w, bin;

    if (argc < 2) {
        fprintf(stderr, "usage: bench_masks INDEX.h5 [FAILED.tsv]\n");
        return 2;
    }
    f = read_faces(argv[1]);
    printf("style       degrees  faces   worn   covers     eyes   within      all      us  not put "
           "on\n");
    for (w = 0; w < WAYS_N; w++) {
        tally bins[BINS_N] = {{0}};

        try_way(&ways[w], &f, failed, bins);
        for (bin = 0; bin < BINS_N; bin++)
            print_bin(&ways[w], bin, &bins[bin]);
    }
    free(f.landmarks);
    free(f.boxes);
    free(f.keys);
    free(f.sources);
    return failed && fclose(failed) ? 3 : 0;
}

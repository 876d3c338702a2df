/* What a variant costs without finding landmarks: processor time of each synthesising stage on one
 * core, the mean of the best of some rounds. bench_synthesis [SIZE [TIMES [STAGE]]]: STAGE is a
 * chain as it is printed, "glasses + mask + augment"; size 0: 112 and 160. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stages/head.h"
#include "stages/press.h"
#include "stages/table.h"

enum { STEPS_MAX = 3, ROUNDS = 7 };

/* Chains as in masked4 to masked8, and pose with each. */
static const fsh_stage *const chains[][STEPS_MAX] = {
    {&fsh_stage_augment},
    {&fsh_stage_mask},
    {&fsh_stage_glasses},
    {&fsh_stage_sunglasses},
    {&fsh_stage_pose},
    {&fsh_stage_mask, &fsh_stage_augment},
    {&fsh_stage_glasses, &fsh_stage_mask, &fsh_stage_augment},
    {&fsh_stage_pose, &fsh_stage_mask, &fsh_stage_augment},
};

static void
stop_on(fsh_status status, const fsh_err *err)
{
    if (!status)
        return;
    fprintf(stderr, "bench_synthesis: %s\n", err->text);
    exit(3);
}

static double
microseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return 1e6 * (double)now.tv_sec + 1e-3 * (double)now.tv_nsec;
}

/* Skin with a little noise, and the landmarks of the generic head, turned a little otherwise each
 * time. */
static void
set_face(fsh_canvas *canvas, uint64_t key)
{
    float size = (float)canvas->image.width;
    fsh_rng rng = fsh_rng_new(1, 0, key, 0);
    fsh_head head = {.scale = 0.0048f * size, .wide = 1, .centre = {0.5f * size, 0.42f * size}};
    size_t i, n = fsh_image_bytes(&canvas->image);

    for (i = 0; i < n; i++)
        canvas->image.data[i] = (uint8_t)(120 + 40 * (i % 3) % 80 + fsh_rng_below(&rng, 12));
    fsh_head_shape(&head);
    fsh_head_turn(&head, (float)fsh_rng_range(&rng, -30, 30), (float)fsh_rng_range(&rng, -10, 10),
                  0);
    for (i = 0; i < FSH_LANDMARKS_N; i++)
        canvas->landmarks[i] = fsh_head_see(&head, head.points[i]);
    canvas->has_landmarks = true;
    canvas->front = NULL;
    canvas->worn[0] = 0;
}

typedef struct opened {
    void *params, *state;
} opened;

static opened
open_stage(const fsh_stage *stage, uint32_t size)
{
    fsh_stage_env env = {
        .seed = 1, .size = size, .threads = 1, .templates = FSH_SOURCE_DIR "/datasets/templates"};
    opened made = {calloc(1, stage->params_size), NULL};
    fsh_err err = {"out of memory"};

    stop_on(made.params ? fsh_args_defaults(stage->args, made.params, &err) : FSH_MEMORY, &err);
    stop_on(stage->open(&env, made.params, &made.state, &err), &err);
    return made;
}

/* Mean time of the whole chain on these faces; what it could not make is counted in refused. */
static double
time_round(const fsh_stage *const *chain, const opened *steps, int times, fsh_canvas *canvas,
           int *refused)
{
    double spent = 0;
    int i, k;

    *refused = 0;
    for (i = 0; i < times; i++) {
        fsh_reason reason = FSH_REASON_NONE;
        double since;

        set_face(canvas, (uint64_t)i);
        since = microseconds();
        for (k = 0; k < STEPS_MAX && chain[k] && !reason; k++) {
            canvas->rng = fsh_rng_new(1, chain[k]->id, (uint64_t)i, 0);
            reason = chain[k]->synthesise(steps[k].state, steps[k].params, 0, canvas);
        }
        spent += microseconds() - since;
        *refused += reason != FSH_REASON_NONE;
    }
    return spent / times;
}

/* The photographs are taken to be JPEGs of a usual quality, as large as what is cut out of them. */
static fsh_press
make_press(const fsh_image *image)
{
    static const fsh_affine same = {{1, 0, 0, 0, 1, 0}};
    fsh_jpeg_tables tables;
    fsh_press press;
    fsh_err err = {""};
    uint8_t *data;
    size_t bytes;

    stop_on(fsh_encode_jpeg(image, 75, &data, &bytes, &err), &err);
    stop_on(fsh_jpeg_tables_read(data, bytes, &tables) ? FSH_OK : FSH_INTERNAL, &err);
    fsh_press_make(&tables, &same, &press);
    free(data);
    return press;
}

/* The best of some rounds: others work on the machine as well. */
static double
time_chain(const fsh_stage *const *chain, uint32_t size, int times, int *refused)
{
    opened steps[STEPS_MAX];
    fsh_canvas canvas = {0};
    fsh_err err = {"out of memory"};
    double best = 1e12;
    fsh_press press;
    int i, k, n;

    stop_on(fsh_image_init(&canvas.image, (int32_t)size, (int32_t)size, 3), &err);
    press = make_press(&canvas.image);
    canvas.press = &press;
    for (n = 0; n < STEPS_MAX && chain[n]; n++)
        steps[n] = open_stage(chain[n], size);
    for (i = 0; i < ROUNDS; i++) {
        double mean = time_round(chain, steps, times, &canvas, refused);

        best = mean < best ? mean : best;
    }
    for (k = 0; k < n; k++) {
        chain[k]->close(steps[k].state);
        free(steps[k].params);
    }
    fsh_image_fini(&canvas.image);
    fsh_image_fini(&canvas.scratch);
    return best;
}

static void
print_chain(const fsh_stage *const *chain, uint32_t size, int times, const char *wanted)
{
    char name[64] = "";
    int refused, k;
    double us;

    for (k = 0; k < STEPS_MAX && chain[k]; k++)
        snprintf(name + strlen(name), sizeof name - strlen(name), "%s%s", k ? " + " : "",
                 chain[k]->name);
    if (wanted && strcmp(name, wanted) != 0)
        return;
    us = time_chain(chain, size, times, &refused);
    printf("%-26s %4u px %7.0f us  refused %d of %d\n", name, size, us, refused, times);
}

int
main(int argc, char **argv)
{
    static const uint32_t usual[] = {112, 160};
    uint32_t given = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
    int times = argc > 2 ? atoi(argv[2]) : 100;
    size_t i, k;

    for (k = 0; k < 2; k++)
        for (i = 0; i < sizeof chains / sizeof chains[0] && (!given || k == 0); i++)
            print_chain(chains[i], given ? given : usual[k], times, argc > 3 ? argv[3] : NULL);
    return 0;
}

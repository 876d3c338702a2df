/* Time of the augment stage on one core, all six steps and each alone; peer_cv2.py times the same
 * in Python. See README.md beside this file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stages/table.h"

enum { ROUNDS = 4000 };

static const char *const steps[] = {"crop", "brightness", "blur", "flip", "rotate"};
enum { STEPS_N = sizeof steps / sizeof *steps };

static double
microseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* A picture with slopes and edges, so that nothing is easier than on a face. */
static void
paint(fsh_image *image)
{
    int32_t x, y;

    for (y = 0; y < image->height; y++)
        for (x = 0; x < image->width; x++) {
            uint8_t *pixel = fsh_image_at(image, x, y);

            pixel[0] = (uint8_t)(x * 2);
            pixel[1] = (uint8_t)(y * 2);
            pixel[2] = (uint8_t)((x / 8 + y / 8) % 2 * 200);
        }
}

static void
set_step(const fsh_stage *stage, void *params, const char *name, const char *value)
{
    const fsh_arg *row;

    for (row = stage->args; row->name; row++)
        if (strcmp(row->name, name) == 0 && fsh_arg_set(row, params, value, NULL))
            abort();
}

/* Only the named step; NULL leaves all as they are by default. */
static double
time_of(const fsh_stage *stage, void *state, const char *only, const fsh_image *source)
{
    void *params = calloc(1, stage->params_size);
    fsh_canvas canvas = {.has_landmarks = true};
    double begin;
    uint32_t i;

    if (fsh_args_defaults(stage->args, params, NULL))
        abort();
    for (i = 0; only && i < STEPS_N; i++)
        if (strcmp(steps[i], only) != 0)
            set_step(stage, params, steps[i], "off");
    begin = microseconds();
    for (i = 0; i < ROUNDS; i++) {
        canvas.rng = fsh_rng_new(1, stage->id, i, 0);
        if (fsh_image_copy(&canvas.image, source))
            abort();
        stage->synthesise(state, params, 0, &canvas);
    }
    begin = (microseconds() - begin) / ROUNDS;
    fsh_image_fini(&canvas.image);
    free(params);
    return begin;
}

int
main(int argc, char **argv)
{
    const fsh_stage *stage = &fsh_stage_augment;
    fsh_stage_env env = {.size = argc > 1 ? (uint32_t)atoi(argv[1]) : 112, .threads = 1};
    fsh_image source;
    void *state;
    uint32_t i;

    if (fsh_image_init(&source, (int32_t)env.size, (int32_t)env.size, 3) ||
        stage->open(&env, NULL, &state, NULL))
        return 3;
    paint(&source);
    for (i = 0; i < STEPS_N; i++)
        printf("%-12s %8.1f us\n", steps[i], time_of(stage, state, steps[i], &source));
    printf("%-12s %8.1f us\n", "augment", time_of(stage, state, NULL, &source));
    stage->close(state);
    fsh_image_fini(&source);
    return 0;
}

/* What tests of stages share: parameters from text, and pictures to work on. */
#ifndef FSH_TESTS_STAGE_TESTING_H
#define FSH_TESTS_STAGE_TESTING_H

#include "stages/table.h"
#include "tests/testing.h"

static inline const fsh_arg *
fsh_test_row(const fsh_stage *stage, const char *name)
{
    const fsh_arg *row;

    for (row = stage->args; row->name; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    fail_msg("%s has no parameter %s", stage->name, name);
    return NULL;
}

/* Parameters as a job makes them: defaults, then settings (name, text, name, text, NULL; may be
 * NULL). The caller frees. */
static inline void *
fsh_test_params(const fsh_stage *stage, const char *const *settings)
{
    void *params = calloc(1, stage->params_size + 1);
    fsh_err err = {""};

    assert_non_null(params);
    assert_ok(fsh_args_defaults(stage->args, params, &err), err);
    for (; settings && settings[0]; settings += 2)
        assert_ok(fsh_arg_set(fsh_test_row(stage, settings[0]), params, settings[1], &err), err);
    return params;
}

/* A picture with slopes, edges and dots, another one for every number. */
static inline void
fsh_test_paint(fsh_image *image, int32_t size, uint32_t number)
{
    fsh_rng rng = fsh_rng_new(99, 0, number, 0);
    int32_t x, y, period = 5 + (int32_t)fsh_rng_below(&rng, 20);
    uint32_t turn = fsh_rng_below(&rng, 256);

    assert_int_equal(fsh_image_init(image, size, size, 3), FSH_OK);
    for (y = 0; y < size; y++) {
        for (x = 0; x < size; x++) {
            uint8_t *pixel = fsh_image_at(image, x, y);

            pixel[0] = (uint8_t)(255 * x / size);
            pixel[1] = (uint8_t)((uint32_t)(255 * y / size) + turn);
            pixel[2] = (uint8_t)((x / period + y / period) % 2 * 180 + (x * y) % 31);
        }
    }
}

/* Landmarks of an upright face that fills a picture of this size: the same places for every number
 * but for a few pixels. */
static inline void
fsh_test_landmarks(fsh_point points[FSH_LANDMARKS_N], int32_t size, uint32_t number)
{
    static const uint8_t at[FSH_LANDMARKS_N][2] = {
        /* percent of the size */
        {10, 40}, {11, 50}, {13, 60}, {16, 69}, {21, 78}, {28, 85}, {35, 91}, {42, 95}, {50, 96},
        {58, 95}, {65, 91}, {72, 85}, {79, 78}, {84, 69}, {87, 60}, {89, 50}, {90, 40}, {18, 30},
        {24, 26}, {31, 25}, {38, 27}, {44, 30}, {56, 30}, {62, 27}, {69, 25}, {76, 26}, {82, 30},
        {50, 38}, {50, 45}, {50, 52}, {50, 58}, {42, 62}, {46, 63}, {50, 65}, {54, 63}, {58, 62},
        {26, 39}, {30, 37}, {35, 37}, {39, 40}, {35, 41}, {30, 41}, {61, 40}, {65, 37}, {70, 37},
        {74, 39}, {70, 41}, {65, 41}, {35, 75}, {41, 73}, {46, 72}, {50, 73}, {54, 72}, {59, 73},
        {65, 75}, {59, 80}, {54, 83}, {50, 83}, {46, 83}, {41, 80}, {37, 76}, {46, 75}, {50, 76},
        {54, 75}, {63, 76}, {54, 78}, {50, 79}, {46, 78}};
    fsh_rng rng = fsh_rng_new(98, 0, number, 0);
    uint32_t i;

    for (i = 0; i < FSH_LANDMARKS_N; i++) {
        points[i].x = (float)(at[i][0] * size / 100.0 + fsh_rng_range(&rng, -0.7, 0.7));
        points[i].y = (float)(at[i][1] * size / 100.0 + fsh_rng_range(&rng, -0.7, 0.7));
    }
}

#endif

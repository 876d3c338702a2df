#include "tests/stage_testing.h"

#include <math.h>

#include "stages/filters.h"

enum { SIZE = 64 };

/* One picture and what the stage makes of it. */
struct scene {
    fsh_image source;
    fsh_canvas canvas;
};

static void
open_scene(struct scene *scene, uint32_t number)
{
    memset(scene, 0, sizeof *scene);
    fsh_test_paint(&scene->source, SIZE, number);
    assert_int_equal(fsh_image_copy(&scene->canvas.image, &scene->source), FSH_OK);
    fsh_test_landmarks(scene->canvas.landmarks, SIZE, number);
    scene->canvas.has_landmarks = true;
}

static void
close_scene(struct scene *scene)
{
    fsh_image_fini(&scene->source);
    fsh_image_fini(&scene->canvas.image);
}

/* Runs the stage with these settings, on draws keyed by number. */
static void
augment(struct scene *scene, const char *const *settings, uint64_t number)
{
    fsh_stage_env env = {.size = SIZE, .threads = 1};
    void *params = fsh_test_params(&fsh_stage_augment, settings), *state;
    fsh_err err = {""};

    assert_ok(fsh_stage_augment.open(&env, params, &state, &err), err);
    scene->canvas.rng = fsh_rng_new(1, fsh_stage_augment.id, number, 0);
    assert_int_equal(fsh_stage_augment.synthesise(state, params, 0, &scene->canvas),
                     FSH_REASON_NONE);
    fsh_stage_augment.close(state);
    free(params);
}

/* All six steps but one switched off. */
#define ONLY(step)                                                                                 \
    "crop", strcmp(step, "crop") ? "off" : "on", "brightness",                                     \
        strcmp(step, "brightness") ? "off" : "on", "blur", strcmp(step, "blur") ? "off" : "on",    \
        "flip", strcmp(step, "flip") ? "off" : "on", "noise",                                      \
        strcmp(step, "noise") ? "off" : "on", "rotate", strcmp(step, "rotate") ? "off" : "on"

static double
mean_value(const fsh_image *image)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < fsh_image_bytes(image); i++)
        sum += image->data[i];
    return sum / (double)fsh_image_bytes(image);
}

static void
all_steps_off_changes_nothing(void **state)
{
    const char *const settings[] = {ONLY(""), NULL};
    struct scene scene;

    (void)state;
    open_scene(&scene, 1);
    augment(&scene, settings, 5);
    assert_memory_equal(scene.canvas.image.data, scene.source.data, fsh_image_bytes(&scene.source));
    close_scene(&scene);
}

static void
a_flip_mirrors_every_pixel(void **state)
{
    const char *const settings[] = {ONLY("flip"), NULL};
    struct scene scene;
    int32_t x, y;

    (void)state;
    open_scene(&scene, 2);
    augment(&scene, settings, 5);
    for (y = 0; y < SIZE; y++)
        for (x = 0; x < SIZE; x++)
            assert_memory_equal(fsh_image_at(&scene.canvas.image, x, y),
                                fsh_image_at(&scene.source, SIZE - 1 - x, y), 3);
    close_scene(&scene);
}

/* Point 36 is the outer corner of the eye on the left of the picture, in the mirror image too. */
static void
a_flip_renames_left_and_right(void **state)
{
    const char *const settings[] = {ONLY("flip"), NULL};
    fsh_point before[FSH_LANDMARKS_N];
    struct scene scene;
    uint32_t i;

    (void)state;
    open_scene(&scene, 3);
    memcpy(before, scene.canvas.landmarks, sizeof before);
    augment(&scene, settings, 5);
    assert_float_equal(scene.canvas.landmarks[36].x, SIZE - 1 - before[45].x, 1e-4);
    assert_float_equal(scene.canvas.landmarks[60].y, before[64].y, 1e-4);
    for (i = 0; i < FSH_LANDMARKS_N; i++) /* the face of the test is symmetric but for a pixel */
        assert_float_equal(scene.canvas.landmarks[i].x, before[i].x, 3);
    augment(&scene, settings, 5);
    for (i = 0; i < FSH_LANDMARKS_N; i++)
        assert_float_equal(scene.canvas.landmarks[i].x, before[i].x, 1e-4);
    close_scene(&scene);
}

/* White dot on black, and a landmark on it. */
static void
draw_dot(struct scene *scene, int32_t at_x, int32_t at_y)
{
    int32_t x, y;

    memset(scene->canvas.image.data, 0, fsh_image_bytes(&scene->canvas.image));
    for (y = -2; y <= 2; y++)
        for (x = -2; x <= 2; x++)
            memset(fsh_image_at(&scene->canvas.image, at_x + x, at_y + y), 255, 3);
    scene->canvas.landmarks[30].x = (float)at_x;
    scene->canvas.landmarks[30].y = (float)at_y;
}

static fsh_point
find_dot(const fsh_image *image)
{
    double sum = 0, sum_x = 0, sum_y = 0;
    fsh_point centre;
    int32_t x, y;

    for (y = 0; y < SIZE; y++) {
        for (x = 0; x < SIZE; x++) {
            double value = *fsh_image_at(image, x, y);

            sum += value;
            sum_x += value * x;
            sum_y += value * y;
        }
    }
    assert_true(sum > 0);
    centre.x = (float)(sum_x / sum);
    centre.y = (float)(sum_y / sum);
    return centre;
}

static void
landmarks_stay_on_what_they_mark(void **state)
{
    const char *const settings[] = {"brightness", "off", "noise", "off", NULL};
    struct scene scene;
    uint32_t number;

    (void)state;
    for (number = 0; number < 40; number++) {
        fsh_point dot;

        open_scene(&scene, number);
        draw_dot(&scene, 32, 22); /* near enough to the middle to stay inside */
        augment(&scene, settings, number);
        dot = find_dot(&scene.canvas.image);
        assert_float_equal(dot.x, scene.canvas.landmarks[30].x, 0.15);
        assert_float_equal(dot.y, scene.canvas.landmarks[30].y, 0.15);
        close_scene(&scene);
    }
}

static void
brightness_moves_the_mean_within_its_limits(void **state)
{
    const char *const settings[] = {ONLY("brightness"), NULL};
    double lowest = 9, highest = 0;
    uint32_t number;

    (void)state;
    for (number = 0; number < 60; number++) {
        struct scene scene;
        double ratio;

        open_scene(&scene, 4);
        memset(scene.canvas.image.data, 100, fsh_image_bytes(&scene.canvas.image));
        augment(&scene, settings, number);
        ratio = mean_value(&scene.canvas.image) / 100;
        assert_true(ratio >= 0.695 && ratio <= 1.305);
        lowest = fmin(lowest, ratio);
        highest = fmax(highest, ratio);
        close_scene(&scene);
    }
    assert_true(lowest < 0.8 && highest > 1.2);
}

static void
brightness_is_clipped(void **state)
{
    const char *const settings[] = {
        ONLY("brightness"), "brightness_low", "4", "brightness_high", "4", NULL};
    struct scene scene;

    (void)state;
    open_scene(&scene, 4);
    memset(scene.canvas.image.data, 100, fsh_image_bytes(&scene.canvas.image));
    augment(&scene, settings, 1);
    assert_true(mean_value(&scene.canvas.image) == 255);
    close_scene(&scene);
}

/* 15 of the 256 values of a draw are over 240: 5.9 % of the pixels. */
static void
noise_blackens_the_share_that_the_threshold_says(void **state)
{
    const char *const settings[] = {ONLY("noise"), NULL};
    struct scene scene;
    uint32_t black = 0;
    size_t i;

    (void)state;
    open_scene(&scene, 4);
    memset(scene.canvas.image.data, 100, fsh_image_bytes(&scene.canvas.image));
    augment(&scene, settings, 1);
    for (i = 0; i < SIZE * SIZE; i++) {
        const uint8_t *pixel = scene.canvas.image.data + 3 * i;

        assert_true(pixel[0] == pixel[1] && pixel[1] == pixel[2]);
        black += pixel[0] == 0;
    }
    assert_in_range(black, SIZE * SIZE * 0.045, SIZE * SIZE * 0.075);
    close_scene(&scene);
}

static void
a_turned_picture_has_black_corners_and_its_middle(void **state)
{
    const char *const settings[] = {ONLY("rotate"), NULL};
    struct scene scene;
    uint32_t number, turned = 0;

    (void)state;
    for (number = 0; number < 20; number++) {
        open_scene(&scene, 4);
        memset(scene.canvas.image.data, 100, fsh_image_bytes(&scene.canvas.image));
        augment(&scene, settings, number);
        assert_int_equal(*fsh_image_at(&scene.canvas.image, SIZE / 2, SIZE / 2), 100);
        turned += *fsh_image_at(&scene.canvas.image, 0, 0) == 0;
        close_scene(&scene);
    }
    assert_true(turned >= 15); /* the corner stays grey for the smallest angles */
}

static void
a_crop_shows_the_enlarged_picture_to_its_edges(void **state)
{
    const char *const settings[] = {ONLY("crop"), NULL};
    struct scene scene;
    uint32_t i;

    (void)state;
    open_scene(&scene, 4);
    memset(scene.canvas.image.data, 100, fsh_image_bytes(&scene.canvas.image));
    augment(&scene, settings, 1);
    for (i = 0; i < fsh_image_bytes(&scene.canvas.image); i++)
        assert_int_equal(scene.canvas.image.data[i], 100);
    close_scene(&scene);
}

static void
switching_one_step_off_leaves_the_draws_of_the_others(void **state)
{
    const char *const all[] = {ONLY(""), "flip", "on", "rotate", "on", "crop", "0", NULL};
    const char *const blurred[] = {ONLY(""), "flip", "on",       "rotate", "on",
                                   "blur",   "1",    "blur_max", "1",      NULL};
    struct scene scene, other;

    (void)state;
    open_scene(&scene, 7);
    open_scene(&other, 7);
    augment(&scene, all, 11);
    augment(&other, blurred, 11);
    assert_memory_equal(scene.canvas.image.data, other.canvas.image.data,
                        fsh_image_bytes(&scene.source));
    close_scene(&scene);
    close_scene(&other);
}

/* The weights sum to one, so a plain picture stays; a blurred line is symmetric with sigma 1.1. */
static void
a_blur_spreads_a_line_as_a_gaussian(void **state)
{
    fsh_filter_space *space;
    fsh_image image;
    int32_t i;

    (void)state;
    assert_int_equal(fsh_filter_space_new(33, 9, &space), FSH_OK);
    assert_int_equal(fsh_image_init(&image, 33, 9, 3), FSH_OK);
    for (i = 0; i < 9; i++)
        memset(fsh_image_at(&image, 16, i), 200, 3);
    fsh_filter_blur(space, &image, 5);
    for (i = 0; i < 16; i++)
        assert_int_equal(*fsh_image_at(&image, 16 - i, 4), *fsh_image_at(&image, 16 + i, 4));
    for (i = 0; i <= 2; i++)
        assert_float_equal(*fsh_image_at(&image, 16 + i, 4),
                           200 * exp(-i * i / (2 * 1.1 * 1.1)) / 2.706, 1.5);
    memset(image.data, 77, fsh_image_bytes(&image));
    fsh_filter_blur(space, &image, FSH_FILTER_BLUR_MAX); /* wider than the picture is high */
    for (i = 0; i < (int32_t)fsh_image_bytes(&image); i++)
        assert_int_equal(image.data[i], 77);
    fsh_image_fini(&image);
    fsh_filter_space_free(space);
}

/* The vectors of the warp against plain arithmetic, on an odd width and a map that leaves the
 * picture. */
static void
a_warp_is_bilinear(void **state)
{
    fsh_affine map = {{0.8, -0.5, 11, 0.6, 0.9, -7}}, back;
    fsh_filter_space *space;
    fsh_image image, source;
    int32_t x, y, c;

    (void)state;
    fsh_test_paint(&source, 71, 3);
    memset(&image, 0, sizeof image);
    assert_int_equal(fsh_image_copy(&image, &source), FSH_OK);
    assert_int_equal(fsh_filter_space_new(71, 71, &space), FSH_OK);
    assert_int_equal(fsh_affine_invert(&map, &back), FSH_OK);
    fsh_filter_warp(space, &image, &map, FSH_FILTER_BLACK);
    for (y = 0; y < 71; y++) {
        for (x = 0; x < 71; x++) {
            double sx = back.m[0] * x + back.m[1] * y + back.m[2];
            double sy = back.m[3] * x + back.m[4] * y + back.m[5];

            for (c = 0; c < 3; c++) {
                double fx = sx - floor(sx), fy = sy - floor(sy), sum = 0, spread = 0, corners[4];
                int32_t i;

                for (i = 0; i < 4; i++) {
                    int32_t px = (int32_t)floor(sx) + i % 2, py = (int32_t)floor(sy) + i / 2;
                    bool inside = px >= 0 && py >= 0 && px < 71 && py < 71;

                    corners[i] = inside ? fsh_image_at(&source, px, py)[c] : 0;
                    sum += corners[i] * (i % 2 ? fx : 1 - fx) * (i / 2 ? fy : 1 - fy);
                    spread = fmax(spread, fabs(corners[i] - corners[0]));
                }
                /* A place is right to 1/32 px both ways, and values to half a step. */
                assert_float_equal(fsh_image_at(&image, x, y)[c], sum, 0.51 + 2 * spread / 15);
            }
        }
    }
    fsh_image_fini(&source);
    fsh_image_fini(&image);
    fsh_filter_space_free(space);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_steps_off_changes_nothing),
        cmocka_unit_test(a_flip_mirrors_every_pixel),
        cmocka_unit_test(a_flip_renames_left_and_right),
        cmocka_unit_test(landmarks_stay_on_what_they_mark),
        cmocka_unit_test(brightness_moves_the_mean_within_its_limits),
        cmocka_unit_test(brightness_is_clipped),
        cmocka_unit_test(noise_blackens_the_share_that_the_threshold_says),
        cmocka_unit_test(a_turned_picture_has_black_corners_and_its_middle),
        cmocka_unit_test(a_crop_shows_the_enlarged_picture_to_its_edges),
        cmocka_unit_test(switching_one_step_off_leaves_the_draws_of_the_others),
        cmocka_unit_test(a_blur_spreads_a_line_as_a_gaussian),
        cmocka_unit_test(a_warp_is_bilinear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

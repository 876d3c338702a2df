#include "tests/stage_testing.h"

#include <math.h>

#include "stages/head.h"

enum { SIZE = 112 };

/* A generic head in a picture, and the picture after the stage. */
struct scene {
    fsh_head head;
    fsh_image source;
    fsh_canvas canvas;
};

static void
open_scene(struct scene *scene, float yaw, float pitch, float roll)
{
    uint32_t i;

    memset(scene, 0, sizeof *scene);
    scene->head.scale = 0.55f;
    scene->head.wide = 1;
    scene->head.centre = (fsh_point){56, 46};
    fsh_head_shape(&scene->head);
    fsh_head_turn(&scene->head, yaw, pitch, roll);
    fsh_test_paint(&scene->source, SIZE, 3);
    assert_int_equal(fsh_image_copy(&scene->canvas.image, &scene->source), FSH_OK);
    for (i = 0; i < FSH_LANDMARKS_N; i++)
        scene->canvas.landmarks[i] = fsh_head_see(&scene->head, scene->head.points[i]);
    scene->canvas.has_landmarks = true;
}

static void
close_scene(struct scene *scene)
{
    fsh_image_fini(&scene->source);
    fsh_image_fini(&scene->canvas.image);
    fsh_image_fini(&scene->canvas.scratch);
}

static fsh_reason
pose_with(struct scene *scene, const char *yaw, const char *pitch, const char *mirror)
{
    const char *const settings[] = {
        "yaw", yaw,     "yaw_spread", "0",      "pitch", pitch, "pitch_spread",
        "0",   "light", "0",          "mirror", mirror,  NULL};
    fsh_stage_env env = {.size = SIZE, .threads = 1};
    void *params = fsh_test_params(&fsh_stage_pose, settings), *state;
    fsh_err err = {""};
    fsh_reason reason;

    assert_ok(fsh_stage_pose.open(&env, params, &state, &err), err);
    scene->canvas.rng = fsh_rng_new(1, fsh_stage_pose.id, 7, 0);
    reason = fsh_stage_pose.synthesise(state, params, 0, &scene->canvas);
    fsh_stage_pose.close(state);
    free(params);
    return reason;
}

static fsh_reason
pose_to(struct scene *scene, const char *yaw, const char *pitch)
{
    return pose_with(scene, yaw, pitch, "yes");
}

/* The mean difference of two pictures around a place. */
static double
difference(const fsh_image *a, const fsh_image *b, fsh_point at, int32_t radius)
{
    int32_t x, y, c, n = 0;
    double sum = 0;

    for (y = (int32_t)at.y - radius; y <= (int32_t)at.y + radius; y++)
        for (x = (int32_t)at.x - radius; x <= (int32_t)at.x + radius; x++)
            for (c = 0; c < 3; c++, n++)
                sum += abs(fsh_image_at(a, x, y)[c] - fsh_image_at(b, x, y)[c]);
    return sum / n;
}

static void
a_face_that_stays_as_it_is_keeps_its_pixels(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene, 0, 0, 0);
    assert_int_equal(pose_to(&scene, "0", "0"), FSH_REASON_NONE);
    assert_true(difference(&scene.canvas.image, &scene.source, scene.head.centre, 15) < 3);
    assert_float_equal(scene.canvas.landmarks[30].x,
                       fsh_head_see(&scene.head, scene.head.points[30]).x, 0.6);
    close_scene(&scene);
}

static void
landmarks_are_those_of_the_head_where_it_looks_then(void **state)
{
    static const char *const yaws[] = {"-45", "-25", "0", "20", "40"};
    fsh_head found;
    struct scene scene;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof yaws / sizeof yaws[0]; i++) {
        open_scene(&scene, 5, 3, 10);
        assert_int_equal(pose_to(&scene, yaws[i], "8"), FSH_REASON_NONE);
        assert_int_equal(fsh_head_fit(scene.canvas.landmarks, 1, &found), FSH_REASON_NONE);
        assert_float_equal(found.yaw, atof(yaws[i]), 4);
        assert_float_equal(found.pitch, 11, 4);
        assert_float_equal(found.roll, 10, 3);
        assert_true(found.residual < 0.04f);
        close_scene(&scene);
    }
}

/* A spot painted on a place of the face is found where its landmark is afterwards. */
static void
what_is_on_the_face_moves_with_its_landmarks(void **state)
{
    static const int marks[] = {30, 36, 45, 48, 54, 57};
    struct scene scene;
    size_t i;
    int32_t x, y;

    (void)state;
    for (i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        double sum = 0, mean_x = 0, mean_y = 0;
        fsh_point at;

        open_scene(&scene, 0, 0, 0);
        at = scene.canvas.landmarks[marks[i]];
        memset(scene.canvas.image.data, 20, fsh_image_bytes(&scene.canvas.image));
        for (y = -2; y <= 2; y++)
            for (x = -2; x <= 2; x++)
                memset(fsh_image_at(&scene.canvas.image, (int32_t)lrintf(at.x) + x,
                                    (int32_t)lrintf(at.y) + y),
                       255, 3);
        assert_int_equal(pose_to(&scene, "15", "5"), FSH_REASON_NONE);
        for (y = 0; y < SIZE; y++)
            for (x = 0; x < SIZE; x++) {
                double value = fsh_image_at(&scene.canvas.image, x, y)[1] > 60 ? 1 : 0;

                sum += value;
                mean_x += value * x;
                mean_y += value * y;
            }
        assert_true(sum > 8);
        assert_float_equal(mean_x / sum, scene.canvas.landmarks[marks[i]].x, 1.3);
        assert_float_equal(mean_y / sum, scene.canvas.landmarks[marks[i]].y, 1.3);
        close_scene(&scene);
    }
}

static void
nowhere_is_a_hole(void **state)
{
    static const char *const yaws[] = {"-45", "-15", "30", "45"};
    struct scene scene;
    size_t i, k;

    (void)state;
    for (i = 0; i < sizeof yaws / sizeof yaws[0]; i++) {
        open_scene(&scene, 10, 0, -8);
        memset(scene.canvas.image.data, 150, fsh_image_bytes(&scene.canvas.image));
        assert_int_equal(pose_to(&scene, yaws[i], "-15"), FSH_REASON_NONE);
        for (k = 0; k < fsh_image_bytes(&scene.canvas.image); k++)
            assert_in_range(scene.canvas.image.data[k], 147, 153);
        close_scene(&scene);
    }
}

static void
the_background_stays_at_the_edges(void **state)
{
    struct scene scene;
    double left = 0, right = 0;
    int32_t i;

    (void)state;
    open_scene(&scene, 0, 0, 0);
    assert_int_equal(pose_to(&scene, "30", "0"), FSH_REASON_NONE);
    for (i = 0; i < SIZE; i++) {
        left += difference(&scene.canvas.image, &scene.source, (fsh_point){0, (float)i}, 0) / SIZE;
        right +=
            difference(&scene.canvas.image, &scene.source, (fsh_point){SIZE - 1, (float)i}, 0) /
            SIZE;
    }
    assert_true(left < 8);
    assert_true(right < 8);
    close_scene(&scene);
}

/* Nearly all that the mirror image shows has only to stay where it is. */
static void
a_face_that_looks_to_the_other_side_is_mirrored_first(void **state)
{
    struct scene scene;
    fsh_point eye;
    int32_t x, y;

    (void)state;
    open_scene(&scene, -30, 0, 0);
    eye = scene.canvas.landmarks[45];
    assert_int_equal(pose_to(&scene, "30", "0"), FSH_REASON_NONE);
    for (y = 0; y < SIZE; y++)
        for (x = 0; x < SIZE; x++)
            memcpy(fsh_image_at(&scene.canvas.scratch, x, y),
                   fsh_image_at(&scene.source, SIZE - 1 - x, y), 3);
    /* Below the eye that is seen well. */
    assert_true(difference(&scene.canvas.image, &scene.canvas.scratch, scene.canvas.landmarks[41],
                           6) < 2);
    assert_float_equal(scene.canvas.landmarks[36].x, SIZE - 1 - eye.x, 1.5);
    assert_float_equal(scene.canvas.landmarks[36].y, eye.y, 1.5);
    close_scene(&scene);
}

static void
what_cannot_be_turned_has_a_reason(void **state)
{
    struct scene scene;
    uint32_t i;

    (void)state;
    open_scene(&scene, 42, 0, 0);
    assert_int_equal(pose_to(&scene, "0", "0"), FSH_REASON_TOO_TURNED);
    close_scene(&scene);
    open_scene(&scene, -30, 0, 0);
    assert_int_equal(pose_with(&scene, "45", "0", "no"), FSH_REASON_TOO_TURNED);
    close_scene(&scene);
    open_scene(&scene, 0, 0, 0);
    for (i = 48; i < FSH_LANDMARKS_N; i++)
        scene.canvas.landmarks[i].y -= 30;
    assert_int_equal(pose_to(&scene, "20", "0"), FSH_REASON_BAD_LANDMARKS);
    scene.canvas.has_landmarks = false;
    assert_int_equal(pose_to(&scene, "20", "0"), FSH_REASON_BAD_LANDMARKS);
    close_scene(&scene);
}

static void
angles_that_are_too_far_are_refused(void **state)
{
    const char *const settings[] = {"yaw", "10,70", NULL};
    fsh_stage_env env = {.size = SIZE, .threads = 1};
    void *params = fsh_test_params(&fsh_stage_pose, settings), *opened = NULL;
    fsh_err err = {""};

    (void)state;
    assert_int_equal(fsh_stage_pose.open(&env, params, &opened, &err), FSH_USAGE);
    assert_text_has(err.text, "yaw 70: from -45 to 45");
    free(params);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_face_that_stays_as_it_is_keeps_its_pixels),
        cmocka_unit_test(landmarks_are_those_of_the_head_where_it_looks_then),
        cmocka_unit_test(what_is_on_the_face_moves_with_its_landmarks),
        cmocka_unit_test(nowhere_is_a_hole),
        cmocka_unit_test(the_background_stays_at_the_edges),
        cmocka_unit_test(a_face_that_looks_to_the_other_side_is_mirrored_first),
        cmocka_unit_test(what_cannot_be_turned_has_a_reason),
        cmocka_unit_test(angles_that_are_too_far_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Glasses on faces: where they lie, what hides them, what goes under them, and when there are none.
 */
#include "tests/stage_testing.h"

#include <math.h>
#include <sys/stat.h>

#include "base/files.h"
#include "stages/head.h"

enum { SIZE = 160, SEEDS_N = 8 };

struct closet {
    const fsh_stage *stage;
    void *params, *state;
};

static struct closet
open_closet(const fsh_stage *stage, const char *templates, const char *const *settings)
{
    fsh_stage_env env = {.seed = 1, .size = SIZE, .threads = 1, .templates = templates};
    struct closet closet = {.stage = stage, .params = fsh_test_params(stage, settings)};
    fsh_err err = {""};

    assert_ok(stage->open(&env, closet.params, &closet.state, &err), err);
    return closet;
}

static void
close_closet(struct closet *closet)
{
    closet->stage->close(closet->state);
    free(closet->params);
}

static const char *const own = FSH_SOURCE_DIR "/datasets/templates";
static const char *const opaque[] = {
    "template", "classic-black", "light", "0", "shadow", "0", "glare", "0", "tint", "0", NULL};

/* A white picture with landmarks of the generic head in its middle, turned and rolled. */
static fsh_canvas
make_canvas(float yaw, float roll, uint64_t key)
{
    fsh_canvas canvas = {.has_landmarks = true, .rng = fsh_rng_new(1, 21, key, 0)};
    fsh_head head = {.scale = 0.0038f * SIZE, .wide = 1, .centre = {SIZE / 2, SIZE * 0.4f}};
    int i;

    fsh_head_shape(&head);
    fsh_head_turn(&head, yaw, 0, roll);
    for (i = 0; i < FSH_LANDMARKS_N; i++)
        canvas.landmarks[i] = fsh_head_see(&head, head.points[i]);
    assert_int_equal(fsh_image_init(&canvas.image, SIZE, SIZE, 3), FSH_OK);
    memset(canvas.image.data, 255, fsh_image_bytes(&canvas.image));
    return canvas;
}

static fsh_reason
wear(const struct closet *closet, fsh_canvas *canvas)
{
    return closet->stage->synthesise(closet->state, closet->params, 0, canvas);
}

static bool
is_dark(const fsh_image *image, fsh_point at)
{
    return fsh_image_at(image, (int32_t)lroundf(at.x), (int32_t)lroundf(at.y))[1] < 128;
}

static void
both_eyes_are_behind_the_lenses_however_the_head_is_turned(void **state)
{
    static const float angles[][2] = {{0, 0},   {0, 25},  {20, 0},  {-20, -15},
                                      {40, 10}, {-40, 0}, {44, -30}};
    struct closet closet = open_closet(&fsh_stage_sunglasses, own, opaque);
    uint64_t i, key;
    int mouth;

    (void)state;
    for (i = 0; i < sizeof angles / sizeof *angles; i++)
        for (key = 0; key < SEEDS_N; key++) {
            fsh_canvas canvas = make_canvas(angles[i][0], angles[i][1], key);

            assert_int_equal(wear(&closet, &canvas), FSH_REASON_NONE);
            assert_true(is_dark(&canvas.image, fsh_points_mean(canvas.landmarks + 36, 6)));
            assert_true(is_dark(&canvas.image, fsh_points_mean(canvas.landmarks + 42, 6)));
            assert_false(is_dark(&canvas.image, canvas.landmarks[30]));
            for (mouth = 48; mouth <= 67; mouth++)
                assert_false(is_dark(&canvas.image, canvas.landmarks[mouth]));
            fsh_image_fini(&canvas.image);
        }
    close_closet(&closet);
}

static void
a_thin_arm_runs_over_the_cheek_that_is_seen(void **state)
{
    struct closet closet = open_closet(&fsh_stage_sunglasses, own, opaque);
    fsh_canvas canvas = make_canvas(35, 0, 1);
    fsh_point cheek = {
        canvas.landmarks[36].x - 0.6f * (canvas.landmarks[36].x - canvas.landmarks[0].x), 0};
    int32_t y, near_arm = 0;

    (void)state;
    assert_int_equal(wear(&closet, &canvas), FSH_REASON_NONE);
    for (y = 0; y < SIZE; y++)
        near_arm += fsh_image_at(&canvas.image, (int32_t)cheek.x, y)[1] < 128;
    assert_in_range(near_arm, 1, 8); /* thin, and nothing else */
    fsh_image_fini(&canvas.image);
    close_closet(&closet);
}

static void
a_mask_goes_under_the_glasses_that_were_put_on_before(void **state)
{
    const char *const thick[] = {"template", "thick-black", "light", "0", "glare", "0", NULL};
    struct closet glasses = open_closet(&fsh_stage_glasses, own, thick);
    struct closet mask = open_closet(&fsh_stage_mask, own, NULL);
    fsh_canvas canvas = make_canvas(0, 0, 2);
    int32_t i, n = SIZE * SIZE, frame = 0;

    (void)state;
    assert_int_equal(wear(&glasses, &canvas), FSH_REASON_NONE);
    assert_non_null(canvas.front);
    assert_int_equal(wear(&mask, &canvas), FSH_REASON_NONE);
    for (i = 0; i < n; i++)
        if (canvas.front->data[4 * i + 3] >= 230) {
            assert_in_range(canvas.image.data[3 * i + 1], 0, 90);
            frame++;
        }
    assert_true(frame > 100);
    fsh_image_fini(&canvas.image);
    close_closet(&glasses);
    close_closet(&mask);
}

/* A folder of templates with one pair and no card. */
static char *
make_templates_without_card(void)
{
    char *root = fsh_test_folder(), folder[FSH_PATH_BYTES], path[FSH_PATH_BYTES];
    fsh_err err = {""};
    uint8_t *data;
    size_t bytes;

    assert_ok(fsh_file_read(FSH_SOURCE_DIR "/datasets/templates/sunglasses/classic-black.png",
                            1 << 20, &data, &bytes, &err),
              err);
    assert_ok(fsh_path_join(folder, root, "sunglasses", &err), err);
    assert_int_equal(mkdir(folder, 0777), 0);
    assert_ok(fsh_path_join(path, folder, "own.png", &err), err);
    assert_ok(fsh_file_write(path, data, bytes, &err), err);
    free(data);
    return root;
}

static void
a_picture_without_a_card_lies_on_the_eyes_as_well(void **state)
{
    const char *const settings[] = {"light", "0", "shadow", "0", "glare", "0", NULL};
    char *root = make_templates_without_card();
    struct closet closet = open_closet(&fsh_stage_sunglasses, root, settings);
    fsh_canvas canvas = make_canvas(20, 10, 5);

    (void)state;
    assert_int_equal(wear(&closet, &canvas), FSH_REASON_NONE);
    assert_true(is_dark(&canvas.image, fsh_points_mean(canvas.landmarks + 36, 6)));
    assert_true(is_dark(&canvas.image, fsh_points_mean(canvas.landmarks + 42, 6)));
    assert_false(is_dark(&canvas.image, canvas.landmarks[30]));
    fsh_image_fini(&canvas.image);
    close_closet(&closet);
    fsh_test_remove(root);
}

static void
points_that_are_no_face_get_no_glasses(void **state)
{
    struct closet closet = open_closet(&fsh_stage_glasses, own, NULL);
    fsh_canvas canvas = make_canvas(0, 0, 3);
    int i;

    (void)state;
    for (i = 0; i < FSH_LANDMARKS_N; i++)
        canvas.landmarks[i].y = (float)((i * 37) % SIZE);
    assert_int_equal(wear(&closet, &canvas), FSH_REASON_BAD_LANDMARKS);
    for (i = 0; i < SIZE * SIZE * 3; i++)
        assert_int_equal(canvas.image.data[i], 255);
    fsh_image_fini(&canvas.image);
    close_closet(&closet);
}

static void
a_profile_gets_none(void **state)
{
    struct closet closet = open_closet(&fsh_stage_glasses, own, NULL);
    fsh_canvas canvas = make_canvas(70, 0, 6);

    (void)state;
    assert_int_not_equal(wear(&closet, &canvas), FSH_REASON_NONE);
    fsh_image_fini(&canvas.image);
    close_closet(&closet);
}

static void
glasses_that_would_leave_the_picture_are_out_of_frame(void **state)
{
    struct closet closet = open_closet(&fsh_stage_glasses, own, NULL);
    fsh_canvas canvas = make_canvas(0, 0, 4);
    int i;

    (void)state;
    for (i = 0; i < FSH_LANDMARKS_N; i++)
        canvas.landmarks[i].x += SIZE / 2;
    assert_int_equal(wear(&closet, &canvas), FSH_REASON_OUT_OF_FRAME);
    fsh_image_fini(&canvas.image);
    close_closet(&closet);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_eyes_are_behind_the_lenses_however_the_head_is_turned),
        cmocka_unit_test(a_thin_arm_runs_over_the_cheek_that_is_seen),
        cmocka_unit_test(a_mask_goes_under_the_glasses_that_were_put_on_before),
        cmocka_unit_test(a_picture_without_a_card_lies_on_the_eyes_as_well),
        cmocka_unit_test(points_that_are_no_face_get_no_glasses),
        cmocka_unit_test(a_profile_gets_none),
        cmocka_unit_test(glasses_that_would_leave_the_picture_are_out_of_frame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

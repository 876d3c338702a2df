/* Detection, landmarks and alignment: the rules on pictures made here, the models on photographs of
 * ../shared where they are. */
#include <math.h>

#include "base/files.h"
#include "stages/align.h"
#include "stages/models.h"
#include "stages/vision/decode.h"
#include "tests/stage_testing.h"

#define PHOTO FSH_SOURCE_DIR "/../shared/data/lfw_eval/images/Abel_Pacheco/Abel_Pacheco_0001.jpg"

/* One stage opened with a detector's card. */
typedef struct opened {
    const fsh_stage *stage;
    fsh_models models;
    fsh_stage_env env;
    void *params, *state;
} opened;

static void
open_stage(opened *o, const fsh_stage *stage, const char *detector, const char *const *settings)
{
    fsh_err err = {""};

    memset(o, 0, sizeof *o);
    o->stage = stage;
    strcpy(o->models.detector, detector);
    strcpy(o->models.landmarker, "dlib68");
    o->env = (fsh_stage_env){.size = 112, .threads = 1, .models = &o->models};
    o->params = fsh_test_params(stage, settings);
    if (stage->open)
        assert_ok(stage->open(&o->env, o->params, &o->state, &err), err);
}

static void
close_stage(opened *o)
{
    if (o->stage->close)
        o->stage->close(o->state);
    free(o->params);
}

static void
run_once(const fsh_stage *stage, const char *detector, const char *const *settings,
         fsh_photo *photo)
{
    fsh_err err = {""};
    opened o;

    open_stage(&o, stage, detector, settings);
    assert_ok(stage->analyse(o.state, o.params, 0, photo, &err), err);
    close_stage(&o);
}

static void
assert_box(const fsh_box *box, int x, int y, int width, int height)
{
    assert_int_equal(box->x, x);
    assert_int_equal(box->y, y);
    assert_int_equal(box->width, width);
    assert_int_equal(box->height, height);
}

static void
without_a_detector_the_picture_is_the_face(void **state)
{
    fsh_photo photo = {.key = 7, .sample = 3};
    fsh_image image;

    (void)state;
    fsh_test_paint(&image, 120, 1);
    photo.image = &image;
    run_once(&fsh_stage_detect, "none", NULL, &photo);
    assert_int_equal(photo.faces_n, 1);
    assert_box(&photo.faces[0].crop, 0, 0, 120, 120);
    assert_int_equal(photo.faces[0].reason, FSH_REASON_NONE);
    assert_int_equal(photo.faces[0].key, 7);
    assert_int_equal(photo.faces[0].sample, 3);
    assert_int_equal(photo.faces[0].mask_class, FSH_MASK_CLASS_UNKNOWN);
    fsh_photo_fini(&photo);
    fsh_image_fini(&image);
}

static void
an_aligned_picture_is_a_face_on_the_template(void **state)
{
    static const float sizes[][2] = {{112, 1}, {224, 2}};
    fsh_photo photo = {0};
    fsh_image image;
    int i;

    (void)state;
    for (i = 0; i < 2; i++) {
        fsh_test_paint(&image, (int32_t)sizes[i][0], 1);
        photo.image = &image;
        run_once(&fsh_stage_detect, "aligned", (const char *const[]){"min_side", "0", NULL}, &photo);
        assert_int_equal(photo.faces_n, 1);
        assert_box(&photo.faces[0].crop, 0, 0, (int32_t)sizes[i][0], (int32_t)sizes[i][0]);
        assert_true(photo.faces[0].has_five);
        assert_true(fabsf(photo.faces[0].five[2].x - 56.0252f * sizes[i][1]) < 1e-4f);
        assert_true(fabsf(photo.faces[0].five[4].y - 92.2041f * sizes[i][1]) < 1e-4f);
        fsh_photo_fini(&photo);
        fsh_image_fini(&image);
    }
}

static void
a_face_of_exactly_the_least_size_is_too_small(void **state)
{
    fsh_photo photo = {0};
    fsh_image image;

    (void)state;
    fsh_test_paint(&image, 100, 1);
    photo.image = &image;
    run_once(&fsh_stage_detect, "none", NULL, &photo);
    assert_int_equal(photo.faces[0].reason, FSH_REASON_FACE_TOO_SMALL);
    assert_true(photo.faces[0].value == 100);
    fsh_photo_fini(&photo);
    run_once(&fsh_stage_detect, "none", (const char *const[]){"min_side", "99", NULL}, &photo);
    assert_int_equal(photo.faces[0].reason, FSH_REASON_NONE);
    fsh_photo_fini(&photo);
    fsh_image_fini(&image);
}

static void
a_picture_without_a_face_has_none(void **state)
{
    fsh_photo photo = {0};
    fsh_image image;

    (void)state;
    assert_int_equal(fsh_image_init(&image, 300, 200, 3), FSH_OK);
    photo.image = &image;
    run_once(&fsh_stage_detect, "hog", NULL, &photo);
    assert_int_equal(photo.reason, FSH_REASON_NO_FACE);
    assert_int_equal(photo.faces_n, 0);
    fsh_image_fini(&image);
}

static void
a_picture_of_one_pixel_is_no_trouble(void **state)
{
    static const char *const detectors[] = {"hog", "none"};
    fsh_image image;
    size_t i;

    (void)state;
    assert_int_equal(fsh_image_init(&image, 1, 1, 3), FSH_OK);
    for (i = 0; i < 2; i++) {
        fsh_photo photo = {.image = &image};

        run_once(&fsh_stage_detect, detectors[i], NULL, &photo);
        assert_true(photo.reason || photo.faces[0].reason);
        fsh_photo_fini(&photo);
    }
    fsh_image_fini(&image);
}

static void
further_faces_of_a_photo_have_keys_of_their_own(void **state)
{
    fsh_photo photo = {.key = 42};
    uint32_t i, k;

    (void)state;
    for (i = 0; i < 5; i++)
        assert_non_null(fsh_photo_add_face(&photo));
    assert_int_equal(photo.faces[0].key, 42);
    for (i = 0; i < 5; i++)
        for (k = 0; k < i; k++)
            assert_int_not_equal(photo.faces[i].key, photo.faces[k].key);
    assert_true(isnan(photo.faces[4].mean_distance));
    fsh_photo_fini(&photo);
}

static void
the_template_maps_onto_itself(void **state)
{
    fsh_point points[5];
    fsh_affine map;

    (void)state;
    fsh_arcface_template(112, points);
    assert_true(points[0].x == 38.2946f && points[4].y == 92.2041f);
    assert_int_equal(fsh_arcface_map(points, 224, 224, &map), FSH_OK);
    assert_true(fabs(map.m[0] - 2) < 1e-5 && fabs(map.m[1]) < 1e-5 && fabs(map.m[2]) < 1e-3);
    assert_int_equal(fsh_arcface_map(points, 96, 112, &map), FSH_OK);
    assert_true(fabs(map.m[0] - 1) < 1e-5 && fabs(map.m[2] + 8) < 1e-3);
}

static void
a_face_without_points_cannot_be_aligned(void **state)
{
    fsh_photo photo = {0};
    fsh_image image;

    (void)state;
    fsh_test_paint(&image, 150, 1);
    photo.image = &image;
    run_once(&fsh_stage_detect, "none", NULL, &photo);
    run_once(&fsh_stage_align, "none", NULL, &photo);
    assert_int_equal(photo.faces[0].reason, FSH_REASON_BAD_LANDMARKS);
    assert_false(photo.faces[0].aligned);
    fsh_photo_fini(&photo);
    fsh_image_fini(&image);
}

/* False, with a message, where the photographs are not here. */
static bool
load_photo(fsh_image *image)
{
    fsh_reason reason;
    fsh_err err = {""};
    uint8_t *data;
    size_t bytes;

    if (!fsh_file_exists(PHOTO)) {
        print_message("skipped: no photographs in ../shared\n");
        return false;
    }
    assert_ok(fsh_file_read(PHOTO, 1 << 24, &data, &bytes, &err), err);
    assert_ok(fsh_decode(data, bytes, 1 << 24, image, &reason, &err), err);
    free(data);
    return true;
}

/* LFW is cut so that the face is in the middle: its eyes are about 40 px apart at the middle's
 * height. */
static void
assert_face_of_lfw(const fsh_face *face)
{
    const fsh_point *five = face->five;

    assert_int_equal(face->reason, FSH_REASON_NONE);
    assert_true(face->has_five && face->has_landmarks && face->aligned);
    assert_true(five[0].x > 90 && five[0].x < 120 && five[1].x > 130 && five[1].x < 160);
    assert_true(fabsf(five[0].y - five[1].y) < 10 && five[3].y > five[0].y + 25);
    assert_true(hypotf(five[0].x - face->landmarks[37].x, five[0].y - face->landmarks[37].y) < 12);
}

static void
every_detector_finds_the_face_of_a_photograph(void **state)
{
    static const char *const detectors[] = {"hog", "ssd", "yunet"};
    fsh_image image = {0};
    size_t i;

    (void)state;
    if (!load_photo(&image))
        skip();
    for (i = 0; i < 3; i++) {
        fsh_photo photo = {.image = &image};
        const fsh_face *face;

        run_once(&fsh_stage_detect, detectors[i], (const char *const[]){"min_side", "0", NULL},
                 &photo);
        run_once(&fsh_stage_landmarks, detectors[i], NULL, &photo);
        run_once(&fsh_stage_align, detectors[i], NULL, &photo);
        face = &photo.faces[0];
        assert_int_equal(photo.faces_n, 1);
        assert_face_of_lfw(face);
        assert_box(&face->crop, face->face.x - 22, face->face.y - 22, face->face.width + 44,
                   face->face.height + 44);
        assert_int_equal(face->mask_class,
                         i == 1 ? FSH_MASK_CLASS_NO_MASK : FSH_MASK_CLASS_UNKNOWN);
        fsh_photo_fini(&photo);
    }
    fsh_image_fini(&image);
}

static void
a_square_crop_has_equal_sides(void **state)
{
    static const char *const square[] = {"crop_shape", "square", "min_side", "0", NULL};
    fsh_image image = {0};
    fsh_photo photo = {.image = &image};

    (void)state;
    if (!load_photo(&image))
        skip();
    run_once(&fsh_stage_detect, "ssd", square, &photo);
    assert_int_not_equal(photo.faces[0].face.width, photo.faces[0].face.height);
    assert_int_equal(photo.faces[0].crop.width, photo.faces[0].crop.height);
    fsh_photo_fini(&photo);
    fsh_image_fini(&image);
}

static void
a_margin_can_be_a_share_of_the_face(void **state)
{
    static const char *const wide[] = {"crop_shape", "square", "min_side", "0", "margin", "0",
                                       "margin_share", "0.5", NULL};
    fsh_image image = {0};
    fsh_photo photo = {.image = &image};
    const fsh_face *face;
    int32_t longer;

    (void)state;
    if (!load_photo(&image))
        skip();
    run_once(&fsh_stage_detect, "ssd", wide, &photo);
    face = &photo.faces[0];
    longer = face->face.width > face->face.height ? face->face.width : face->face.height;
    assert_true(abs(face->crop.width - longer - longer / 2) <= 2);
    assert_int_equal(face->crop.width, face->crop.height);
    fsh_photo_fini(&photo);
    fsh_image_fini(&image);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_detector_the_picture_is_the_face),
        cmocka_unit_test(an_aligned_picture_is_a_face_on_the_template),
        cmocka_unit_test(a_face_of_exactly_the_least_size_is_too_small),
        cmocka_unit_test(a_picture_without_a_face_has_none),
        cmocka_unit_test(a_picture_of_one_pixel_is_no_trouble),
        cmocka_unit_test(further_faces_of_a_photo_have_keys_of_their_own),
        cmocka_unit_test(the_template_maps_onto_itself),
        cmocka_unit_test(a_face_without_points_cannot_be_aligned),
        cmocka_unit_test(every_detector_finds_the_face_of_a_photograph),
        cmocka_unit_test(a_square_crop_has_equal_sides),
        cmocka_unit_test(a_margin_can_be_a_share_of_the_face),
    };

    fsh_vision_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

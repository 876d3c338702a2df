#include "stages/head.h"
#include "tests/testing.h"

/* The mean face and its modes as the fit finds them in a frontal face, seen otherwise. */
static void
see_landmarks(float yaw, float pitch, float roll, const float shape[FSH_HEAD_MODES],
              fsh_head *truth, fsh_point landmarks[FSH_LANDMARKS_N])
{
    int i;

    memset(truth, 0, sizeof *truth);
    truth->scale = 0.9f;
    truth->wide = 1;
    truth->centre = (fsh_point){80, 60};
    memcpy(truth->shape, shape, sizeof truth->shape);
    fsh_head_shape(truth);
    fsh_head_turn(truth, yaw, pitch, roll);
    for (i = 0; i < FSH_LANDMARKS_N; i++)
        landmarks[i] = fsh_head_see(truth, truth->points[i]);
}

static void
turns_of_a_seen_face_are_found_again(void **state)
{
    static const float rolls[] = {-60, -20, 0, 35, 90};
    const float shape[FSH_HEAD_MODES] = {0.8f, -0.7f, 0.6f, 0.4f, -0.5f, 0.3f, -0.3f, 0.2f};
    fsh_point landmarks[FSH_LANDMARKS_N];
    fsh_head truth, found;
    int yaw, pitch, r;

    (void)state;
    for (yaw = -50; yaw <= 50; yaw += 10)
        for (pitch = -25; pitch <= 25; pitch += 5)
            for (r = 0; r < 5; r++) {
                see_landmarks((float)yaw, (float)pitch, rolls[r], shape, &truth, landmarks);
                assert_int_equal(fsh_head_fit(landmarks, 1, &found), FSH_REASON_NONE);
                assert_float_equal(found.yaw, yaw, 2);
                assert_float_equal(found.pitch, pitch, 2);
                assert_float_equal(found.roll, rolls[r], 1.5);
                assert_float_equal(found.scale, truth.scale, 0.03);
                assert_true(found.residual < 0.02f);
            }
}

static void
a_head_that_looks_right_and_up_shows_its_nose_there(void **state)
{
    const float none[FSH_HEAD_MODES] = {0};
    fsh_point landmarks[FSH_LANDMARKS_N], nose, tip;
    fsh_head head;

    (void)state;
    see_landmarks(0, 0, 0, none, &head, landmarks);
    nose = landmarks[30];
    see_landmarks(30, 0, 0, none, &head, landmarks);
    assert_true(landmarks[30].x > nose.x + 5);
    assert_true(fsh_head_facing(&head, fsh_head_part_normal(FSH_HEAD_LEFT_CHEEKBONE)) > 0.5f);
    assert_true(fsh_head_facing(&head, fsh_head_part_normal(FSH_HEAD_RIGHT_EAR_ROOT)) < 0);
    see_landmarks(0, 20, 0, none, &head, landmarks);
    assert_true(landmarks[30].y < nose.y - 5);
    tip = fsh_head_see(&head, fsh_head_part(&head, FSH_HEAD_NOSE_TIP));
    assert_float_equal(tip.x, landmarks[30].x, 2);
    assert_float_equal(tip.y, landmarks[30].y, 3);
    see_landmarks(0, 0, 90, none, &head, landmarks);
    assert_true(landmarks[8].x < landmarks[27].x - 40); /* clockwise: the chin goes to the left */
}

static void
places_stand_where_a_head_has_them(void **state)
{
    const float none[FSH_HEAD_MODES] = {0};
    fsh_point landmarks[FSH_LANDMARKS_N];
    fsh_vec3 left, right;
    fsh_head head;

    (void)state;
    see_landmarks(0, 0, 0, none, &head, landmarks);
    left = fsh_head_part(&head, FSH_HEAD_LEFT_EAR_TOP);
    right = fsh_head_part(&head, FSH_HEAD_RIGHT_EAR_TOP);
    assert_float_equal(left.x, -right.x, 1);
    assert_true(right.x > 60 && right.x < 85 && right.z < -50);
    assert_true(fsh_head_part(&head, FSH_HEAD_CHIN_UNDER).y > head.points[57].y + 15);
    assert_true(fsh_head_part(&head, FSH_HEAD_NASION).z >
                fsh_head_part(&head, FSH_HEAD_RIGHT_TEMPLE).z + 30);
    assert_true(fsh_head_part(&head, FSH_HEAD_CROWN).y < -70);
}

static void
what_is_no_face_is_refused(void **state)
{
    const float none[FSH_HEAD_MODES] = {0};
    fsh_point landmarks[FSH_LANDMARKS_N], odd[FSH_LANDMARKS_N];
    fsh_head head;
    int i;

    (void)state;
    see_landmarks(10, 0, 0, none, &head, landmarks);
    memcpy(odd, landmarks, sizeof odd);
    odd[33].x = NAN;
    assert_int_equal(fsh_head_fit(odd, 1, &head), FSH_REASON_BAD_LANDMARKS);
    for (i = 0; i < FSH_LANDMARKS_N; i++)
        odd[i] = (fsh_point){50, 50};
    assert_int_equal(fsh_head_fit(odd, 1, &head), FSH_REASON_BAD_LANDMARKS);
    for (i = 0; i < FSH_LANDMARKS_N; i++)
        odd[i] = landmarks[(i * 29) % FSH_LANDMARKS_N];
    assert_int_equal(fsh_head_fit(odd, 1, &head), FSH_REASON_BAD_LANDMARKS);
    memcpy(odd, landmarks, sizeof odd);
    for (i = 48; i < FSH_LANDMARKS_N; i++)
        odd[i].y -= 40; /* a mouth over the eyes */
    assert_int_equal(fsh_head_fit(odd, 1, &head), FSH_REASON_BAD_LANDMARKS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_of_a_seen_face_are_found_again),
        cmocka_unit_test(a_head_that_looks_right_and_up_shows_its_nose_there),
        cmocka_unit_test(places_stand_where_a_head_has_them),
        cmocka_unit_test(what_is_no_face_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

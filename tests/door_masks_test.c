/* When faces are looked at for masks, and what is said of them in between. */
#include "door/masks.h"

#include "tests/testing.h"

enum { MASK = FSH_MASK_CLASS_MASK, BARE = FSH_MASK_CLASS_NO_MASK, NONE = FSH_MASK_CLASS_UNKNOWN };

static fsh_face
face_at(int32_t x)
{
    return (fsh_face){.face = {x, 10, 100, 120}, .mask_class = NONE};
}

/* A frame with a face at x, of which the detector says `told` if it is asked; whether it was.
 * *said: what the face has in the end. */
static bool
look(fsh_masks *masks, double seconds, int32_t x, int8_t told, int8_t *said)
{
    fsh_face face = face_at(x);
    fsh_photo photo = {.faces = &face, .faces_n = 1};
    bool asked = fsh_masks_begin(masks, seconds, &photo);

    if (asked)
        face.mask_class = told;
    fsh_masks_end(masks, seconds, asked, &photo);
    *said = face.mask_class;
    return asked;
}

static void
a_face_is_looked_at_three_times_and_then_twice_a_second(void **state)
{
    fsh_masks masks = {.every_s = 0.5};
    uint32_t asked = 0, i;
    int8_t said;

    (void)state;
    for (i = 0; i < 100; i++) {
        bool looked = look(&masks, 0.04 * i, (int32_t)(2 * i), MASK, &said);

        assert_int_equal(said, MASK);
        assert_true(looked || i > 2);
        asked += looked;
    }
    assert_in_range(asked, 3 + 7, 3 + 8);
}

static void
a_mask_that_is_put_on_is_seen_within_the_time_and_tried_again(void **state)
{
    fsh_masks masks = {.every_s = 0.5};
    uint32_t i, masked = 0, asked = 0;
    int8_t said;

    (void)state;
    for (i = 0; i < 25; i++)
        look(&masks, 0.04 * i, 0, BARE, &said);
    for (i = 25; i < 50; i++) {
        asked += look(&masks, 0.04 * i, 0, MASK, &said);
        assert_true(!masked || said == MASK);
        masked += said == MASK;
    }
    assert_in_range(masked, 12, 25);
    assert_in_range(asked, 3, 5);
}

static void
a_wrong_answer_among_the_first_is_outvoted_in_time(void **state)
{
    static const int8_t told[] = {BARE, MASK, MASK, MASK, MASK, MASK};
    fsh_masks masks = {.every_s = 0.5};
    uint32_t i, asked = 0;
    int8_t said;

    (void)state;
    for (i = 0; i < 6; i++)
        asked += look(&masks, 0.04 * i, 0, told[i], &said);
    assert_int_equal(said, MASK);
    assert_int_equal(asked, 4);
}

static void
whoever_stands_elsewhere_or_comes_after_a_gap_is_looked_at_anew(void **state)
{
    fsh_masks masks = {.every_s = 60};
    uint32_t i;
    int8_t said;

    (void)state;
    for (i = 0; i < 10; i++)
        look(&masks, 0.04 * i, 0, MASK, &said);
    assert_false(look(&masks, 0.4, 0, BARE, &said));
    assert_int_equal(said, MASK);
    assert_true(look(&masks, 0.44, 90, BARE, &said));
    assert_int_equal(said, BARE);
    assert_true(look(&masks, 0.8, 0, NONE, &said));
    assert_int_equal(said, NONE);
}

static void
of_whom_nothing_can_be_told_is_not_looked_at_in_every_frame(void **state)
{
    fsh_masks masks = {.every_s = 0.5};
    uint32_t i, asked = 0;
    int8_t said;

    (void)state;
    for (i = 0; i < 25; i++) {
        asked += look(&masks, 0.04 * i, 0, NONE, &said);
        assert_int_equal(said, NONE);
    }
    assert_in_range(asked, 3, 5);
    assert_false(look(&masks, 1, 0, MASK, &said) && look(&masks, 1.04, 0, MASK, &said));
}

static void
every_frame_is_looked_at_where_that_is_wanted(void **state)
{
    fsh_masks masks = {.every_s = 0};
    uint32_t i;
    int8_t said;

    (void)state;
    for (i = 0; i < 20; i++) {
        assert_true(look(&masks, 0.04 * i, 0, i % 2 ? MASK : BARE, &said));
        assert_int_equal(said, i % 2 ? MASK : BARE);
    }
}

/* Two at most share a box for a moment; a face of the frame takes one remembered face. */
static void
faces_of_a_crowd_keep_what_was_told_of_each(void **state)
{
    enum { N = FSH_MASKS_MAX + 5 };
    static fsh_face faces[N];
    fsh_photo photo = {.faces = faces, .faces_n = FSH_MASKS_MAX};
    fsh_masks masks = {.every_s = 60};
    uint32_t frame, i;

    (void)state;
    for (frame = 0; frame < 6; frame++) {
        bool asked;

        for (i = 0; i < N; i++)
            faces[i] = face_at((int32_t)(80 * i + frame));
        asked = fsh_masks_begin(&masks, 0.04 * frame, &photo);
        assert_int_equal(asked, frame < 3);
        for (i = 0; asked && i < FSH_MASKS_MAX; i++)
            faces[i].mask_class = i % 3 ? MASK : BARE;
        fsh_masks_end(&masks, 0.04 * frame, asked, &photo);
        for (i = 0; i < FSH_MASKS_MAX; i++)
            assert_int_equal(faces[i].mask_class, i % 3 ? MASK : BARE);
    }
    photo.faces_n = N;
    for (i = 0; i < N; i++)
        faces[i] = face_at((int32_t)(80 * i + frame));
    assert_true(fsh_masks_begin(&masks, 0.04 * frame, &photo));
    fsh_masks_end(&masks, 0.04 * frame, true, &photo);
    assert_int_equal(faces[N - 1].mask_class, NONE);
    assert_int_equal(faces[1].mask_class, MASK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_face_is_looked_at_three_times_and_then_twice_a_second),
        cmocka_unit_test(a_mask_that_is_put_on_is_seen_within_the_time_and_tried_again),
        cmocka_unit_test(a_wrong_answer_among_the_first_is_outvoted_in_time),
        cmocka_unit_test(whoever_stands_elsewhere_or_comes_after_a_gap_is_looked_at_anew),
        cmocka_unit_test(of_whom_nothing_can_be_told_is_not_looked_at_in_every_frame),
        cmocka_unit_test(every_frame_is_looked_at_where_that_is_wanted),
        cmocka_unit_test(faces_of_a_crowd_keep_what_was_told_of_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/stage_testing.h"

enum { FACES_N = 40 };

/* Faces of one identity, and the order in which the stage sees them. */
struct album {
    fsh_face faces[FACES_N];
    fsh_face *order[FACES_N];
};

static void
fill_album(struct album *album)
{
    uint32_t i;

    memset(album, 0, sizeof *album);
    for (i = 0; i < FACES_N; i++) {
        album->faces[i].key = 1000 + i;
        album->order[i] = &album->faces[i];
    }
}

/* A bit for each of the first n faces: whether it was drawn. */
static uint64_t
draw(struct album *album, uint32_t n, uint64_t seed, uint64_t identity_key, const char *per_class)
{
    const char *const settings[] = {"per_class", per_class, NULL};
    fsh_stage_env env = {.seed = seed};
    void *params = fsh_test_params(&fsh_stage_sample, settings);
    fsh_group group = {album->order, n, identity_key};
    fsh_err err = {""};
    uint64_t bits = 0;
    uint32_t i;

    assert_ok(fsh_stage_sample.select(NULL, params, &env, &group, &err), err);
    for (i = 0; i < n; i++) {
        if (album->faces[i].reason == FSH_REASON_NONE)
            bits |= UINT64_C(1) << i;
        else
            assert_int_equal(album->faces[i].reason, FSH_REASON_NOT_SAMPLED);
    }
    free(params);
    return bits;
}

static uint64_t
draw_afresh(uint32_t n, uint64_t seed, uint64_t identity_key, const char *per_class)
{
    struct album album;

    fill_album(&album);
    return draw(&album, n, seed, identity_key, per_class);
}

static void
an_identity_keeps_per_class_images(void **state)
{
    (void)state;
    assert_int_equal(__builtin_popcountll(draw_afresh(FACES_N, 1, 7, "5")), 5);
}

static void
an_identity_with_fewer_images_keeps_all(void **state)
{
    (void)state;
    assert_int_equal(draw_afresh(3, 1, 7, "5"), 7);
    assert_int_equal(draw_afresh(0, 1, 7, "5"), 0);
}

static void
zero_keeps_all(void **state)
{
    (void)state;
    assert_int_equal(__builtin_popcountll(draw_afresh(FACES_N, 1, 7, "0")), FACES_N);
}

static void
the_choice_does_not_depend_on_the_order(void **state)
{
    struct album reversed;
    uint32_t i;

    (void)state;
    fill_album(&reversed);
    for (i = 0; i < FACES_N; i++)
        reversed.order[i] = &reversed.faces[FACES_N - 1 - i];
    assert_int_equal(draw_afresh(FACES_N, 1, 7, "15"), draw(&reversed, FACES_N, 1, 7, "15"));
}

static void
seeds_and_identities_choose_differently(void **state)
{
    uint64_t base = draw_afresh(FACES_N, 1, 7, "15");

    (void)state;
    assert_int_not_equal(base, draw_afresh(FACES_N, 2, 7, "15"));
    assert_int_not_equal(base, draw_afresh(FACES_N, 1, 8, "15"));
}

static void
a_smaller_draw_is_part_of_a_larger_one(void **state)
{
    uint64_t two = draw_afresh(FACES_N, 1, 7, "2"), five = draw_afresh(FACES_N, 1, 7, "5");

    (void)state;
    assert_int_equal(two & five, two);
}

/* 2,000 draws of 10 out of 40: each image is expected 500 times with a deviation of 19. */
static void
every_image_is_drawn_as_often_as_the_others(void **state)
{
    uint32_t counts[FACES_N] = {0}, i;
    uint64_t seed;

    (void)state;
    for (seed = 0; seed < 2000; seed++) {
        uint64_t bits = draw_afresh(FACES_N, seed, 7, "10");

        for (i = 0; i < FACES_N; i++)
            counts[i] += bits >> i & 1;
    }
    for (i = 0; i < FACES_N; i++)
        assert_in_range(counts[i], 400, 600);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_identity_keeps_per_class_images),
        cmocka_unit_test(an_identity_with_fewer_images_keeps_all),
        cmocka_unit_test(zero_keeps_all),
        cmocka_unit_test(the_choice_does_not_depend_on_the_order),
        cmocka_unit_test(seeds_and_identities_choose_differently),
        cmocka_unit_test(a_smaller_draw_is_part_of_a_larger_one),
        cmocka_unit_test(every_image_is_drawn_as_often_as_the_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/stage_testing.h"

#include <math.h>

#include "stages/clean.h"
#include "stages/distances.h"

enum { DIMENSION = 16, FACES_MAX = 32 };

/* One identity whose embeddings are unit vectors near the first axis. */
struct album {
    fsh_face faces[FACES_MAX];
    fsh_face *order[FACES_MAX];
    float vectors[FACES_MAX][DIMENSION];
    uint32_t n;
};

static void
normalise(float *vector)
{
    double sum = 0;
    uint32_t d;

    for (d = 0; d < DIMENSION; d++)
        sum += vector[d] * vector[d];
    for (d = 0; d < DIMENSION; d++)
        vector[d] = (float)(vector[d] / sqrt(sum));
}

static void
fill_album(struct album *album, uint32_t n)
{
    uint32_t i, d;

    memset(album, 0, sizeof *album);
    album->n = n;
    for (i = 0; i < n; i++) {
        fsh_rng rng = fsh_rng_new(1, 0, i, 0);

        for (d = 0; d < DIMENSION; d++)
            album->vectors[i][d] = (float)fsh_rng_range(&rng, -0.2, 0.2) + (d == 0);
        normalise(album->vectors[i]);
        album->faces[i].mean_distance = NAN;
        album->faces[i].value = NAN;
        album->faces[i].embedding = album->vectors[i];
        album->order[i] = &album->faces[i];
    }
}

/* Makes image i somebody else's: a vector along another axis. */
static void
plant(struct album *album, uint32_t i)
{
    memset(album->vectors[i], 0, sizeof album->vectors[i]);
    album->vectors[i][5] = 1;
}

static void
clean(struct album *album, const char *threshold, const char *action)
{
    const char *const settings[] = {"threshold", threshold, "action", action, NULL};
    fsh_stage_env env = {.dimension = DIMENSION, .clean_threshold = 1.25};
    void *params = fsh_test_params(&fsh_stage_clean, settings);
    fsh_group group = {album->order, album->n, 7};
    fsh_err err = {""};

    assert_ok(fsh_stage_clean.select_all(NULL, params, &env, &group, 1, &err), err);
    free(params);
}

static double
mean_distance(const float *vectors, uint32_t n, uint32_t dimension, uint32_t i)
{
    double sum = 0;
    uint32_t j, d;

    for (j = 0; j < n; j++) {
        double squares = 0;

        for (d = 0; d < dimension; d++)
            squares += pow((double)vectors[i * dimension + d] - vectors[j * dimension + d], 2);
        sum += sqrt(squares);
    }
    return sum / (n - 1);
}

static double
distance_of(const struct album *album, uint32_t i)
{
    return mean_distance(album->vectors[0], album->n, DIMENSION, i);
}

static void
every_image_gets_its_mean_distance(void **state)
{
    struct album album;
    uint32_t i;

    (void)state;
    fill_album(&album, 20);
    clean(&album, "auto", "drop");
    for (i = 0; i < album.n; i++)
        assert_float_equal(album.faces[i].mean_distance, distance_of(&album, i), 1e-5);
}

static void
a_planted_image_is_rejected_with_its_distance(void **state)
{
    struct album album;
    uint32_t i;

    (void)state;
    fill_album(&album, 12);
    plant(&album, 4);
    clean(&album, "auto", "drop");
    for (i = 0; i < album.n; i++)
        assert_int_equal(album.faces[i].reason, i == 4 ? FSH_REASON_MISLABELLED : FSH_REASON_NONE);
    assert_float_equal(album.faces[4].value, distance_of(&album, 4), 1e-5);
    assert_true(isnan(album.faces[3].value));
}

static void
the_threshold_of_the_job_goes_before_that_of_the_card(void **state)
{
    struct album album;

    (void)state;
    fill_album(&album, 12);
    plant(&album, 4);
    clean(&album, "1.9", "drop");
    assert_int_equal(album.faces[4].reason, FSH_REASON_NONE);
    clean(&album, "0", "drop");
    assert_int_equal(album.faces[0].reason, FSH_REASON_MISLABELLED);
}

static void
a_flagged_image_is_delivered(void **state)
{
    struct album album;

    (void)state;
    fill_album(&album, 12);
    plant(&album, 4);
    clean(&album, "auto", "flag");
    assert_int_equal(album.faces[4].reason, FSH_REASON_NONE);
    assert_true(album.faces[4].flagged);
    assert_false(album.faces[3].flagged);
}

static void
an_identity_with_one_image_is_kept(void **state)
{
    struct album album;

    (void)state;
    fill_album(&album, 1);
    clean(&album, "0", "drop");
    assert_int_equal(album.faces[0].reason, FSH_REASON_NONE);
    assert_true(isnan(album.faces[0].mean_distance));
}

static void
an_identity_without_images_is_fine(void **state)
{
    struct album album;

    (void)state;
    fill_album(&album, 0);
    clean(&album, "auto", "drop");
}

static void
two_equal_images_have_no_distance(void **state)
{
    struct album album;

    (void)state;
    fill_album(&album, 2);
    memcpy(album.vectors[1], album.vectors[0], sizeof album.vectors[1]);
    clean(&album, "auto", "drop");
    assert_true(album.faces[0].mean_distance == 0);
    assert_true(album.faces[1].mean_distance == 0);
}

static void
a_face_without_embedding_takes_no_part(void **state)
{
    struct album album;

    (void)state;
    fill_album(&album, 3);
    album.faces[1].embedding = NULL;
    clean(&album, "auto", "drop");
    assert_true(isnan(album.faces[1].mean_distance));
    assert_false(isnan(album.faces[2].mean_distance));
}

static void
the_action_is_told_to_whoever_carries_it_out(void **state)
{
    static const char *const words[] = {"drop", "move", "copy", "flag"};
    static const fsh_clean_action actions[] = {FSH_CLEAN_DROP, FSH_CLEAN_MOVE, FSH_CLEAN_COPY,
                                               FSH_CLEAN_FLAG};
    uint32_t i;

    (void)state;
    for (i = 0; i < 4; i++) {
        const char *const settings[] = {"action", words[i], NULL};
        void *params = fsh_test_params(&fsh_stage_clean, settings);

        assert_int_equal(fsh_clean_get_action(params), actions[i]);
        free(params);
    }
}

/* ---- robust ---- */

enum { PEOPLE = 12, EACH = 4, WIDE_DIMENSION = 64 };

/* Twelve people, four pictures each, around directions of their own. */
struct unit {
    fsh_face faces[PEOPLE][EACH];
    fsh_face *order[PEOPLE][EACH];
    float vectors[PEOPLE][EACH][WIDE_DIMENSION];
    fsh_group groups[PEOPLE];
};

static void
draw_picture(struct unit *unit, uint32_t k, uint32_t i, uint32_t person)
{
    fsh_rng direction = fsh_rng_new(3, 0, person, 0), noise = fsh_rng_new(3, 1, k, i);
    float *vector = unit->vectors[k][i];
    double sum = 0;
    uint32_t d;

    for (d = 0; d < WIDE_DIMENSION; d++) {
        vector[d] = (float)(fsh_rng_range(&direction, -1, 1) + fsh_rng_range(&noise, -0.6, 0.6));
        sum += vector[d] * vector[d];
    }
    for (d = 0; d < WIDE_DIMENSION; d++)
        vector[d] = (float)(vector[d] / sqrt(sum));
}

static void
fill_unit(struct unit *unit)
{
    uint32_t k, i;

    memset(unit, 0, sizeof *unit);
    for (k = 0; k < PEOPLE; k++) {
        for (i = 0; i < EACH; i++) {
            draw_picture(unit, k, i, k);
            unit->faces[k][i] = (fsh_face){.mean_distance = NAN, .value = NAN, .embedding = unit->vectors[k][i]};
            unit->order[k][i] = &unit->faces[k][i];
        }
        unit->groups[k] = (fsh_group){unit->order[k], EACH, k};
    }
}

static void
clean_unit(struct unit *unit, const char *action)
{
    const char *const settings[] = {"method", "robust", "action", action, NULL};
    fsh_stage_env env = {.dimension = WIDE_DIMENSION, .clean_threshold = 1.25};
    void *params = fsh_test_params(&fsh_stage_clean, settings);
    fsh_err err = {""};

    assert_ok(fsh_stage_clean.select_all(NULL, params, &env, unit->groups, PEOPLE, &err), err);
    free(params);
}

static void
robust_rejects_what_is_somebody_elses(void **state)
{
    struct unit unit;
    uint32_t k, i;

    (void)state;
    fill_unit(&unit);
    draw_picture(&unit, 4, 1, 9);
    clean_unit(&unit, "drop");
    for (k = 0; k < PEOPLE; k++)
        for (i = 0; i < EACH; i++) {
            assert_int_equal(unit.faces[k][i].reason,
                             k == 4 && i == 1 ? FSH_REASON_MISLABELLED : FSH_REASON_NONE);
            assert_false(isnan(unit.faces[k][i].mean_distance));
            assert_false(unit.faces[k][i].flagged);
        }
    assert_float_equal(unit.faces[4][1].value, unit.faces[4][1].mean_distance, 0);
}

static void
robust_only_flags_what_is_not_sure(void **state)
{
    struct unit unit;

    (void)state;
    fill_unit(&unit);
    unit.groups[4].n = 2; /* a folder of two people whom nobody knows */
    draw_picture(&unit, 4, 0, 100);
    draw_picture(&unit, 4, 1, 101);
    clean_unit(&unit, "drop");
    assert_int_equal(unit.faces[4][0].reason, FSH_REASON_NONE);
    assert_true(unit.faces[4][0].flagged);
    assert_true(unit.faces[4][1].flagged);
    assert_false(unit.faces[5][0].flagged);
}

static void
robust_with_flag_delivers_everything(void **state)
{
    struct unit unit;

    (void)state;
    fill_unit(&unit);
    draw_picture(&unit, 4, 1, 9);
    clean_unit(&unit, "flag");
    assert_int_equal(unit.faces[4][1].reason, FSH_REASON_NONE);
    assert_true(unit.faces[4][1].flagged);
    assert_false(unit.faces[4][0].flagged);
}

static void
robust_leaves_out_faces_without_embedding(void **state)
{
    struct unit unit;

    (void)state;
    fill_unit(&unit);
    draw_picture(&unit, 4, 1, 9);
    unit.faces[3][0].embedding = unit.faces[4][0].embedding = NULL;
    clean_unit(&unit, "drop");
    assert_int_equal(unit.faces[4][1].reason, FSH_REASON_MISLABELLED);
    assert_int_equal(unit.faces[4][2].reason, FSH_REASON_NONE);
    assert_true(isnan(unit.faces[4][0].mean_distance));
}

/* More vectors than a tile holds, in a number that fills no group. */
static void
distances_of_many_vectors_are_those_of_every_pair(void **state)
{
    enum { N = 1003, D = 5 };
    static float values[N][D], means[N];
    static const float *vectors[N];
    uint32_t i, d;

    (void)state;
    for (i = 0; i < N; i++) {
        fsh_rng rng = fsh_rng_new(2, 0, i, 0);

        for (d = 0; d < D; d++)
            values[i][d] = (float)fsh_rng_range(&rng, -1, 1);
        vectors[i] = values[i];
    }
    assert_int_equal(fsh_distances_mean(vectors, N, D, means), FSH_OK);
    for (i = 0; i < N; i += 51)
        assert_float_equal(means[i], mean_distance(values[0], N, D, i), 1e-5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_image_gets_its_mean_distance),
        cmocka_unit_test(a_planted_image_is_rejected_with_its_distance),
        cmocka_unit_test(the_threshold_of_the_job_goes_before_that_of_the_card),
        cmocka_unit_test(a_flagged_image_is_delivered),
        cmocka_unit_test(an_identity_with_one_image_is_kept),
        cmocka_unit_test(an_identity_without_images_is_fine),
        cmocka_unit_test(two_equal_images_have_no_distance),
        cmocka_unit_test(a_face_without_embedding_takes_no_part),
        cmocka_unit_test(the_action_is_told_to_whoever_carries_it_out),
        cmocka_unit_test(robust_rejects_what_is_somebody_elses),
        cmocka_unit_test(robust_only_flags_what_is_not_sure),
        cmocka_unit_test(robust_with_flag_delivers_everything),
        cmocka_unit_test(robust_leaves_out_faces_without_embedding),
        cmocka_unit_test(distances_of_many_vectors_are_those_of_every_pair),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

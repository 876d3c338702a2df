/* From tracks to visits: names by agreement, unknown people by number, ends after a pause. */
#include "door/visits.h"

#include <math.h>

#include "stages/stage.h"
#include "tests/testing.h"

enum { DIMENSION = 4, ANNA = 0, BERT = 1 };

static const double far_away = 1.3;

static fsh_visits *
make(void)
{
    static const fsh_visits_options options = {DIMENSION, 0.8, 3, 2, 10};
    fsh_visits *visits;
    fsh_err err;

    assert_ok(fsh_visits_new(&options, &visits, &err), err);
    return visits;
}

static const float directions[DIMENSION][DIMENSION] = {
    {1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}};

static fsh_sighting
face(int looks, uint32_t person, double distance, int mask_class)
{
    return (fsh_sighting){
        {0, 0, 100, 100}, (int8_t)mask_class, directions[looks], person, distance};
}

static fsh_called
see(fsh_visits *visits, double seconds, uint64_t track, fsh_sighting one)
{
    fsh_called called;
    fsh_err err;

    assert_ok(fsh_visits_see(visits, seconds, &one, &track, 1, &called, &err), err);
    return called;
}

/* So many frames of one face, a tenth of a second apart. */
static fsh_called
see_many(fsh_visits *visits, double seconds, int n, uint64_t track, fsh_sighting one)
{
    fsh_called called = {FSH_NOBODY, 0};
    int i;

    for (i = 0; i < n; i++)
        called = see(visits, seconds + 0.1 * i, track, one);
    return called;
}

static void
see_nobody(fsh_visits *visits, double seconds)
{
    fsh_err err;

    assert_ok(fsh_visits_see(visits, seconds, NULL, NULL, 0, NULL, &err), err);
}

static fsh_visit
get(const fsh_visits *visits, uint32_t i)
{
    fsh_visit visit;

    assert_true(i < fsh_visits_count(visits));
    fsh_visits_get(visits, i, &visit);
    return visit;
}

static void
a_name_needs_several_frames(void **state)
{
    fsh_visits *visits = make();
    fsh_sighting anna = face(0, ANNA, 0.5, -1);

    (void)state;
    assert_int_equal(see_many(visits, 0, 2, 1, anna).person, FSH_NOBODY);
    assert_int_equal(fsh_visits_count(visits), 0);
    assert_int_equal(see(visits, 0.2, 1, anna).person, ANNA);
    assert_int_equal(fsh_visits_count(visits), 1);
    assert_int_equal(get(visits, 0).frames, 3);
    assert_true(get(visits, 0).first_s == 0);
    fsh_visits_free(visits);
}

static void
frames_that_do_not_agree_name_nobody(void **state)
{
    fsh_visits *visits = make();
    int i;

    (void)state;
    for (i = 0; i < 15; i++)
        assert_int_equal(see(visits, 0.1 * i, 1, face(0, i % 2 ? ANNA : BERT, 0.5, -1)).person,
                         FSH_NOBODY);
    fsh_visits_free(visits);
}

static void
a_face_that_is_far_from_everybody_becomes_an_unknown_with_a_number(void **state)
{
    fsh_visits *visits = make();
    fsh_sighting somebody = face(0, ANNA, far_away, -1);

    (void)state;
    assert_int_equal(see_many(visits, 0, 15, 1, somebody).stranger, 0);
    assert_int_equal(see_many(visits, 1.5, 10, 1, somebody).stranger, 1);
    assert_int_equal(see_many(visits, 2.5, 25, 2, face(1, ANNA, far_away, -1)).stranger, 2);
    assert_int_equal(fsh_visits_count(visits), 2);
    assert_int_equal(get(visits, 0).person, FSH_NOBODY);
    assert_true(get(visits, 0).distance == far_away);
    fsh_visits_free(visits);
}

static void
an_unknown_who_comes_again_has_the_same_number_and_another_visit(void **state)
{
    fsh_visits *visits = make();
    fsh_sighting somebody = face(0, ANNA, far_away, -1);

    (void)state;
    see_many(visits, 0, 30, 1, somebody);
    see_nobody(visits, 100);
    assert_true(get(visits, 0).ended);
    assert_int_equal(see_many(visits, 100, 30, 2, somebody).stranger, 1);
    assert_int_equal(fsh_visits_count(visits), 2);
    assert_int_equal(get(visits, 1).stranger, 1);
    assert_false(get(visits, 1).ended);
    fsh_visits_free(visits);
}

static void
an_unknown_who_is_recognised_takes_the_visit_along(void **state)
{
    fsh_visits *visits = make();

    (void)state;
    assert_int_equal(see_many(visits, 0, 30, 1, face(0, ANNA, 0.9, -1)).stranger, 1);
    assert_int_equal(see_many(visits, 3, 5, 1, face(0, ANNA, 0.6, -1)).person, ANNA);
    assert_int_equal(fsh_visits_count(visits), 1);
    assert_int_equal(get(visits, 0).frames, 35);
    assert_true(get(visits, 0).distance == 0.6);
    assert_int_equal(see_many(visits, 3.5, 30, 2, face(1, BERT, far_away, -1)).stranger, 1);
    fsh_visits_free(visits);
}

static void
a_name_gives_way_to_one_that_more_frames_agree_on(void **state)
{
    fsh_visits *visits = make();

    (void)state;
    assert_int_equal(see_many(visits, 0, 4, 1, face(0, ANNA, 0.7, -1)).person, ANNA);
    assert_int_equal(see_many(visits, 0.4, 4, 1, face(0, BERT, 0.5, -1)).person, ANNA);
    assert_int_equal(see_many(visits, 0.8, 4, 1, face(0, BERT, 0.5, -1)).person, BERT);
    assert_int_equal(fsh_visits_count(visits), 1);
    assert_int_equal(get(visits, 0).frames, 12);
    assert_true(get(visits, 0).distance == 0.5);
    fsh_visits_free(visits);
}

static void
a_visit_ends_after_a_pause_and_not_before(void **state)
{
    fsh_visits *visits = make();
    fsh_sighting anna = face(0, ANNA, 0.5, -1);

    (void)state;
    see_many(visits, 0, 3, 1, anna);
    see_many(visits, 9, 3, 2, anna);
    assert_int_equal(fsh_visits_count(visits), 1);
    assert_int_equal(get(visits, 0).frames, 6);
    see_nobody(visits, 19);
    assert_false(get(visits, 0).ended);
    see_nobody(visits, 19.3);
    assert_true(get(visits, 0).ended);
    assert_true(get(visits, 0).last_s == 9.2);
    see_many(visits, 20, 3, 3, anna);
    assert_int_equal(fsh_visits_count(visits), 2);
    fsh_visits_drop_ended(visits);
    assert_int_equal(fsh_visits_count(visits), 1);
    assert_true(get(visits, 0).first_s == 20);
    fsh_visits_free(visits);
}

static void
nobody_is_in_a_frame_twice(void **state)
{
    fsh_visits *visits = make();
    fsh_called called[2];
    fsh_err err;
    int i;

    (void)state;
    for (i = 0; i < 30; i++) {
        const fsh_sighting faces[] = {face(0, ANNA, 0.6, -1), face(1, ANNA, 0.5, -1)};
        const uint64_t tracks[] = {1, 2};

        assert_ok(fsh_visits_see(visits, 0.1 * i, faces, tracks, 2, called, &err), err);
    }
    assert_int_equal(called[0].person, FSH_NOBODY);
    assert_int_equal(called[0].stranger, 1);
    assert_int_equal(called[1].person, ANNA);
    fsh_visits_free(visits);
}

static void
a_mask_is_worn_where_most_frames_say_so(void **state)
{
    fsh_visits *visits = make();
    fsh_visit visit;

    (void)state;
    see_many(visits, 0, 3, 1, face(0, ANNA, 0.5, FSH_MASK_CLASS_NO_MASK));
    see_many(visits, 0.3, 5, 1, face(0, ANNA, 0.5, FSH_MASK_CLASS_MASK));
    see_many(visits, 0.8, 5, 2, face(1, BERT, 0.5, FSH_MASK_CLASS_UNKNOWN));
    visit = get(visits, 0);
    assert_int_equal(fsh_visit_masked(&visit), 1);
    visit = get(visits, 1);
    assert_int_equal(fsh_visit_masked(&visit), -1);
    see_many(visits, 1.3, 3, 1, face(0, ANNA, 0.5, FSH_MASK_CLASS_NO_MASK));
    visit = get(visits, 0);
    assert_int_equal(fsh_visit_masked(&visit), 0);
    fsh_visits_free(visits);
}

static void
a_glimpse_is_no_visit_and_is_counted(void **state)
{
    fsh_visits *visits = make();
    fsh_err err;

    (void)state;
    see_many(visits, 0, 2, 1, face(0, ANNA, far_away, -1));
    assert_ok(fsh_visits_end(visits, &err), err);
    assert_int_equal(fsh_visits_count(visits), 0);
    assert_int_equal(fsh_visits_glimpses(visits), 1);
    fsh_visits_free(visits);
}

static void
the_end_of_the_source_ends_all_visits(void **state)
{
    fsh_visits *visits = make();
    fsh_err err;

    (void)state;
    see_many(visits, 0, 3, 1, face(0, ANNA, 0.5, -1));
    see_many(visits, 0, 3, 2, face(1, ANNA, far_away, -1));
    assert_int_equal(fsh_visits_count(visits), 1);
    assert_ok(fsh_visits_end(visits, &err), err);
    assert_int_equal(fsh_visits_count(visits), 2);
    assert_true(get(visits, 0).ended && get(visits, 1).ended);
    assert_int_equal(get(visits, 1).stranger, 1);
    fsh_visits_free(visits);
}

static void
more_unknown_people_than_are_remembered_get_new_numbers(void **state)
{
    fsh_visits *visits = make();
    fsh_sighting nameless = face(0, FSH_NOBODY, INFINITY, -1);
    uint32_t i;

    (void)state;
    nameless.embedding = NULL;
    for (i = 0; i <= FSH_STRANGERS_MAX; i++) {
        assert_int_equal(see_many(visits, 100.0 * i, 30, i + 1, nameless).stranger, i + 1);
        fsh_visits_drop_ended(visits);
    }
    assert_false(isfinite(get(visits, 0).distance));
    fsh_visits_free(visits);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_needs_several_frames),
        cmocka_unit_test(frames_that_do_not_agree_name_nobody),
        cmocka_unit_test(a_face_that_is_far_from_everybody_becomes_an_unknown_with_a_number),
        cmocka_unit_test(an_unknown_who_comes_again_has_the_same_number_and_another_visit),
        cmocka_unit_test(an_unknown_who_is_recognised_takes_the_visit_along),
        cmocka_unit_test(a_name_gives_way_to_one_that_more_frames_agree_on),
        cmocka_unit_test(a_visit_ends_after_a_pause_and_not_before),
        cmocka_unit_test(nobody_is_in_a_frame_twice),
        cmocka_unit_test(a_mask_is_worn_where_most_frames_say_so),
        cmocka_unit_test(a_glimpse_is_no_visit_and_is_counted),
        cmocka_unit_test(the_end_of_the_source_ends_all_visits),
        cmocka_unit_test(more_unknown_people_than_are_remembered_get_new_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

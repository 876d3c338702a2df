/* Faces over frames: who is tied to whom, and what becomes of those that are out of sight. */
#include "door/tracker.h"

#include <math.h>

#include "tests/testing.h"

enum { DIMENSION = 4 };

/* A face at x whose embedding is the direction `of`, turned by `angle` towards the next one. */
typedef struct scene {
    float vectors[8][DIMENSION];
    fsh_sighting faces[8];
    uint64_t tracks[8];
    uint32_t n;
} scene;

static void
add(scene *s, int32_t x, int of, double angle)
{
    float *vector = s->vectors[s->n];

    memset(vector, 0, sizeof s->vectors[0]);
    vector[of] = (float)cos(angle);
    vector[(of + 1) % DIMENSION] = (float)sin(angle);
    s->faces[s->n++] = (fsh_sighting){{x, 0, 100, 100}, -1, vector, FSH_NOBODY, INFINITY};
}

static void
add_plain(scene *s, int32_t x)
{
    s->faces[s->n++] = (fsh_sighting){{x, 0, 100, 100}, -1, NULL, FSH_NOBODY, INFINITY};
}

static fsh_tracker *
make(void)
{
    static const fsh_tracker_options options = {DIMENSION, 0.8, 30};
    fsh_tracker *tracker;
    fsh_err err;

    assert_ok(fsh_tracker_new(&options, &tracker, &err), err);
    return tracker;
}

static void
see(fsh_tracker *tracker, double seconds, scene *s)
{
    fsh_err err;

    assert_ok(fsh_tracker_see(tracker, seconds, s->faces, s->n, s->tracks, &err), err);
}

/* The track of one face of direction `of` at x. */
static uint64_t
see_one(fsh_tracker *tracker, double seconds, int32_t x, int of, double angle)
{
    scene s = {.n = 0};

    add(&s, x, of, angle);
    see(tracker, seconds, &s);
    return s.tracks[0];
}

static void
a_face_that_moves_slowly_keeps_its_track(void **state)
{
    fsh_tracker *tracker = make();
    uint64_t first = see_one(tracker, 0, 0, 0, 0);
    int i;

    (void)state;
    for (i = 1; i < 20; i++)
        assert_int_equal(see_one(tracker, i * 0.1, i * 30, 0, 0.02 * i), first);
    fsh_tracker_free(tracker);
}

static void
faces_without_embeddings_are_tied_by_overlap_alone(void **state)
{
    fsh_tracker *tracker = make();
    scene before = {.n = 0}, after = {.n = 0}, later = {.n = 0};

    (void)state;
    add_plain(&before, 0);
    add_plain(&before, 300);
    see(tracker, 0, &before);
    add_plain(&after, 310);
    add_plain(&after, 20);
    see(tracker, 0.1, &after);
    assert_int_equal(after.tracks[0], before.tracks[1]);
    assert_int_equal(after.tracks[1], before.tracks[0]);
    add_plain(&later, 20);
    see(tracker, 5, &later);
    assert_int_not_equal(later.tracks[0], before.tracks[0]);
    fsh_tracker_free(tracker);
}

static void
somebody_else_in_the_same_place_has_another_track(void **state)
{
    fsh_tracker *tracker = make();
    uint64_t first = see_one(tracker, 0, 0, 0, 0);

    (void)state;
    assert_int_not_equal(see_one(tracker, 0.1, 0, 2, 0), first);
    fsh_tracker_free(tracker);
}

static void
two_people_who_change_places_keep_their_tracks(void **state)
{
    fsh_tracker *tracker = make();
    scene before = {.n = 0}, after = {.n = 0};

    (void)state;
    add(&before, 0, 0, 0);
    add(&before, 60, 2, 0);
    see(tracker, 0, &before);
    add(&after, 0, 2, 0.1);
    add(&after, 60, 0, 0.1);
    see(tracker, 0.1, &after);
    assert_int_equal(after.tracks[0], before.tracks[1]);
    assert_int_equal(after.tracks[1], before.tracks[0]);
    fsh_tracker_free(tracker);
}

static void
who_comes_back_elsewhere_is_known_by_the_face_until_it_is_forgotten(void **state)
{
    fsh_tracker *tracker = make();
    uint64_t first;

    (void)state;
    see_one(tracker, 0, 0, 0, 0);
    see_one(tracker, 0.1, 0, 0, 0);
    first = see_one(tracker, 0.2, 0, 0, 0);
    assert_int_equal(see_one(tracker, 20, 500, 0, 0.5), first);
    assert_int_not_equal(see_one(tracker, 51, 500, 0, 0.5), first);
    fsh_tracker_free(tracker);
}

static void
a_face_that_was_there_for_a_moment_is_forgotten_soon(void **state)
{
    fsh_tracker *tracker = make();
    uint64_t first = see_one(tracker, 0, 0, 0, 0);
    scene empty = {.n = 0};
    int i;

    (void)state;
    for (i = 1; i <= 3; i++)
        see(tracker, 0.5 * i, &empty);
    assert_int_not_equal(see_one(tracker, 2, 0, 0, 0), first);
    fsh_tracker_free(tracker);
}

static void
where_frames_are_seconds_apart_a_face_is_followed_all_the_same(void **state)
{
    fsh_tracker *tracker = make();
    uint64_t first = see_one(tracker, 0, 0, 0, 0);

    (void)state;
    assert_int_equal(see_one(tracker, 4, 10, 0, 0.1), first);
    assert_int_equal(see_one(tracker, 8, 300, 0, 0.2), first);
    assert_int_not_equal(see_one(tracker, 12, 300, 2, 0), first);
    fsh_tracker_free(tracker);
}

static void
two_alike_faces_of_one_frame_have_two_tracks(void **state)
{
    fsh_tracker *tracker = make();
    scene s = {.n = 0}, again = {.n = 0};

    (void)state;
    add(&s, 0, 0, 0);
    add(&s, 300, 0, 0);
    see(tracker, 0, &s);
    assert_int_not_equal(s.tracks[0], s.tracks[1]);
    add(&again, 300, 0, 0);
    add(&again, 0, 0, 0);
    see(tracker, 0.1, &again);
    assert_int_not_equal(again.tracks[0], again.tracks[1]);
    fsh_tracker_free(tracker);
}

static void
a_hundred_faces_in_a_frame_are_no_trouble(void **state)
{
    fsh_tracker *tracker = make();
    fsh_sighting faces[100];
    uint64_t tracks[2][100];
    fsh_err err;
    int i, round;

    (void)state;
    for (round = 0; round < 2; round++) {
        for (i = 0; i < 100; i++)
            faces[i] = (fsh_sighting){{i * 200, 0, 100, 100}, -1, NULL, FSH_NOBODY, INFINITY};
        assert_ok(fsh_tracker_see(tracker, round, faces, 100, tracks[round], &err), err);
    }
    assert_memory_equal(tracks[0], tracks[1], sizeof tracks[0]);
    fsh_tracker_free(tracker);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_face_that_moves_slowly_keeps_its_track),
        cmocka_unit_test(faces_without_embeddings_are_tied_by_overlap_alone),
        cmocka_unit_test(somebody_else_in_the_same_place_has_another_track),
        cmocka_unit_test(two_people_who_change_places_keep_their_tracks),
        cmocka_unit_test(who_comes_back_elsewhere_is_known_by_the_face_until_it_is_forgotten),
        cmocka_unit_test(a_face_that_was_there_for_a_moment_is_forgotten_soon),
        cmocka_unit_test(where_frames_are_seconds_apart_a_face_is_followed_all_the_same),
        cmocka_unit_test(two_alike_faces_of_one_frame_have_two_tracks),
        cmocka_unit_test(a_hundred_faces_in_a_frame_are_no_trouble),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

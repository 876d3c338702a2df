/* The nearest row by whole numbers against computing all distances. */
#include "evaluate/closest.h"

#include <math.h>

#include "base/rng.h"
#include "evaluate/distance.h"
#include "tests/testing.h"

/* Of length 1. */
static float *
draw(uint32_t n, uint32_t dimension, uint64_t seed)
{
    float *vectors = malloc(((size_t)n * dimension + 1) * sizeof *vectors);
    fsh_rng rng = fsh_rng_new(seed, 1, 1, 0);
    uint32_t i, d;

    for (i = 0; i < n; i++) {
        double sum = 0;

        for (d = 0; d < dimension; d++) {
            float x = (float)fsh_rng_range(&rng, -1, 1);

            vectors[(size_t)i * dimension + d] = x;
            sum += (double)x * x;
        }
        for (d = 0; d < dimension; d++)
            vectors[(size_t)i * dimension + d] /= (float)sqrt(sum);
    }
    return vectors;
}

static uint32_t
nearest_by_all(const fsh_search_gallery *gallery, const float *probe, double *distance)
{
    uint32_t i, best = FSH_SEARCH_NONE;

    *distance = INFINITY;
    for (i = 0; i < gallery->n; i++) {
        double d = sqrt(fsh_distance_squared(
            probe, gallery->vectors + (size_t)i * gallery->dimension, gallery->dimension));

        if (d < *distance) {
            *distance = d;
            best = i;
        }
    }
    return best;
}

static fsh_closest *
make(const fsh_search_gallery *gallery)
{
    fsh_closest *closest;
    fsh_err err;

    assert_ok(fsh_closest_new(gallery, &closest, &err), err);
    return closest;
}

static fsh_search_hit
find(fsh_closest *closest, const float *vector)
{
    fsh_search_hit hit;

    fsh_closest_find(closest, &vector, 1, &hit);
    return hit;
}

/* By every way to score that there is here, all probes in one call. */
static void
compare(const fsh_search_gallery *gallery, const float *probes, uint32_t n, uint64_t *distances)
{
    enum { PROBES_MAX = 40 };
    const float *vectors[PROBES_MAX];
    fsh_search_hit hits[PROBES_MAX];
    fsh_closest *closest = make(gallery);
    uint32_t way, i;

    assert_true(n <= PROBES_MAX);
    for (i = 0; i < n; i++)
        vectors[i] = probes + (size_t)i * gallery->dimension;
    for (way = 0; fsh_closest_score_by(closest, way); way++) {
        *distances = fsh_closest_distances(closest);
        fsh_closest_find(closest, vectors, n, hits);
        *distances = fsh_closest_distances(closest) - *distances;
        for (i = 0; i < n; i++) {
            double distance;

            assert_int_equal(hits[i].row, nearest_by_all(gallery, vectors[i], &distance));
            assert_true(hits[i].distance == distance);
        }
    }
    assert_true(way > 0);
    fsh_closest_free(closest);
}

static void
the_nearest_is_found_whatever_the_dimension_with_few_distances(void **state)
{
    static const uint32_t dimensions[] = {1, 15, 16, 17, 128, 512};
    size_t k;

    (void)state;
    for (k = 0; k < sizeof dimensions / sizeof *dimensions; k++) {
        uint32_t dimension = dimensions[k];
        fsh_search_gallery gallery = {draw(3000, dimension, 1), NULL, 3000, 0, dimension};
        float *probes = draw(40, dimension, 2);
        uint64_t distances;

        compare(&gallery, probes, 40, &distances);
        if (dimension >= 128)
            assert_true(distances < 40 * 30);
        free((float *)gallery.vectors);
        free(probes);
    }
}

static void
rows_that_differ_in_the_last_bits_are_told_apart(void **state)
{
    enum { DIMENSION = 64, N = 2000 };
    float *rows = draw(N, DIMENSION, 3), *probes = draw(5, DIMENSION, 4);
    const fsh_search_gallery gallery = {rows, NULL, N, 0, DIMENSION};
    uint64_t distances;
    uint32_t i;

    (void)state;
    for (i = 1; i < N; i++)
        memcpy(rows + (size_t)i * DIMENSION, rows, DIMENSION * sizeof *rows);
    for (i = 1; i < N; i++)
        rows[(size_t)i * DIMENSION + i % DIMENSION] += 1e-7f * (float)(i % 7);
    compare(&gallery, probes, 5, &distances);
    free(rows);
    free(probes);
}

static void
of_more_equal_rows_than_there_is_room_for_the_first_is_found(void **state)
{
    enum { DIMENSION = 32, N = 6000 };
    float *rows = draw(N, DIMENSION, 5);
    const fsh_search_gallery gallery = {rows, NULL, N, 0, DIMENSION};
    fsh_closest *closest;
    uint32_t i;

    (void)state;
    for (i = 101; i < N; i++)
        memcpy(rows + (size_t)i * DIMENSION, rows + 100 * DIMENSION, DIMENSION * sizeof *rows);
    closest = make(&gallery);
    assert_int_equal(find(closest, rows + 5000 * DIMENSION).row, 100);
    assert_int_equal(find(closest, rows + 7 * DIMENSION).row, 7);
    fsh_closest_free(closest);
    free(rows);
}

static void
groups_are_given_and_an_empty_gallery_has_none(void **state)
{
    const float rows[] = {1, 0, 0, 1, 0.6f, 0.8f}, probe[] = {0, 1};
    const uint32_t groups[] = {4, 2, 4};
    const fsh_search_gallery gallery = {rows, groups, 3, 5, 2}, empty = {rows, NULL, 0, 0, 2};
    fsh_closest *closest = make(&gallery);
    fsh_search_hit hit = find(closest, probe);

    (void)state;
    assert_int_equal(hit.group, 2);
    assert_int_equal(hit.row, 1);
    assert_true(hit.distance == 0);
    fsh_closest_free(closest);
    closest = make(&empty);
    hit = find(closest, probe);
    assert_int_equal(hit.group, FSH_SEARCH_NONE);
    assert_true(isinf(hit.distance));
    fsh_closest_free(closest);
}

static void
vectors_of_any_length_are_compared_by_distance(void **state)
{
    enum { DIMENSION = 48, N = 500 };
    float *rows = draw(N, DIMENSION, 6), *probes = draw(20, DIMENSION, 7);
    const fsh_search_gallery gallery = {rows, NULL, N, 0, DIMENSION};
    uint64_t distances;
    uint32_t i;

    (void)state;
    for (i = 0; i < N * DIMENSION; i++)
        rows[i] *= (float)(i / DIMENSION % 9) / 2;
    compare(&gallery, probes, 20, &distances);
    free(rows);
    free(probes);
}

/* Several pictures and twins of each person: rows of a group that are nearly the same. */
static void
of_near_copies_of_many_people_the_nearest_is_found_with_few_distances(void **state)
{
    enum { DIMENSION = 128, PEOPLE = 600, COPIES = 6, N = PEOPLE * COPIES };
    static uint32_t groups[N];
    float *rows = draw(N, DIMENSION, 12), *probes = draw(20, DIMENSION, 13);
    const fsh_search_gallery gallery = {rows, groups, N, PEOPLE, DIMENSION};
    fsh_rng rng = fsh_rng_new(14, 1, 1, 0);
    uint64_t distances;
    uint32_t i, d;

    (void)state;
    for (i = 0; i < N; i++) {
        groups[i] = i / COPIES;
        for (d = 0; d < DIMENSION && i % COPIES; d++)
            rows[(size_t)i * DIMENSION + d] = rows[(size_t)(i - i % COPIES) * DIMENSION + d] +
                                              1e-4f * (float)fsh_rng_range(&rng, -1, 1);
    }
    for (i = 0; i < 20 * DIMENSION; i++)
        probes[i] = 0.05f * probes[i] +
                    rows[(size_t)(i / DIMENSION * 31 * COPIES) * DIMENSION + i % DIMENSION];
    compare(&gallery, probes, 20, &distances);
    assert_in_range(distances, 20, 20 * 2 * COPIES);
    free(rows);
    free(probes);
}

/* Each row is as far from the probe as what rounding to 8 bits hides lets it look: the bound is all
 * that keeps the nearest among the candidates. Halves of a level are rounded up in some components
 * of a row and down in others, whichever makes it look nearer, but for the nearest row, where they
 * are rounded to its harm. */
static void
rounding_that_favours_all_others_does_not_hide_the_nearest(void **state)
{
    enum { DIMENSION = 128, N = 3000 };
    float *rows = draw(N, DIMENSION, 8), *probe = draw(1, DIMENSION, 9);
    const fsh_search_gallery gallery = {rows, NULL, N, 0, DIMENSION};
    fsh_rng rng = fsh_rng_new(10, 1, 1, 0);
    uint32_t nearest = 2311, i, d;
    uint64_t distances;

    (void)state;
    probe[0] = 0;
    for (i = 0; i < N; i++) {
        float *row = rows + (size_t)i * DIMENSION, level = 1.0f / 127;

        row[0] = 1;
        for (d = 1; d < DIMENSION; d++) {
            float whole = floorf(0.3f * probe[d] / level + (float)fsh_rng_range(&rng, -1, 1));
            bool up = (probe[d] > 0) == (i != nearest);

            row[d] = (whole + (up ? 0.501f : 0.499f)) * level;
        }
        if (i == nearest)
            for (d = 1; d < DIMENSION; d++)
                row[d] += (probe[d] > 0 ? 0.9f : -0.9f) * level;
    }
    compare(&gallery, probe, 1, &distances);
    free(rows);
    free(probe);
}

static void
numbers_at_the_ends_of_float_do_no_harm(void **state)
{
    enum { DIMENSION = 3, N = 7 };
    const float rows[N * DIMENSION] = {0,     0,      0,     1e-44f, 0, 1e-44f, 1e19f,
                                       1e19f, -1e19f, 1e-7f, -1e-7f, 0, 3e38f,  3e38f,
                                       3e38f, 1,      1,     1,      0, -0.0f,  0};
    const fsh_search_gallery gallery = {rows, NULL, N, 0, DIMENSION};
    uint64_t distances;

    (void)state;
    compare(&gallery, rows, N, &distances);
}

static void
of_vectors_that_are_there_twice_the_first_is_found_in_whatever_tile(void **state)
{
    enum { DIMENSION = 20, N = 100 };
    float *rows = draw(N, DIMENSION, 11);
    const fsh_search_gallery gallery = {rows, NULL, N, 0, DIMENSION};
    uint64_t distances;

    (void)state;
    memcpy(rows + 60 * DIMENSION, rows, 40 * DIMENSION * sizeof *rows);
    memcpy(rows + 17 * DIMENSION, rows + 16 * DIMENSION, DIMENSION * sizeof *rows);
    compare(&gallery, rows + 60 * DIMENSION, 40, &distances);
    free(rows);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_is_found_whatever_the_dimension_with_few_distances),
        cmocka_unit_test(rows_that_differ_in_the_last_bits_are_told_apart),
        cmocka_unit_test(of_more_equal_rows_than_there_is_room_for_the_first_is_found),
        cmocka_unit_test(groups_are_given_and_an_empty_gallery_has_none),
        cmocka_unit_test(vectors_of_any_length_are_compared_by_distance),
        cmocka_unit_test(of_near_copies_of_many_people_the_nearest_is_found_with_few_distances),
        cmocka_unit_test(rounding_that_favours_all_others_does_not_hide_the_nearest),
        cmocka_unit_test(numbers_at_the_ends_of_float_do_no_harm),
        cmocka_unit_test(of_vectors_that_are_there_twice_the_first_is_found_in_whatever_tile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

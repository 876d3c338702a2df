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

static void
compare(const fsh_search_gallery *gallery, const float *probes, uint32_t n, uint64_t *distances)
{
    fsh_closest *closest = make(gallery);
    uint32_t i;

    for (i = 0; i < n; i++) {
        const float *probe = probes + (size_t)i * gallery->dimension;
        fsh_search_hit hit = fsh_closest_find(closest, probe);
        double distance;

        assert_int_equal(hit.row, nearest_by_all(gallery, probe, &distance));
        assert_true(hit.distance == distance);
    }
    *distances = fsh_closest_distances(closest);
    fsh_closest_free(closest);
}

static void
the_nearest_is_found_whatever_the_dimension_with_few_distances(void **state)
{
    static const uint32_t dimensions[] = {1, 31, 32, 33, 128, 512};
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
    assert_int_equal(fsh_closest_find(closest, rows + 5000 * DIMENSION).row, 100);
    assert_int_equal(fsh_closest_find(closest, rows + 7 * DIMENSION).row, 7);
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
    fsh_search_hit hit = fsh_closest_find(closest, probe);

    (void)state;
    assert_int_equal(hit.group, 2);
    assert_int_equal(hit.row, 1);
    assert_true(hit.distance == 0);
    fsh_closest_free(closest);
    closest = make(&empty);
    hit = fsh_closest_find(closest, probe);
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_is_found_whatever_the_dimension_with_few_distances),
        cmocka_unit_test(rows_that_differ_in_the_last_bits_are_told_apart),
        cmocka_unit_test(of_more_equal_rows_than_there_is_room_for_the_first_is_found),
        cmocka_unit_test(groups_are_given_and_an_empty_gallery_has_none),
        cmocka_unit_test(vectors_of_any_length_are_compared_by_distance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

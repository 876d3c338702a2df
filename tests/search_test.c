/* The search against sorting all distances: ties, groups, near ties that float32 cannot tell, any
 * number of threads. */
#include "evaluate/search.h"

#include <math.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "base/rng.h"
#include "evaluate/distance.h"
#include "evaluate/search_tile.h"
#include "tests/testing.h"

typedef struct scene {
    fsh_search_gallery gallery;
    float *rows, *probes;
    uint32_t *groups;
    uint32_t probes_n;
} scene;

/* Lengths of 1, a step of `grain` between the values of components: coarse ones make ties. */
static float *
draw_vectors(uint32_t n, uint32_t dimension, uint32_t key, double grain)
{
    float *vectors = malloc(((size_t)n * dimension + 1) * sizeof *vectors);
    fsh_rng rng = fsh_rng_new(7, key, 1, 0);
    uint32_t i, d;

    for (i = 0; i < n; i++) {
        double sum = 0;

        for (d = 0; d < dimension; d++) {
            double x = fsh_rng_range(&rng, -1, 1);

            x = grain > 0 ? floor(x / grain) * grain : x;
            vectors[(size_t)i * dimension + d] = (float)x;
            sum += x * x;
        }
        for (d = 0; d < dimension && sum > 0; d++)
            vectors[(size_t)i * dimension + d] /= (float)sqrt(sum);
    }
    return vectors;
}

static scene
make(uint32_t n, uint32_t groups_n, uint32_t probes_n, uint32_t dimension, double grain)
{
    scene of = {.rows = draw_vectors(n, dimension, 1, grain),
                .probes = draw_vectors(probes_n, dimension, 2, grain),
                .groups = malloc((n + 1ul) * sizeof(uint32_t)),
                .probes_n = probes_n};
    uint32_t i;

    for (i = 0; i < n; i++)
        of.groups[i] = (i * 2654435761u) % groups_n;
    of.gallery = (fsh_search_gallery){of.rows, of.groups, n, groups_n, dimension};
    return of;
}

static void
fini(scene *of)
{
    free(of->rows);
    free(of->probes);
    free(of->groups);
}

static fsh_search_hit *
search(const scene *of, uint32_t k, uint64_t *fallbacks)
{
    fsh_search_hit *hits = malloc(((size_t)of->probes_n * k + 1) * sizeof *hits);
    fsh_search *made;
    fsh_err err;

    assert_ok(fsh_search_new(&of->gallery, &made, &err), err);
    assert_ok(fsh_search_run(made, of->probes, of->probes_n, k, hits, NULL, &err), err);
    if (fallbacks)
        *fallbacks = fsh_search_fallbacks(made);
    fsh_search_free(made);
    return hits;
}

/* The nearest group that is not behind `after`, by looking at all rows. */
static fsh_search_hit
next_of(const scene *of, const float *probe, const fsh_search_hit *taken, uint32_t taken_n)
{
    fsh_search_hit best = {FSH_SEARCH_NONE, FSH_SEARCH_NONE, INFINITY};
    uint32_t row, i, dimension = of->gallery.dimension;

    for (row = 0; row < of->gallery.n; row++) {
        double distance =
            sqrt(fsh_distance_squared(probe, of->rows + (size_t)row * dimension, dimension));

        for (i = 0; i < taken_n && taken[i].group != of->groups[row]; i++)
            ;
        if (i == taken_n && distance < best.distance)
            best = (fsh_search_hit){of->groups[row], row, distance};
    }
    return best;
}

static void
check(scene *of, uint32_t k)
{
    fsh_search_hit *hits = search(of, k, NULL);
    uint32_t i, j;

    for (i = 0; i < of->probes_n; i++)
        for (j = 0; j < k; j++) {
            fsh_search_hit expected = next_of(of, of->probes + (size_t)i * of->gallery.dimension,
                                              hits + (size_t)i * k, j);
            const fsh_search_hit *found = &hits[(size_t)i * k + j];

            assert_int_equal(found->row, expected.row);
            assert_int_equal(found->group, expected.group);
            assert_true(found->distance == expected.distance);
        }
    free(hits);
    fini(of);
}

static void
the_nearest_are_those_of_sorting_all_distances(void **state)
{
    scene of = make(1000, 1000, 100, 128, 0);

    (void)state;
    check(&of, 5);
    of = make(777, 100, 97, 33, 0);
    check(&of, 20);
}

static void
ties_are_broken_by_the_order_of_the_gallery(void **state)
{
    scene of = make(900, 900, 50, 2, 0.25);

    (void)state;
    check(&of, 20);
    of = make(900, 60, 50, 3, 0.5);
    check(&of, 20);
}

static void
galleries_of_any_size_do(void **state)
{
    uint32_t n;

    (void)state;
    for (n = 0; n < 40; n++) {
        scene of = make(n, n ? n : 1, 7, 5, 0.5);

        check(&of, 3);
    }
}

/* All rows lie within what float32 sums get wrong, nearest last. */
static void
what_float32_cannot_tell_apart_is_told_in_double(void **state)
{
    scene of = make(400, 400, 1, 64, 0);
    uint64_t fallbacks;
    fsh_search_hit *hits;
    uint32_t i;

    (void)state;
    for (i = 0; i < 400; i++) {
        memcpy(of.rows + (size_t)i * 64, of.rows, 64 * sizeof(float));
        of.rows[(size_t)i * 64] = of.rows[0];
        of.groups[i] = i;
    }
    for (i = 1; i < 400; i++)
        of.rows[(size_t)i * 64 + 1] = nextafterf(of.rows[(size_t)(i - 1) * 64 + 1], of.probes[1]);
    hits = search(&of, 1, &fallbacks);
    assert_int_equal(fallbacks, 1);
    assert_int_equal(hits[0].row, 399);
    free(hits);
    fini(&of);
}

static void
random_galleries_need_few_distances_in_double(void **state)
{
    scene of = make(5000, 5000, 100, 128, 0);
    uint64_t fallbacks;

    (void)state;
    free(search(&of, 5, &fallbacks));
    assert_true(fallbacks <= 2);
    fini(&of);
}

static void
the_number_of_threads_changes_nothing(void **state)
{
#ifdef _OPENMP
    scene of = make(3000, 700, 500, 64, 0.1);
    fsh_search_hit *one, *many;
    int before = omp_get_max_threads();
    size_t i;

    (void)state;
    omp_set_num_threads(1);
    one = search(&of, 4, NULL);
    omp_set_num_threads(7);
    many = search(&of, 4, NULL);
    omp_set_num_threads(before);
    for (i = 0; i < 500 * 4; i++) {
        assert_int_equal(one[i].row, many[i].row);
        assert_true(one[i].distance == many[i].distance);
    }
    free(one);
    free(many);
    fini(&of);
#else
    (void)state;
    skip();
#endif
}

/* The rows that the fast tile finds over a bar are those of the plain one, to what rounding may do.
 */
static void
every_tile_scores_alike(void **state)
{
    enum { DIMENSION = 37, SCORES = FSH_TILE_PROBES * FSH_TILE_ROWS };
    float *probes = draw_vectors(FSH_TILE_PROBES, DIMENSION, 3, 0), *rows = NULL,
          *drawn = draw_vectors(FSH_TILE_ROWS, DIMENSION, 4, 0);
    float offsets[FSH_TILE_ROWS], bars[FSH_TILE_PROBES], plain[SCORES], fast[SCORES];
    fsh_tile tile = {probes, NULL, offsets, DIMENSION};
    uint32_t i;

    (void)state;
    assert_int_equal(posix_memalign((void **)&rows, 64, FSH_TILE_ROWS * DIMENSION * sizeof(float)),
                     0);
    memcpy(rows, drawn, FSH_TILE_ROWS * DIMENSION * sizeof(float));
    tile.rows = rows;
    for (i = 0; i < FSH_TILE_ROWS; i++)
        offsets[i] = (float)i / 8;
    for (i = 0; i < FSH_TILE_PROBES; i++)
        bars[i] = i % 2 ? -INFINITY : 1000;
    assert_int_equal(fsh_tile_plain(&tile, bars, plain), 42);
    assert_int_equal(fsh_tile_choose()(&tile, bars, fast), 42);
    for (i = 0; i < SCORES; i++)
        if (i / FSH_TILE_ROWS % 2)
            assert_true(fabsf(plain[i] - fast[i]) < 1e-5f);
    free(probes);
    free(rows);
    free(drawn);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_are_those_of_sorting_all_distances),
        cmocka_unit_test(ties_are_broken_by_the_order_of_the_gallery),
        cmocka_unit_test(galleries_of_any_size_do),
        cmocka_unit_test(what_float32_cannot_tell_apart_is_told_in_double),
        cmocka_unit_test(random_galleries_need_few_distances_in_double),
        cmocka_unit_test(the_number_of_threads_changes_nothing),
        cmocka_unit_test(every_tile_scores_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

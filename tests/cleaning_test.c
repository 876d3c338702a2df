/* Cleaning of crowds that are made: a person is a direction, a picture of it the direction and
 * noise. */
#include "stages/cleaning/robust.h"

#include <math.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "base/rng.h"
#include "stages/cleaning/nearest.h"
#include "tests/testing.h"

enum { DIMENSION = 96, PICTURES_MAX = 2048, FOLDERS_MAX = 256, BACKGROUND = 60 };

/* Cosine of a good picture to its person: two of them have its square, 0.64. */
static const double good = 0.8;

struct scene {
    float vectors[PICTURES_MAX][DIMENSION];
    uint32_t folder[PICTURES_MAX];
    const float *order[PICTURES_MAX];
    uint32_t place[PICTURES_MAX]; /* of each picture in the order of the crowd */
    uint32_t starts[FOLDERS_MAX + 1];
    uint32_t n, folders;
    fsh_found found;
};

static void
normalise(float *vector)
{
    double sum = 0;
    uint32_t d;

    for (d = 0; d < DIMENSION; d++)
        sum += (double)vector[d] * vector[d];
    for (d = 0; d < DIMENSION; d++)
        vector[d] = (float)(vector[d] / sqrt(sum));
}

static void
draw_direction(uint32_t stream, uint64_t number, float *out)
{
    fsh_rng rng = fsh_rng_new(5, stream, number, 0);
    uint32_t d, k;

    for (d = 0; d < DIMENSION; d++)
        for (out[d] = 0, k = 0; k < 6; k++) /* six uniform draws are nearly normal */
            out[d] += (float)fsh_rng_range(&rng, -1, 1);
    normalise(out);
}

/* Adds a picture of a person to a folder; quality is its cosine to the person. Returns its number.
 */
static uint32_t
add(struct scene *scene, uint32_t folder, uint32_t person, double quality)
{
    float direction[DIMENSION], noise[DIMENSION];
    double along = 0;
    uint32_t d, i = scene->n++;

    draw_direction(1, person, direction);
    draw_direction(2, i, noise);
    for (d = 0; d < DIMENSION; d++)
        along += (double)direction[d] * noise[d];
    for (d = 0; d < DIMENSION; d++)
        noise[d] -= (float)(along * direction[d]);
    normalise(noise);
    for (d = 0; d < DIMENSION; d++)
        scene->vectors[i][d] =
            (float)(quality * direction[d] + sqrt(1 - quality * quality) * noise[d]);
    scene->folder[i] = folder;
    if (folder >= scene->folders)
        scene->folders = folder + 1;
    return i;
}

/* Folders 0 to BACKGROUND - 1 with two to seven good pictures of their own person each. */
static void
begin(struct scene *scene)
{
    uint32_t k, i;

    scene->n = scene->folders = 0;
    for (k = 0; k < BACKGROUND; k++)
        for (i = 0; i < 2 + k % 6; i++)
            add(scene, k, k, good);
}

static void
look(struct scene *scene)
{
    fsh_crowd crowd = {scene->n, DIMENSION, scene->folders, scene->order, scene->starts, NULL};
    fsh_err err = {""};
    uint32_t k, i, at = 0;

    for (k = 0; k < scene->folders; k++) {
        scene->starts[k] = at;
        for (i = 0; i < scene->n; i++) {
            if (scene->folder[i] != k)
                continue;
            scene->order[at] = scene->vectors[i];
            scene->place[i] = at++;
        }
    }
    scene->starts[k] = at;
    assert_ok(fsh_robust_find(&crowd, 1.25, &scene->found, &err), err);
}

static const fsh_found_picture *
of_picture(const struct scene *scene, uint32_t i)
{
    return &scene->found.pictures[scene->place[i]];
}

static fsh_verdict
verdict(const struct scene *scene, uint32_t i)
{
    return fsh_finding_verdict(of_picture(scene, i)->finding);
}

static void
assert_background_is_kept(const struct scene *scene)
{
    uint32_t i;

    for (i = 0; scene->folder[i] < BACKGROUND && i < scene->n; i++)
        assert_int_equal(verdict(scene, i), FSH_VERDICT_KEEP);
}

static struct scene scene;

static void
end(void)
{
    fsh_robust_fini(&scene.found);
}

static void
nothing_is_found_where_nothing_is_wrong(void **state)
{
    uint32_t k;

    (void)state;
    begin(&scene);
    look(&scene);
    assert_background_is_kept(&scene);
    for (k = 0; k < BACKGROUND; k++) {
        assert_int_equal(scene.found.identities[k].same, FSH_NOBODY);
        assert_int_equal(scene.found.identities[k].second_n, 0);
        assert_int_equal(scene.found.identities[k].home_n, 2 + k % 6);
    }
    end();
}

static void
in_a_folder_of_two_the_others_decide_who_is_wrong(void **state)
{
    uint32_t right, wrong;

    (void)state;
    begin(&scene);
    right = add(&scene, BACKGROUND, 100, good);
    wrong = add(&scene, BACKGROUND, 7, good);
    look(&scene);
    assert_int_equal(of_picture(&scene, wrong)->finding, FSH_FINDING_OTHER);
    assert_int_equal(of_picture(&scene, wrong)->other, 7);
    assert_true(of_picture(&scene, wrong)->suggested);
    assert_int_equal(verdict(&scene, right), FSH_VERDICT_KEEP);
    assert_background_is_kept(&scene);
    end();
}

static void
a_folder_of_two_strangers_is_unsure(void **state)
{
    uint32_t a, b;

    (void)state;
    begin(&scene);
    a = add(&scene, BACKGROUND, 100, good);
    b = add(&scene, BACKGROUND, 101, good);
    look(&scene);
    assert_int_equal(of_picture(&scene, a)->finding, FSH_FINDING_UNDECIDED);
    assert_int_equal(of_picture(&scene, b)->finding, FSH_FINDING_UNDECIDED);
    end();
}

static void
a_wrong_majority_of_one_known_person_is_removed(void **state)
{
    uint32_t wrong[3], right[2], k;

    (void)state;
    begin(&scene);
    for (k = 0; k < 3; k++)
        wrong[k] = add(&scene, BACKGROUND, 11, good);
    for (k = 0; k < 2; k++)
        right[k] = add(&scene, BACKGROUND, 100, good);
    look(&scene);
    for (k = 0; k < 3; k++) {
        assert_int_equal(of_picture(&scene, wrong[k])->finding, FSH_FINDING_OTHER);
        assert_int_equal(of_picture(&scene, wrong[k])->other, 11);
    }
    for (k = 0; k < 2; k++)
        assert_int_equal(verdict(&scene, right[k]), FSH_VERDICT_KEEP);
    assert_background_is_kept(&scene);
    end();
}

static void
a_wrong_majority_of_different_people_is_not_kept(void **state)
{
    uint32_t wrong[4], right[2], k;

    (void)state;
    begin(&scene);
    for (k = 0; k < 4; k++)
        wrong[k] = add(&scene, BACKGROUND, k < 2 ? 20 + k : 200 + k, good);
    for (k = 0; k < 2; k++)
        right[k] = add(&scene, BACKGROUND, 100, good);
    look(&scene);
    for (k = 0; k < 2; k++)
        assert_int_equal(of_picture(&scene, wrong[k])->finding, FSH_FINDING_OTHER);
    for (k = 2; k < 4; k++) /* strangers are rare here: the evidence may not be enough to remove */
        assert_int_not_equal(verdict(&scene, wrong[k]), FSH_VERDICT_KEEP);
    for (k = 0; k < 2; k++)
        assert_int_equal(verdict(&scene, right[k]), FSH_VERDICT_KEEP);
    end();
}

static void
several_mislabels_of_one_person_are_removed(void **state)
{
    uint32_t wrong[4], right[9], k;

    (void)state;
    begin(&scene);
    for (k = 0; k < 9; k++)
        right[k] = add(&scene, BACKGROUND, 100, good);
    for (k = 0; k < 4; k++)
        wrong[k] = add(&scene, BACKGROUND, 17, good);
    look(&scene);
    for (k = 0; k < 4; k++)
        assert_int_equal(of_picture(&scene, wrong[k])->other, 17);
    for (k = 0; k < 4; k++)
        assert_int_equal(verdict(&scene, wrong[k]), FSH_VERDICT_REMOVE);
    for (k = 0; k < 9; k++)
        assert_int_equal(verdict(&scene, right[k]), FSH_VERDICT_KEEP);
    end();
}

/* mean_distance throws it out: it is 1.2 from the others. */
static void
a_blurred_picture_of_the_right_person_is_kept(void **state)
{
    uint32_t blurred, k;

    (void)state;
    begin(&scene);
    for (k = 0; k < 6; k++)
        add(&scene, BACKGROUND, 100, good);
    blurred = add(&scene, BACKGROUND, 100, 0.38);
    look(&scene);
    assert_true(of_picture(&scene, blurred)->own_distance > 1);
    assert_int_equal(verdict(&scene, blurred), FSH_VERDICT_KEEP);
    end();
}

static void
a_stranger_in_a_folder_is_removed_without_a_name(void **state)
{
    uint32_t stranger, k;

    (void)state;
    begin(&scene);
    for (k = 0; k < 6; k++)
        add(&scene, BACKGROUND, 100, good);
    for (k = 0; k < 4; k++) /* some others, so that wrong pictures are no rarity */
        stranger = add(&scene, 10 * k + 5, 200 + k, good);
    stranger = add(&scene, BACKGROUND, 300, good);
    look(&scene);
    assert_int_equal(of_picture(&scene, stranger)->finding, FSH_FINDING_STRANGER);
    assert_false(of_picture(&scene, stranger)->suggested);
    end();
}

static void
two_folders_of_one_person_are_found_and_not_emptied(void **state)
{
    uint32_t k, pictures[5];

    (void)state;
    begin(&scene);
    for (k = 0; k < 5; k++)
        pictures[k] = add(&scene, BACKGROUND, 5, good);
    look(&scene);
    assert_int_equal(scene.found.identities[BACKGROUND].same, 5);
    assert_int_equal(scene.found.identities[5].same, BACKGROUND);
    for (k = 0; k < 5; k++)
        assert_int_not_equal(verdict(&scene, pictures[k]), FSH_VERDICT_REMOVE);
    end();
}

static void
one_folder_of_two_people_is_found(void **state)
{
    uint32_t k, second[4];

    (void)state;
    begin(&scene);
    for (k = 0; k < 6; k++)
        add(&scene, BACKGROUND, 100, good);
    for (k = 0; k < 4; k++)
        second[k] = add(&scene, BACKGROUND, 101, good);
    look(&scene);
    assert_int_equal(scene.found.identities[BACKGROUND].home_n, 6);
    assert_int_equal(scene.found.identities[BACKGROUND].second_n, 4);
    assert_true(scene.found.identities[BACKGROUND].second_distance > 1);
    for (k = 0; k < 4; k++)
        assert_int_not_equal(verdict(&scene, second[k]), FSH_VERDICT_KEEP);
    end();
}

static void
a_folder_of_one_picture_is_never_emptied(void **state)
{
    uint32_t unknown, known;

    (void)state;
    begin(&scene);
    unknown = add(&scene, BACKGROUND, 100, good);
    known = add(&scene, BACKGROUND + 1, 3, good);
    look(&scene);
    assert_int_equal(of_picture(&scene, unknown)->finding, FSH_FINDING_ALONE);
    assert_int_not_equal(verdict(&scene, known), FSH_VERDICT_REMOVE);
    assert_int_equal(scene.found.identities[BACKGROUND + 1].same, 3);
    end();
}

static void
two_single_pictures_of_one_person_are_both_told(void **state)
{
    uint32_t a, b;

    (void)state;
    begin(&scene);
    a = add(&scene, BACKGROUND, 100, good);
    b = add(&scene, BACKGROUND + 1, 100, good);
    look(&scene);
    assert_int_equal(of_picture(&scene, a)->finding, FSH_FINDING_SAME);
    assert_int_equal(of_picture(&scene, a)->other, BACKGROUND + 1);
    assert_int_equal(of_picture(&scene, b)->finding, FSH_FINDING_SAME);
    assert_int_equal(of_picture(&scene, b)->other, BACKGROUND);
    end();
}

static void
add_mislabels(struct scene *of)
{
    uint32_t k, i;

    begin(of);
    for (k = 0; k < 12; k++) {
        for (i = 0; i < 3; i++)
            add(of, BACKGROUND + k, 100 + k, good);
        add(of, BACKGROUND + k, k, good);
    }
}

static void
the_order_of_folders_changes_nothing(void **state)
{
    static struct scene turned;
    uint32_t i;

    (void)state;
    add_mislabels(&scene);
    add_mislabels(&turned);
    for (i = 0; i < turned.n; i++)
        turned.folder[i] = turned.folders - 1 - turned.folder[i];
    look(&scene);
    look(&turned);
    for (i = 0; i < scene.n; i++) {
        assert_int_equal(of_picture(&scene, i)->finding, of_picture(&turned, i)->finding);
        if (of_picture(&scene, i)->suggested)
            assert_int_equal(of_picture(&scene, i)->other,
                             turned.folders - 1 - of_picture(&turned, i)->other);
    }
    fsh_robust_fini(&turned.found);
    end();
}

static void
the_number_of_threads_changes_no_bit(void **state)
{
    fsh_found found;
#ifdef _OPENMP
    int threads = omp_get_max_threads();
#endif

    (void)state;
    add_mislabels(&scene);
    look(&scene);
    found = scene.found;
#ifdef _OPENMP
    omp_set_num_threads(threads > 1 ? 1 : 3);
#endif
    look(&scene);
#ifdef _OPENMP
    omp_set_num_threads(threads);
#endif
    assert_memory_equal(&found.likeness, &scene.found.likeness, sizeof found.likeness);
    assert_memory_equal(found.homes, scene.found.homes,
                        scene.folders * DIMENSION * sizeof *found.homes);
    for (uint32_t i = 0; i < scene.n; i++) {
        assert_int_equal(found.pictures[i].finding, scene.found.pictures[i].finding);
        assert_true(found.pictures[i].p_own == scene.found.pictures[i].p_own);
    }
    fsh_robust_fini(&found);
    end();
}

static void
small_crowds_are_no_trouble(void **state)
{
    uint32_t folders, n, k, i;

    (void)state;
    for (folders = 0; folders < 4; folders++)
        for (n = 0; n < 4; n++) {
            scene.n = 0;
            scene.folders = folders;
            for (k = 0; k < folders; k++)
                for (i = 0; i < n; i++)
                    add(&scene, k, k, good);
            look(&scene);
            for (i = 0; i < scene.n; i++)
                assert_int_equal(verdict(&scene, i), FSH_VERDICT_KEEP);
            end();
        }
}

static void
equal_pictures_are_no_trouble(void **state)
{
    uint32_t i, k;

    (void)state;
    scene.n = scene.folders = 0;
    for (i = 0; i < 20; i++)
        add(&scene, i / 2, 1, 1);
    for (i = 0; i < 20; i++)
        memcpy(scene.vectors[i], scene.vectors[0], sizeof scene.vectors[0]);
    look(&scene);
    for (k = 0; k < 20; k++)
        assert_int_not_equal(verdict(&scene, k), FSH_VERDICT_REMOVE);
    end();
}

static void
what_is_known_of_the_crowd_is_measured(void **state)
{
    (void)state;
    add_mislabels(&scene);
    look(&scene);
    assert_float_equal(scene.found.likeness.same, good * good, 0.05);
    assert_float_equal(scene.found.likeness.spread, 1 / sqrt(DIMENSION), 0.02);
    assert_float_equal(scene.found.likeness.wrong, 12.0 / scene.n, 0.02);
    assert_true(scene.found.likeness.known > 0.8);
    end();
}

/* ---- nearest ---- */

enum { MANY = 700, FEW_DIMENSIONS = 40 };

struct points {
    float at[MANY][FEW_DIMENSIONS];
    uint32_t groups[MANY];
};

static void
fill_points(struct points *points, uint32_t stream)
{
    uint32_t i, d;

    for (i = 0; i < MANY; i++) {
        fsh_rng rng = fsh_rng_new(8, stream, i % 650, 0); /* the last fifty are like the first */
        double sum = 0;

        for (d = 0; d < FEW_DIMENSIONS; d++) {
            points->at[i][d] =
                (float)fsh_rng_range(&rng, -1, 1) + (i >= 650 ? 0.01f * (float)(d % 3) : 0);
            sum += points->at[i][d] * points->at[i][d];
        }
        for (d = 0; d < FEW_DIMENSIONS; d++)
            points->at[i][d] = (float)(points->at[i][d] / sqrt(sum));
        points->groups[i] = i % 100;
    }
}

static double
cosine(const float *a, const float *b)
{
    double sum = 0;
    uint32_t d;

    for (d = 0; d < FEW_DIMENSIONS; d++)
        sum += (double)a[d] * b[d];
    return sum;
}

static void
the_nearest_of_another_group_is_that_of_all_pairs(void **state)
{
    static struct points a, b;
    static fsh_nearest found[MANY];
    uint32_t i, k;

    (void)state;
    fill_points(&a, 1);
    fill_points(&b, 2);
    assert_int_equal(fsh_nearest_find(&(fsh_directions){MANY, a.at[0], a.groups},
                                      &(fsh_directions){MANY, b.at[0], b.groups}, FEW_DIMENSIONS,
                                      NULL, found),
                     FSH_OK);
    for (i = 0; i < MANY; i++)
        for (k = 0; k < MANY; k++)
            if (a.groups[i] != b.groups[k])
                assert_true(cosine(a.at[i], b.at[k]) < found[i].similarity + 1e-5);
    for (i = 0; i < MANY; i++) {
        assert_int_not_equal(a.groups[i], b.groups[found[i].at]);
        assert_float_equal(cosine(a.at[i], b.at[found[i].at]), found[i].similarity, 1e-5);
    }
}

static void
where_there_is_no_other_group_there_is_no_nearest(void **state)
{
    static struct points a;
    fsh_nearest found;

    (void)state;
    fill_points(&a, 1);
    assert_int_equal(fsh_nearest_find(&(fsh_directions){1, a.at[0], a.groups},
                                      &(fsh_directions){1, a.at[1], a.groups}, FEW_DIMENSIONS,
                                      NULL, &found),
                     FSH_OK);
    assert_int_equal(found.at, FSH_NEAREST_NONE);
}

static fsh_status
note_pair(void *self, uint32_t query, uint32_t candidate, float distance)
{
    bool(*seen)[MANY] = self;

    assert_false(seen[query][candidate]);
    assert_true(distance <= 0.7f);
    seen[query][candidate] = true;
    return FSH_OK;
}

/* It never goes back, and never beyond the end. */
static void
note_progress(void *self, const char *text, uint64_t done, uint64_t of)
{
    uint64_t *last = self;

    assert_string_equal(text, "pairs");
    assert_true(done >= *last && done <= of);
    *last = done;
}

static void
near_pairs_are_those_of_all_pairs_each_once(void **state)
{
    static struct points a;
    static bool seen[MANY][MANY];
    fsh_directions all = {MANY, a.at[0], a.groups};
    uint64_t told = 0;
    fsh_listener step = {note_progress, &told, "pairs"};
    uint32_t i, k, n = 0;

    (void)state;
    fill_points(&a, 1);
    memset(seen, 0, sizeof seen);
    assert_int_equal(
        fsh_nearest_pairs(&all, &all, FEW_DIMENSIONS, 0.7f, &step, note_pair, seen), FSH_OK);
    assert_true(told > 0);
    for (i = 0; i < MANY; i++)
        for (k = 0; k < MANY; k++) {
            double distance = sqrt(fmax(0, 2 - 2 * cosine(a.at[i], a.at[k])));

            if (fabs(distance - 0.7) > 1e-4)
                assert_int_equal(seen[i][k], i < k && distance < 0.7);
            n += seen[i][k];
        }
    assert_true(n >= 50);
}

static fsh_status
refuse_pair(void *self, uint32_t query, uint32_t candidate, float distance)
{
    (void)query;
    (void)candidate;
    (void)distance;
    ++*(uint32_t *)self;
    return FSH_INTERRUPTED;
}

static void
who_is_told_of_pairs_may_end_it(void **state)
{
    static struct points a;
    fsh_directions all = {MANY, a.at[0], a.groups};
    uint32_t told = 0;

    (void)state;
    fill_points(&a, 1);
    assert_int_equal(fsh_nearest_pairs(&all, &all, FEW_DIMENSIONS, 0.7f, NULL, refuse_pair,
                                       &told),
                     FSH_INTERRUPTED);
    assert_int_equal(told, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_found_where_nothing_is_wrong),
        cmocka_unit_test(in_a_folder_of_two_the_others_decide_who_is_wrong),
        cmocka_unit_test(a_folder_of_two_strangers_is_unsure),
        cmocka_unit_test(a_wrong_majority_of_one_known_person_is_removed),
        cmocka_unit_test(a_wrong_majority_of_different_people_is_not_kept),
        cmocka_unit_test(several_mislabels_of_one_person_are_removed),
        cmocka_unit_test(a_blurred_picture_of_the_right_person_is_kept),
        cmocka_unit_test(a_stranger_in_a_folder_is_removed_without_a_name),
        cmocka_unit_test(two_folders_of_one_person_are_found_and_not_emptied),
        cmocka_unit_test(one_folder_of_two_people_is_found),
        cmocka_unit_test(a_folder_of_one_picture_is_never_emptied),
        cmocka_unit_test(two_single_pictures_of_one_person_are_both_told),
        cmocka_unit_test(the_order_of_folders_changes_nothing),
        cmocka_unit_test(the_number_of_threads_changes_no_bit),
        cmocka_unit_test(small_crowds_are_no_trouble),
        cmocka_unit_test(equal_pictures_are_no_trouble),
        cmocka_unit_test(what_is_known_of_the_crowd_is_measured),
        cmocka_unit_test(the_nearest_of_another_group_is_that_of_all_pairs),
        cmocka_unit_test(where_there_is_no_other_group_there_is_no_nearest),
        cmocka_unit_test(near_pairs_are_those_of_all_pairs_each_once),
        cmocka_unit_test(who_is_told_of_pairs_may_end_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

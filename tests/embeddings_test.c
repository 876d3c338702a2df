/* Embeddings files: what goes in comes out, from files of their own, from shards and from an index;
 * and nothing that is not an embedding. */
#include <math.h>

#include "base/files.h"
#include "base/hash.h"
#include "base/store.h"
#include "shards/embeddings.h"
#include "shards/index.h"
#include "shards/shard.h"
#include "tests/testing.h"

enum { SIZE = 4, DIMENSION = 3, UNITS = 3, SAMPLES = 5, VARIANTS = 2 };

static const char hash_a[] = "aaaa", odd_name[] = "n\xff\n\"1";

static void
path_in(char path[FSH_PATH_BYTES], const char *folder, const char *name)
{
    fsh_err err;

    assert_ok(fsh_path_join(path, folder, name, &err), err);
}

/* A vector of length one that follows from its number. */
static void
vector_of(uint32_t i, float vector[DIMENSION])
{
    vector[0] = cosf((float)i);
    vector[1] = sinf((float)i);
    vector[2] = 0;
}

static fsh_status
add_sample(fsh_shard *shard, uint32_t unit, uint32_t sample, const float *vector, fsh_err *err)
{
    uint8_t pixels[SIZE * SIZE * 3] = {0};
    char source[64];
    fsh_shard_row row = {.bytes = pixels,
                         .bytes_n = sizeof pixels,
                         .label = unit,
                         .sample_id = 100 * unit + sample,
                         .source = source,
                         .embedding = vector,
                         .mean_distance = NAN};
    fsh_status status = FSH_OK;
    uint32_t i;

    snprintf(source, sizeof source, "%s%u/%u.jpg", odd_name, unit, sample);
    for (i = 0; i < VARIANTS && !status; i++) {
        row.variant = (uint8_t)i;
        status = fsh_shard_add(shard, &row, err);
    }
    return status;
}

/* An identity a unit, with some samples in two variants, one sample that is rejected, and one
 * variant. */
static void
write_shard(const char *folder, uint32_t unit, const char *hash, uint32_t dimension, bool broken)
{
    fsh_shard_meta meta = {hash,
                           1,
                           "stages:\n  - embed: {flip: true}\n",
                           "detector hog 00ff\nembedder toy 11ee\n",
                           "original\nmask",
                           "0.1.0",
                           unit,
                           SIZE,
                           FSH_ENCODING_RAW,
                           dimension};
    char name[64], path[FSH_PATH_BYTES];
    fsh_shard *shard;
    fsh_err err;
    uint32_t i;

    snprintf(name, sizeof name, "shard-%06u.h5", unit);
    path_in(path, folder, name);
    assert_ok(fsh_shard_create(path, &meta, &shard, &err), err);
    snprintf(name, sizeof name, "%s%u", odd_name, unit);
    assert_ok(fsh_shard_add_identity(shard, unit, name, &err), err);
    for (i = 0; i < SAMPLES; i++) {
        float vector[DIMENSION];

        vector_of(SAMPLES * unit + i, vector);
        assert_ok(add_sample(shard, unit, i, dimension && !broken ? vector : NULL, &err), err);
    }
    assert_ok(fsh_shard_add_rejected(shard,
                                     &(fsh_shard_rejected){"n/none.jpg", unit, FSH_REASON_NO_FACE,
                                                           NAN, FSH_SHARD_WHOLE_SAMPLE, NULL,
                                                           {0, 0, 0, 0}},
                                     &err),
              err);
    assert_ok(
        fsh_shard_add_rejected(
            shard, &(fsh_shard_rejected){"n/one.jpg", unit, FSH_REASON_OUT_OF_FRAME, 1, 1, NULL,
                                         {0, 0, 0, 0}},
            &err),
        err);
    assert_ok(fsh_shard_finish(&shard, &err), err);
}

static void
build_index(const char *folder)
{
    fsh_index_plan plan = {folder, "shard-%06u.h5", "index.h5", "manifest.json",
                           hash_a, UNITS,           NULL, NULL};
    fsh_index_totals totals;
    fsh_err err;
    uint32_t i;

    for (i = 0; i < UNITS; i++)
        write_shard(folder, i, hash_a, DIMENSION, false);
    assert_ok(fsh_index_build(&plan, &totals, &err), err);
}

static void
check_rows(const fsh_embeddings *e, uint32_t units)
{
    uint64_t i;

    assert_int_equal(e->n, units * SAMPLES);
    assert_int_equal(e->dimension, DIMENSION);
    assert_int_equal((uintptr_t)e->vectors % FSH_EMBEDDINGS_ALIGNMENT, 0);
    for (i = 0; i < e->n; i++) {
        float vector[DIMENSION];
        char name[64], source[128];

        snprintf(name, sizeof name, "%s%llu", odd_name, (unsigned long long)(i / SAMPLES));
        snprintf(source, sizeof source, "%s/%llu.jpg", name, (unsigned long long)(i % SAMPLES));
        vector_of((uint32_t)i, vector);
        assert_memory_equal(&e->vectors[i * DIMENSION], vector, sizeof vector);
        assert_string_equal(e->names[i], name);
        assert_string_equal(e->sources[i], source);
    }
    assert_int_equal(e->rejected_n, units);
    assert_string_equal(e->rejected_sources[0], "n/none.jpg");
    assert_int_equal(e->rejected_reasons[units - 1], FSH_REASON_NO_FACE);
    assert_true(isnan(e->rejected_values[0]));
    assert_string_equal(e->model, "toy 11ee");
    assert_string_equal(e->detector, "hog 00ff");
    assert_string_equal(e->job_hash, hash_a);
    assert_true(e->flip);
}

static void
a_shard_gives_a_row_for_each_sample(void **state)
{
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES];
    fsh_embeddings e;
    fsh_err err;

    (void)state;
    write_shard(folder, 0, hash_a, DIMENSION, false);
    path_in(path, folder, "shard-000000.h5");
    assert_ok(fsh_embeddings_read(path, &e, &err), err);
    check_rows(&e, 1);
    fsh_embeddings_fini(&e);
    fsh_test_remove(folder);
}

static void
an_index_gives_the_rows_of_all_its_shards(void **state)
{
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES];
    fsh_embeddings e;
    fsh_err err;

    (void)state;
    build_index(folder);
    path_in(path, folder, "index.h5");
    assert_ok(fsh_embeddings_read(path, &e, &err), err);
    check_rows(&e, UNITS);
    fsh_embeddings_fini(&e);
    fsh_test_remove(folder);
}

static void
a_shard_that_the_index_misses_is_an_error_and_no_zeros(void **state)
{
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES], shard[FSH_PATH_BYTES];
    fsh_embeddings e = {0};
    fsh_err err;

    (void)state;
    build_index(folder);
    path_in(path, folder, "index.h5");
    path_in(shard, folder, "shard-000001.h5");
    assert_int_equal(unlink(shard), 0);
    assert_int_not_equal(fsh_embeddings_read(path, &e, &err), FSH_OK);
    assert_text_has(err.text, "shard-000001.h5");
    assert_text_has(err.text, "again");
    write_shard(folder, 1, "bbbb", DIMENSION, false);
    assert_int_equal(fsh_embeddings_read(path, &e, &err), FSH_FORMAT);
    assert_text_has(err.text, "is not the shard that the index joined");
    assert_int_equal(e.n, 0);
    fsh_test_remove(folder);
}

static void
the_file_has_the_same_rows_and_the_same_bytes_whatever_it_is_made_from(void **state)
{
    char *folder = fsh_test_folder(), from[FSH_PATH_BYTES], paths[3][FSH_PATH_BYTES];
    fsh_embeddings_totals totals;
    fsh_embeddings e;
    fsh_hash hashes[3];
    fsh_err err;
    int i;

    (void)state;
    build_index(folder);
    path_in(from, folder, "index.h5");
    path_in(paths[0], folder, "a.h5");
    path_in(paths[1], folder, "b.h5");
    path_in(paths[2], folder, "c.h5");
    assert_ok(fsh_embeddings_convert(from, paths[0], NULL, &totals, &err), err);
    assert_int_equal(totals.n, UNITS * SAMPLES);
    assert_int_equal(totals.rejected_n, UNITS);
    assert_int_equal(totals.rejected[FSH_REASON_NO_FACE], UNITS);
    assert_ok(fsh_embeddings_convert(paths[0], paths[1], NULL, NULL, &err), err);
    assert_ok(fsh_embeddings_read(paths[1], &e, &err), err);
    check_rows(&e, UNITS);
    assert_ok(fsh_embeddings_write(paths[2], &e, &err), err);
    fsh_embeddings_fini(&e);
    for (i = 0; i < 3; i++)
        assert_ok(fsh_hash_file(paths[i], &hashes[i], NULL, &err), err);
    assert_memory_equal(&hashes[0], &hashes[1], sizeof hashes[0]);
    assert_memory_equal(&hashes[0], &hashes[2], sizeof hashes[0]);
    fsh_test_remove(folder);
}

static void
ten_thousand_rows_come_back_in_their_order(void **state)
{
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES], source[32];
    fsh_embeddings e = {.dimension = DIMENSION,
                        .model = (char *)"m",
                        .detector = (char *)"d",
                        .job_hash = (char *)"h",
                        .version = (char *)"v"},
                   back;
    float vector[DIMENSION];
    fsh_err err;
    uint32_t i;

    (void)state;
    for (i = 0; i < 10000; i++) {
        vector_of(i, vector);
        snprintf(source, sizeof source, "%u", i);
        assert_ok(fsh_embeddings_add(&e, "n", source, vector, &err), err);
        assert_ok(fsh_embeddings_reject(&e, "n", source, FSH_REASON_CORRUPT, (float)i, &err), err);
    }
    path_in(path, folder, "e.h5");
    assert_ok(fsh_embeddings_write(path, &e, &err), err);
    assert_ok(fsh_embeddings_read(path, &back, &err), err);
    assert_int_equal(back.n, e.n);
    assert_int_equal(back.rejected_n, e.n);
    assert_memory_equal(back.vectors, e.vectors, e.n * DIMENSION * sizeof *e.vectors);
    assert_memory_equal(back.rejected_values, e.rejected_values, e.n * sizeof *e.rejected_values);
    for (i = 0; i < 10000; i++)
        assert_string_equal(back.sources[i], e.sources[i]);
    fsh_embeddings_fini(&back);
    fsh_embeddings_fini(&e);
    fsh_test_remove(folder);
}

static void
a_file_without_a_row_is_a_file(void **state)
{
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES];
    fsh_embeddings e = {.dimension = DIMENSION}, back;
    fsh_err err;

    (void)state;
    path_in(path, folder, "e.h5");
    assert_ok(fsh_embeddings_write(path, &e, &err), err);
    assert_ok(fsh_embeddings_read(path, &back, &err), err);
    assert_int_equal(back.n, 0);
    assert_int_equal(back.rejected_n, 0);
    assert_int_equal(back.dimension, DIMENSION);
    assert_string_equal(back.model, "");
    fsh_embeddings_fini(&back);
    fsh_test_remove(folder);
}

static void
a_vector_that_is_none_is_refused(void **state)
{
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES];
    static const float zero[DIMENSION], long_one[DIMENSION] = {2, 0, 0},
                                        odd[DIMENSION] = {NAN, 0, 0};
    fsh_embeddings e = {.dimension = DIMENSION};
    fsh_err err;

    (void)state;
    assert_int_equal(fsh_embeddings_add(&e, "n", "x.jpg", zero, &err), FSH_FORMAT);
    assert_text_has(err.text, "x.jpg");
    assert_int_equal(fsh_embeddings_add(&e, "n", "x.jpg", long_one, &err), FSH_FORMAT);
    assert_int_equal(fsh_embeddings_add(&e, "n", "x.jpg", odd, &err), FSH_FORMAT);
    assert_int_equal(e.n, 0);
    write_shard(folder, 0, hash_a, DIMENSION, true);
    path_in(path, folder, "shard-000000.h5");
    assert_int_equal(fsh_embeddings_read(path, &e, &err), FSH_FORMAT);
    assert_text_has(err.text, "shard-000000.h5");
    fsh_embeddings_fini(&e);
    fsh_test_remove(folder);
}

/* An HDF5 file of another kind, text, a shard without embeddings, nothing at all. */
static void
what_has_no_embeddings_is_told_with_its_remedy(void **state)
{
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES];
    fsh_embeddings e = {0};
    fsh_store *store;
    fsh_err err;

    (void)state;
    path_in(path, folder, "other.h5");
    assert_ok(fsh_store_create(path, &store, &err), err);
    assert_ok(fsh_store_close(&store, &err), err);
    assert_int_equal(fsh_embeddings_read(path, &e, &err), FSH_FORMAT);
    assert_text_has(err.text, "neither an embeddings file nor a shard nor an index");
    write_shard(folder, 0, hash_a, 0, false);
    path_in(path, folder, "shard-000000.h5");
    assert_int_equal(fsh_embeddings_read(path, &e, &err), FSH_FORMAT);
    assert_text_has(err.text, "faceshard embed");
    path_in(path, folder, "none.h5");
    assert_int_equal(fsh_embeddings_read(path, &e, &err), FSH_IO);
    assert_ok(fsh_file_write(path, "text", 4, &err), err);
    assert_int_equal(fsh_embeddings_read(path, &e, &err), FSH_FORMAT);
    fsh_test_remove(folder);
}

/* A conversion that fails leaves nothing, neither under the name nor beside it. */
static void
half_a_file_is_never_seen(void **state)
{
    char *folder = fsh_test_folder(), from[FSH_PATH_BYTES], path[FSH_PATH_BYTES],
         command[FSH_PATH_BYTES];
    fsh_err err;

    (void)state;
    write_shard(folder, 0, hash_a, DIMENSION, true);
    path_in(from, folder, "shard-000000.h5");
    path_in(path, folder, "e.h5");
    assert_int_equal(fsh_embeddings_convert(from, path, NULL, NULL, &err), FSH_FORMAT);
    snprintf(command, sizeof command, "test \"$(ls %s)\" = shard-000000.h5", folder);
    assert_int_equal(system(command), 0);
    fsh_test_remove(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shard_gives_a_row_for_each_sample),
        cmocka_unit_test(an_index_gives_the_rows_of_all_its_shards),
        cmocka_unit_test(a_shard_that_the_index_misses_is_an_error_and_no_zeros),
        cmocka_unit_test(the_file_has_the_same_rows_and_the_same_bytes_whatever_it_is_made_from),
        cmocka_unit_test(ten_thousand_rows_come_back_in_their_order),
        cmocka_unit_test(a_file_without_a_row_is_a_file),
        cmocka_unit_test(a_vector_that_is_none_is_refused),
        cmocka_unit_test(what_has_no_embeddings_is_told_with_its_remedy),
        cmocka_unit_test(half_a_file_is_never_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <math.h>

#include "shards/faceshard_reader.h"
#include "shards/shard.h"
#include "tests/testing.h"

enum {
    SIZE = 8,
    DIMENSION = 4,
    ROWS = 1100,
    FIRST_LABEL = 40
}; /* more rows than are read at once */

static const fsh_point points[FSH_SHARD_LANDMARKS_N] = {{1.5f, 2.5f}};

static void
add_rows(fsh_shard *shard)
{
    uint8_t picture[SIZE * SIZE * 3] = {0};
    float embedding[DIMENSION] = {1};
    char source[32];
    uint32_t i;
    fsh_err err;

    for (i = 0; i < ROWS; i++) {
        fsh_shard_row row = {.bytes = picture,
                             .bytes_n = sizeof picture,
                             .label = FIRST_LABEL + i % 2,
                             .variant = (uint8_t)(i % 3),
                             .sample_id = 1000 + i,
                             .source = source,
                             .box = {(int32_t)i, 2, 3, 4},
                             .landmarks = i ? NULL : points,
                             .mask_class = -1,
                             .embedding = embedding,
                             .mean_distance = NAN,
                             .worn = i == 7 ? "masks/a" : NULL};

        snprintf(source, sizeof source, "a/%04u.jpg", i);
        picture[0] = (uint8_t)i;
        assert_ok(fsh_shard_add(shard, &row, &err), err);
    }
}

static void
write_shard(const char *path, uint32_t dimension, fsh_encoding encoding)
{
    fsh_shard_meta meta = {.job_hash = "f00d",
                           .seed = 5,
                           .stages = "s",
                           .models = "m",
                           .variants = "one\ntwo\nthree",
                           .version = "v",
                           .size = SIZE,
                           .encoding = encoding,
                           .dimension = dimension};
    fsh_shard_rejected rejected = {"b/1.jpg", FIRST_LABEL + 1,        FSH_REASON_NO_FACE,
                                   NAN,       FSH_SHARD_WHOLE_SAMPLE, NULL,
                                   {5, 6, 7, 8}};
    fsh_shard *shard;
    fsh_err err;

    assert_ok(fsh_shard_create(path, &meta, &shard, &err), err);
    assert_ok(fsh_shard_add_identity(shard, FIRST_LABEL, "Ada", &err), err);
    assert_ok(fsh_shard_add_identity(shard, FIRST_LABEL + 1, "Bob", &err), err);
    add_rows(shard);
    assert_ok(fsh_shard_add_rejected(shard, &rejected, &err), err);
    assert_ok(fsh_shard_finish(&shard, &err), err);
}

static faceshard_reader *
open_shard(const char *folder, uint32_t dimension, fsh_encoding encoding)
{
    char path[300];
    faceshard_reader *reader;
    faceshard_why why = {""};

    snprintf(path, sizeof path, "%s/shard.h5", folder);
    write_shard(path, dimension, encoding);
    if (faceshard_reader_open(path, &reader, &why))
        fail_msg("%s", why.text);
    return reader;
}

static int
set_up(void **state)
{
    *state = fsh_test_folder();
    return 0;
}

static int
tear_down(void **state)
{
    fsh_test_remove(*state);
    return 0;
}

static void
rows_come_as_they_were_written_in_any_order(void **state)
{
    faceshard_reader *reader = open_shard(*state, DIMENSION, FSH_ENCODING_RAW);
    static const uint32_t order[] = {0, 7, ROWS - 1, 3, 511, 512};
    faceshard_row row;
    uint8_t *data;
    size_t bytes, i;

    for (i = 0; i < sizeof order / sizeof order[0]; i++) {
        char source[32];

        snprintf(source, sizeof source, "a/%04u.jpg", order[i]);
        assert_int_equal(faceshard_reader_row(reader, order[i], &row, NULL), FACESHARD_OK);
        assert_string_equal(row.source, source);
        assert_string_equal(row.worn, order[i] == 7 ? "masks/a" : "");
        assert_int_equal(row.sample_id, 1000 + order[i]);
        assert_int_equal(row.variant, order[i] % 3);
        assert_int_equal(row.box[0], order[i]);
        assert_int_equal(row.mask_class, -1);
        assert_true(isnan(row.mean_distance));
        assert_string_equal(faceshard_reader_name(reader, row.label), order[i] % 2 ? "Bob" : "Ada");
        assert_int_equal(faceshard_reader_picture(reader, order[i], &data, &bytes, NULL),
                         FACESHARD_OK);
        assert_int_equal(bytes, SIZE * SIZE * 3);
        assert_int_equal(data[0], (uint8_t)order[i]);
        free(data);
    }
    faceshard_reader_close(reader);
}

static void
facts_points_embeddings_and_what_was_rejected_are_told(void **state)
{
    faceshard_reader *reader = open_shard(*state, DIMENSION, FSH_ENCODING_RAW);
    const faceshard_facts *facts = faceshard_reader_facts(reader);
    faceshard_rejected rejected;
    float found[FACESHARD_LANDMARKS][2], embedding[DIMENSION];

    assert_false(facts->is_index);
    assert_int_equal(facts->pictures, ROWS);
    assert_int_equal(facts->rejected, 1);
    assert_int_equal(facts->size, SIZE);
    assert_int_equal(facts->encoding, FACESHARD_RAW);
    assert_string_equal(facts->variants, "one\ntwo\nthree");
    assert_int_equal(faceshard_reader_landmarks(reader, 0, found, NULL), FACESHARD_OK);
    assert_float_equal(found[0][1], 2.5, 0);
    assert_int_equal(faceshard_reader_landmarks(reader, 1, found, NULL), FACESHARD_OK);
    assert_true(isnan(found[0][0]));
    assert_int_equal(faceshard_reader_embedding(reader, 5, embedding, NULL), FACESHARD_OK);
    assert_float_equal(embedding[0], 1, 0);
    assert_int_equal(faceshard_reader_rejected(reader, 0, &rejected, NULL), FACESHARD_OK);
    assert_string_equal(rejected.source, "b/1.jpg");
    assert_string_equal(rejected.reason, "no_face");
    assert_int_equal(rejected.label, FIRST_LABEL + 1);
    assert_int_equal(rejected.box[3], 8);
    faceshard_reader_close(reader);
}

static void
what_is_not_there_is_said_so(void **state)
{
    faceshard_reader *reader = open_shard(*state, 0, FSH_ENCODING_NONE), *none;
    float embedding[DIMENSION];
    faceshard_why why = {""};
    faceshard_row row;
    uint8_t *data;
    size_t bytes;

    assert_int_equal(faceshard_reader_row(reader, ROWS, &row, &why), FACESHARD_RANGE);
    assert_text_has(why.text, "row 1100 of 1100");
    assert_int_equal(faceshard_reader_picture(reader, 0, &data, &bytes, &why), FACESHARD_RANGE);
    assert_int_equal(faceshard_reader_embedding(reader, 0, embedding, &why), FACESHARD_RANGE);
    assert_null(faceshard_reader_name(reader, FIRST_LABEL - 1));
    assert_null(faceshard_reader_name(reader, FIRST_LABEL + 2));
    faceshard_reader_close(reader);
    assert_int_equal(faceshard_reader_open("/no/such/file.h5", &none, &why), FACESHARD_IO);
    assert_text_has(why.text, "/no/such/file.h5");
    assert_null(none);
    assert_int_equal(faceshard_reader_open("/dev/null", &none, NULL), FACESHARD_FORMAT);
    faceshard_reader_close(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_come_as_they_were_written_in_any_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(facts_points_embeddings_and_what_was_rejected_are_told,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_said_so, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* RecordIO files made byte by byte from what MXNet and insightface write, and what the reader makes
 * of each of their traps. */
#include <math.h>

#include "datasets/records.h"
#include "tests/reader_testing.h"

/* A .rec and its .idx while they are made. */
typedef struct made {
    fsh_text rec, idx;
    char *folder, input[FSH_PATH_BYTES];
} made;

static void
add_u32(fsh_text *out, uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                        (uint8_t)(value >> 24)};

    fsh_text_add_bytes(out, bytes, 4);
}

static void
add_f32(fsh_text *out, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, 4);
    add_u32(out, bits);
}

static void
add_part(fsh_text *out, uint32_t kind, const char *bytes, size_t n)
{
    add_u32(out, FSH_RECORD_MAGIC);
    add_u32(out, kind << 29 | (uint32_t)n);
    fsh_text_add_bytes(out, bytes, n);
    fsh_text_add_bytes(out, "\0\0\0", (4 - n % 4) % 4);
}

/* A record as the format has it: cut where the magic number stands at a multiple of four bytes. */
static void
add_record(fsh_text *out, const char *payload, size_t n)
{
    size_t begin = 0, i;

    for (i = 0; i + 4 <= n; i += 4) {
        if (memcmp(payload + i, "\x0a\x23\xd7\xce", 4) != 0)
            continue;
        add_part(out, begin ? 2 : 1, payload + begin, i - begin);
        begin = i + 4;
    }
    add_part(out, begin ? 3 : 0, payload + begin, n - begin);
}

static void
index_next(made *m, unsigned long long key)
{
    fsh_text_addf(&m->idx, "%llu\t%zu\n", key, m->rec.bytes);
}

/* flag 0: labels is one scalar; else so many labels. */
static void
add_image(made *m, uint64_t id, uint32_t flag, const float *labels, const char *picture, size_t n)
{
    fsh_text payload = {0};
    uint32_t i;

    add_u32(&payload, flag);
    add_f32(&payload, flag ? 0 : labels[0]);
    add_u32(&payload, (uint32_t)id);
    add_u32(&payload, (uint32_t)(id >> 32));
    add_u32(&payload, 0);
    add_u32(&payload, 0);
    for (i = 0; i < flag; i++)
        add_f32(&payload, labels[i]);
    fsh_text_add_bytes(&payload, picture, n);
    index_next(m, id);
    add_record(&m->rec, payload.data, payload.bytes);
    fsh_text_fini(&payload);
}

static void
add_scalar(made *m, uint64_t id, float label, const char *picture)
{
    add_image(m, id, 0, &label, picture, strlen(picture));
}

static void
write_bytes(const char *folder, const char *name, const fsh_text *text)
{
    char path[FSH_PATH_BYTES];
    fsh_err err;

    path_in(path, folder, name);
    assert_ok(fsh_file_write(path, fsh_text_get(text), text->bytes, &err), err);
}

static void
begin(made *m)
{
    memset(m, 0, sizeof *m);
    m->folder = fsh_test_folder();
    path_in(m->input, m->folder, "");
}

static void
finish(made *m, bool with_index)
{
    write_bytes(m->folder, "train.rec", &m->rec);
    if (with_index)
        write_bytes(m->folder, "train.idx", &m->idx);
}

static void
end(made *m)
{
    fsh_text_fini(&m->rec);
    fsh_text_fini(&m->idx);
    fsh_test_remove(m->folder);
}

static void
assert_sources(const made *m, const char *sources)
{
    seen found;
    fsh_err err;

    assert_ok(scan("recordio", m->input, &found, &err), err);
    assert_string_equal(fsh_text_get(&found.sources), sources);
    seen_fini(&found);
}

/* Loads the sample that is named so: it gives these bytes, or this reason. */
static void
assert_picture(const made *m, const char *source, fsh_reason expected, const char *bytes, size_t n)
{
    seen found;
    fsh_err err;
    char identity[64], *data = NULL;
    size_t data_n = 0, folder = strcspn(source, "/");
    fsh_reason reason = FSH_REASON_NONE;

    assert_ok(scan("recordio", m->input, &found, &err), err);
    snprintf(identity, sizeof identity, "%.*s", (int)folder, source);
    assert_ok(found.reader->load(m->input, identity, seen_sample(&found, identity, source + folder + 1),
                                 (uint8_t **)&data, &data_n, &reason, &err), err);
    assert_int_equal(reason, expected);
    if (expected == FSH_REASON_NONE) {
        assert_int_equal(data_n, n);
        assert_memory_equal(data, bytes, n);
    }
    free(data);
    seen_fini(&found);
}

/* insightface's own shape: pictures with keys from 1, records about identities behind them, record
 * 0 last. */
static void
make_insightface(made *m)
{
    static const float ranges[2][2] = {{1, 3}, {3, 4}}, all[2] = {4, 6};

    begin(m);
    add_scalar(m, 1, 0, "one");
    add_scalar(m, 2, 0, "two");
    add_scalar(m, 3, 1, "three");
    add_image(m, 4, 2, ranges[0], "", 0);
    add_image(m, 5, 2, ranges[1], "", 0);
    add_image(m, 0, 2, all, "", 0);
}

#define INSIGHTFACE "00000000/0000000001\n00000000/0000000002\n00000001/0000000003\n"

static void
records_about_identities_are_no_pictures(void **state)
{
    made m;

    (void)state;
    make_insightface(&m);
    finish(&m, true);
    assert_sources(&m, INSIGHTFACE);
    assert_picture(&m, "00000000/0000000002", FSH_REASON_NONE, "two", 3);
    assert_picture(&m, "00000001/0000000003", FSH_REASON_NONE, "three", 5);
    end(&m);
}

static void
without_an_index_the_file_is_gone_through(void **state)
{
    made m;

    (void)state;
    make_insightface(&m);
    finish(&m, false);
    assert_sources(&m, INSIGHTFACE);
    assert_picture(&m, "00000000/0000000001", FSH_REASON_NONE, "one", 3);
    end(&m);
}

static void
classes_of_property_are_identities_also_without_pictures(void **state)
{
    seen found;
    made m;
    fsh_err err;

    (void)state;
    make_insightface(&m);
    finish(&m, true);
    write_file(m.folder, "property", "3,112,112\n");
    assert_ok(scan("recordio", m.input, &found, &err), err);
    assert_text_has(fsh_text_get(&found.order), "[00000001]");
    assert_string_equal(found.identity, "00000002");
    seen_fini(&found);
    write_file(m.folder, "property", "many\n");
    assert_int_equal(scan("recordio", m.input, &found, &err), FSH_FORMAT);
    assert_text_has(err.text, "property: expected CLASSES,HEIGHT,WIDTH");
    end(&m);
}

static void
names_of_classes_are_taken_from_their_list(void **state)
{
    seen found;
    made m;
    fsh_err err;

    (void)state;
    make_insightface(&m);
    finish(&m, true);
    write_file(m.folder, "identities.tsv", "0\tzoe\n1\tanna\n");
    assert_sources(&m, "anna/0000000003\nzoe/0000000001\nzoe/0000000002\n");
    write_file(m.folder, "identities.tsv", "0\tzoe\n2\tanna\n");
    assert_int_equal(scan("recordio", m.input, &found, &err), FSH_FORMAT);
    assert_text_has(err.text, "identities.tsv:2: expected class 1");
    end(&m);
}

static void
record_0_without_a_range_is_a_picture(void **state) /* im2rec, and files that were shuffled */
{
    made m;

    (void)state;
    begin(&m);
    add_scalar(&m, 7, 1, "seven");
    add_scalar(&m, 0, 12, "zero");
    add_scalar(&m, 3, 1, "three");
    finish(&m, true);
    assert_sources(&m, "00000001/0000000003\n00000001/0000000007\n00000012/0000000000\n");
    assert_picture(&m, "00000012/0000000000", FSH_REASON_NONE, "zero", 4);
    end(&m);
}

static void
of_several_labels_the_first_is_the_class(void **state) /* face2rec2 */
{
    static const float labels[4] = {5, 0, 0.5F, 9};
    made m;

    (void)state;
    begin(&m);
    add_image(&m, 1, 2, labels, "two labels", 10);
    add_image(&m, 2, 4, labels, "four labels", 11);
    finish(&m, true);
    assert_sources(&m, "00000005/0000000001\n00000005/0000000002\n");
    assert_picture(&m, "00000005/0000000001", FSH_REASON_NONE, "two labels", 10);
    assert_picture(&m, "00000005/0000000002", FSH_REASON_NONE, "four labels", 11);
    end(&m);
}

static void
the_magic_number_inside_a_payload_is_put_back(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } cases[] = {{"\x0a\x23\xd7\xce", 4},                    /* all of it */
                 {"abcd\x0a\x23\xd7\xce", 8},                /* at the end */
                 {"\x0a\x23\xd7\xce\x0a\x23\xd7\xceza", 10}, /* twice, and an odd rest */
                 {"ab\x0a\x23\xd7\xce", 6},                  /* not at a multiple of four: stays */
                 {"abcd\x0a\x23\xd7\xce"
                  "efgh\x0a\x23\xd7\xce!",
                  17}};
    float label = 0;
    made m;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(&m);
        add_image(&m, 1, 0, &label, cases[i].bytes, cases[i].n);
        add_scalar(&m, 2, 0, "next");
        finish(&m, i % 2);
        assert_sources(&m, "00000000/0000000001\n00000000/0000000002\n");
        assert_picture(&m, "00000000/0000000001", FSH_REASON_NONE, cases[i].bytes, cases[i].n);
        assert_picture(&m, "00000000/0000000002", FSH_REASON_NONE, "next", 4);
        end(&m);
    }
}

static void
the_magic_number_may_stand_in_the_header(void **state)
{
    float label = 3;
    made m;

    (void)state;
    begin(&m);
    add_image(&m, FSH_RECORD_MAGIC, 0, &label, "x", 1);
    finish(&m, false);
    assert_sources(&m, "00000003/3470205706\n");
    assert_picture(&m, "00000003/3470205706", FSH_REASON_NONE, "x", 1);
    end(&m);
}

static void
keys_that_a_float_cannot_hold_are_kept_apart(void **state)
{
    static const float all[2] = {16777218, 16777220}; /* of 16777219 and 16777221: rounded */
    static const float range[2] = {16777216, 16777220};
    made m;

    (void)state;
    begin(&m);
    add_scalar(&m, 16777216, 0, "a");
    add_scalar(&m, 16777217, 0, "b");
    add_scalar(&m, 16777218, 0, "c");
    add_image(&m, 16777219, 2, range, "", 0);
    add_image(&m, 16777220, 2, range, "", 0);
    add_image(&m, 0, 2, all, "", 0);
    finish(&m, true);
    assert_sources(&m, "00000000/0016777216\n00000000/0016777217\n00000000/0016777218\n");
    assert_picture(&m, "00000000/0016777217", FSH_REASON_NONE, "b", 1);
    end(&m);
}

static void
ids_that_are_all_zero_are_no_keys(void **state)
{
    made m;

    (void)state;
    begin(&m);
    add_scalar(&m, 0, 1, "a");
    add_scalar(&m, 0, 0, "b");
    add_scalar(&m, 0, 1, "c");
    finish(&m, false);
    assert_sources(&m, "00000000/0000000001\n00000001/0000000000\n00000001/0000000002\n");
    end(&m);
}

static void
labels_that_are_no_class_are_rejected_samples(void **state)
{
    float nothing = (float)NAN;
    made m;

    (void)state;
    begin(&m);
    add_image(&m, 1, 0, &nothing, "a", 1);
    add_scalar(&m, 2, -1, "b");
    add_scalar(&m, 3, 0.5F, "c");
    add_scalar(&m, 4, 3e9F, "d");
    add_scalar(&m, 5, 6, "e");
    finish(&m, true);
    assert_sources(&m, "00000006/0000000005\n~unlabelled/0000000001\n~unlabelled/0000000002\n"
                       "~unlabelled/0000000003\n~unlabelled/0000000004\n");
    assert_picture(&m, "~unlabelled/0000000003", FSH_REASON_NO_LABEL, NULL, 0);
    end(&m);
}

static void
a_record_without_a_picture_is_empty(void **state)
{
    made m;

    (void)state;
    begin(&m);
    add_scalar(&m, 1, 4, "");
    finish(&m, true);
    assert_picture(&m, "00000004/0000000001", FSH_REASON_EMPTY, NULL, 0);
    end(&m);
}

static void
a_file_that_ends_early_costs_its_last_record(void **state)
{
    made m;

    (void)state;
    begin(&m);
    add_scalar(&m, 1, 0, "whole");
    add_scalar(&m, 2, 1, "cut off in the middle");
    m.rec.bytes -= 10;
    finish(&m, true);
    assert_sources(&m, "00000000/0000000001\n00000001/0000000002\n");
    assert_picture(&m, "00000001/0000000002", FSH_REASON_CORRUPT, NULL, 0);
    write_file(m.folder, "train.idx",
               "1\t0\n2\t40\n3\t500\n"); /* and one that is not there at all */
    assert_sources(&m, "00000000/0000000001\n00000001/0000000002\n~unlabelled/0000000003\n");
    assert_picture(&m, "~unlabelled/0000000003", FSH_REASON_CORRUPT, NULL, 0);
    end(&m);
}

static void
behind_damage_the_next_record_is_found(void **state)
{
    made m;

    (void)state;
    begin(&m);
    add_scalar(&m, 1, 0, "a");
    add_scalar(&m, 2, 0, "b");
    add_scalar(&m, 3, 0, "c");
    m.rec.data[36] ^= 1; /* the magic number of the second */
    finish(&m, false);
    assert_sources(&m, "00000000/0000000001\n00000000/0000000003\n~unlabelled/at-000000000036\n");
    assert_picture(&m, "~unlabelled/at-000000000036", FSH_REASON_CORRUPT, NULL, 0);
    assert_picture(&m, "00000000/0000000003", FSH_REASON_NONE, "c", 1);
    finish(&m, true);
    assert_sources(&m, "00000000/0000000001\n00000000/0000000003\n~unlabelled/0000000002\n");
    end(&m);
}

static void
the_index_may_be_named_instead(void **state)
{
    const fsh_reader *reader;
    char path[FSH_PATH_BYTES];
    made m;
    fsh_err err;

    (void)state;
    make_insightface(&m);
    finish(&m, true);
    path_in(path, m.folder, "train.idx");
    strcpy(m.input, path);
    assert_ok(fsh_reader_detect(m.input, &reader, &err), err);
    assert_string_equal(reader->format, "recordio");
    assert_sources(&m, INSIGHTFACE);
    end(&m);
}

static void
an_index_that_is_none_is_told_by_line(void **state)
{
    seen found;
    made m;
    fsh_err err;

    (void)state;
    make_insightface(&m);
    finish(&m, true);
    write_file(m.folder, "train.idx", "1\t0\n2 36\n");
    assert_int_equal(scan("recordio", m.input, &found, &err), FSH_FORMAT);
    assert_text_has(err.text, "train.idx:2: expected the key");
    end(&m);
}

static void
of_several_files_one_must_be_named(void **state)
{
    char path[FSH_PATH_BYTES];
    seen found;
    made m;
    fsh_err err;

    (void)state;
    make_insightface(&m);
    write_bytes(m.folder, "a.rec", &m.rec);
    write_bytes(m.folder, "b.rec", &m.rec);
    assert_int_equal(scan("recordio", m.input, &found, &err), FSH_USAGE);
    assert_text_has(err.text, "2 files that end in .rec");
    path_in(path, m.folder, "b.rec");
    strcpy(m.input, path);
    assert_sources(&m, INSIGHTFACE);
    end(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_about_identities_are_no_pictures),
        cmocka_unit_test(without_an_index_the_file_is_gone_through),
        cmocka_unit_test(classes_of_property_are_identities_also_without_pictures),
        cmocka_unit_test(names_of_classes_are_taken_from_their_list),
        cmocka_unit_test(record_0_without_a_range_is_a_picture),
        cmocka_unit_test(of_several_labels_the_first_is_the_class),
        cmocka_unit_test(the_magic_number_inside_a_payload_is_put_back),
        cmocka_unit_test(the_magic_number_may_stand_in_the_header),
        cmocka_unit_test(keys_that_a_float_cannot_hold_are_kept_apart),
        cmocka_unit_test(ids_that_are_all_zero_are_no_keys),
        cmocka_unit_test(labels_that_are_no_class_are_rejected_samples),
        cmocka_unit_test(a_record_without_a_picture_is_empty),
        cmocka_unit_test(a_file_that_ends_early_costs_its_last_record),
        cmocka_unit_test(behind_damage_the_next_record_is_found),
        cmocka_unit_test(the_index_may_be_named_instead),
        cmocka_unit_test(an_index_that_is_none_is_told_by_line),
        cmocka_unit_test(of_several_files_one_must_be_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

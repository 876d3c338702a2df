/* Lines of MS-Celeb-1M's TSV, right and wrong, made here, and what the reader makes of them. */
#include "base/base64.h"
#include "tests/reader_testing.h"

/* A line of 7 columns with a picture of these bytes. */
static void
add_line(fsh_text *out, const char *mid, const char *rank, const char *face, const char *picture)
{
    fsh_text_addf(out, "%s\t%s\thttp://a/b.jpg\thttp://a/\t%s\tKsQsP3Pumj2B6UE/Vj4/Pg==\t", mid, rank, face);
    fsh_text_add_base64(out, (const uint8_t *)picture, strlen(picture));
    fsh_text_add(out, "\n");
}

static void
add_old_line(fsh_text *out, const char *mid, const char *rank, const char *picture)
{
    fsh_text_addf(out, "%s\tA Name\t%s\thttp://a/b.jpg\thttp://a/\t", mid, rank);
    fsh_text_add_base64(out, (const uint8_t *)picture, strlen(picture));
    fsh_text_add(out, "\n");
}

static void
begin(made_file *m)
{
    begin_made(m, "mscelebtsv", "faces.tsv");
}

static void
pictures_are_named_by_rank_and_face(void **state)
{
    made_file m;

    (void)state;
    begin(&m);
    add_line(&m.bytes, "m.0b", "2", "FaceId-0", "b two");
    add_line(&m.bytes, "m.0a", "51", "FaceId-10", "ten");
    add_line(&m.bytes, "m.0a", "51", "FaceId-2", "two");
    add_line(&m.bytes, "m.0b", "12", "FaceId-0", "b twelve");
    add_line(&m.bytes, "m.0b", "1", "FaceId-0", "b one");
    scan_made(&m, "m.0a/51-FaceId-10.jpg\nm.0a/51-FaceId-2.jpg\n"
                "m.0b/1-FaceId-0.jpg\nm.0b/12-FaceId-0.jpg\nm.0b/2-FaceId-0.jpg\n");
    assert_made(&m, "m.0a", "51-FaceId-2.jpg", FSH_REASON_NONE, "two");
    assert_made(&m, "m.0b", "12-FaceId-0.jpg", FSH_REASON_NONE, "b twelve");
    end_made(&m);
}

static void
lines_of_six_columns_have_no_face(void **state)
{
    made_file m;

    (void)state;
    begin(&m);
    add_old_line(&m.bytes, "m.0a", "3", "three");
    add_old_line(&m.bytes, "m.0a", "20", "twenty");
    scan_made(&m, "m.0a/20.jpg\nm.0a/3.jpg\n");
    assert_made(&m, "m.0a", "3.jpg", FSH_REASON_NONE, "three");
    end_made(&m);
}

static void
lines_may_end_with_cr_lf_or_the_file(void **state)
{
    made_file m;

    (void)state;
    begin(&m);
    add_line(&m.bytes, "m.0a", "1", "FaceId-0", "one!");
    m.bytes.data[m.bytes.bytes - 1] = '\r';
    fsh_text_add(&m.bytes, "\n\r\n\n");
    add_line(&m.bytes, "m.0a", "2", "FaceId-0", "two");
    m.bytes.bytes--;
    scan_made(&m, "m.0a/1-FaceId-0.jpg\nm.0a/2-FaceId-0.jpg\n");
    assert_made(&m, "m.0a", "1-FaceId-0.jpg", FSH_REASON_NONE, "one!");
    assert_made(&m, "m.0a", "2-FaceId-0.jpg", FSH_REASON_NONE, "two");
    end_made(&m);
}

static void
a_key_that_comes_twice_is_numbered(void **state)
{
    made_file m;

    (void)state;
    begin(&m);
    add_line(&m.bytes, "m.0a", "1", "FaceId-0", "first");
    add_line(&m.bytes, "m.0a", "1", "FaceId-0", "second");
    scan_made(&m, "m.0a/1-FaceId-0.jpg\nm.0a/1-FaceId-0.jpg 000002\n");
    assert_made(&m, "m.0a", "1-FaceId-0.jpg\t", FSH_REASON_NONE, "first");
    assert_made(&m, "m.0a", "1-FaceId-0.jpg 000002", FSH_REASON_NONE, "second");
    end_made(&m);
}

static void
what_is_wrong_with_a_line_is_a_rejected_sample(void **state)
{
    made_file m;

    (void)state;
    begin(&m);
    fsh_text_add(&m.bytes, "no tab at all\n");
    fsh_text_add(&m.bytes, "m.0a\tnot a rank\ta\tb\tFaceId-0\tr\tAAAA\n");
    fsh_text_add(&m.bytes, "m.0a\t1\ta\tb\tFaceId-0\tr\tnot base64!\n");
    fsh_text_add(&m.bytes, "m.0a\t2\ta\tb\tFaceId-0\tr\t\n");
    fsh_text_add(&m.bytes, "m.0a\t3\ta\tb\tFaceId-0\tr\tAAAA\tmore\n");
    fsh_text_add(&m.bytes, "m.0a\t4\ta\tb\tFaceId-0\tr\tAAAAA");
    scan_made(&m, "m.0a/1-FaceId-0.jpg\nm.0a/2-FaceId-0.jpg\nm.0a/4-FaceId-0.jpg\nm.0a/at-000000000014\n"
                "m.0a/at-000000000107\n~unlabelled/at-000000000000\n");
    assert_made(&m, "~unlabelled", "at-000000000000", FSH_REASON_NO_LABEL, NULL);
    assert_made(&m, "m.0a", "at-000000000014", FSH_REASON_CORRUPT, NULL);
    assert_made(&m, "m.0a", "1-FaceId-0.jpg", FSH_REASON_CORRUPT, NULL);
    assert_made(&m, "m.0a", "2-FaceId-0.jpg", FSH_REASON_EMPTY, NULL);
    assert_made(&m, "m.0a", "4-FaceId-0.jpg", FSH_REASON_CORRUPT, NULL);
    end_made(&m);
}

static void
a_file_that_has_changed_is_noticed(void **state)
{
    made_file m;
    fsh_err err;

    (void)state;
    begin(&m);
    add_line(&m.bytes, "m.0a", "1", "FaceId-0", "one");
    scan_made(&m, "m.0a/1-FaceId-0.jpg\n");
    m.bytes.data[2] = '1';
    assert_ok(fsh_file_write(m.input, fsh_text_get(&m.bytes), m.bytes.bytes, &err), err);
    assert_made(&m, "m.0a", "1-FaceId-0.jpg", FSH_REASON_CHANGED, NULL);
    m.bytes.data[2] = '0';
    assert_ok(fsh_file_write(m.input, fsh_text_get(&m.bytes), m.bytes.bytes - 6, &err), err);
    assert_made(&m, "m.0a", "1-FaceId-0.jpg", FSH_REASON_CHANGED, NULL);
    end_made(&m);
}

static void
pictures_larger_than_the_window_are_whole(void **state)
{
    char *picture = malloc(3 << 20);
    made_file m;

    (void)state;
    begin(&m);
    memset(picture, 'x', (3 << 20) - 1);
    picture[(3 << 20) - 1] = '\0';
    add_line(&m.bytes, "m.0a", "1", "FaceId-0", picture);
    add_line(&m.bytes, "m.0a", "2", "FaceId-0", "two");
    scan_made(&m, "m.0a/1-FaceId-0.jpg\nm.0a/2-FaceId-0.jpg\n");
    assert_made(&m, "m.0a", "1-FaceId-0.jpg", FSH_REASON_NONE, picture);
    assert_made(&m, "m.0a", "2-FaceId-0.jpg", FSH_REASON_NONE, "two");
    free(picture);
    end_made(&m);
}

static void
base64_is_what_it_stands_for(void **state)
{
    static const struct {
        const char *text;
        int bytes; /* -1: refused */
    } cases[] = {{"", 0}, {"TQ==", 1}, {"TQ", 1}, {"TWE=", 2}, {"TWE", 2}, {"TWFu", 3}, {"TWFuT", -1},
                 {"TW u", -1}, {"T===", -1}, {"=", -1}, {"TQ=a", -1}, {"TWFuTWFu", 6}};
    uint8_t data[16];
    size_t bytes, i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(fsh_base64_decode(cases[i].text, strlen(cases[i].text), data, &bytes), cases[i].bytes >= 0);
        if (cases[i].bytes >= 0) {
            assert_int_equal(bytes, cases[i].bytes);
            assert_memory_equal(data, "ManMan", bytes);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_named_by_rank_and_face),
        cmocka_unit_test(lines_of_six_columns_have_no_face),
        cmocka_unit_test(lines_may_end_with_cr_lf_or_the_file),
        cmocka_unit_test(a_key_that_comes_twice_is_numbered),
        cmocka_unit_test(what_is_wrong_with_a_line_is_a_rejected_sample),
        cmocka_unit_test(a_file_that_has_changed_is_noticed),
        cmocka_unit_test(pictures_larger_than_the_window_are_whole),
        cmocka_unit_test(base64_is_what_it_stands_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Tar files made block by block, as WebDataset and tar itself write them, whole and damaged, and what the reader
 * makes of them. */
#include "tests/reader_testing.h"

static void
begin(made_file *m)
{
    begin_made(m, "tar", "a.tar");
}

/* A head of 512 bytes: name, mode, owner, size, time, sum, kind, "ustar". */
static void
add_head(made_file *m, const char *name, unsigned bytes, char kind, const char *target)
{
    char head[513] = {0};
    unsigned sum = 0;
    int i;

    snprintf(head, 100, "%s", name);
    memcpy(head + 100, "0000644\0000000000\0000000000", 23);
    snprintf(head + 124, 12, "%011o", bytes);
    snprintf(head + 136, 12, "%011o", 0U);
    memset(head + 148, ' ', 8);
    head[156] = kind;
    snprintf(head + 157, 100, "%s", target);
    memcpy(head + 257, "ustar\00000", 8);
    for (i = 0; i < 512; i++)
        sum += (unsigned char)head[i];
    snprintf(head + 148, 8, "%06o", sum);
    fsh_text_add_bytes(&m->bytes, head, 512);
}

static void
add(made_file *m, const char *name, const char *text)
{
    static const char zeros[512] = {0};
    size_t n = strlen(text);

    add_head(m, name, (unsigned)n, '0', "");
    fsh_text_add_bytes(&m->bytes, text, n);
    fsh_text_add_bytes(&m->bytes, zeros, (512 - n % 512) % 512);
}

static void
add_end(made_file *m)
{
    static const char zeros[1024] = {0};

    fsh_text_add_bytes(&m->bytes, zeros, sizeof zeros);
}

static void
write_as(made_file *m, const char *name)
{
    char path[FSH_PATH_BYTES];
    fsh_err err;

    path_in(path, m->folder, name);
    assert_ok(fsh_file_write(path, fsh_text_get(&m->bytes), m->bytes.bytes, &err), err);
    fsh_text_clear(&m->bytes);
}

static void
scan_it(made_file *m, const char *sources)
{
    scan_made(m, sources);
    fsh_text_clear(&m->bytes);
}

static void
a_class_beside_a_picture_says_whose_it_is(void **state)
{
    made_file m;

    (void)state;
    begin(&m);
    add(&m, "000001.jpg", "one");
    add(&m, "000001.cls", "12\n");
    add(&m, "000002.cls", "3");
    add(&m, "000002.jpg", "two");
    add(&m, "x/000003.png", "three");
    add(&m, "x/000003.cls", "anna b");
    add_end(&m);
    scan_it(&m, "00000003/000002.jpg\n00000012/000001.jpg\nanna b/x/000003.png\n");
    assert_made(&m, "00000012", "000001.jpg", FSH_REASON_NONE, "one");
    assert_made(&m, "00000003", "000002.jpg", FSH_REASON_NONE, "two");
    assert_made(&m, "anna b", "x/000003.png", FSH_REASON_NONE, "three");
    end_made(&m);
}

static void
of_several_labels_json_goes_first(void **state)
{
    made_file m;

    (void)state;
    begin(&m);
    add(&m, "1.txt", "a text\nof two lines");
    add(&m, "1.jpg", "1");
    add(&m, "2.txt", "a text");
    add(&m, "2.cls", "7");
    add(&m, "2.jpg", "2");
    add(&m, "3.cls", "7");
    add(&m, "3.json", "{\"label\": 9, \"identity\": \"Anna \\u00e9\", \"box\": [1, 2, {\"a\": null}]}");
    add(&m, "3.jpg", "3");
    add(&m, "4.json", "{\"label\": 9}");
    add(&m, "4.jpg", "4");
    add(&m, "5.json", "{\"width\": 9}"); /* does not say it, so the class does */
    add(&m, "5.cls", "8");
    add(&m, "5.jpg", "5");
    add(&m, "6.json", "{\"identity\": \"0000045\", \"label\": 3}"); /* a name, though of digits */
    add(&m, "6.jpg", "6");
    add_end(&m);
    scan_it(&m, "00000007/2.jpg\n00000008/5.jpg\n00000009/4.jpg\n0000045/6.jpg\nAnna \xc3\xa9/3.jpg\na text/1.jpg\n");
    end_made(&m);
}

static void
without_labels_the_folder_is_the_identity(void **state)
{
    made_file m;

    (void)state;
    begin(&m);
    add_head(&m, "./bob/", 0, '5', "");
    add(&m, "./bob/2.jpg", "b2");
    add(&m, "./bob/10.jpg", "b10");
    add(&m, "bob/10.v2.jpg", "b10 again"); /* the same key, and no label: a picture of its own */
    add(&m, "anna/a/1.JPG", "a1");
    add(&m, "outside.jpg", "nobody's");
    add(&m, "anna/README", "no picture");
    add(&m, "anna/._1.jpg", "what a Mac adds");
    add_end(&m);
    scan_it(&m, "anna/a/1.JPG\nbob/10.jpg\nbob/10.v2.jpg\nbob/2.jpg\n");
    assert_text_has(fsh_text_get(&m.found.ignored), "outside.jpg: lies in no folder");
    assert_text_has(fsh_text_get(&m.found.ignored), "README: no picture");
    assert_made(&m, "bob", "10.v2.jpg", FSH_REASON_NONE, "b10 again");
    assert_made(&m, "anna/a", "1.JPG", FSH_REASON_NONE, "a1");
    end_made(&m);
}

static void
an_empty_folder_is_an_identity_without_samples(void **state)
{
    made_file m;

    (void)state;
    begin(&m);
    add_head(&m, "./", 0, '5', "");
    add_head(&m, "./anna/", 0, '5', "");
    add_head(&m, "./bob/", 0, '5', "");
    add_head(&m, "./x/y/", 0, '5', "");
    add(&m, "./bob/1.jpg", "1");
    add(&m, "./x/2.jpg", "2");
    add(&m, "./x/2.cls", "dora");
    add_end(&m);
    scan_it(&m, "bob/1.jpg\ndora/x/2.jpg\n");
    assert_text_has(fsh_text_get(&m.found.order), "[anna][bob]");
    assert_text_has(fsh_text_get(&m.found.order), "[x/y]");
    end_made(&m);
}

static void
with_a_label_a_key_is_one_picture(void **state)
{
    made_file m;

    (void)state;
    begin(&m);
    add(&m, "1.seg.png", "what is where");
    add(&m, "1.jpg", "the face");
    add(&m, "1.cls", "5");
    add(&m, "2.cls", "5");
    add_end(&m);
    scan_it(&m, "00000005/1.jpg\n");
    assert_text_has(fsh_text_get(&m.found.ignored), "1.seg.png: another picture");
    assert_text_has(fsh_text_get(&m.found.ignored), "2: a label without a picture");
    assert_made(&m, "00000005", "1.jpg", FSH_REASON_NONE, "the face");
    end_made(&m);
}

static void
a_label_that_cannot_be_read_is_a_rejected_sample(void **state)
{
    made_file m;

    (void)state;
    begin(&m);
    add(&m, "1.jpg", "1");
    add(&m, "1.json", "{\"identity\": ");
    add(&m, "2.jpg", "2");
    add(&m, "2.cls", "");
    add_end(&m);
    scan_it(&m, "~unlabelled/1.jpg\n~unlabelled/2.jpg\n");
    assert_made(&m, "~unlabelled", "1.jpg", FSH_REASON_NO_LABEL, NULL);
    end_made(&m);
}

static void
a_folder_of_tars_is_one_input(void **state)
{
    made_file m;

    (void)state;
    begin(&m);
    add(&m, "000000.jpg", "b0");
    add(&m, "000000.cls", "1");
    add_end(&m);
    write_as(&m, "set-1.tar");
    add(&m, "000000.jpg", "a0");
    add(&m, "000000.cls", "1");
    add(&m, "000001.jpg", "a1");
    add(&m, "000001.cls", "0");
    write_as(&m, "set-0.tar"); /* and one without an end */
    strcpy(m.input, m.folder);
    scan_input(&m, "00000000/000001.jpg\n00000001/000000.jpg\n00000001/000000.jpg 000002\n");
    assert_made(&m, "00000001", "000000.jpg\t", FSH_REASON_NONE, "a0");
    assert_made(&m, "00000001", "000000.jpg 000002", FSH_REASON_NONE, "b0");
    assert_made(&m, "00000000", "000001.jpg", FSH_REASON_NONE, "a1");
    end_made(&m);
}

static void
what_is_no_file_with_bytes_is_a_reason(void **state)
{
    made_file m;

    (void)state;
    begin(&m);
    add_head(&m, "anna/1.jpg", 0, '2', "2.jpg");
    add_head(&m, "anna/2.jpg", 0, '1', "1.jpg");
    add_head(&m, "anna/3.jpg", 0, '6', "");
    add(&m, "anna/4.jpg", "");
    add_end(&m);
    scan_it(&m, "anna/1.jpg\nanna/2.jpg\nanna/3.jpg\nanna/4.jpg\n");
    assert_made(&m, "anna", "1.jpg", FSH_REASON_NOT_A_FILE, NULL);
    assert_made(&m, "anna", "2.jpg", FSH_REASON_NOT_A_FILE, NULL);
    assert_made(&m, "anna", "3.jpg", FSH_REASON_NOT_A_FILE, NULL);
    assert_made(&m, "anna", "4.jpg", FSH_REASON_EMPTY, NULL);
    end_made(&m);
}

static void
long_names_are_whole(void **state) /* as GNU tar writes them */
{
    char name[320], sources[340];
    made_file m;

    (void)state;
    begin(&m);
    memset(name, 'n', sizeof name);
    memcpy(name, "anna/", 5);
    strcpy(name + 250, ".jpg");
    add_head(&m, "././@LongLink", (unsigned)strlen(name) + 1, 'L', "");
    fsh_text_add_bytes(&m.bytes, name, strlen(name) + 1);
    while (m.bytes.bytes % 512)
        fsh_text_add_bytes(&m.bytes, "", 1);
    add(&m, "anna/nnn.jpg", "long");
    add_end(&m);
    snprintf(sources, sizeof sources, "%s\n", name);
    scan_it(&m, sources);
    assert_made(&m, "anna", name + 5, FSH_REASON_NONE, "long");
    end_made(&m);
}

static void
a_tar_that_ends_early_costs_its_last_member(void **state)
{
    made_file m;

    (void)state;
    begin(&m);
    add(&m, "anna/1.jpg", "whole");
    add(&m, "anna/2.jpg", "cut off");
    m.bytes.bytes -= 508;
    scan_it(&m, "anna/1.jpg\nanna/2.jpg\n");
    assert_made(&m, "anna", "1.jpg", FSH_REASON_NONE, "whole");
    assert_made(&m, "anna", "2.jpg", FSH_REASON_CORRUPT, NULL);
    end_made(&m);
}

static void
behind_damage_the_next_member_is_found(void **state)
{
    made_file m;

    (void)state;
    begin(&m);
    add(&m, "anna/1.jpg", "one");
    add(&m, "anna/2.jpg", "two");
    add(&m, "anna/3.jpg", "three");
    add(&m, "anna/4.jpg", "four");
    add_end(&m);
    m.bytes.data[1024 + 3] ^= 8; /* in the name of the second: its sum is wrong */
    scan_it(&m, "anna/1.jpg\nanna/3.jpg\nanna/4.jpg\n~unlabelled/at-000000001024\n");
    assert_made(&m, "anna", "4.jpg", FSH_REASON_NONE, "four");
    assert_made(&m, "~unlabelled", "at-000000001024", FSH_REASON_CORRUPT, NULL);
    end_made(&m);
}

static void
another_member_in_its_place_is_a_change(void **state)
{
    char sample[FSH_PATH_BYTES];
    made_file m;

    (void)state;
    begin(&m);
    add(&m, "anna/1.jpg", "one");
    scan_it(&m, "anna/1.jpg\n");
    strcpy(sample, seen_sample(&m.found, "anna", "1.jpg"));
    add(&m, "anna/2.jpg", "two");
    write_as(&m, "a.tar");
    assert_loads("tar", m.input, "anna", sample, FSH_REASON_CHANGED, NULL);
    end_made(&m);
}

static void
what_is_no_tar_or_compressed_is_refused_with_a_hint(void **state)
{
    made_file m;
    fsh_err err;

    (void)state;
    begin(&m);
    fsh_text_add_bytes(&m.bytes, "\x1f\x8b\x08 and so on", 13);
    write_as(&m, "a.tar");
    assert_int_equal(scan("tar", m.input, &m.found, &err), FSH_USAGE);
    assert_text_has(err.text, "a.tar: is compressed");
    assert_text_has(err.text, "gzip -d");
    fsh_text_add(&m.bytes, "text");
    write_as(&m, "a.tar");
    assert_int_equal(scan("tar", m.input, &m.found, &err), FSH_FORMAT);
    assert_text_has(err.text, "a.tar: is no tar");
    end_made(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_class_beside_a_picture_says_whose_it_is),
        cmocka_unit_test(of_several_labels_json_goes_first),
        cmocka_unit_test(without_labels_the_folder_is_the_identity),
        cmocka_unit_test(an_empty_folder_is_an_identity_without_samples),
        cmocka_unit_test(with_a_label_a_key_is_one_picture),
        cmocka_unit_test(a_label_that_cannot_be_read_is_a_rejected_sample),
        cmocka_unit_test(a_folder_of_tars_is_one_input),
        cmocka_unit_test(what_is_no_file_with_bytes_is_a_reason),
        cmocka_unit_test(long_names_are_whole),
        cmocka_unit_test(a_tar_that_ends_early_costs_its_last_member),
        cmocka_unit_test(behind_damage_the_next_member_is_found),
        cmocka_unit_test(another_member_in_its_place_is_a_change),
        cmocka_unit_test(what_is_no_tar_or_compressed_is_refused_with_a_hint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

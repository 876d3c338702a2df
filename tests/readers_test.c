/* The suite that every reader of the table must pass, and what each makes of its own input. The
 * reader of folders has a test of its own besides. */
#include <sys/stat.h>

#include "datasets/pictures.h"
#include "shards/index.h"
#include "shards/shard.h"
#include "tests/reader_testing.h"

/* ---- every reader ---- */

/* A shard of three people with a picture each, in two variants, of 4 px, red as their row. */
static void
write_shard(const char *path)
{
    static const char *const names[] = {"anna", "bob", "carl"};
    fsh_shard_meta meta = {"aa", 1, "", "", "original\nmask", "1", 0, 4, FSH_ENCODING_RAW, 0};
    fsh_shard *shard;
    fsh_err err;
    int i, k;

    assert_ok(fsh_shard_create(path, &meta, &shard, &err), err);
    for (i = 0; i < 3; i++)
        assert_ok(fsh_shard_add_identity(shard, i, names[i], &err), err);
    for (i = 0; i < 6; i++) {
        uint8_t pixels[48] = {0};
        char source[32];
        fsh_shard_row row = {.bytes = pixels,
                             .bytes_n = sizeof pixels,
                             .label = i / 2,
                             .variant = (uint8_t)(i % 2),
                             .sample_id = (uint64_t)(i / 2),
                             .source = source};

        for (k = 0; k < 48; k += 3)
            pixels[k] = (uint8_t)(100 + i);
        snprintf(source, sizeof source, "%s/1.jpg", names[i / 2]);
        assert_ok(fsh_shard_add(shard, &row, &err), err);
    }
    assert_ok(fsh_shard_finish(&shard, &err), err);
}

/* A folder with train.rec: three records of a header and a byte, classes 2, 0, 1. */
static void
write_recordio(const char *folder)
{
    static const uint8_t labels[3][2] = {{0x00, 0x40}, {0x00, 0x00}, {0x80, 0x3f}};
    uint8_t file[108] = {0};
    char path[FSH_PATH_BYTES];
    fsh_err err;
    int i;

    for (i = 0; i < 3; i++) {
        uint8_t *record = file + 36 * i;

        memcpy(record, "\x0a\x23\xd7\xce\x19", 5);
        memcpy(record + 14, labels[i], 2);
        record[16] = (uint8_t)(i + 1);
    }
    write_file(folder, "identities.tsv", "0\tanna\n1\tbob\n2\tcarl\n");
    path_in(path, folder, "train.rec");
    assert_ok(fsh_file_write(path, file, sizeof file, &err), err);
}

/* An input of each format with the same three people; returns its path. */
static void
make_input(const char *format, const char *folder, char input[FSH_PATH_BYTES])
{
    path_in(input, folder, format);
    if (strcmp(format, "folders") == 0) {
        write_file(input, "anna/1.jpg", "anna");
        write_file(input, "bob/1.jpg", "bob");
        write_file(input, "carl/1.jpg", "carl");
    } else if (strcmp(format, "pictures") == 0) {
        write_file(input, "anna.jpg", "anna");
        write_file(input, "bob.jpg", "bob");
        write_file(input, "carl.jpg", "carl");
    } else if (strcmp(format, "list") == 0) {
        write_file(folder, "list", "x/carl.jpg\tcarl\nx/anna.jpg\tanna\nx/bob.jpg\tbob\n");
        write_file(folder, "x/anna.jpg", "anna");
        write_file(folder, "x/bob.jpg", "bob");
        write_file(folder, "x/carl.jpg", "carl");
    } else if (strcmp(format, "shards") == 0) {
        write_shard(input);
    } else if (strcmp(format, "recordio") == 0) {
        write_recordio(input);
    } else if (strcmp(format, "mscelebtsv") == 0) {
        write_file(folder, format, "bob\t1\tu\tp\tFaceId-0\tr\tAAAA\ncarl\t1\tu\tp\tFaceId-0\tr\tAAAA\n"
                                   "anna\t1\tu\tp\tFaceId-0\tr\tAAAA\n");
    } else if (strcmp(format, "tar") == 0) {
        char command[3 * FSH_PATH_BYTES];

        write_file(folder, "packed/carl/1.jpg", "carl");
        write_file(folder, "packed/anna/1.jpg", "anna");
        write_file(folder, "packed/bob/1.jpg", "bob");
        snprintf(command, sizeof command, "tar -C %s/packed -cf %s carl anna bob", folder, input);
        assert_int_equal(system(command), 0);
    } else {
        fail_msg("no input is made here for format %s", format);
    }
}

static void
check_sources(const char *format, const char *input, const seen *found)
{
    char *sources = strdup(fsh_text_get(&found->sources)), *rest = sources, *line;

    while ((line = strsep(&rest, "\n")) && *line) {
        assert_true(line[0] != '/');
        assert_null(strstr(line, input));
    }
    free(sources);
    (void)format;
}

static void
every_reader_finds_its_people_in_order_and_the_same_again(void **state)
{
    char *folder = fsh_test_folder(), input[FSH_PATH_BYTES];
    int i;

    (void)state;
    for (i = 0; fsh_readers[i]; i++) {
        const char *format = fsh_readers[i]->format;
        seen first, second;
        fsh_err err;

        make_input(format, folder, input);
        assert_ok(scan(format, input, &first, &err), err);
        assert_ok(scan(format, input, &second, &err), err);
        assert_int_equal(first.samples_n, 3);
        assert_text_has(fsh_text_get(&first.order), "[anna]");
        assert_string_equal(first.identity, "carl");
        assert_string_equal(fsh_text_get(&first.order), fsh_text_get(&second.order));
        check_sources(format, input, &first);
        seen_fini(&first);
        seen_fini(&second);
    }
    fsh_test_remove(folder);
}

static void
every_input_is_told_by_its_looks(void **state)
{
    char *folder = fsh_test_folder(), input[FSH_PATH_BYTES];
    const fsh_reader *reader;
    fsh_err err;
    int i;

    (void)state;
    for (i = 0; fsh_readers[i]; i++) {
        make_input(fsh_readers[i]->format, folder, input);
        assert_ok(fsh_reader_detect(input, &reader, &err), err);
        assert_ptr_equal(reader, fsh_readers[i]);
    }
    fsh_test_remove(folder);
}

static void
what_is_no_input_is_told_with_all_formats(void **state)
{
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES];
    const fsh_reader *reader;
    fsh_err err;

    (void)state;
    assert_int_equal(fsh_reader_detect(folder, &reader, &err), FSH_USAGE);
    assert_text_has(err.text, "--format");
    write_file(folder, "both/anna/1.jpg", "anna");
    write_file(folder, "both/bob.jpg", "bob");
    path_in(path, folder, "both");
    assert_int_equal(fsh_reader_detect(path, &reader, &err), FSH_USAGE);
    assert_text_has(err.text, "pictures");
    path_in(path, folder, "none");
    assert_int_equal(fsh_reader_detect(path, &reader, &err), FSH_IO);
    fsh_test_remove(folder);
}

/* ---- pictures ---- */

static void
a_flat_folder_is_ordered_by_person(void **state)
{
    char *folder = fsh_test_folder();
    seen found;
    fsh_err err;

    (void)state;
    write_file(folder, "a-b.jpg", "x"); /* stands before "a.jpg" in a listing, "a" before "a-b" */
    write_file(folder, "a.jpg", "x");
    write_file(folder, "a.PNG", "x");
    write_file(folder, ".hidden.jpg", "x");
    write_file(folder, "notes.txt", "x");
    write_file(folder, "sub/deep.jpg", "x");
    assert_ok(scan("pictures", folder, &found, &err), err);
    assert_string_equal(fsh_text_get(&found.order), "[a] a.PNG  a.jpg [a-b] a-b.jpg ");
    assert_string_equal(fsh_text_get(&found.sources), "a.PNG\na.jpg\na-b.jpg\n");
    assert_text_has(fsh_text_get(&found.ignored), ".hidden.jpg: hidden");
    assert_text_has(fsh_text_get(&found.ignored), "notes.txt: no picture");
    assert_text_has(fsh_text_get(&found.ignored), "sub: no picture");
    seen_fini(&found);
    fsh_test_remove(folder);
}

static void
a_flat_folder_gives_bytes_or_a_reason(void **state)
{
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES];

    (void)state;
    write_file(folder, "a.jpg", "bytes");
    write_file(folder, "empty.jpg", "");
    path_in(path, folder, "folder.jpg");
    assert_int_equal(mkdir(path, 0777), 0);
    assert_loads("pictures", folder, "a", "a.jpg", FSH_REASON_NONE, "bytes");
    assert_loads("pictures", folder, "empty", "empty.jpg", FSH_REASON_EMPTY, NULL);
    assert_loads("pictures", folder, "folder", "folder.jpg", FSH_REASON_NOT_A_FILE, NULL);
    assert_loads("pictures", folder, "b", "b.jpg", FSH_REASON_VANISHED, NULL);
    fsh_test_remove(folder);
}

static void
a_list_in_a_flat_folder_says_who_is_who(void **state)
{
    char *folder = fsh_test_folder();
    seen found;
    fsh_err err;

    (void)state;
    write_file(folder, "a_1.jpg", "x");
    write_file(folder, "a_2.jpg", "x");
    write_file(folder, "names.tsv", "a_2.jpg\ta\na_1.jpg\ta\n");
    assert_ok(scan("pictures", folder, &found, &err), err);
    assert_string_equal(fsh_text_get(&found.order), "[a] a_1.jpg  a_2.jpg ");
    assert_loads("pictures", folder, "a", "a_2.jpg", FSH_REASON_NONE, "x");
    seen_fini(&found);
    fsh_test_remove(folder);
}

/* ---- shards ---- */

static void
pictures_of_a_shard_are_photographs_without_loss(void **state)
{
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES];
    uint8_t *data = NULL;
    size_t bytes = 0;
    fsh_reason reason = FSH_REASON_CORRUPT;
    seen found;
    fsh_err err;

    (void)state;
    path_in(path, folder, "a.h5");
    write_shard(path);
    assert_ok(scan("shards", path, &found, &err), err);
    assert_string_equal(fsh_text_get(&found.sources), "anna/1.jpg\nbob/1.jpg\ncarl/1.jpg\n");
    assert_ok(found.reader->load(path, "bob", "bob/1.jpg\t2\ta.h5", &data, &bytes, &reason, &err),
              err);
    assert_int_equal(reason, FSH_REASON_NONE);
    assert_int_equal(bytes, 54 + 4 * 12);
    assert_memory_equal(data, "BM", 2);
    assert_int_equal(data[54 + 2], 102); /* blue, green, red */
    assert_int_equal(data[54], 0);
    free(data);
    data = NULL;
    assert_int_equal(
        found.reader->load(path, "bob", "bob/1.jpg\t9\ta.h5", &data, &bytes, &reason, &err),
        FSH_FORMAT);
    assert_int_equal(found.reader->load(path, "bob", "bob/1.jpg", &data, &bytes, &reason, &err),
                     FSH_FORMAT);
    seen_fini(&found);
    fsh_test_remove(folder);
}

static void
what_a_shard_rejected_keeps_its_reason(void **state)
{
    fsh_shard_meta meta = {"aa", 1, "", "", "original", "1", 0, 4, FSH_ENCODING_RAW, 0};
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES];
    fsh_shard *shard;
    seen found;
    fsh_err err;

    (void)state;
    path_in(path, folder, "a.h5");
    assert_ok(fsh_shard_create(path, &meta, &shard, &err), err);
    assert_ok(fsh_shard_add_identity(shard, 7, "anna", &err), err);
    assert_ok(fsh_shard_add_rejected(shard,
                                     &(fsh_shard_rejected){"anna/2.jpg", 7, FSH_REASON_NO_FACE, 0,
                                                           FSH_SHARD_WHOLE_SAMPLE, NULL, {0, 0, 0, 0}},
                                     &err),
              err);
    assert_ok(
        fsh_shard_add_rejected(
            shard, &(fsh_shard_rejected){"anna/3.jpg", 7, FSH_REASON_OUT_OF_FRAME, 0, 1, NULL,
                                         {0, 0, 0, 0}},
            &err),
        err);
    assert_ok(fsh_shard_finish(&shard, &err), err);
    assert_ok(scan("shards", path, &found, &err), err);
    assert_string_equal(fsh_text_get(&found.sources), "anna/2.jpg\n");
    assert_loads("shards", path, "anna", found.last, FSH_REASON_NO_FACE, NULL);
    seen_fini(&found);
    fsh_test_remove(folder);
}

/* ---- list ---- */

static void
assert_list(const char *text, const char *order)
{
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES];
    seen found;
    fsh_err err;

    write_file(folder, "list.txt", text);
    path_in(path, folder, "list.txt");
    assert_ok(scan("list", path, &found, &err), err);
    assert_string_equal(fsh_text_get(&found.order), order);
    seen_fini(&found);
    fsh_test_remove(folder);
}

static void
a_list_is_grouped_by_name_whatever_its_order(void **state)
{
    (void)state;
    assert_list("z.jpg\tbob\n1/x.jpg\tanna\na.jpg\tbob\n", "[anna] 1/x.jpg [bob] a.jpg  z.jpg ");
    assert_list("a.jpg\tA name, with more\r\n\r\n\nb.jpg\tB",
                "[A name, with more] a.jpg [B] b.jpg ");
    assert_list("a\xff.jpg\tn\xfe\n", "[n\xfe] a\xff.jpg ");
}

static void
without_a_name_the_folder_or_the_file_is_the_name(void **state)
{
    (void)state;
    assert_list(
        "x/anna/1.jpg\nbob.jpg\n./carl.v2.jpg\n../../dora.jpg\n/eve.jpg\n.f\n",
        "[.f] .f [anna] x/anna/1.jpg [bob] bob.jpg [carl.v2] ./carl.v2.jpg [dora] ../../dora.jpg "
        "[eve] /eve.jpg ");
}

static void
a_list_may_be_csv(void **state)
{
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES];
    seen found;
    fsh_err err;

    (void)state;
    write_file(folder, "list.csv", "Path,label\nb.jpg,bob\n\"a, 1.jpg\",\"anna \"\"a\"\"\"\r\n");
    path_in(path, folder, "list.csv");
    assert_ok(scan("list", path, &found, &err), err);
    assert_string_equal(fsh_text_get(&found.order), "[anna \"a\"] a, 1.jpg [bob] b.jpg ");
    seen_fini(&found);
    write_file(folder, "list.csv", "b.jpg,bob\n\"a.jpg,anna\n");
    assert_int_equal(scan("list", path, &found, &err), FSH_USAGE);
    assert_text_has(err.text, ":2: a quote does not end");
    seen_fini(&found);
    fsh_test_remove(folder);
}

static void
a_wrong_list_is_told_by_line(void **state)
{
    static const struct {
        const char *text, *told;
    } cases[] = {{"a.jpg\tanna\n\tbob\n", ":2: expected the path"},
                 {"a.jpg\t\n", ":1: expected the path"},
                 {"a.jpg\tx\ty\n", ":1: expected the path"},
                 {"a.jpg\n/\n", ":2: expected the path"},
                 {"a.jpg\tanna\nb.jpg\tbob\na.jpg\tbob\n",
                  "a.jpg stands there twice, under the names anna and bob"},
                 {"a.jpg\tanna\n\na.jpg\tanna", "twice, under the names anna and anna"}};
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES];
    seen found;
    fsh_err err;
    size_t i;

    (void)state;
    path_in(path, folder, "list.txt");
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_file(folder, "list.txt", cases[i].text);
        assert_int_equal(scan("list", path, &found, &err), FSH_USAGE);
        assert_text_has(err.text, cases[i].told);
        assert_int_equal(found.samples_n, 0);
        seen_fini(&found);
    }
    assert_ok(fsh_file_write(path, "a\0b", 3, &err), err);
    assert_int_equal(scan("list", path, &found, &err), FSH_USAGE);
    assert_text_has(err.text, "list.txt:1: is no text file: it holds a zero byte");
    seen_fini(&found);
    fsh_test_remove(folder);
}

static void
a_line_that_does_not_end_is_told(void **state)
{
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES], *text = malloc(100001);
    seen found;
    fsh_err err;

    (void)state;
    assert_non_null(text);
    memset(text, 'a', 100000);
    memcpy(text, "b.jpg\n", 6);
    text[100000] = '\0';
    write_file(folder, "list.txt", text);
    path_in(path, folder, "list.txt");
    assert_int_equal(scan("list", path, &found, &err), FSH_USAGE);
    assert_text_has(err.text, "list.txt:2: the line is longer than");
    seen_fini(&found);
    free(text);
    fsh_test_remove(folder);
}

/* More than is read at once, the lines of each person all over it. */
static void
a_long_list_may_be_in_any_order(void **state)
{
    enum { LINES = 40000, PEOPLE = 400 };
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES], last[64];
    fsh_text text = {0};
    seen found;
    fsh_err err;
    unsigned i;

    (void)state;
    for (i = 0; i < LINES; i++) {
        unsigned sample = i * 7919 % LINES;

        fsh_text_addf(&text, "\"a folder, with a comma/%05u.jpg\",%04u\n", sample, sample % PEOPLE);
    }
    assert_true(text.bytes > 1 << 20);
    write_file(folder, "list.csv", fsh_text_get(&text));
    path_in(path, folder, "list.csv");
    assert_ok(scan("list", path, &found, &err), err);
    assert_int_equal(found.samples_n, LINES);
    assert_string_equal(found.identity, "0399");
    snprintf(last, sizeof last, "a folder, with a comma/%05u.jpg", LINES - 1);
    assert_string_equal(found.last, last);
    assert_text_has(fsh_text_get(&found.order),
                    "[0001] a folder, with a comma/00001.jpg  a folder, with a comma/00401.jpg  a folder");
    seen_fini(&found);
    fsh_text_fini(&text);
    fsh_test_remove(folder);
}

static void
pictures_of_a_list_lie_beside_it(void **state)
{
    char *folder = fsh_test_folder(), list[FSH_PATH_BYTES], picture[FSH_PATH_BYTES];

    (void)state;
    write_file(folder, "in/list.txt", "");
    write_file(folder, "in/a.jpg", "bytes");
    path_in(list, folder, "in/list.txt");
    path_in(picture, folder, "in/a.jpg");
    assert_loads("list", list, "anna", "a.jpg", FSH_REASON_NONE, "bytes");
    assert_loads("list", list, "anna", "../in/a.jpg", FSH_REASON_NONE, "bytes");
    assert_loads("list", list, "anna", picture, FSH_REASON_NONE, "bytes");
    assert_loads("list", list, "anna", "b.jpg", FSH_REASON_VANISHED, NULL);
    fsh_test_remove(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reader_finds_its_people_in_order_and_the_same_again),
        cmocka_unit_test(every_input_is_told_by_its_looks),
        cmocka_unit_test(what_is_no_input_is_told_with_all_formats),
        cmocka_unit_test(a_flat_folder_is_ordered_by_person),
        cmocka_unit_test(a_flat_folder_gives_bytes_or_a_reason),
        cmocka_unit_test(a_list_in_a_flat_folder_says_who_is_who),
        cmocka_unit_test(pictures_of_a_shard_are_photographs_without_loss),
        cmocka_unit_test(what_a_shard_rejected_keeps_its_reason),
        cmocka_unit_test(a_list_is_grouped_by_name_whatever_its_order),
        cmocka_unit_test(without_a_name_the_folder_or_the_file_is_the_name),
        cmocka_unit_test(a_list_may_be_csv),
        cmocka_unit_test(a_wrong_list_is_told_by_line),
        cmocka_unit_test(a_line_that_does_not_end_is_told),
        cmocka_unit_test(a_long_list_may_be_in_any_order),
        cmocka_unit_test(pictures_of_a_list_lie_beside_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

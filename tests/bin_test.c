/* Sets of pictures in pickles: what Python 2 and 3 write is read, and whatever could be a program
 * is refused. */
#include "base/files.h"
#include "evaluate/bin.h"
#include "tests/testing.h"

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

/* ([b"one", b"two", b"three", b"four"], [True, False]) */
#define PROTOCOL_4                                                                                 \
    "\x80\x04\x95\x27\0\0\0\0\0\0\0]\x94(C\x03one\x94"                                             \
    "C\x03two\x94"                                                                                 \
    "C\x05three\x94"                                                                               \
    "C\x04"                                                                                        \
    "four\x94"                                                                                     \
    "e]\x94(\x88\x89"                                                                              \
    "e\x86\x94."
#define PROTOCOL_2                                                                                 \
    "\x80\x02]q\x01(U\x03oneq\x02T\x03\0\0\0twoq\x03U\x05threeq\x04U\x04"                          \
    "fourq\x05"                                                                                    \
    "e]q\x06(\x88\x89"                                                                             \
    "e\x86q\x07."
#define PROTOCOL_1                                                                                 \
    "(](U\x03oneU\x03twoU\x05threeU\x04"                                                           \
    "foure](I01\nI00\net."
#define WITH_GET                                                                                   \
    "(]U\x03oneq\x01"                                                                              \
    "ah\x01"                                                                                       \
    "aU\x05threep7\naU\x04"                                                                        \
    "foura(I01\nI00\nlt."

static void
assert_set(const uint8_t *data, size_t bytes, const char *second)
{
    const char *expected[] = {"one", second, "three", "four"};
    fsh_bin set;
    fsh_err err;
    int i;

    assert_ok(fsh_bin_parse("set.bin", data, bytes, &set, &err), err);
    assert_int_equal(set.pairs_n, 2);
    assert_true(set.same[0]);
    assert_false(set.same[1]);
    for (i = 0; i < 4; i++) {
        assert_int_equal(set.pictures[i].bytes, strlen(expected[i]));
        assert_memory_equal(set.pictures[i].data, expected[i], strlen(expected[i]));
    }
    fsh_bin_fini(&set);
}

static void
what_any_protocol_writes_is_read(void **state)
{
    (void)state;
    assert_set(BYTES(PROTOCOL_4), "two");
    assert_set(BYTES(PROTOCOL_2), "two");
    assert_set(BYTES(PROTOCOL_1), "two");
    assert_set(BYTES(WITH_GET), "one");
}

static void
assert_refused(const uint8_t *data, size_t bytes, const char *why)
{
    fsh_bin set = {0};
    fsh_err err = {""};

    assert_int_equal(fsh_bin_parse("set.bin", data, bytes, &set, &err), FSH_FORMAT);
    assert_text_has(err.text, "set.bin");
    assert_text_has(err.text, why);
    assert_null(set.pictures);
}

static void
an_opcode_that_could_run_something_is_refused_by_name_and_offset(void **state)
{
    (void)state;
    assert_refused(BYTES("\x80\x02]cos\nsystem\n(U\x04trueR."), "GLOBAL (0x63) at offset 3");
    assert_refused(BYTES("\x80\x04\x8c\x02os\x8c\x06system\x93."),
                   "STACK_GLOBAL (0x93) at offset 14");
    assert_refused(BYTES("(U\x04trueR."), "REDUCE (0x52) at offset 7");
    assert_refused(BYTES("\x80\x02K\x01."), "BININT1 (0x4b) at offset 2");
    assert_refused(BYTES("\x80\x02\xff."), "no opcode (0xff) at offset 2");
}

static void
a_file_that_is_cut_off_anywhere_is_refused(void **state)
{
    static const char *const texts[] = {PROTOCOL_4, PROTOCOL_2, PROTOCOL_1, WITH_GET};
    static const size_t bytes[] = {sizeof PROTOCOL_4 - 1, sizeof PROTOCOL_2 - 1,
                                   sizeof PROTOCOL_1 - 1, sizeof WITH_GET - 1};
    size_t i, n;

    (void)state;
    for (i = 0; i < 4; i++)
        for (n = 0; n < bytes[i]; n++) {
            uint8_t *copy = malloc(
                n + 1); /* exactly as long, so that a sanitizer sees what is read behind it */

            memcpy(copy, texts[i], n);
            copy = realloc(copy, n ? n : 1);
            assert_refused(copy, n, "");
            free(copy);
        }
}

static void
lengths_and_places_that_lie_are_refused(void **state)
{
    (void)state;
    assert_refused(BYTES("\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xff."), "ends inside");
    assert_refused(BYTES("T\xff\xff\xff\x7fx."), "ends inside");
    assert_refused(BYTES("]r\xff\xff\xff\xff."), "more values");
    assert_refused(BYTES("h\x05."), "nothing was kept");
    assert_refused(BYTES("q\x05."), "nothing to keep");
    assert_refused(BYTES("e."), "no mark");
    assert_refused(BYTES("\x88(\x88"
                         "e."),
                   "no list");
    assert_refused(BYTES("](\x88"
                         "a."),
                   "no list");
    assert_refused(BYTES("\x88(\x86."), "too few values");
    assert_refused(BYTES("I7\n."), "only 00 and 01");
    assert_refused(BYTES("\x80\x09."), "protocol");
    assert_refused(BYTES("]]."), "one value");
    assert_refused(BYTES(PROTOCOL_2 "x"), "behind the end");
}

static void
what_is_no_set_of_pictures_is_refused(void **state)
{
    (void)state;
    assert_refused(BYTES("]."), "pair of lists");
    assert_refused(BYTES("]]\x86."), "0 pictures for 0 pairs");
    assert_refused(BYTES("](U\x01xe](\x88"
                         "e\x86."),
                   "1 pictures for 1 pairs");
    assert_refused(BYTES("](U\x01xX\x01\0\0\0ye](\x88"
                         "e\x86."),
                   "picture 1 is not bytes");
    assert_refused(BYTES("](U\x01xU\x01ye](U\x01xe\x86."), "neither true nor false");
}

static void
a_list_within_itself_ends(void **state)
{
    (void)state;
    assert_refused(BYTES("]q\x01h\x01"
                         "a](\x88"
                         "e\x86."),
                   "1 pictures for 1 pairs");
}

static void
memory_is_bounded_whatever_the_file_says(void **state)
{
    size_t n = 8 << 20;
    uint8_t *data = malloc(n);

    (void)state;
    memset(data, 0x88, n);
    assert_refused(data, n, "more values than a set of pictures has");
    memset(data, ']', n);
    assert_refused(data, n, "more lists");
    memset(data, '(', n);
    assert_refused(data, n, "nested deeper");
    free(data);
}

static void
pictures_are_unpacked_by_number_and_pairs_have_folds(void **state)
{
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES];
    uint8_t *data;
    size_t bytes;
    fsh_bin set;
    fsh_pairs pairs;
    fsh_err err;

    (void)state;
    assert_ok(fsh_bin_parse("set.bin", BYTES(PROTOCOL_2), &set, &err), err);
    assert_ok(fsh_bin_unpack(&set, folder, &err), err);
    assert_ok(fsh_bin_pairs(&set, &pairs, &err), err);
    snprintf(path, sizeof path, "%s/00000/%s.jpg", folder, pairs.pictures[pairs.at[1].first]);
    assert_ok(fsh_file_read(path, 100, &data, &bytes, &err), err);
    assert_string_equal((char *)data, "three");
    assert_int_equal(pairs.at[1].fold, 1);
    assert_false(pairs.at[1].same);
    free(data);
    fsh_pairs_fini(&pairs);
    fsh_bin_fini(&set);
    fsh_test_remove(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_any_protocol_writes_is_read),
        cmocka_unit_test(an_opcode_that_could_run_something_is_refused_by_name_and_offset),
        cmocka_unit_test(a_file_that_is_cut_off_anywhere_is_refused),
        cmocka_unit_test(lengths_and_places_that_lie_are_refused),
        cmocka_unit_test(what_is_no_set_of_pictures_is_refused),
        cmocka_unit_test(a_list_within_itself_ends),
        cmocka_unit_test(memory_is_bounded_whatever_the_file_says),
        cmocka_unit_test(pictures_are_unpacked_by_number_and_pairs_have_folds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

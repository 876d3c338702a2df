/* Lists of pairs: folds by the header or by position, names with odd bytes, and what is no list of
 * pairs. */
#include "evaluate/pairs.h"
#include "tests/testing.h"

static fsh_pairs
parse(const char *text)
{
    fsh_pairs pairs = {0};
    fsh_err err;

    assert_ok(fsh_pairs_parse("pairs.txt", text, strlen(text), &pairs, &err), err);
    return pairs;
}

static void
assert_refused(const char *text, const char *why)
{
    fsh_pairs pairs = {0};
    fsh_err err = {""};

    assert_int_equal(fsh_pairs_parse("pairs.txt", text, strlen(text), &pairs, &err), FSH_FORMAT);
    assert_text_has(err.text, "pairs.txt");
    assert_text_has(err.text, why);
    assert_null(pairs.at);
}

static void
assert_pair(const fsh_pairs *pairs, uint32_t i, const char *first, const char *second, bool same,
            uint32_t fold)
{
    assert_string_equal(pairs->pictures[pairs->at[i].first], first);
    assert_string_equal(pairs->pictures[pairs->at[i].second], second);
    assert_int_equal(pairs->at[i].same, same);
    assert_int_equal(pairs->at[i].fold, fold);
}

static void
the_header_says_the_folds(void **state)
{
    fsh_pairs pairs = parse("2\t1\nAnn\t1\t4\nAnn\t1\tBob\t2\nBob\t1\t2\nCy\t10\tAnn\t1\n");

    (void)state;
    assert_int_equal(pairs.n, 4);
    assert_int_equal(pairs.folds_n, 2);
    assert_int_equal(pairs.pictures_n, 5);
    assert_pair(&pairs, 0, "Ann/Ann_0001", "Ann/Ann_0004", true, 0);
    assert_pair(&pairs, 1, "Ann/Ann_0001", "Bob/Bob_0002", false, 0);
    assert_pair(&pairs, 3, "Cy/Cy_0010", "Ann/Ann_0001", false, 1);
    assert_int_equal(pairs.at[3].line, 5);
    fsh_pairs_fini(&pairs);
}

static void
a_header_of_one_number_is_one_fold(void **state)
{
    fsh_pairs pairs = parse("1\nAnn\t1\t4\nAnn\t1\tBob\t2\n");

    (void)state;
    assert_int_equal(pairs.folds_n, 1);
    assert_pair(&pairs, 1, "Ann/Ann_0001", "Bob/Bob_0002", false, 0);
    fsh_pairs_fini(&pairs);
}

static void
without_a_header_pairs_are_cut_into_ten_by_position(void **state)
{
    char text[64 * 25] = "";
    fsh_pairs pairs;
    uint32_t i, n[FSH_PAIRS_FOLDS] = {0};

    (void)state;
    for (i = 0; i < 23; i++)
        snprintf(text + strlen(text), 64, "Ann %u %u\r\n\n", i, i + 1);
    pairs = parse(text);
    assert_int_equal(pairs.n, 23);
    assert_int_equal(pairs.folds_n, FSH_PAIRS_FOLDS);
    for (i = 0; i < 23; i++) {
        assert_true(i == 0 || pairs.at[i].fold == pairs.at[i - 1].fold ||
                    pairs.at[i].fold == pairs.at[i - 1].fold + 1);
        n[pairs.at[i].fold]++;
    }
    for (i = 0; i < FSH_PAIRS_FOLDS; i++)
        assert_int_equal(n[i], i < 3 ? 3 : 2);
    assert_int_equal(pairs.at[22].line, 45);
    fsh_pairs_fini(&pairs);
}

static void
fewer_pairs_than_ten_are_a_fold_each(void **state)
{
    fsh_pairs pairs = parse("Ann 1 2\nAnn 1 Bob 3");

    (void)state;
    assert_int_equal(pairs.folds_n, 2);
    assert_pair(&pairs, 1, "Ann/Ann_0001", "Bob/Bob_0003", false, 1);
    fsh_pairs_fini(&pairs);
}

static void
names_are_any_bytes_between_tabs(void **state)
{
    fsh_pairs pairs = parse("\xc3\x89ve O'Brien\t1\t2\n\xff\xfe \"x\"\t1\t\x01\t2\n");

    (void)state;
    assert_pair(&pairs, 0, "\xc3\x89ve O'Brien/\xc3\x89ve O'Brien_0001",
                "\xc3\x89ve O'Brien/\xc3\x89ve O'Brien_0002", true, 0);
    assert_pair(&pairs, 1, "\xff\xfe \"x\"/\xff\xfe \"x\"_0001", "\x01/\x01_0002", false, 1);
    fsh_pairs_fini(&pairs);
}

static void
two_pictures_of_one_name_are_one_person_however_they_are_written(void **state)
{
    fsh_pairs pairs = parse("Ann 1 Ann 2\nAnn 1 Bob 2\n");

    (void)state;
    assert_true(pairs.at[0].same);
    assert_false(pairs.at[1].same);
    fsh_pairs_fini(&pairs);
}

static void
what_is_no_list_of_pairs_is_refused_by_line(void **state)
{
    (void)state;
    assert_refused("", "holds no pair");
    assert_refused("10\t300\n", "holds no pair");
    assert_refused("2\t1\nAnn\t1\t4\nAnn\t1\tBob\t2\nBob\t1\t2\n",
                   "3 pairs, where its header says 2 x (1 + 1) = 4");
    assert_refused("0\t300\nAnn\t1\t2\n", "line 1");
    assert_refused("Ann\t1\t2\nAnn\t1\n", "line 2: too few fields");
    assert_refused("Ann\t1\t2\n\nAnn\t1\tBob\t2\tCy\n", "line 3: too many fields");
    assert_refused("Ann\tone\t2\n", "line 1: the number of a picture");
    assert_refused("Ann\t1\tBob\t12345678901\n", "line 1: the number of a picture");
    assert_refused("Ann\t1\t-2\n", "line 1: the number of a picture");
    assert_refused("../Ann\t1\t2\n", "line 1: a name");
    assert_refused("Ann\t1\t..\t2\n", "line 1: a name");
    assert_refused("99999\t999999999\nAnn\t1\t2\n", "line 1");
    assert_refused("<html>\n", "line 1: 1 field");
}

static void
a_zero_byte_is_no_part_of_a_name(void **state)
{
    static const char text[] = "An\0n\t1\t2\n";
    fsh_pairs pairs = {0};
    fsh_err err;

    (void)state;
    assert_int_equal(fsh_pairs_parse("pairs.txt", text, sizeof text - 1, &pairs, &err), FSH_FORMAT);
    assert_text_has(err.text, "line 1: a name");
}

static void
a_list_that_is_not_there_is_named(void **state)
{
    fsh_pairs pairs = {0};
    fsh_err err;

    (void)state;
    assert_int_equal(fsh_pairs_read("/nowhere/pairs.txt", &pairs, &err), FSH_IO);
    assert_text_has(err.text, "/nowhere/pairs.txt");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_says_the_folds),
        cmocka_unit_test(a_header_of_one_number_is_one_fold),
        cmocka_unit_test(without_a_header_pairs_are_cut_into_ten_by_position),
        cmocka_unit_test(fewer_pairs_than_ten_are_a_fold_each),
        cmocka_unit_test(names_are_any_bytes_between_tabs),
        cmocka_unit_test(two_pictures_of_one_name_are_one_person_however_they_are_written),
        cmocka_unit_test(what_is_no_list_of_pairs_is_refused_by_line),
        cmocka_unit_test(a_zero_byte_is_no_part_of_a_name),
        cmocka_unit_test(a_list_that_is_not_there_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

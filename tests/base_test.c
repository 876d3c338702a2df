#include "tests/testing.h"

#include <math.h>

#include "base/args.h"
#include "base/files.h"
#include "base/geometry.h"
#include "base/hash.h"
#include "base/reason.h"
#include "base/rng.h"
#include "base/template.h"
#include "base/tree.h"

/* ---- random numbers ---- */

/* Known answers of the authors' Random123 library. */
static void
philox_gives_the_published_numbers(void **state)
{
    static const uint32_t rows[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb,
         0x5001e420, 0x24126ea1},
    };
    uint32_t out[4];
    int i;

    (void)state;
    for (i = 0; i < 3; i++) {
        fsh_philox(rows[i], rows[i] + 4, out);
        assert_memory_equal(out, rows[i] + 6, sizeof out);
    }
}

static void
a_draw_depends_on_every_part_of_its_key(void **state)
{
    fsh_rng same = fsh_rng_new(1, 2, 3, 4), base = same;
    fsh_rng others[4] = {fsh_rng_new(9, 2, 3, 4), fsh_rng_new(1, 9, 3, 4), fsh_rng_new(1, 2, 9, 4),
                         fsh_rng_new(1, 2, 3, 9)};
    uint32_t first = fsh_rng_u32(&base);
    int i;

    (void)state;
    assert_int_equal(first, fsh_rng_u32(&same));
    for (i = 0; i < 4; i++)
        assert_int_not_equal(first, fsh_rng_u32(&others[i]));
}

static void
draws_stay_in_their_range(void **state)
{
    fsh_rng rng = fsh_rng_new(7, 7, 7, 7);
    int i;

    (void)state;
    for (i = 0; i < 1000; i++) {
        double x = fsh_rng_range(&rng, -2, 3);

        assert_true(x >= -2 && x < 3);
        assert_true(fsh_rng_below(&rng, 5) < 5);
        assert_false(fsh_rng_chance(&rng, 0));
        assert_true(fsh_rng_chance(&rng, 1));
    }
}

/* ---- trees and rows ---- */

typedef struct params {
    int64_t margin;
    double p, threshold;
    bool deep;
    int32_t faces;
    char name[FSH_ARG_TEXT_BYTES];
    fsh_reals mean;
} params;

static const fsh_arg rows[] = {
    FSH_ARG_INT(params, margin, 0, 100, "44", "px"),
    FSH_ARG_REAL(params, p, 0, 1, "0.5", "share"),
    FSH_ARG_REAL_AUTO(params, threshold, 0, 2, "auto", "distance"),
    FSH_ARG_BOOL(params, deep, "false", "yes or no"),
    FSH_ARG_CHOICE(params, faces, "largest|centre|all", "centre", "which"),
    FSH_ARG_TEXT(params, name, "", "a name"),
    FSH_ARG_REALS(params, mean, "0.5", "a channel each"),
    FSH_ARG_END};

static fsh_status
read_params(const char *yaml, params *out, fsh_err *err)
{
    fsh_tree *tree;
    fsh_status status = fsh_tree_parse("t.yaml", yaml, strlen(yaml), &tree, err);

    if (!status)
        status = fsh_args_defaults(rows, out, err);
    if (!status) {
        status = fsh_args_read(rows, out, fsh_tree_root(tree), "t.yaml", err);
        fsh_tree_free(tree);
    }
    return status;
}

static void
parameters_take_defaults_and_what_the_file_says(void **state)
{
    params p;
    fsh_err err;

    (void)state;
    assert_ok(read_params("margin: 40\np: on\nfaces: all\nname: 'x y'\nmean: [1, 2.5, 3]\n", &p, &err), err);
    assert_int_equal(p.margin, 40);
    assert_true(p.p == 1.0 && isnan(p.threshold) && !p.deep);
    assert_int_equal(p.faces, 2);
    assert_string_equal(p.name, "x y");
    assert_true(p.mean.n == 3 && p.mean.at[1] == 2.5);
}

static void
printed_parameters_read_back_the_same(void **state)
{
    params p, q;
    fsh_text one = {0}, two = {0};
    fsh_err err;

    (void)state;
    assert_ok(read_params("p: 0.1\nthreshold: 1.25\nname: 'a\"b: #c'\n", &p, &err), err);
    fsh_args_print(rows, &p, &one);
    assert_ok(read_params(fsh_text_get(&one), &q, &err), err);
    fsh_args_print(rows, &q, &two);
    assert_string_equal(fsh_text_get(&one), fsh_text_get(&two));
    fsh_text_fini(&one);
    fsh_text_fini(&two);
}

static void
a_mistake_names_file_line_key_what_was_found_and_what_is_allowed(void **state)
{
    static const struct {
        const char *yaml, *parts[4];
    } cases[] = {
        {"p: 0.5\nmargin: 101\n", {"t.yaml:2", "margin", "'101'", "a whole number from 0 to 100"}},
        {"margin: ten\n", {"t.yaml:1", "margin", "'ten'", "whole number"}},
        {"margn: 10\n", {"t.yaml:1", "unknown key 'margn'", "margin", "faces"}},
        {"faces: some\n", {"t.yaml:1", "'some'", "one of largest, centre, all", "faces"}},
        {"p: [1]\n", {"t.yaml:1", "p", "a list", "a number from 0 to 1"}},
        {"p: {a: 1}\n", {"t.yaml:1", "p", "keys and values", "one value"}},
        {"p: 1\np: 1\n", {"t.yaml:2", "'p'", "twice", "line 1"}},
        {"p: nan\n", {"t.yaml:1", "p", "'nan'", "a number"}},
    };
    size_t i, k;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        params p;
        fsh_err err = {""};

        assert_int_equal(read_params(cases[i].yaml, &p, &err), FSH_USAGE);
        for (k = 0; k < 4; k++)
            assert_text_has(err.text, cases[i].parts[k]);
    }
}

static void
broken_yaml_is_told_by_line_and_never_expands(void **state)
{
    static const char *const texts[] = {"a: [1, 2\nb: 3\n", "- just\n- a list\n", "a: &x 1\nb: *x\n", "? [1]\n: 2\n",
                                        "a: \x01\n", "a:\n\t- tab\n"};
    fsh_tree *tree;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        fsh_err err = {""};

        assert_int_equal(fsh_tree_parse("bad.yaml", texts[i], strlen(texts[i]), &tree, &err), FSH_USAGE);
        assert_text_has(err.text, "bad.yaml");
    }
}

static void
a_key_is_set_through_maps_and_lists(void **state)
{
    static const char yaml[] = "stages:\n  - detect\n  - sample: {per_class: 5}\n";
    fsh_tree *tree;
    fsh_node *stages;
    fsh_err err;

    (void)state;
    assert_ok(fsh_tree_parse("t", yaml, strlen(yaml), &tree, &err), err);
    assert_ok(fsh_tree_set(tree, "stages.detect.margin", "40", &err), err);
    assert_ok(fsh_tree_set(tree, "stages.sample.per_class", "2", &err), err);
    assert_ok(fsh_tree_set(tree, "output.size", "160", &err), err);
    stages = fsh_node_get(fsh_tree_root(tree), "stages");
    assert_string_equal(fsh_node_get(fsh_node_get(stages->child, "detect"), "margin")->text, "40");
    assert_string_equal(fsh_node_get(stages->child->next->child, "per_class")->text, "2");
    assert_string_equal(fsh_node_get(fsh_node_get(fsh_tree_root(tree), "output"), "size")->text, "160");
    assert_int_equal(fsh_tree_set(tree, "stages.nothing.margin", "40", &err), FSH_USAGE);
    assert_text_has(err.text, "nothing");
    fsh_tree_free(tree);
}

/* ---- texts, sums, files ---- */

static void
json_is_valid_for_any_bytes(void **state)
{
    fsh_text text = {0};

    (void)state;
    fsh_text_add_json(&text, "a\"\\\n\x01 \xC3\xA9 \xFF\xC0\xAF\xED\xA0\x80");
    assert_string_equal(fsh_text_get(&text), "\"a\\\"\\\\\\n\\u0001 \xC3\xA9 "
                        "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
    fsh_text_clear(&text);
    fsh_text_add_visible(&text, "a\n\x1B[31m\xFF");
    assert_string_equal(fsh_text_get(&text), "a\\x0a\\x1b[31m\\xff");
    fsh_text_fini(&text);
}

static void
sha256_gives_the_published_sum(void **state)
{
    fsh_hash hash = fsh_hash_of("abc", 3);
    char hex[FSH_HASH_HEX];

    (void)state;
    fsh_hash_hex(&hash, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(fsh_hash_key("abc", 3) == 0xeacf018fbf1678baULL);
}

static void
a_file_is_written_whole_and_read_back(void **state)
{
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES], deep[FSH_PATH_BYTES];
    uint8_t *data;
    size_t bytes;
    fsh_err err;

    (void)state;
    assert_ok(fsh_path_join(deep, folder, "a/b/c", &err), err);
    assert_ok(fsh_folder_make(deep, &err), err);
    assert_ok(fsh_folder_make(deep, &err), err);
    assert_ok(fsh_path_join(path, deep, "file", &err), err);
    assert_ok(fsh_file_write(path, "hello", 5, &err), err);
    assert_ok(fsh_file_read(path, 5, &data, &bytes, &err), err);
    assert_int_equal(bytes, 5);
    assert_string_equal((char *)data, "hello");
    free(data);
    assert_int_equal(fsh_file_read(path, 4, &data, &bytes, &err), FSH_FORMAT);
    assert_int_equal(fsh_file_read("/nonexistent/x", 4, &data, &bytes, &err), FSH_IO);
    assert_text_has(err.text, "/nonexistent/x");
    assert_int_equal(fsh_folder_make(path, &err), FSH_IO);
    fsh_test_remove(folder);
}

static void
a_sweep_takes_only_what_matches(void **state)
{
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES];
    static const char *const names[] = {".shard-1.tmp", ".shard-2.tmp", "shard-1.h5", ".other"};
    uint32_t removed;
    fsh_err err;
    int i;

    (void)state;
    for (i = 0; i < 4; i++) {
        assert_ok(fsh_path_join(path, folder, names[i], &err), err);
        assert_ok(fsh_file_write(path, "", 0, &err), err);
    }
    assert_ok(fsh_folder_sweep(folder, ".shard-", ".tmp", &removed, &err), err);
    assert_int_equal(removed, 2);
    fsh_test_remove(folder);
}

static void
every_reason_has_its_own_code(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < FSH_REASON_N; i++)
        assert_int_equal(fsh_reason_from_code(fsh_reason_code((fsh_reason)i)), i);
    assert_int_equal(fsh_reason_from_code("no such"), FSH_REASON_N);
}

/* ---- geometry ---- */

static void
a_similarity_is_found_from_its_points(void **state)
{
    fsh_affine map = {{1.2, -0.7, 5, 0.7, 1.2, -3}}, found, back;
    fsh_point from[4] = {{0, 0}, {10, 0}, {3, 8}, {-4, 5}}, to[4], p;
    int i;

    (void)state;
    for (i = 0; i < 4; i++)
        to[i] = fsh_affine_apply(&map, from[i]);
    assert_int_equal(fsh_affine_similarity(from, to, 4, &found), FSH_OK);
    for (i = 0; i < 6; i++)
        assert_true(fabs(found.m[i] - map.m[i]) < 1e-5);
    assert_int_equal(fsh_affine_invert(&found, &back), FSH_OK);
    p = fsh_affine_apply(&back, to[2]);
    assert_true(fabsf(p.x - 3) < 1e-4 && fabsf(p.y - 8) < 1e-4);
    assert_int_equal(fsh_affine_similarity((fsh_point[2]){{1, 1}, {1, 1}}, to, 2, &found), FSH_FORMAT);
}

static void
a_box_is_stretched_edge_onto_edge(void **state)
{
    fsh_box box = {10, 20, 50, 100};
    fsh_affine map = fsh_affine_from_box(&box, 100, 100);
    fsh_point corner = fsh_affine_apply(&map, (fsh_point){9.5f, 19.5f});
    fsh_point far_corner = fsh_affine_apply(&map, (fsh_point){59.5f, 119.5f});

    (void)state;
    assert_true(fabsf(corner.x + 0.5f) < 1e-5 && fabsf(corner.y + 0.5f) < 1e-5);
    assert_true(fabsf(far_corner.x - 99.5f) < 1e-4 && fabsf(far_corner.y - 99.5f) < 1e-4);
}

static void
a_temporary_folder_that_cannot_be_made_has_no_name(void **state)
{
    char *kept = getenv("TMPDIR") ? strdup(getenv("TMPDIR")) : NULL, folder[FSH_PATH_BYTES] = "precious";
    fsh_err err;

    (void)state;
    setenv("TMPDIR", "/dev/null/nowhere", 1);
    assert_int_equal(fsh_folder_make_temporary(folder, &err), FSH_IO);
    assert_string_equal(folder, "");
    assert_text_has(err.text, "TMPDIR");
    if (kept)
        setenv("TMPDIR", kept, 1);
    else
        unsetenv("TMPDIR");
    free(kept);
}

/* ---- scripts ---- */

static void
a_script_is_filled_in_and_empty_lines_of_it_go(void **state)
{
    static const fsh_template_word words[] = {{"JOB", "'it'"}, {"NONE", ""}, {NULL, NULL}};
    fsh_text out = {0};
    fsh_err err;

    (void)state;
    assert_int_equal(fsh_template_fill("a @JOB@b\n@NONE@\nc \"$@\" me@host @ @@ @NONE@\n", words, &out, &err), FSH_OK);
    assert_string_equal(fsh_text_get(&out), "a 'it'b\nc \"$@\" me@host @ @@ \n");
    assert_int_equal(fsh_template_fill("@OTHER@", words, &out, &err), FSH_INTERNAL);
    assert_non_null(strstr(err.text, "@OTHER@"));
    fsh_text_fini(&out);
}

static void
a_word_of_a_shell_stands_for_itself(void **state)
{
    fsh_text out = {0};

    (void)state;
    fsh_text_add_shell(&out, "a'b $c\n");
    assert_string_equal(fsh_text_get(&out), "'a'\\''b $c\n'");
    fsh_text_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_numbers),
        cmocka_unit_test(a_draw_depends_on_every_part_of_its_key),
        cmocka_unit_test(draws_stay_in_their_range),
        cmocka_unit_test(parameters_take_defaults_and_what_the_file_says),
        cmocka_unit_test(printed_parameters_read_back_the_same),
        cmocka_unit_test(a_mistake_names_file_line_key_what_was_found_and_what_is_allowed),
        cmocka_unit_test(broken_yaml_is_told_by_line_and_never_expands),
        cmocka_unit_test(a_key_is_set_through_maps_and_lists),
        cmocka_unit_test(json_is_valid_for_any_bytes),
        cmocka_unit_test(sha256_gives_the_published_sum),
        cmocka_unit_test(a_file_is_written_whole_and_read_back),
        cmocka_unit_test(a_sweep_takes_only_what_matches),
        cmocka_unit_test(every_reason_has_its_own_code),
        cmocka_unit_test(a_similarity_is_found_from_its_points),
        cmocka_unit_test(a_box_is_stretched_edge_onto_edge),
        cmocka_unit_test(a_temporary_folder_that_cannot_be_made_has_no_name),
        cmocka_unit_test(a_script_is_filled_in_and_empty_lines_of_it_go),
        cmocka_unit_test(a_word_of_a_shell_stands_for_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

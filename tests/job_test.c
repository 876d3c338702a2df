#include "tests/testing.h"

#include "base/files.h"
#include "job/job.h"

static const char minimal[] = "input: {path: /in}\noutput: {path: /out}\n";

static fsh_job *
parse(const char *text)
{
    fsh_job *job = NULL;
    fsh_err err = {""};

    assert_ok(fsh_job_parse("job.yaml", text, &job, &err), err);
    return job;
}

static fsh_job *
parse_stages(const char *stages)
{
    char text[2048];

    snprintf(text, sizeof text, "%sstages:\n%s", minimal, stages);
    return parse(text);
}

/* The chain as "a+b+c". */
static void
assert_chain(const fsh_chain *chain, const char *expected)
{
    fsh_text name = {0};

    fsh_chain_name(chain, &name);
    assert_string_equal(fsh_text_get(&name), expected);
    fsh_text_fini(&name);
}

static void
only_input_and_output_must_be_given(void **state)
{
    fsh_job *job = parse(minimal);

    (void)state;
    assert_int_equal(job->size, 112);
    assert_int_equal(job->seed, 1);
    assert_int_equal(job->unit_images, 512);
    assert_string_equal(job->models.detector, "hog");
    assert_chain(&job->stages, "detect");
    assert_int_equal(job->variants_n, 1);
    assert_chain(&job->variants[0], "original");
    fsh_job_free(job);
}

static void
what_a_stage_needs_is_put_in_before_it(void **state)
{
    fsh_job *job = parse_stages("  - clean\n  - variants: masked4\n");

    (void)state;
    assert_chain(&job->stages, "detect+landmarks+embed+clean");
    assert_int_equal(job->variants_n, 4);
    assert_chain(&job->variants[3], "mask+augment");
    fsh_job_free(job);
    job = parse_stages("  - sample: {per_class: 2}\n  - variants: [[], [mask]]\n");
    assert_chain(&job->stages, "detect+landmarks+sample");
    fsh_job_free(job);
}

static void
presets_have_as_many_outputs_as_their_name_says(void **state)
{
    fsh_job *six = parse_stages("  - variants: masked6\n"), *eight = parse_stages("  - variants: masked8\n");

    (void)state;
    assert_int_equal(six->variants_n, 6);
    assert_chain(&six->variants[5], "glasses+mask+augment");
    assert_int_equal(eight->variants_n, 8);
    assert_chain(&eight->variants[7], "sunglasses+mask+augment");
    fsh_job_free(six);
    fsh_job_free(eight);
}

static void
synthesis_stages_in_the_list_are_one_chain(void **state)
{
    fsh_job *job = parse_stages("  - detect\n  - mask: {style: overlay}\n  - augment\n");

    (void)state;
    assert_int_equal(job->variants_n, 1);
    assert_chain(&job->variants[0], "mask+augment");
    fsh_job_free(job);
}

static void
a_printed_job_reads_back_the_same(void **state)
{
    fsh_job *job = parse_stages("  - detect: {margin: 40}\n  - clean: {threshold: 1.1}\n  - sample\n"
                                "  - variants: [[], [mask: {style: overlay}, augment: {noise: 0.25}]]\n");
    fsh_text once = {0}, again = {0};
    fsh_job *second;

    (void)state;
    fsh_job_print(job, &once);
    second = parse(fsh_text_get(&once));
    fsh_job_print(second, &again);
    assert_string_equal(fsh_text_get(&once), fsh_text_get(&again));
    fsh_text_fini(&once);
    fsh_text_fini(&again);
    fsh_job_free(job);
    fsh_job_free(second);
}

static void
a_wrong_job_names_line_key_what_was_found_and_what_is_allowed(void **state)
{
    static const struct {
        const char *text, *parts[3];
    } cases[] = {
        {"input: {path: a}\n", {"job.yaml", "output.path", "--output"}},
        {"output: {path: a}\n", {"job.yaml", "input.path", "--input"}},
        {"input: {path: a}\noutptu: {path: b}\n", {"job.yaml:2", "'outptu'", "output"}},
        {"input: {path: a, format: zip}\noutput: {path: b}\n", {"input.format", "'zip'", "folders"}},
        {"stages:\n  - detcet\n", {"job.yaml:2", "'detcet'", "detect"}},
        {"stages:\n  - detect: {margn: 4}\n", {"job.yaml:2", "'margn'", "margin"}},
        {"stages:\n  - detect: {margin: -1}\n", {"job.yaml:2", "'-1'", "from 0"}},
        {"stages:\n  - sample\n  - detect\n", {"job.yaml:3", "'detect'", "first"}},
        {"stages:\n  - detect\n  - detect\n", {"job.yaml:3", "'detect'", "twice"}},
        {"stages:\n  - variants: masked5\n", {"job.yaml:2", "'masked5'", "masked6"}},
        {"stages:\n  - variants: []\n", {"job.yaml:2", "variants", "chains"}},
        {"stages:\n  - variants: [mask]\n", {"job.yaml", "mask", "[mask, augment]"}},
        {"stages:\n  - variants: [[clean]]\n", {"job.yaml", "'clean'", "variant"}},
        {"stages:\n  - variants: masked4\n  - sample\n", {"job.yaml:3", "'sample'", "last"}},
        {"stages:\n  - {detect: {}, clean: {}}\n", {"job.yaml:2", "several keys", "name"}},
        {"stages: detect\n", {"job.yaml:1", "list", "- "}},
        {"seed: many\n", {"job.yaml:1", "'many'", "whole number"}},
        {"output: {size: 5000}\n", {"job.yaml:1", "'5000'", "1024"}},
    };
    size_t i, k;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fsh_job *job = NULL;
        fsh_err err = {""};

        assert_int_equal(fsh_job_parse("job.yaml", cases[i].text, &job, &err), FSH_USAGE);
        for (k = 0; k < 3; k++)
            assert_text_has(err.text, cases[i].parts[k]);
    }
}

static void
the_command_line_overrides_the_file(void **state)
{
    static const char *const sets[] = {"stages.detect.margin=40", "seed=7", "stages.sample.per_class=2"};
    static const char text[] = "input: {path: a}\nstages:\n  - detect\n  - sample: {per_class: 5}\n";
    fsh_job_overrides overrides = {"odd: name #1", "/o", sets, 3};
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES];
    fsh_text printed = {0};
    fsh_job *job = NULL;
    fsh_err err = {""};

    (void)state;
    assert_ok(fsh_path_join(path, folder, "job.yaml", &err), err);
    assert_ok(fsh_file_write(path, text, strlen(text), &err), err);
    assert_ok(fsh_job_read(path, &overrides, &job, &err), err);
    fsh_job_print(job, &printed);
    assert_text_has(fsh_text_get(&printed), "margin: 40");
    assert_text_has(fsh_text_get(&printed), "per_class: 2");
    assert_text_has(job->input, "/odd: name #1");
    assert_int_equal(job->seed, 7);
    fsh_text_fini(&printed);
    fsh_job_free(job);
    fsh_test_remove(folder);
}

static void
hash_of(const char *text, char hash[FSH_HASH_HEX])
{
    fsh_job *job = parse(text);
    fsh_err err = {""};

    assert_ok(fsh_job_hash(job, &err), err);
    memcpy(hash, job->hash, FSH_HASH_HEX);
    fsh_job_free(job);
}

static void
the_hash_covers_what_the_result_depends_on_and_nothing_else(void **state)
{
    static const char *const same[] = {
        "input: {path: /other}\noutput: {path: /elsewhere}\n",
        "input: {path: /in}\noutput: {path: /out}\nlimits: {max_rejected: 0.5}\n",
        "input: {path: /in}\noutput: {path: /out}\ntransport: {mode: stream}\n",
        "input: {path: /in}\noutput: {path: /out}\nstages:\n  - detect: {}\n"};
    static const char *const other[] = {
        "input: {path: /in}\noutput: {path: /out}\nseed: 2\n",
        "input: {path: /in}\noutput: {path: /out, size: 160}\n",
        "input: {path: /in}\noutput: {path: /out, encoding: png}\n",
        "input: {path: /in}\noutput: {path: /out}\nunits: {images: 100}\n",
        "input: {path: /in}\noutput: {path: /out}\nmodels: {detector: none}\n",
        "input: {path: /in}\noutput: {path: /out}\nstages:\n  - detect: {margin: 45}\n",
        "input: {path: /in}\noutput: {path: /out}\nstages:\n  - variants: masked4\n"};
    char base[FSH_HASH_HEX], hash[FSH_HASH_HEX];
    size_t i;

    (void)state;
    hash_of(minimal, base);
    for (i = 0; i < sizeof same / sizeof same[0]; i++) {
        hash_of(same[i], hash);
        assert_string_equal(hash, base);
    }
    for (i = 0; i < sizeof other / sizeof other[0]; i++) {
        hash_of(other[i], hash);
        assert_string_not_equal(hash, base);
    }
}

static void
without_pictures_there_are_no_variants(void **state)
{
    static const char *const changed[] = {"variants: masked4", "augment"};
    char text[512];
    fsh_job *job = NULL;
    fsh_err err;
    size_t i;

    (void)state;
    job = parse("input: {path: /in}\noutput: {path: /out, encoding: none}\nstages:\n  - embed\n");
    assert_int_equal(job->encoding, FSH_ENCODING_NONE);
    fsh_job_free(job);
    for (i = 0; i < sizeof changed / sizeof changed[0]; i++) {
        snprintf(text, sizeof text, "input: {path: /in}\noutput: {path: /out, encoding: none}\nstages:\n  - %s\n",
                 changed[i]);
        assert_int_equal(fsh_job_parse("job.yaml", text, &job, &err), FSH_USAGE);
        assert_text_has(err.text, "job.yaml: output.encoding: none");
    }
}

static void
what_makes_two_hashes_differ_is_named(void **state)
{
    fsh_text diff = {0};

    (void)state;
    fsh_recipe_diff("seed 1\nsize 112\ndetector ssd 12\n", "seed 1\nsize 112\ndetector ssd 34\nmasks/a.png 5\n",
                    &diff);
    assert_string_equal(fsh_text_get(&diff), "here 'detector ssd 12', there 'detector ssd 34'");
    fsh_text_clear(&diff);
    fsh_recipe_diff("size 112\n", "size 112\nmasks/a.png 5", &diff);
    assert_string_equal(fsh_text_get(&diff), "here nothing, there 'masks/a.png 5'");
    fsh_text_clear(&diff);
    fsh_recipe_diff("seed 1\n", "seed 11\n", &diff);
    assert_string_equal(fsh_text_get(&diff), "here 'seed 1', there 'seed 11'");
    fsh_text_fini(&diff);
}

static void
a_job_of_another_machine_uses_the_places_of_this_one(void **state)
{
    fsh_job *job = parse("input: {path: /their/in}\noutput: {path: /their/out}\n"
                         "models: {detector: /their/models/ssd.yaml, embedder: faceshard_mobile}\n"
                         "templates: {path: /their/templates}\n");
    fsh_job_places places = {"/tmp/spool", "/my/models", NULL};

    (void)state;
    assert_false(job->spooled);
    fsh_job_adapt(job, &places);
    assert_true(job->spooled);
    assert_string_equal(job->output, "/tmp/spool");
    assert_string_equal(job->models.detector, "ssd");
    assert_string_equal(job->models.embedder, "faceshard_mobile");
    assert_string_equal(job->models.search, "/my/models");
    assert_string_equal(job->templates, fsh_job_own_templates());
    fsh_job_free(job);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_input_and_output_must_be_given),
        cmocka_unit_test(what_a_stage_needs_is_put_in_before_it),
        cmocka_unit_test(presets_have_as_many_outputs_as_their_name_says),
        cmocka_unit_test(synthesis_stages_in_the_list_are_one_chain),
        cmocka_unit_test(a_printed_job_reads_back_the_same),
        cmocka_unit_test(a_wrong_job_names_line_key_what_was_found_and_what_is_allowed),
        cmocka_unit_test(the_command_line_overrides_the_file),
        cmocka_unit_test(the_hash_covers_what_the_result_depends_on_and_nothing_else),
        cmocka_unit_test(without_pictures_there_are_no_variants),
        cmocka_unit_test(what_makes_two_hashes_differ_is_named),
        cmocka_unit_test(a_job_of_another_machine_uses_the_places_of_this_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

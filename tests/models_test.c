/* Model cards: found, read, checked, and told apart by what decides results. */
#include "base/files.h"
#include "stages/models.h"
#include "tests/testing.h"

/* A folder with a card of its own and a file that it names. */
typedef struct place {
    char *folder;
    fsh_models models;
    fsh_card card;
    fsh_err err;
} place;

static void
write_file(const place *p, const char *name, const char *text)
{
    char path[FSH_PATH_BYTES];

    assert_int_equal(fsh_path_join(path, p->folder, name, NULL), FSH_OK);
    assert_int_equal(fsh_file_write(path, text, strlen(text), NULL), FSH_OK);
}

static int
setup(void **state)
{
    place *p = calloc(1, sizeof *p);

    p->folder = fsh_test_folder();
    snprintf(p->models.search, sizeof p->models.search, "/nowhere, %s", p->folder);
    write_file(p, "weights.bin", "abc");
    *state = p;
    return 0;
}

static int
teardown(void **state)
{
    place *p = *state;

    fsh_test_remove(p->folder);
    free(p);
    return 0;
}

/* SHA-256 of "abc", FIPS 180-4. */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static fsh_status
load(place *p, const char *card)
{
    write_file(p, "mine.yaml", card);
    return fsh_card_load(&p->models, "mine", FSH_TASK_EMBED, &p->card, &p->err);
}

static void
a_card_is_found_by_name_with_its_file(void **state)
{
    place *p = *state;

    assert_ok(
        load(p, "name: mine\nfile: weights.bin\nsha256: " ABC "\nmean: [1, 2, 3]\nscale: 0.5\n"),
        p->err);
    assert_string_equal(p->card.name, "mine");
    assert_text_has(p->card.file_path, "weights.bin");
    assert_true(fsh_card_channel(&p->card.mean, 2) == 3 &&
                fsh_card_channel(&p->card.scale, 2) == 0.5);
}

static void
a_card_is_found_by_path(void **state)
{
    place *p = *state;
    char path[FSH_PATH_BYTES];

    write_file(p, "mine.yaml", "name: mine\nfile: weights.bin\n");
    assert_int_equal(fsh_path_join(path, p->folder, "mine.yaml", NULL), FSH_OK);
    p->models.search[0] = '\0';
    assert_ok(fsh_card_load(&p->models, path, FSH_TASK_EMBED, &p->card, &p->err), p->err);
    assert_string_equal(p->card.sha256, ABC);
}

static void
a_missing_file_says_where_it_was_looked_for(void **state)
{
    place *p = *state;

    assert_int_equal(load(p, "name: mine\nfile: absent.onnx\n"), FSH_MODEL);
    assert_text_has(p->err.text, "absent.onnx");
    assert_text_has(p->err.text, p->folder);
    assert_text_has(p->err.text, "/nowhere");
    assert_text_has(p->err.text, "FACESHARD_MODELS");
}

static void
a_missing_card_says_where_it_was_looked_for(void **state)
{
    place *p = *state;

    assert_int_equal(fsh_card_load(&p->models, "absent", FSH_TASK_EMBED, &p->card, &p->err),
                     FSH_MODEL);
    assert_text_has(p->err.text, "absent.yaml");
    assert_text_has(p->err.text, p->folder);
}

static void
a_file_with_another_sum_is_refused(void **state)
{
    place *p = *state;

    write_file(p, "weights.bin", "abd");
    assert_int_equal(load(p, "name: mine\nfile: weights.bin\nsha256: " ABC "\n"), FSH_MODEL);
    assert_text_has(p->err.text, ABC);
}

static void
a_mistake_is_told_by_line(void **state)
{
    place *p = *state;

    assert_int_equal(load(p, "name: mine\nwidht: 112\n"), FSH_USAGE);
    assert_text_has(p->err.text, "mine.yaml:2");
    assert_text_has(p->err.text, "widht");
}

static void
a_model_for_another_task_is_refused(void **state)
{
    place *p = *state;

    assert_int_equal(load(p, "name: mine\ntask: detect\n"), FSH_USAGE);
    assert_text_has(p->err.text, "'detect'");
}

static void
two_numbers_for_three_channels_are_refused(void **state)
{
    assert_int_equal(load(*state, "name: mine\nmean: [1, 2]\n"), FSH_USAGE);
}

static fsh_hash
hash_of(place *p, const char *card)
{
    assert_ok(load(p, card), p->err);
    return p->card.file_hash;
}

static void
the_hash_covers_the_settings_and_not_the_words(void **state)
{
    place *p = *state;
    fsh_hash first = hash_of(p, "name: mine\nfile: weights.bin\n");
    fsh_hash words = hash_of(
        p, "name: mine\nfile: weights.bin\nlicence: MIT\naccuracy: fine\nsha256: " ABC "\n");
    fsh_hash mean = hash_of(p, "name: mine\nfile: weights.bin\nmean: 1\n");
    fsh_hash file;

    write_file(p, "weights.bin", "abd");
    file = hash_of(p, "name: mine\nfile: weights.bin\n");
    assert_memory_equal(&first, &words, sizeof first);
    assert_memory_not_equal(&first, &mean, sizeof first);
    assert_memory_not_equal(&first, &file, sizeof first);
}

static void
a_backend_that_is_left_open_is_settled_before_the_hash(void **state)
{
    place *p = *state;
    fsh_hash open = hash_of(p, "name: mine\nfile: weights.bin\nbackend: auto\n");
    fsh_hash opencv;

    assert_true(p->card.backend_chosen);
    assert_int_equal(p->card.backend, FSH_BACKEND_OPENCV); /* "abc" is no network */
    opencv = hash_of(p, "name: mine\nfile: weights.bin\nbackend: opencv\n");
    assert_false(p->card.backend_chosen);
    assert_memory_equal(&open, &opencv, sizeof open);
}

/* What a fresh clone runs with, and with the files of ../shared/models what a checkout runs with.
 */
static void
the_cards_of_the_project_can_be_read(void **state)
{
    static const struct {
        const char *name;
        fsh_model_task task;
        bool needs_files;
    } cards[] = {{"hog", FSH_TASK_DETECT, false},
                 {"none", FSH_TASK_DETECT, false},
                 {"aligned", FSH_TASK_DETECT, false},
                 {"dlib68", FSH_TASK_LANDMARKS, false},
                 {"faceshard_mobile", FSH_TASK_EMBED, false},
                 {"ssd", FSH_TASK_DETECT, true},
                 {"yunet", FSH_TASK_DETECT, true},
                 {"mobilefacenet_y1", FSH_TASK_EMBED, true},
                 {"mobilefacenet_caffe", FSH_TASK_EMBED, true},
                 {"mobilefacenet_xiaoccer", FSH_TASK_EMBED, true},
                 {"mobilefacenet_foamliu", FSH_TASK_EMBED, true}};
    place *p = *state;
    size_t i;

    for (i = 0; i < sizeof cards / sizeof *cards; i++) {
        fsh_status status =
            fsh_card_load(&p->models, cards[i].name, cards[i].task, &p->card, &p->err);

        if (status == FSH_MODEL && cards[i].needs_files)
            print_message("skipped: the files of %s are not here\n", cards[i].name);
        else
            assert_ok(status, p->err);
        assert_string_equal(p->card.name, cards[i].name);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_card_is_found_by_name_with_its_file, setup, teardown),
        cmocka_unit_test_setup_teardown(a_card_is_found_by_path, setup, teardown),
        cmocka_unit_test_setup_teardown(a_missing_file_says_where_it_was_looked_for, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_missing_card_says_where_it_was_looked_for, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_with_another_sum_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_mistake_is_told_by_line, setup, teardown),
        cmocka_unit_test_setup_teardown(a_model_for_another_task_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(two_numbers_for_three_channels_are_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_hash_covers_the_settings_and_not_the_words, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_backend_that_is_left_open_is_settled_before_the_hash,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_cards_of_the_project_can_be_read, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

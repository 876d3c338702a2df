/* From a folder of photographs to a parcel and back. */
#include "tests/testing.h"

#include <sys/stat.h>

#include "base/files.h"
#include "base/rng.h"
#include "datasets/packer.h"
#include "datasets/parcel.h"

enum { SAMPLES = 5, LARGE_BYTES = 700000, ROOM = 4096 };

static const char *const samples[SAMPLES][2] = {{"ann", "1.jpg"},
                                                {"ann", "2.jpg"},
                                                {"cy\ndy", "empty.jpg"},
                                                {"cy\ndy", "gone.jpg"},
                                                {"cy\ndy", "large.jpg"}};

typedef struct scene {
    char *folder;
    uint8_t *large;
    fsh_packer *packer;
    fsh_text whole; /* the parcel, read in one go */
} scene;

static void
write_sample(const scene *of, int i, const void *data, size_t bytes)
{
    char path[FSH_PATH_BYTES];

    snprintf(path, sizeof path, "%s/%s", of->folder, samples[i][0]);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s", of->folder, samples[i][0], samples[i][1]);
    assert_int_equal(fsh_file_write(path, data, bytes, NULL), FSH_OK);
}

/* "bob" is an identity without samples. */
static fsh_unit
make_unit(void)
{
    static const uint32_t starts[] = {0, 2, 2, SAMPLES};
    static char *names[] = {"ann", "bob", "cy\ndy"};
    fsh_unit unit = {.number = 7, .identities_n = 3, .samples_n = SAMPLES, .first_label = 40};
    char **at = malloc((3 + SAMPLES) * sizeof *at + sizeof starts);
    int i;

    unit.memory = unit.identity_names = at;
    unit.sample_names = at + 3;
    unit.identity_starts = (uint32_t *)(at + 3 + SAMPLES);
    memcpy(unit.identity_names, names, sizeof names);
    memcpy(unit.identity_starts, starts, sizeof starts);
    for (i = 0; i < SAMPLES; i++)
        unit.sample_names[i] = (char *)(uintptr_t)samples[i][1];
    return unit;
}

/* Adds the bytes of the parcel from `offset` to its end, read in rooms of this size. */
static void
read_from(fsh_packer *packer, uint64_t offset, size_t room, fsh_text *out)
{
    uint8_t *data = malloc(room);
    size_t bytes = room;
    fsh_err err;

    for (; bytes == room; offset += bytes) {
        assert_ok(fsh_packer_read(packer, offset, data, room, &bytes, &err), err);
        fsh_text_add_bytes(out, data, bytes);
    }
    free(data);
}

static int
setup(void **state)
{
    scene *of = calloc(1, sizeof *of);
    fsh_unit unit = make_unit();
    fsh_err err;
    int i;

    of->folder = fsh_test_folder();
    of->large = malloc(LARGE_BYTES);
    for (i = 0; i < LARGE_BYTES; i++)
        of->large[i] = (uint8_t)(i * 7 + i / 1000);
    write_sample(of, 0, "first", 5);
    write_sample(of, 1, "second\0one", 10);
    write_sample(of, 2, "", 0);
    write_sample(of, 4, of->large, LARGE_BYTES);
    assert_ok(fsh_packer_new(fsh_reader_find("folders"), of->folder, &unit, &of->packer, &err),
              err);
    read_from(of->packer, 0, 1 << 20, &of->whole);
    *state = of;
    return 0;
}

static int
teardown(void **state)
{
    scene *of = *state;

    fsh_packer_free(of->packer);
    fsh_text_fini(&of->whole);
    fsh_test_remove(of->folder);
    free(of->large);
    free(of);
    return 0;
}

static fsh_status
open_parcel(const scene *of, const void *data, size_t bytes, fsh_parcel **parcel)
{
    char path[FSH_PATH_BYTES];
    FILE *file;

    snprintf(path, sizeof path, "%s/parcel", of->folder);
    file = fopen(path, "w");
    assert_int_equal(fwrite(data, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
    return fsh_parcel_open(path, parcel, NULL);
}

static void
check_sample(const fsh_parcel *parcel, uint32_t sample, const void *expected, size_t bytes)
{
    fsh_reason reason = FSH_REASON_NONE;
    uint8_t *data = NULL;
    size_t found;
    fsh_err err;

    assert_ok(fsh_parcel_load(parcel, sample, &data, &found, &reason, &err), err);
    assert_int_equal(reason, FSH_REASON_NONE);
    assert_int_equal(found, bytes);
    assert_memory_equal(data, expected, bytes);
    free(data);
}

static void
check_reason(const fsh_parcel *parcel, uint32_t sample, fsh_reason expected)
{
    fsh_reason reason = FSH_REASON_NONE;
    uint8_t *data;
    size_t bytes;

    assert_int_equal(fsh_parcel_load(parcel, sample, &data, &bytes, &reason, NULL), FSH_OK);
    assert_int_equal(reason, expected);
}

static void
names_bytes_and_reasons_survive_the_way(void **state)
{
    const scene *of = *state;
    fsh_parcel *parcel;
    fsh_unit unit;
    int i;

    assert_int_equal(open_parcel(of, of->whole.data, of->whole.bytes, &parcel), FSH_OK);
    fsh_parcel_take_unit(parcel, &unit);
    assert_int_equal(unit.number, 7);
    assert_int_equal(unit.first_label, 40);
    assert_int_equal(unit.identities_n, 3);
    assert_string_equal(unit.identity_names[1], "bob");
    assert_string_equal(unit.identity_names[2], "cy\ndy");
    assert_int_equal(unit.identity_starts[2], 2);
    for (i = 0; i < SAMPLES; i++)
        assert_string_equal(unit.sample_names[i], samples[i][1]);
    check_sample(parcel, 0, "first", 5);
    check_sample(parcel, 1, "second\0one", 10);
    check_reason(parcel, 2, FSH_REASON_EMPTY);
    check_reason(parcel, 3, FSH_REASON_VANISHED);
    check_sample(parcel, 4, of->large, LARGE_BYTES);
    fsh_unit_fini(&unit);
    fsh_parcel_close(parcel);
}

static void
a_parcel_is_the_same_in_any_pieces_and_from_any_offset(void **state)
{
    static const size_t rooms[] = {1000, 4096, 262144};
    const scene *of = *state;
    fsh_rng rng = fsh_rng_new(1, 1, 1, 0);
    int i;

    for (i = 0; i < 30; i++) {
        uint64_t offset = fsh_rng_below(&rng, (uint32_t)of->whole.bytes), bytes;
        fsh_text rest = {0};
        fsh_hash hash, expected = fsh_hash_of(of->whole.data, of->whole.bytes);

        read_from(of->packer, offset, rooms[i % 3], &rest);
        assert_int_equal(rest.bytes, of->whole.bytes - offset);
        assert_memory_equal(rest.data, of->whole.data + offset, rest.bytes);
        fsh_packer_sum(of->packer, &bytes, &hash);
        assert_int_equal(bytes, of->whole.bytes);
        assert_memory_equal(&hash, &expected, sizeof hash);
        fsh_text_fini(&rest);
    }
}

static void
behind_the_end_there_is_nothing_and_a_change_of_the_input_shows_in_the_sum(void **state)
{
    scene *of = *state;
    uint8_t data[16];
    size_t bytes = 1;
    uint64_t total;
    fsh_hash hash, before = fsh_hash_of(of->whole.data, of->whole.bytes);
    fsh_text again = {0};

    assert_int_equal(fsh_packer_read(of->packer, UINT64_MAX / 2, data, 16, &bytes, NULL), FSH_OK);
    assert_int_equal(bytes, 0);
    write_sample(of, 0, "other", 5);
    read_from(of->packer, 100, ROOM, &again);
    fsh_packer_sum(of->packer, &total, &hash);
    assert_int_equal(total, of->whole.bytes);
    assert_memory_not_equal(&hash, &before, sizeof hash);
    fsh_text_fini(&again);
}

static void
an_input_that_is_gone_is_a_failure_and_mends_when_it_is_back(void **state)
{
    scene *of = *state;
    char aside[FSH_PATH_BYTES];
    uint8_t data[ROOM];
    size_t bytes;
    fsh_text again = {0};

    snprintf(aside, sizeof aside, "%s-aside", of->folder);
    assert_int_equal(rename(of->folder, aside), 0);
    assert_int_equal(fsh_packer_read(of->packer, 0, data, ROOM, &bytes, NULL), FSH_IO);
    assert_int_equal(rename(aside, of->folder), 0);
    read_from(of->packer, 0, ROOM, &again);
    assert_int_equal(again.bytes, of->whole.bytes);
    fsh_text_fini(&again);
}

static void
a_parcel_cut_short_or_changed_is_refused_or_read_within_its_bounds(void **state)
{
    const scene *of = *state;
    size_t head = 200, n, at;
    fsh_parcel *parcel;
    fsh_text longer = {0};

    for (n = 0; n < of->whole.bytes; n += n < head ? 1 : 99991)
        assert_int_equal(open_parcel(of, of->whole.data, n, &parcel), FSH_FORMAT);
    fsh_text_add_bytes(&longer, of->whole.data, of->whole.bytes);
    fsh_text_add(&longer, "x");
    assert_int_equal(open_parcel(of, longer.data, longer.bytes, &parcel), FSH_FORMAT);
    for (at = 0; at < head; at++) {
        uint32_t sample;

        longer.data[at] = (char)(longer.data[at] ^ 0xff);
        if (open_parcel(of, longer.data, of->whole.bytes, &parcel) == FSH_OK) {
            for (sample = 0; sample < SAMPLES; sample++) {
                fsh_reason reason = FSH_REASON_NONE;
                uint8_t *data = NULL;
                size_t bytes;

                fsh_parcel_load(parcel, sample, &data, &bytes, &reason, NULL);
                free(data);
            }
            fsh_parcel_close(parcel);
        }
        longer.data[at] = of->whole.data[at];
    }
    fsh_text_fini(&longer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_bytes_and_reasons_survive_the_way, setup, teardown),
        cmocka_unit_test_setup_teardown(a_parcel_is_the_same_in_any_pieces_and_from_any_offset,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            behind_the_end_there_is_nothing_and_a_change_of_the_input_shows_in_the_sum, setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            an_input_that_is_gone_is_a_failure_and_mends_when_it_is_back, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_parcel_cut_short_or_changed_is_refused_or_read_within_its_bounds, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

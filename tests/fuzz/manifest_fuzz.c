/* Manifests whose HDF5 is whole and whose contents are anything: numbers, marks, starts and names. What is read
 * is refused, or are units that lie inside. Damage to HDF5 itself is the library's to find, and it does not
 * always: see README.md. */
#include "tests/fuzz/fuzzing.h"

#include "base/store.h"
#include "datasets/manifest.h"

enum { ROWS_MAX = 8, MARK = 4, NAME_BYTES_MAX = 64 };

/* Small numbers mostly, since those are the ones that nearly fit; sometimes a very large one. */
static uint64_t
choose_number(fuzz_choices *choices)
{
    uint64_t small = fuzz_choose(choices, 64);

    return small < 60 ? small % 16 : small == 60 ? UINT32_MAX : UINT64_MAX - small;
}

static void
write_column(fsh_store *store, fuzz_choices *choices, const char *name, uint32_t rank)
{
    fsh_column_spec spec = {name, FSH_CELL_U64, rank, {MARK}, 8};
    uint64_t rows[ROWS_MAX * MARK];
    uint32_t n = fuzz_choose(choices, ROWS_MAX), i;
    fsh_column *column;

    for (i = 0; i < n * (rank ? MARK : 1); i++)
        rows[i] = choose_number(choices);
    FUZZ_CHECK(fsh_column_create(store, &spec, &column, NULL) == FSH_OK);
    FUZZ_CHECK(fsh_column_append(column, rows, n, NULL) == FSH_OK);
    FUZZ_CHECK(fsh_column_close(&column, NULL) == FSH_OK);
}

/* Names of one letter, or of none, or without an end. */
static void
write_names(fsh_store *store, fuzz_choices *choices, const char *name)
{
    fsh_column_spec spec = {name, FSH_CELL_U8, 0, {0}, 64};
    uint8_t bytes[NAME_BYTES_MAX];
    uint32_t n = fuzz_choose(choices, NAME_BYTES_MAX), i;
    fsh_column *column;

    for (i = 0; i < n; i++)
        bytes[i] = fuzz_choose(choices, 2) ? 'a' : 0;
    FUZZ_CHECK(fsh_column_create(store, &spec, &column, NULL) == FSH_OK);
    FUZZ_CHECK(fsh_column_append(column, bytes, n, NULL) == FSH_OK);
    FUZZ_CHECK(fsh_column_close(&column, NULL) == FSH_OK);
}

static void
write_manifest(const char *path, fuzz_choices *choices)
{
    static const char *const numbers[] = {"samples", "identities", "units", "ignored"};
    static const char digest[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    fsh_store *store;
    int i;

    FUZZ_CHECK(fsh_store_create(path, &store, NULL) == FSH_OK);
    FUZZ_CHECK(fsh_store_set_number(store, "format", 1, NULL) == FSH_OK);
    for (i = 0; i < 4; i++)
        FUZZ_CHECK(fsh_store_set_number(store, numbers[i], choose_number(choices), NULL) == FSH_OK);
    FUZZ_CHECK(fsh_store_set_text(store, "digest", digest, NULL) == FSH_OK);
    write_column(store, choices, "units/first", 1);
    write_column(store, choices, "identities/first_sample", 0);
    write_names(store, choices, "identities/names");
    write_names(store, choices, "samples/names");
    FUZZ_CHECK(fsh_store_close(&store, NULL) == FSH_OK);
}

static void
read_units(fsh_manifest *manifest)
{
    uint64_t n = fsh_manifest_get_totals(manifest)->units;
    uint32_t i, k;

    for (i = 0; i < n; i++) {
        size_t bytes = 0;
        fsh_unit unit;

        if (fsh_manifest_unit(manifest, i, &unit, NULL) != FSH_OK)
            continue;
        for (k = 0; k < unit.samples_n; k++)
            bytes += strlen(unit.sample_names[k]);
        for (k = 0; k < unit.identities_n; k++)
            bytes += strlen(unit.identity_names[k]);
        FUZZ_CHECK(bytes < 2 * NAME_BYTES_MAX);
        FUZZ_CHECK(unit.samples_n == fsh_manifest_unit_samples(manifest, i));
        FUZZ_CHECK(unit.identity_starts[unit.identities_n] == unit.samples_n);
        fsh_unit_fini(&unit);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fuzz_choices choices = {data, data + bytes};
    char path[64];
    fsh_manifest *manifest;
    fsh_err err = {""};

    fuzz_file(NULL, 0, path);
    write_manifest(path, &choices);
    if (fsh_manifest_open(path, &manifest, &err) == FSH_OK) {
        read_units(manifest);
        fsh_manifest_close(manifest);
    } else {
        FUZZ_CHECK(err.text[0]);
    }
    unlink(path);
    return 0;
}

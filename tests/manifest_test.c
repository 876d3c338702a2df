/* The manifest: units are whole identities within their bound, and every name comes back. */
#include "base/files.h"
#include "datasets/manifest.h"
#include "tests/testing.h"

/* A reader of nothing but numbers: input is "3,0,5": an identity with three samples, one with none,
 * ... */
static fsh_status
count_scan(const char *input, const fsh_scan_sink *sink, fsh_err *err)
{
    fsh_status status = FSH_OK;
    char name[64];
    long i, k, n = 0;

    for (i = 0; *input && !status; i++) {
        n = strtol(input, (char **)(uintptr_t)&input, 10);
        input += *input == ',';
        snprintf(name, sizeof name, "\xff%05ld", i);
        status = sink->identity(sink->self, name, err);
        for (k = 0; k < n && !status; k++) {
            snprintf(name, sizeof name, "%ld\n%04ld.jpg", i, k);
            status = sink->sample(sink->self, name, err);
        }
    }
    sink->ignored(sink->self, "x", "a stray");
    return n < 0 ? fsh_fail(err, FSH_IO, "the scan broke") : status;
}

static const fsh_reader counts = {.format = "counts", .summary = "numbers", .scan = count_scan};

static fsh_status
build(const char *folder, const char *input, uint64_t bound, fsh_manifest_totals *totals,
      fsh_err *err)
{
    char path[FSH_PATH_BYTES];

    snprintf(path, sizeof path, "%s/manifest.h5", folder);
    return fsh_manifest_build(path, &counts, input, "", bound, NULL, NULL, totals, err);
}

static fsh_manifest *
open_manifest(const char *folder)
{
    char path[FSH_PATH_BYTES];
    fsh_manifest *manifest = NULL;
    fsh_err err;

    snprintf(path, sizeof path, "%s/manifest.h5", folder);
    assert_ok(fsh_manifest_open(path, &manifest, &err), err);
    return manifest;
}

/* Checks that units have these numbers of identities and samples: "2:3 1:600". */
static void
assert_units(const char *folder, const char *input, uint64_t bound, const char *units)
{
    char text[256] = "", one[32];
    fsh_manifest_totals totals;
    fsh_manifest *manifest;
    fsh_unit unit;
    uint32_t i;
    fsh_err err;

    assert_ok(build(folder, input, bound, &totals, &err), err);
    manifest = open_manifest(folder);
    for (i = 0; i < totals.units; i++) {
        assert_ok(fsh_manifest_unit(manifest, i, &unit, &err), err);
        assert_int_equal(fsh_manifest_unit_samples(manifest, i), unit.samples_n);
        snprintf(one, sizeof one, "%s%u:%u", i ? " " : "", unit.identities_n, unit.samples_n);
        strcat(text, one);
        fsh_unit_fini(&unit);
    }
    fsh_manifest_close(manifest);
    assert_string_equal(text, units);
}

static int
set_up(void **state)
{
    *state = fsh_test_folder();
    return 0;
}

static int
tear_down(void **state)
{
    fsh_test_remove(*state);
    return 0;
}

static void
units_are_whole_identities_within_the_bound(void **state)
{
    assert_units(*state, "1", 512, "1:1");
    assert_units(*state, "3,2,1", 5, "2:5 1:1");
    assert_units(*state, "3,3,3", 5, "1:3 1:3 1:3");
    assert_units(*state, "1,1,1,1", 1, "1:1 1:1 1:1 1:1");
}

static void
an_identity_over_the_bound_is_a_unit_by_itself(void **state)
{
    assert_units(*state, "2,600,1,1", 512, "1:2 1:600 2:2");
    assert_units(*state, "600", 512, "1:600");
    assert_units(*state, "600,601", 512, "1:600 1:601");
}

static void
empty_identities_are_kept_and_bounded_too(void **state)
{
    assert_units(*state, "0", 512, "1:0");
    assert_units(*state, "0,2,0", 2, "2:2 1:0");
    assert_units(*state, "0,0,0,0,0", 2, "2:0 2:0 1:0");
}

static void
every_name_comes_back(void **state)
{
    fsh_manifest_totals totals;
    fsh_manifest *manifest;
    fsh_unit unit;
    fsh_err err;

    assert_ok(build(*state, "2,1,0,3,9000", 4, &totals, &err), err);
    assert_int_equal(totals.samples, 9006);
    assert_int_equal(totals.identities, 5);
    assert_int_equal(totals.units, 3);
    assert_int_equal(totals.ignored, 1);
    manifest = open_manifest(*state);
    assert_memory_equal(fsh_manifest_get_totals(manifest), &totals, sizeof totals);
    assert_ok(fsh_manifest_unit(manifest, 0, &unit, &err), err);
    assert_int_equal(unit.first_label, 0);
    assert_string_equal(unit.identity_names[1], "\xff"
                                                "00001");
    assert_int_equal(unit.identity_starts[1], 2);
    assert_int_equal(unit.identity_starts[3], 3);
    assert_string_equal(unit.sample_names[2], "1\n0000.jpg");
    fsh_unit_fini(&unit);
    assert_ok(fsh_manifest_unit(manifest, 2, &unit, &err), err);
    assert_int_equal(unit.first_label, 4);
    assert_string_equal(unit.sample_names[8999], "4\n8999.jpg");
    fsh_unit_fini(&unit);
    assert_int_equal(fsh_manifest_unit(manifest, 3, &unit, &err), FSH_USAGE);
    assert_text_has(err.text, "0 to 2");
    fsh_manifest_close(manifest);
}

static void
the_digest_tells_inputs_apart(void **state)
{
    fsh_manifest_totals a, b, c;
    fsh_err err;

    assert_ok(build(*state, "2,1", 512, &a, &err), err);
    assert_ok(build(*state, "2,1", 1, &b, &err), err);
    assert_ok(build(*state, "1,2", 512, &c, &err), err);
    assert_memory_equal(&a.digest, &b.digest, sizeof a.digest);
    assert_memory_not_equal(&a.digest, &c.digest, sizeof a.digest);
}

static void
an_input_without_identities_is_told(void **state)
{
    fsh_manifest_totals totals;
    fsh_err err;

    assert_int_equal(build(*state, "", 512, &totals, &err), FSH_USAGE);
    assert_text_has(err.text, "no identity");
    assert_text_has(err.text, "numbers");
}

static void
a_scan_that_breaks_leaves_no_file(void **state)
{
    fsh_manifest_totals totals;
    char command[FSH_PATH_BYTES];
    fsh_err err;

    assert_int_equal(build(*state, "5,-1", 512, &totals, &err), FSH_IO);
    assert_string_equal(err.text, "the scan broke");
    snprintf(command, sizeof command, "rmdir '%s' && mkdir '%s'", (char *)*state, (char *)*state);
    assert_int_equal(system(command), 0);
}

static void
a_damaged_manifest_is_told(void **state)
{
    fsh_manifest_totals totals;
    fsh_manifest *manifest = NULL;
    char path[FSH_PATH_BYTES], command[2 * FSH_PATH_BYTES];
    fsh_unit unit;
    fsh_err err;

    assert_ok(build(*state, "2,1", 2, &totals, &err), err);
    snprintf(path, sizeof path, "%s/manifest.h5", (char *)*state);
    snprintf(command, sizeof command,
             "/usr/bin/python3 -c 'import h5py; f = h5py.File(\"%s\", \"r+\");"
             "f[\"samples/names\"][3] = 0'",
             path);
    assert_int_equal(system(command), 0);
    manifest = open_manifest(*state);
    assert_int_equal(fsh_manifest_unit(manifest, 0, &unit, &err), FSH_FORMAT);
    assert_text_has(err.text, "plan again");
    fsh_manifest_close(manifest);
    snprintf(command, sizeof command,
             "/usr/bin/python3 -c 'import h5py; f = h5py.File(\"%s\", \"r+\");"
             "f[\"units/first\"][1, 2] = 1 << 60'",
             path);
    assert_int_equal(system(command), 0);
    assert_int_equal(fsh_manifest_open(path, &manifest, &err), FSH_FORMAT);
    assert_text_has(err.text, path);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(units_are_whole_identities_within_the_bound),
        TEST(an_identity_over_the_bound_is_a_unit_by_itself),
        TEST(empty_identities_are_kept_and_bounded_too),
        TEST(every_name_comes_back),
        TEST(the_digest_tells_inputs_apart),
        TEST(an_input_without_identities_is_told),
        TEST(a_scan_that_breaks_leaves_no_file),
        TEST(a_damaged_manifest_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

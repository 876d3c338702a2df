/* Manifests: any bytes are refused, or are units that can all be read or refused. */
#include "tests/fuzz/fuzzing.h"

#include "datasets/manifest.h"

enum { UNITS_MAX = 64 };

static void
read_units(fsh_manifest *manifest)
{
    uint64_t n = fsh_manifest_get_totals(manifest)->units;
    uint32_t i;

    for (i = 0; i < n && i < UNITS_MAX; i++) {
        fsh_unit unit;

        if (fsh_manifest_unit(manifest, i, &unit, NULL) != FSH_OK)
            continue;
        FUZZ_CHECK(unit.samples_n == fsh_manifest_unit_samples(manifest, i));
        FUZZ_CHECK(unit.identity_starts[unit.identities_n] == unit.samples_n);
        fsh_unit_fini(&unit);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char path[64];
    fsh_manifest *manifest;
    fsh_err err = {""};

    fuzz_file(data, bytes, path);
    if (fsh_manifest_open(path, &manifest, &err) == FSH_OK) {
        read_units(manifest);
        fsh_manifest_close(manifest);
    } else {
        FUZZ_CHECK(err.text[0]);
    }
    unlink(path);
    return 0;
}

/* Parcels: any bytes are refused, or are a unit whose names and samples can all be read. */
#include "tests/fuzz/fuzzing.h"

#include "datasets/parcel.h"

static void
read_samples(const fsh_parcel *parcel, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n; i++) {
        uint8_t *data = NULL;
        size_t bytes = 0;
        fsh_reason reason = FSH_REASON_NONE;

        if (fsh_parcel_load(parcel, i, &data, &bytes, &reason, NULL) == FSH_OK)
            FUZZ_CHECK(reason < FSH_REASON_N);
        free(data);
    }
}

static void
read_names(const fsh_unit *unit)
{
    size_t all = 0;
    uint32_t i;

    for (i = 0; i < unit->identities_n; i++) {
        FUZZ_CHECK(unit->identity_starts[i] <= unit->identity_starts[i + 1]);
        all += strlen(unit->identity_names[i]);
    }
    for (i = 0; i < unit->samples_n; i++)
        all += strlen(unit->sample_names[i]);
    FUZZ_CHECK(unit->identity_starts[unit->identities_n] == unit->samples_n);
    FUZZ_CHECK(all < SIZE_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char path[64];
    fsh_parcel *parcel;
    fsh_unit unit;
    fsh_err err = {""};

    fuzz_file(data, bytes, path);
    if (fsh_parcel_open(path, &parcel, &err) == FSH_OK) {
        fsh_parcel_take_unit(parcel, &unit);
        read_names(&unit);
        read_samples(parcel, unit.samples_n);
        fsh_unit_fini(&unit);
        fsh_parcel_close(parcel);
    } else {
        FUZZ_CHECK(err.text[0]);
    }
    unlink(path);
    return 0;
}

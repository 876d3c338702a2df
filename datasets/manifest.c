#include "datasets/manifest_inside.h"

#include <stdlib.h>
#include <string.h>

const fsh_column_spec fsh_manifest_columns[COLUMNS_N] = {
    {"samples/names", FSH_CELL_U8, 0, {0}, 1 << 16},
    {"identities/names", FSH_CELL_U8, 0, {0}, 1 << 16},
    {"identities/first_sample",
     FSH_CELL_U64,
     0,
     {0},
     1 << 12},                                      /* and the number of samples at the end */
    {"units/first", FSH_CELL_U64, 1, {4}, 1 << 10}, /* a mark a row, and one for the end */
};

struct fsh_manifest {
    fsh_store *store;
    fsh_column *columns[COLUMNS_N];
    fsh_manifest_totals totals;
    mark *units; /* totals.units + 1 */
};

static int
from_hex(char digit)
{
    const char *digits = "0123456789abcdef", *at = digit ? strchr(digits, digit) : NULL;

    return at ? (int)(at - digits) : -1;
}

static fsh_status
read_digest(fsh_store *store, fsh_hash *digest, fsh_err *err)
{
    fsh_text hex = {0};
    fsh_status status = fsh_store_get_text(store, "digest", &hex, err);
    int i;

    if (!status && hex.bytes != FSH_HASH_HEX - 1)
        status =
            fsh_fail(err, FSH_FORMAT, "%s: attribute digest is no SHA-256", fsh_store_path(store));
    for (i = 0; i < FSH_HASH_BYTES && !status; i++) {
        int high = from_hex(hex.data[2 * i]), low = from_hex(hex.data[2 * i + 1]);

        if (high < 0 || low < 0)
            status = fsh_fail(err, FSH_FORMAT, "%s: attribute digest is no SHA-256",
                              fsh_store_path(store));
        digest->bytes[i] = (uint8_t)(high * 16 + low);
    }
    fsh_text_fini(&hex);
    return status;
}

static fsh_status
read_totals(fsh_store *store, fsh_manifest_totals *totals, fsh_err *err)
{
    uint64_t format;
    fsh_status status = fsh_store_get_number(store, "format", &format, err);

    if (!status && format != MANIFEST_FORMAT)
        return fsh_fail(err, FSH_FORMAT,
                        "%s: manifest format %llu, this program reads %d: plan again",
                        fsh_store_path(store), (unsigned long long)format, MANIFEST_FORMAT);
    if (!status)
        status = fsh_store_get_number(store, "samples", &totals->samples, err);
    if (!status)
        status = fsh_store_get_number(store, "identities", &totals->identities, err);
    if (!status)
        status = fsh_store_get_number(store, "units", &totals->units, err);
    if (!status)
        status = fsh_store_get_number(store, "ignored", &totals->ignored, err);
    return status ? status : read_digest(store, &totals->digest, err);
}

static fsh_status
damaged(const fsh_manifest *manifest, fsh_err *err)
{
    return fsh_fail(err, FSH_FORMAT, "%s: damaged manifest: remove it and plan again",
                    fsh_store_path(manifest->store));
}

/* Marks go up, and end where names and samples end: reading a unit relies on it. */
static bool
units_are_sound(const fsh_manifest *manifest)
{
    const mark *units = manifest->units, *end = &units[manifest->totals.units];
    uint64_t i;

    for (i = 0; i < manifest->totals.units; i++)
        if (units[i].identity >= units[i + 1].identity || units[i].sample > units[i + 1].sample ||
            units[i].identity_byte > units[i + 1].identity_byte ||
            units[i].sample_byte > units[i + 1].sample_byte ||
            units[i + 1].sample - units[i].sample > UINT32_MAX / 2 ||
            units[i + 1].identity - units[i].identity > UINT32_MAX / 2)
            return false;
    return units[0].identity == 0 && units[0].sample == 0 &&
           end->identity == manifest->totals.identities &&
           end->sample == manifest->totals.samples &&
           end->identity_byte == fsh_column_rows(manifest->columns[IDENTITY_NAMES]) &&
           end->sample_byte == fsh_column_rows(manifest->columns[SAMPLE_NAMES]);
}

static fsh_status
read_units(fsh_manifest *manifest, fsh_err *err)
{
    uint64_t n = fsh_column_rows(manifest->columns[UNITS]);
    fsh_status status;

    if (n < 2 || n > UINT32_MAX || n - 1 != manifest->totals.units)
        return damaged(manifest, err);
    if (!(manifest->units = calloc(n, sizeof *manifest->units)))
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", fsh_store_path(manifest->store));
    status = fsh_column_read(manifest->columns[UNITS], 0, n, manifest->units, err);
    if (!status && !units_are_sound(manifest))
        status = damaged(manifest, err);
    return status;
}

fsh_status
fsh_manifest_open(const char *path, fsh_manifest **out, fsh_err *err)
{
    fsh_manifest *manifest = calloc(1, sizeof *manifest);
    fsh_status status;
    int i;

    if (!manifest)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", path);
    status = fsh_store_open(path, &manifest->store, err);
    if (!status)
        status = read_totals(manifest->store, &manifest->totals, err);
    for (i = 0; i < COLUMNS_N && !status; i++)
        status = fsh_column_open(manifest->store, &fsh_manifest_columns[i], &manifest->columns[i], err);
    if (!status)
        status = read_units(manifest, err);
    if (status)
        fsh_manifest_close(manifest);
    else
        *out = manifest;
    return status;
}

void
fsh_manifest_close(fsh_manifest *manifest)
{
    int i;

    if (!manifest)
        return;
    for (i = 0; i < COLUMNS_N; i++)
        fsh_column_abandon(&manifest->columns[i]);
    fsh_store_close(&manifest->store, NULL);
    free(manifest->units);
    free(manifest);
}

const fsh_manifest_totals *
fsh_manifest_get_totals(const fsh_manifest *manifest)
{
    return &manifest->totals;
}

uint32_t
fsh_manifest_unit_samples(const fsh_manifest *manifest, uint32_t number)
{
    if (number >= manifest->totals.units)
        return 0;
    return (uint32_t)(manifest->units[number + 1].sample - manifest->units[number].sample);
}

/* Points at n names that lie one after the other in `bytes` bytes; false where there are not
 * exactly n. */
static bool
point_at_names(char *at, uint64_t bytes, char **names, uint32_t n)
{
    char *end = at + bytes;
    uint32_t i;

    if (bytes && end[-1] != '\0')
        return false;
    for (i = 0; i < n && at < end; i++) {
        names[i] = at;
        at += strlen(at) + 1;
    }
    return i == n && at == end;
}

/* Starts are stored over the whole input; a unit counts from its own first sample. */
static bool
take_starts(const uint64_t *stored, const mark *from, const mark *to, uint32_t *starts, uint32_t n)
{
    uint32_t i;

    for (i = 0; i <= n; i++) {
        if (stored[i] < from->sample || stored[i] > to->sample || (i && stored[i] < stored[i - 1]))
            return false;
        starts[i] = (uint32_t)(stored[i] - from->sample);
    }
    return starts[0] == 0 && starts[n] == to->sample - from->sample;
}

/* Lays out one piece of memory: pointers, stored starts, starts, then the bytes of all names. */
static fsh_status
read_unit(fsh_manifest *manifest, const mark *from, const mark *to, fsh_unit *unit, fsh_err *err)
{
    uint64_t identity_bytes = to->identity_byte - from->identity_byte;
    uint64_t sample_bytes = to->sample_byte - from->sample_byte, *stored;
    uint32_t identities_n = unit->identities_n, samples_n = unit->samples_n;
    char *names;
    fsh_status status;

    unit->memory = malloc((identities_n + (size_t)samples_n) * sizeof(char *) +
                          (identities_n + (size_t)1) * (sizeof(uint64_t) + sizeof(uint32_t)) +
                          identity_bytes + sample_bytes);
    if (!unit->memory)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", fsh_store_path(manifest->store));
    unit->identity_names = unit->memory;
    unit->sample_names = unit->identity_names + identities_n;
    stored = (uint64_t *)(unit->sample_names + samples_n);
    unit->identity_starts = (uint32_t *)(stored + identities_n + 1);
    names = (char *)(unit->identity_starts + identities_n + 1);
    status = fsh_column_read(manifest->columns[IDENTITY_STARTS], from->identity,
                             identities_n + (size_t)1, stored, err);
    if (!status)
        status = fsh_column_read(manifest->columns[IDENTITY_NAMES], from->identity_byte,
                                 identity_bytes, names, err);
    if (!status)
        status = fsh_column_read(manifest->columns[SAMPLE_NAMES], from->sample_byte, sample_bytes,
                                 names + identity_bytes, err);
    if (!status &&
        (!take_starts(stored, from, to, unit->identity_starts, identities_n) ||
         !point_at_names(names, identity_bytes, unit->identity_names, identities_n) ||
         !point_at_names(names + identity_bytes, sample_bytes, unit->sample_names, samples_n)))
        status = damaged(manifest, err);
    return status;
}

fsh_status
fsh_manifest_unit(fsh_manifest *manifest, uint32_t number, fsh_unit *unit, fsh_err *err)
{
    const mark *from, *to;
    fsh_unit found = {.number = number};
    fsh_status status;

    if (number >= manifest->totals.units)
        return fsh_fail(err, FSH_USAGE, "%s: unit %u: there are units 0 to %llu",
                        fsh_store_path(manifest->store), number,
                        (unsigned long long)manifest->totals.units - 1);
    from = &manifest->units[number];
    to = from + 1;
    found.identities_n = (uint32_t)(to->identity - from->identity);
    found.samples_n = (uint32_t)(to->sample - from->sample);
    found.first_label = (int64_t)from->identity;
    status = read_unit(manifest, from, to, &found, err);
    if (status)
        fsh_unit_fini(&found);
    else
        *unit = found;
    return status;
}

void
fsh_unit_fini(fsh_unit *unit)
{
    free(unit->memory);
    memset(unit, 0, sizeof *unit);
}

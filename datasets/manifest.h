/* The manifest: what a scan found and how it is cut into units. One HDF5 file of columns, with names in
 * one blob with offsets, written and read in pieces: 8.4 million rows fit in 512 MiB of memory with much
 * room.
 *
 * Order is that of the scan. An identity's label is its place in that order. A unit is a range of whole
 * identities with at most `images` samples; an identity that alone has more is a unit by itself. */
#ifndef FSH_DATASETS_MANIFEST_H
#define FSH_DATASETS_MANIFEST_H

#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"
#include "datasets/reader.h"

typedef struct fsh_manifest fsh_manifest;

typedef struct fsh_manifest_totals {
    uint64_t samples, identities, units, ignored;
    fsh_hash digest; /* over names and order: what the scan found */
} fsh_manifest_totals;

/* Called now and then while scanning, for progress; may be NULL. */
typedef void fsh_manifest_progress(void *self, uint64_t samples, uint64_t identities);

/* Scans input, of which keep tells what to keep (datasets/keep.h; "": all), and writes the manifest to
 * path (temporary name, then rename). An input without a single
 * identity fails with USAGE and says what was expected. */
fsh_status fsh_manifest_build(const char *path, const fsh_reader *reader, const char *input,
                              const char *keep, uint64_t images_per_unit, fsh_manifest_progress *progress, void *self,
                              fsh_manifest_totals *totals, fsh_err *err);

/* Opens a manifest for reading; only the unit table and totals are held in memory. */
fsh_status fsh_manifest_open(const char *path, fsh_manifest **manifest, fsh_err *err);
void fsh_manifest_close(fsh_manifest *manifest);

const fsh_manifest_totals *fsh_manifest_get_totals(const fsh_manifest *manifest);

/* The rows of one unit, with all names in memory. */
typedef struct fsh_unit {
    uint32_t number;
    uint32_t identities_n, samples_n;
    int64_t first_label;
    char **identity_names;     /* identities_n */
    uint32_t *identity_starts; /* identities_n + 1: samples of identity i are starts[i] to starts[i+1] */
    char **sample_names;       /* samples_n, relative to the identity */
    void *memory;              /* what the names live in */
} fsh_unit;

fsh_status fsh_manifest_unit(fsh_manifest *manifest, uint32_t number, fsh_unit *unit, fsh_err *err);
void fsh_unit_fini(fsh_unit *unit);

/* Samples of a unit, without reading its names. */
uint32_t fsh_manifest_unit_samples(const fsh_manifest *manifest, uint32_t number);

#endif

/* What building a manifest (manifest_build.c) and reading it (manifest.c) share. The file has these
 * columns; a name ends with a zero byte, and lies in a blob at the place that the table of units
 * gives for the first one of each unit. See docs/shard-format.md. Nobody else includes this. */
#ifndef FSH_DATASETS_MANIFEST_INSIDE_H
#define FSH_DATASETS_MANIFEST_INSIDE_H

#include "base/store.h"
#include "datasets/manifest.h"

enum { MANIFEST_FORMAT = 1 };

enum column { SAMPLE_NAMES, IDENTITY_NAMES, IDENTITY_STARTS, UNITS, COLUMNS_N };

extern const fsh_column_spec fsh_manifest_columns[COLUMNS_N];

/* A place between two identities. Rows of units/first have these four in this order. */
typedef struct mark {
    uint64_t identity, sample;
    uint64_t identity_byte, sample_byte; /* in the blobs of names */
} mark;

#endif

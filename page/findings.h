/* What a finished job's index.h5 holds that the report tells of: whole columns of numbers, and
 * texts of what was rejected. Memory grows by some dozen bytes a picture.
 *
 *     fsh_findings found = {0};
 *     fsh_findings_read("out/index.h5", &found, &err);
 *     fsh_findings_fini(&found); */
#ifndef FSH_PAGE_FINDINGS_H
#define FSH_PAGE_FINDINGS_H

#include "base/reason.h"
#include "shards/read.h"

typedef struct fsh_findings {
    fsh_shard_file *file;
    uint64_t rows, rejected_n, identities;
    uint8_t *variants;   /* of rows */
    float *distances;    /* of rows: mean distance, NaN where it was not computed */
    fsh_reason *reasons; /* of rejected ones */
    char **sources;
    float *values;
    fsh_box *boxes; /* of their faces; zeros where none was found */
    uint8_t *whole;                     /* 1: the sample has no picture at all */
    uint64_t *samples_of, *rejected_of; /* of identities: photographs */
} fsh_findings;

/* Fails as fsh_shard_open and fsh_shard_read do. */
fsh_status fsh_findings_read(const char *index, fsh_findings *found, fsh_err *err);
void fsh_findings_fini(fsh_findings *found);

#endif

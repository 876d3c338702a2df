/* The end of a job: index.h5 joins all its shards by virtual datasets, manifest.json lists them.
 * Both are made from the shards alone, so any program on any machine that sees them can do it, and
 * both have the same bytes whoever does. */
#ifndef FSH_SHARDS_INDEX_H
#define FSH_SHARDS_INDEX_H

#include <stdint.h>

#include "base/hash.h"
#include "base/reason.h"
#include "base/status.h"
#include "base/listener.h"

typedef struct fsh_index_plan {
    const char *output; /* folder */
    const char *shard;  /* printf pattern of a unit's shard, below output: "shards/shard-%06u.h5" */
    const char *index;  /* name below output: "index.h5" */
    const char *manifest; /* "manifest.json" */
    const char *job_hash; /* hex, that every shard must have */
    uint32_t units;       /* at least 1 */
    const fsh_hash
        *hashes; /* SHA-256 of each shard file where they are known already; NULL: computed */
    const fsh_listener *steps; /* who is told how many shards are joined; NULL: nobody */
} fsh_index_plan;

typedef struct fsh_index_totals {
    uint64_t samples;   /* in = delivered + all rejected */
    uint64_t delivered; /* samples with at least one picture */
    uint64_t images, identities;
    uint64_t bytes;                  /* of all shard files */
    uint64_t rejected[FSH_REASON_N]; /* samples by reason */
} fsh_index_totals;

/* Checks all shards, then writes index.h5 and manifest.json, each under a temporary name that is
 * then renamed. A shard that is missing, damaged or another job's fails with FORMAT or IO, named
 * with the remedy. */
fsh_status fsh_index_build(const fsh_index_plan *plan, fsh_index_totals *totals, fsh_err *err);

#endif

/* What running one unit gave: told by the child to its worker, by the worker to the coordinator, kept in
 * the ledger. */
#ifndef FSH_PROTO_REPORT_H
#define FSH_PROTO_REPORT_H

#include <stdint.h>

#include "base/hash.h"
#include "base/reason.h"

/* Where the time of a unit goes; one row per stage of the table plus these. */
enum { FSH_REPORT_TIMES_MAX = 32 };

typedef struct fsh_report {
    uint32_t unit;
    uint64_t samples;   /* in = delivered + all rejected */
    uint64_t delivered; /* samples with at least one picture in the shard */
    uint64_t images;    /* rows of the shard */
    uint64_t bytes;     /* of the shard file */
    fsh_hash shard_hash; /* SHA-256 of the shard file */
    uint64_t rejected[FSH_REASON_N]; /* samples by reason */
    uint64_t times_ns[FSH_REPORT_TIMES_MAX]; /* thread time, as worker/unit.h numbers it */
} fsh_report;

#endif

/* Are the files of an output folder those that were written? */
#ifndef FSH_COORDINATOR_VERIFY_H
#define FSH_COORDINATOR_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/listener.h"

typedef struct fsh_verify_damage {
    const char *file; /* below the output folder */
    const char *why;
    bool aside; /* it is called FILE.damaged now */
} fsh_verify_damage;

/* damaged: called for each file that is not as it was written; texts are borrowed for the call. */
typedef struct fsh_verify_sink {
    void *self;
    void (*damaged)(void *self, const fsh_verify_damage *damage);
    const fsh_listener *steps; /* told of the files that were read; may be NULL */
} fsh_verify_sink;

typedef struct fsh_verify_totals {
    uint64_t files, bytes; /* that were looked at */
    uint64_t damaged;      /* and that are missing or damaged */
} fsh_verify_totals;

/* Reads every shard and index.h5 whole and compares SHA-256 with manifest.json, or with the ledger where the job is not
 * finished. keep: changes nothing; otherwise what is damaged is renamed, so that `run` finds it missing and makes
 * it again. Damage is no failure; USAGE where the folder holds neither, FORMAT or IO where they cannot be read. */
fsh_status fsh_verify_output(const char *output, bool keep, const fsh_verify_sink *sink,
                             fsh_verify_totals *totals, fsh_err *err);

#endif

/* Whether a shard is in its place and is what a worker said. */
#ifndef FSH_COORDINATOR_COMMIT_H
#define FSH_COORDINATOR_COMMIT_H

#include <stdbool.h>

#include "base/status.h"
#include "proto/report.h"

/* Reads the whole shard of report->unit below the output folder: FORMAT where size or SHA-256
 * differ from the report, IO where it is not there. Touches nothing else: any thread. */
fsh_status fsh_commit_check(const char *output, const fsh_report *report, fsh_err *err);

/* The cheap form, for the start: is there a file of this size? */
bool fsh_commit_is_there(const char *output, const fsh_report *report);

/* Whether there is any file in the place of the unit's shard. */
bool fsh_commit_has_file(const char *output, uint32_t unit);

/* Removes a shard that was found to be wrong, so that no later start adopts it. */
void fsh_commit_discard(const char *output, uint32_t unit);

/* Makes the folder for shards, and removes what earlier runs left half written: with sweep all of it, otherwise
 * what nobody has written to for an hour, because workers of an earlier run may still be at it. */
fsh_status fsh_commit_prepare(const char *output, bool sweep, fsh_err *err);

#endif

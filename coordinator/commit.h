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

/* Makes the folder for shards; sweep: also removes what earlier runs left half written there. Only
 * where no worker of an earlier run can still be writing. */
fsh_status fsh_commit_prepare(const char *output, bool sweep, fsh_err *err);

#endif

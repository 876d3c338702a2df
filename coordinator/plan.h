/* Planning: the input is scanned once and cut into units; the output folder remembers which job it holds. */
#ifndef FSH_COORDINATOR_PLAN_H
#define FSH_COORDINATOR_PLAN_H

#include "datasets/manifest.h"
#include "job/job.h"

/* Makes the output folder, scans the input into its manifest and writes down the job. Where that has been
 * done already for the same job and input, the old plan stands and *again is true. An output folder with
 * another job, or one that lies in the input, is refused with USAGE. progress may be NULL. */
fsh_status fsh_plan(const fsh_job *job, fsh_manifest_progress *progress, void *self,
                    fsh_manifest_totals *totals, bool *again, fsh_err *err);

/* Checks that the output folder holds a plan of this job; for `unit` and `finish`. */
fsh_status fsh_plan_check(const fsh_job *job, fsh_manifest_totals *totals, fsh_err *err);

#endif

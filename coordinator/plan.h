/* Planning: the input is scanned once and cut into units; the output folder remembers which job it holds. */
#ifndef FSH_COORDINATOR_PLAN_H
#define FSH_COORDINATOR_PLAN_H

#include "datasets/manifest.h"
#include "job/job.h"

typedef enum fsh_plan_outcome {
    FSH_PLAN_NEW,     /* there was none */
    FSH_PLAN_KNOWN,   /* the old plan stands */
    FSH_PLAN_REPLACED /* the folder held another job over this input: its output is gone, a new plan is made */
} fsh_plan_outcome;

/* Makes the output folder, scans the input into its manifest and writes down the job. Where that has been
 * done already for the same job and input, the old plan stands. Where another job over the same input has been
 * there, its output is replaced. An output folder over another input, or one that lies in the input, is refused with
 * USAGE; one on which a coordinator works with BUSY. progress may be NULL. */
fsh_status fsh_plan(const fsh_job *job, fsh_manifest_progress *progress, void *self,
                    fsh_manifest_totals *totals, fsh_plan_outcome *outcome, fsh_err *err);

/* Checks that the output folder holds a plan of this job; for `unit` and `finish`. */
fsh_status fsh_plan_check(const fsh_job *job, fsh_manifest_totals *totals, fsh_err *err);

/* The job of which the folder holds a plan, with the hash that stands there; the caller frees it. *held is NULL where
 * there is no plan. */
fsh_status fsh_plan_held(const char *output, fsh_job **held, fsh_err *err);

#endif

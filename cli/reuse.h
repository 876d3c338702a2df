/* Says what a job takes over from an earlier run and what it makes again. */
#ifndef FSH_CLI_REUSE_H
#define FSH_CLI_REUSE_H

#include "cli/progress.h"
#include "coordinator/plan.h"

/* Tells where there is something to tell: a line of JSON, or lines on the terminal. */
fsh_status fsh_reuse_tell(const fsh_progress *progress, const fsh_job *job, fsh_plan_outcome outcome,
                          fsh_err *err);

#endif

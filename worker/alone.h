/* One unit without a coordinator: `faceshard unit K`. It runs in a compute child, and survives the
 * pictures that end it by the same rules and with the same bytes as under a coordinator. */
#ifndef FSH_WORKER_ALONE_H
#define FSH_WORKER_ALONE_H

#include "job/job.h"
#include "proto/report.h"

/* Runs a unit of a planned job and commits its shard. child_command: program and arguments, ended
 * by NULL; NULL: this program's `compute-child`. Fails as fsh_runner_unit does, and with INTERNAL
 * where the child dies too often without a picture that is at fault. */
fsh_status fsh_unit_run_alone(const fsh_job *job, uint32_t unit, uint32_t threads,
                              const char *const *child_command, fsh_report *report, fsh_err *err);

#endif

/* A shard that lies in its place and is in no ledger: its coordinator died between the two, or the unit was run
 * without one. Where it is what the job would make there, it is taken as it is. */
#ifndef FSH_COORDINATOR_ADOPT_H
#define FSH_COORDINATOR_ADOPT_H

#include "datasets/manifest.h"
#include "job/job.h"
#include "proto/report.h"

/* Reads the shard of a unit and fills its report. FORMAT where it is damaged, of another job or another unit, or does
 * not hold exactly the unit's identities and samples, each delivered or rejected; IO where it cannot be read. */
fsh_status fsh_adopt_shard(const fsh_job *job, const fsh_unit *unit, fsh_report *report, fsh_err *err);

#endif

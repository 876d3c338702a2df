/* When the job of an output folder changes: what the old one made is taken away, so that the new one begins
 * with nothing but the facts that both share. */
#ifndef FSH_COORDINATOR_REPLACE_H
#define FSH_COORDINATOR_REPLACE_H

#include "job/job.h"

/* Takes away index.h5, manifest.json, the rows of the ledger, the shards, the copies in removed/ and, last of
 * all, the plan. Killed in between, the folder holds a part of the old job, which either job continues. The
 * caller holds the output's lock. USAGE where the old job moved photographs out of the input. */
fsh_status fsh_replace_old(const fsh_job *old, fsh_err *err);

/* Takes index.h5 and manifest.json away: they stand only where every shard is as they say. */
fsh_status fsh_replace_index(const char *output, fsh_err *err);

#endif

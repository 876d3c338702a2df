/* The end of a job: all shards are there; they are joined, and what `clean` took out is put aside. */
#ifndef FSH_COORDINATOR_FINISH_H
#define FSH_COORDINATOR_FINISH_H

#include "job/job.h"
#include "shards/index.h"
#include "stages/clean.h"

/* Writes index.h5 and manifest.json from the job's shards; then carries out the action of `clean`: move or
 * copy every mislabelled photograph to OUT/removed/IDENTITY/. Can be repeated. hashes: SHA-256 of each shard
 * where they are known, or NULL. steps: who is told how far it is, or NULL. */
fsh_status fsh_finish(const fsh_job *job, uint32_t units, const fsh_hash *hashes, const fsh_listener *steps,
                      fsh_index_totals *totals, fsh_err *err);

/* Whether index.h5 and manifest.json of this job are there. They are taken away before a unit is run again, so they
 * are those of its shards. */
bool fsh_finish_is_done(const fsh_job *job);

/* Carries out the action of `clean` alone, in case an earlier run was killed over it. */
fsh_status fsh_finish_again(const fsh_job *job, fsh_err *err);

/* What the job's `clean` does with mislabelled photographs; DROP where it has none. */
fsh_clean_action fsh_finish_action(const fsh_job *job);

#endif

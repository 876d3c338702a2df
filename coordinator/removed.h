/* Mislabelled photographs put aside for a person to look at: `clean` with action move or copy. */
#ifndef FSH_COORDINATOR_REMOVED_H
#define FSH_COORDINATOR_REMOVED_H

#include "job/job.h"

/* Moves or copies every photograph that index.h5 lists as mislabelled to OUT/removed/ITS/PATH. Runs after all
 * shards are committed, so that no unit ever misses a photograph; one that is there already is left alone, so
 * it can be repeated. */
fsh_status fsh_removed_put_aside(const fsh_job *job, bool move, fsh_err *err);

#endif

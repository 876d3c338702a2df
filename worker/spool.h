/* The folder of one worker process that does not see the job's own: parcels on their way in, shards
 * on their way out. Private to its user, removed at the end; what a killed worker has left is
 * removed by the next one that uses the same place. */
#ifndef FSH_WORKER_SPOOL_H
#define FSH_WORKER_SPOOL_H

#include <stdint.h>

#include "base/files.h"

typedef struct fsh_spool fsh_spool;

/* Makes a folder below place; NULL: below $TMPDIR or /tmp. Fails with IO or FULL. */
fsh_status fsh_spool_open(const char *place, fsh_spool **spool, fsh_err *err);

/* Removes it with all that is in it. NULL is fine. */
void fsh_spool_close(fsh_spool **spool);

/* Borrowed until close. */
const char *fsh_spool_folder(const fsh_spool *spool);

/* Where the parcel that was fetched for a lease is, and where the compute child leaves a shard. */
void fsh_spool_parcel(const fsh_spool *spool, uint32_t unit, uint64_t token,
                      char path[FSH_PATH_BYTES]);
void fsh_spool_shard(const fsh_spool *spool, uint32_t unit, char path[FSH_PATH_BYTES]);

#endif

/* Where the files of a job lie in its output folder. One place for all names. */
#ifndef FSH_JOB_PATHS_H
#define FSH_JOB_PATHS_H

#define FSH_PATH_STATE "state"                      /* folder: what a restart needs */
#define FSH_PATH_UNITS "state/manifest.h5"          /* the scanned input, cut into units */
#define FSH_PATH_JOB "state/job.yaml"               /* the resolved job that made this output */
#define FSH_PATH_LOCK "state/lock"                  /* held by the one coordinator */
#define FSH_PATH_LEDGER "state/ledger.sqlite"       /* life of every unit */
#define FSH_PATH_LIVE "state/live.json"             /* what a running coordinator tells who looks: page/view.h */
#define FSH_PATH_MEETING "state/coordinator"         /* where workers find it: job/meeting.h */
#define FSH_PATH_SHARDS "shards"
#define FSH_PATH_SHARD "shards/shard-%06u.h5"
#define FSH_PATH_SHARD_TEMPORARY "shards/.shard-%06u-%s.tmp"
#define FSH_PATH_INDEX "index.h5"
#define FSH_PATH_MANIFEST "manifest.json"
#define FSH_PATH_REPORT "report.html"                 /* for people: page/report.h */
#define FSH_PATH_SLURM "slurm"                      /* folder: what `faceshard slurm` has written, */
#define FSH_PATH_SUBMITTED "slurm/submitted"        /* and the numbers of its jobs */
#define FSH_PATH_FACTS "facts"                      /* what was found out about photographs: job/facts.h */
#define FSH_PATH_REMOVED "removed"                  /* folder per identity: what clean moved or copied */

/* In the spool of a worker that does not see the output folder, beside its shards. */
#define FSH_PATH_PARCEL "parcel-%06u-%s"

#endif

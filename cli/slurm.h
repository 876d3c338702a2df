/* A job on a Slurm cluster: scripts from deploy/slurm, filled in and submitted. Inside cli/ only:
 * slurm.c is the command, slurm_scripts.c writes what slurm_submit.c submits. */
#ifndef FSH_CLI_SLURM_H
#define FSH_CLI_SLURM_H

#include "base/files.h"
#include "job/job.h"

typedef struct fsh_slurm_options {
    const char *time, *memory, *partition, *account, *qos, *extra, *announce; /* "": none */
    uint32_t workers, cpus, port;                                             /* port 0: any */
    bool coordinator; /* false: plan, units and finish, without one */
} fsh_slurm_options;

/* The jobs that stand for one submission, in the order in which they are submitted. */
typedef struct fsh_slurm_part {
    const char *name; /* "coordinator"; its script is NAME.sbatch */
    const char
        *after; /* NULL, or how it depends on the part before: "after", "afterok", "afterany" */
    const char *script;
} fsh_slurm_part;

enum { FSH_SLURM_PARTS_MAX = 3, FSH_SLURM_ID_BYTES = 64 };

/* Ended by a row whose name is NULL. */
const fsh_slurm_part *fsh_slurm_parts(const fsh_slurm_options *options);

/* Appends a part's script, filled in. */
fsh_status fsh_slurm_script(const fsh_job *job, const fsh_slurm_options *options,
                            const fsh_slurm_part *part, fsh_text *out, fsh_err *err);

/* Makes OUT/slurm with logs, keys, the resolved job and the scripts; folder is filled with its
 * path. */
fsh_status fsh_slurm_write(const fsh_job *job, const fsh_slurm_options *options,
                           char folder[FSH_PATH_BYTES], fsh_err *err);

/* Submits the scripts of the folder and writes down their numbers, which are filled in. BUSY where
 * those of an earlier submission are still queued or running; NETWORK where Slurm does not answer
 * or refuses, and then nothing is left queued. */
fsh_status fsh_slurm_submit(const char *folder, const fsh_slurm_part *parts,
                            char ids[FSH_SLURM_PARTS_MAX][FSH_SLURM_ID_BYTES], fsh_err *err);

#endif

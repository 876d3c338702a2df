/* The `stages` list of a job file: names and parameters to checked chains. Used by job.c only. */
#ifndef FSH_JOB_STEPS_H
#define FSH_JOB_STEPS_H

#include "job/job.h"

/* Reads the list (NULL: only what every job needs) into job->stages and job->variants. */
fsh_status fsh_steps_read(fsh_job *job, const fsh_node *list, const char *file, fsh_err *err);

void fsh_chain_fini(fsh_chain *chain);

#endif

/* The worker: asks a coordinator for units, keeps their leases alive, and has a compute child run
 * them, so that heartbeats go on whatever the child does and a crash costs one child. It needs
 * nothing but the coordinator's address: the job comes over the wire. */
#ifndef FSH_WORKER_SUPERVISOR_H
#define FSH_WORKER_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct fsh_worker_options {
    uint32_t threads;    /* of the compute child */
    uint32_t give_up_ms; /* ends when no coordinator was heard for so long */
    uint32_t grace_ms;   /* for the unit in work after SIGINT or SIGTERM */
    uint32_t
        parent_pid; /* 0; or the coordinator that started this process and must not be outlived */
    const char *keys; /* folder of keys (proto/keys.h); NULL: the coordinator asks for none */
    /* Where this machine has what the job names, or NULL: models (folders, separated by commas),
     * templates, and the place for the spool of a job whose photographs come over the wire. */
    const char *models, *templates, *spool;
    bool stay; /* a coordinator that was told to end is waited for again, until the job has ended */
    const char *const *child_command; /* ended by NULL; NULL: this program's `compute-child` */
} fsh_worker_options;

/* Sets every option to its default. */
void fsh_worker_options_init(fsh_worker_options *options);

/* address: "tcp://HOST:PORT", "ipc://PATH", or the output folder of a job, where its coordinator has told where it is
 * (job/meeting.h): then the worker waits for one, and follows it to another machine. Works until the coordinator says that there is no more (OK), a signal asks it to stop
 * (INTERRUPTED), the coordinator refuses it, does not let it in or is not heard (NETWORK), or the job cannot be run
 * here (the child's status). */
fsh_status fsh_worker_run(const char *address, const fsh_worker_options *options, fsh_err *err);

#endif

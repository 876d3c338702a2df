/* The compute child: the process that decodes pictures and runs networks, and the only one that a
 * damaged file can crash. It takes orders from its worker (worker/supervisor.h) and ends with it.
 */
#ifndef FSH_WORKER_CHILD_H
#define FSH_WORKER_CHILD_H

#include "proto/messages.h"
#include "worker/unit.h"

/* Descriptor of the child's end of the socket pair; not standard output, where any library may
 * print. */
enum { FSH_CHILD_FILE = 3 };

/* And of the table of what is executing (worker/executing.h). */
enum { FSH_TABLE_FILE = 4 };

/* What a child may take; 0: no limit. */
typedef struct fsh_child_limits {
    uint32_t image_ms;     /* for one sample, or its worker kills it */
    uint64_t memory_bytes; /* of data, or allocations fail */
} fsh_child_limits;

/* What the child does with its orders; tests give another one. */
typedef struct fsh_child_work {
    /* Called once, before any unit: reads the job and loads what it needs. */
    fsh_status (*open)(const fsh_message_job *job, void **state, fsh_child_limits *limits,
                       fsh_err *err);
    /* Runs one unit and commits its shard, as fsh_runner_unit does. */
    fsh_status (*unit)(void *state, const fsh_unit_order *order, fsh_report *report, fsh_err *err);
    /* Called once, when the worker wants no more. */
    void (*close)(void *state);
} fsh_child_work;

/* The real one: a runner of worker/unit.h. */
extern const fsh_child_work fsh_compute_work;

/* `faceshard compute-child`: serves until the worker closes its end. Gives the exit code. */
int fsh_child_main(const fsh_child_work *work);

#endif

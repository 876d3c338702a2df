/* The coordinator: lends the units of a job to workers, checks the shards that they hand in, and
 * writes down what is finished before it says so. Killed at any moment, it continues when it is run
 * again.
 *
 *     fsh_coordinator_options options;
 *     fsh_coordinator_options_init(&options);
 *     options.workers = 2;
 *     fsh_coordinator_run(job, &options, &totals, &err);
 */
#ifndef FSH_COORDINATOR_COORDINATOR_H
#define FSH_COORDINATOR_COORDINATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/listener.h"
#include "job/job.h"
#include "proto/outflow.h"
#include "proto/report.h"

/* What has been done so far; also what progress tells. */
typedef struct fsh_coordinator_totals {
    uint32_t units, units_done, units_buried;
    uint32_t units_known;                  /* of units_done: before this run, */
    uint64_t samples_known, images_known;  /* and what they hold */
    uint32_t units_adopted; /* of units_known: their shards lay there and were in no ledger */
    uint32_t workers;                  /* that are there now */
    uint64_t samples;                  /* of the whole job */
    uint64_t samples_done;             /* of committed units */
    uint64_t samples_running;          /* about how many of the units in work are done */
    uint64_t delivered, images, bytes; /* of committed units, as in fsh_report */
    uint64_t rejected[FSH_REASON_N];
    uint64_t times_ns[FSH_REPORT_TIMES_MAX]; /* of units committed in this run */
    uint64_t rss_bytes;       /* of the largest worker so far, with its compute child */
    uint64_t broken_messages; /* that were refused */
    uint64_t refused_messages;    /* too many, or under the name of somebody else */
    uint64_t refused_workers;     /* whose version or job is another, or that were too many */
    uint64_t refused_connections; /* that have not shown a listed key */
    uint64_t refused_keys;        /* of these, with a good key that is not on the list */
    uint64_t refused_pieces;  /* stale, doubled or out of order */
} fsh_coordinator_totals;

typedef enum fsh_coordinator_event_kind {
    FSH_COORDINATOR_STARTED,       /* text: the address that workers connect to */
    FSH_COORDINATOR_PROGRESS,      /* some times a second */
    FSH_COORDINATOR_WORKER_JOINED, /* host, pid */
    FSH_COORDINATOR_WORKER_LEFT,   /* host, pid; text: why */
    FSH_COORDINATOR_UNIT_FAILED,   /* unit, attempt; text: why */
    FSH_COORDINATOR_UNIT_COPIED,   /* unit, attempt; host, pid: of the second worker that has it */
    FSH_COORDINATOR_UNIT_BURIED,   /* unit, attempt; text: why */
    FSH_COORDINATOR_WARNING,       /* text: what a person may want to mend */
    FSH_COORDINATOR_DRAINING,      /* no more units are lent; text: why */
    FSH_COORDINATOR_ENDED
} fsh_coordinator_event_kind;

typedef struct fsh_coordinator_event {
    fsh_coordinator_event_kind kind;
    const char *text; /* never NULL */
    const char *host; /* never NULL */
    uint32_t pid, unit, attempt;
    const fsh_coordinator_totals *totals;
} fsh_coordinator_event;

/* Name of a kind in lower case ("worker_joined"), for logs. */
const char *fsh_coordinator_event_name(fsh_coordinator_event_kind kind);

enum { FSH_COORDINATOR_NO_UNIT = UINT32_MAX };

/* A worker as the coordinator knows it. */
typedef struct fsh_coordinator_worker {
    const char *host;
    uint32_t pid, held;         /* units that it has; */
    uint32_t unit;              /* of these, the one it works on, or FSH_COORDINATOR_NO_UNIT, */
    double done;                /* and which share of it is done */
    uint32_t units_done;        /* that it has handed in */
    uint64_t samples_done;      /* of these, and about how many of the unit in work */
    uint64_t rss_bytes;         /* with its compute child */
    uint64_t here_ms, heard_ms; /* since it came; since anything was heard of it */
} fsh_coordinator_worker;

/* All that can be seen of a job at one moment. */
typedef struct fsh_coordinator_sight {
    const fsh_coordinator_totals *totals;
    const fsh_coordinator_worker *workers;
    uint32_t workers_n, units_n;
    const uint8_t *states; /* fsh_unit_state of every unit */
    bool draining;
} fsh_coordinator_sight;

typedef struct fsh_coordinator_options {
    /* To bind; NULL: a private socket that only this user's processes reach. */
    const char *address;
    const char *announce; /* name of this machine for FSH_PATH_MEETING; NULL or "": its own */
    bool insecure;    /* allow an address that other machines reach, with no keys asked for */
    const char *keys; /* folder of keys (proto/keys.h); NULL: none are asked for */
    uint32_t connections_max; /* at a time; 0: as fsh_link_options says */
    uint32_t workers; /* processes to start here; 0: all come from elsewhere */
    uint32_t threads; /* compute threads of each */
    const struct fsh_host *hosts; /* hosts_n (coordinator/hosts.h), where workers are started as well; needs address and keys */
    uint32_t hosts_n;
    const char *ssh, *hosts_logs; /* command that reaches them, and folder for what they say */
    uint32_t heartbeat_ms, silence_ms, stall_ms, grace_ms;
    uint32_t attempts_max; /* failures after which a unit is buried */
    uint32_t copy_ms;      /* a unit that takes longer may be lent twice at the end; 0: never */
    uint32_t losses_max;   /* dead workers after which the unit that they worked on is buried */
    /* Ended by NULL; NULL: this program's `worker`. Address, --threads T, --parent PID,
     * --grace S and, with keys, --keys FOLDER are put behind it. */
    const char *const *worker_command;
    const fsh_listener *steps; /* NULL, or told of what takes a while before anybody is served */
    fsh_hash *shard_hashes; /* NULL, or a place per unit for the SHA-256 of its shard */
    void *self;
    /* NULL, or called on the loop's thread. */
    void (*told)(void *self, const fsh_coordinator_event *event);
    void *seer;
    /* NULL, or called on the loop's thread: once a second, and at the end. Everything is borrowed for the call, which
     * must not block. */
    void (*seen)(void *seer, const fsh_coordinator_sight *sight);
} fsh_coordinator_options;

void fsh_coordinator_options_init(fsh_coordinator_options *options);

/* Serves until every unit is committed or buried. The job must be planned (coordinator/plan.h).
 * Fails with BUSY where another coordinator works on the output, USAGE for a public address without
 * keys and without `insecure`, INTERRUPTED after SIGINT or SIGTERM, FULL for a full disk, and the failure of a
 * buried unit after all others are done. *totals is filled in every case. */
fsh_status fsh_coordinator_run(const fsh_job *job, const fsh_coordinator_options *options,
                               fsh_coordinator_totals *totals, fsh_err *err);

/* Where the content of a unit comes from when it goes over the wire. */
typedef struct fsh_coordinator_parcels {
    void *self;
    /* Opens the stream of one unit; on the loop's thread, must not block for long. */
    fsh_status (*open)(void *self, uint32_t unit, fsh_source *source, fsh_err *err);
} fsh_coordinator_parcels;

/* What samples are called, for people. */
typedef struct fsh_coordinator_names {
    void *self;
    fsh_status (*name)(void *self, uint32_t unit, uint32_t sample, char path[FSH_PATH_BYTES],
                       fsh_err *err);
} fsh_coordinator_names;

/* Says what the shard of a unit is that lies in its place and is in no ledger: coordinator/adopt.h. */
typedef struct fsh_coordinator_adoption {
    void *self;
    fsh_status (*adopt)(void *self, uint32_t unit, fsh_report *report, fsh_err *err);
    const fsh_listener *step; /* told of units that were looked at; may be NULL */
} fsh_coordinator_adoption;

/* What is to be done, without any knowledge of what it is: what fsh_coordinator_run makes of
 * a job. */
typedef struct fsh_coordinator_work {
    const char *output;                /* folder */
    const char *job;                   /* text for the workers */
    const char *job_hash, *input_hash; /* hex */
    uint32_t units_n;
    const uint32_t *samples; /* of each unit */
    const char *recipe;      /* what the job's hash was made of; NULL: not told */
    const fsh_coordinator_parcels *parcels; /* NULL: workers see input and output themselves */
    const fsh_coordinator_names *names;     /* NULL: numbers must do */
    const fsh_coordinator_adoption *adoption; /* NULL: shards that are in no ledger are made again */
} fsh_coordinator_work;

fsh_status fsh_coordinator_serve(const fsh_coordinator_work *work,
                                 const fsh_coordinator_options *options,
                                 fsh_coordinator_totals *totals, fsh_err *err);

#endif

/* A crowd of simulated workers in one thread: each has its own ZeroMQ connection and speaks the
 * real protocol, but its units are empty: a file of a few bytes each, written before the clock
 * starts.
 *
 *     fsh_crowd_options options = {.address = ..., .output = ..., .workers = 1000, .rate = 0};
 *     fsh_crowd_run(&options, &result, &err);
 *     ... result.answer_us[0 .. result.answers_n - 1] ...
 *     fsh_crowd_result_fini(&result); */
#ifndef FSH_BENCH_CROWD_H
#define FSH_BENCH_CROWD_H

#include <stdint.h>

#include "base/status.h"

typedef struct fsh_crowd_options {
    const char *address; /* of the coordinator */
    const char *output;  /* folder */
    uint32_t workers;
    uint32_t units; /* of the whole job */
    double rate;    /* units a second that all together finish; 0: as many as they are given */
} fsh_crowd_options;

typedef struct fsh_crowd_result {
    uint32_t *answer_us; /* from a DONE to its COMMITTED, one an answer; owned */
    uint32_t answers_n;
    uint32_t doubled;         /* units for which more than one answer came */
    double join_seconds;      /* until all workers were welcome */
    double seconds;           /* from then to the last answer */
    uint64_t messages;        /* sent and received */
    double processor_seconds; /* of this thread, in `seconds` */
} fsh_crowd_result;

/* Runs until the coordinator has sent everybody home. */
fsh_status fsh_crowd_run(const fsh_crowd_options *options, fsh_crowd_result *result, fsh_err *err);

void fsh_crowd_result_fini(fsh_crowd_result *result);

#endif

/* The connections that a listening socket has taken, and their limit. Descriptors are for the job's
 * files first: with too many connections, the listener takes no more until some have gone, and those
 * that are there are not disturbed. Inside proto/ only. */
#ifndef FSH_PROTO_CROWD_H
#define FSH_PROTO_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct fsh_crowd {
    int listener; /* descriptor; -1 before it is known */
    uint32_t n, max, most;
    bool shut;
    uint64_t shut_n; /* how often */
    uint64_t *there; /* a bit per descriptor */
    uint32_t there_n;
} fsh_crowd;

/* max 0: as many as leave half of this process's descriptors for other things, 4096 at most. Raises
 * the process's soft limit of descriptors. */
fsh_status fsh_crowd_init(fsh_crowd *crowd, uint32_t max, fsh_err *err);
void fsh_crowd_fini(fsh_crowd *crowd);

/* A connection with this descriptor has come, or gone. */
void fsh_crowd_come(fsh_crowd *crowd, uint32_t descriptor);
void fsh_crowd_go(fsh_crowd *crowd, uint32_t descriptor);

#endif

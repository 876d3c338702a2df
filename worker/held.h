/* The leases that a worker has, oldest first: one is in work, the next ones wait, and those that
 * are finished stay until the coordinator has answered. Pure. */
#ifndef FSH_WORKER_HELD_H
#define FSH_WORKER_HELD_H

#include <stdbool.h>

#include "proto/messages.h"

typedef enum fsh_held_state {
    FSH_HELD_WAITING,
    FSH_HELD_IN_WORK,
    FSH_HELD_HANDED_IN
} fsh_held_state;

typedef struct fsh_held_lease {
    uint32_t unit;
    uint64_t token;
    fsh_message_work order;  /* what the child is told */
    fsh_held_state state;
    bool here;               /* what it needs is here: its parcel was fetched, or is not needed */
    uint64_t done, steps;    /* as the child ticks */
    uint64_t carried;        /* pieces of parcel and shard: these are progress too */
    fsh_message_done report; /* when HANDED_IN: sent again until it is answered */
    uint64_t sent_ms;        /* when that was */
} fsh_held_lease;

typedef struct fsh_held {
    fsh_held_lease leases[FSH_HELD_MAX];
    uint32_t n;
} fsh_held;

/* Adds a waiting lease; false: there is no room, or the token is held already. */
bool fsh_held_add(fsh_held *held, const fsh_message_work *order);

/* The lease with this token, or NULL. Borrowed until the next add or remove. */
fsh_held_lease *fsh_held_find(fsh_held *held, uint64_t token);

/* The oldest lease in this state, or NULL. */
fsh_held_lease *fsh_held_first(fsh_held *held, fsh_held_state state);

/* The oldest that waits and whose parcel is not here, or NULL. */
fsh_held_lease *fsh_held_missing(fsh_held *held);

uint32_t fsh_held_count(const fsh_held *held, fsh_held_state state);

void fsh_held_remove(fsh_held *held, fsh_held_lease *lease);

/* Fills the lists of a RENEW, and of a HELLO. */
void fsh_held_to_renew(const fsh_held *held, fsh_message_renew *renew);
void fsh_held_to_hello(const fsh_held *held, fsh_message_hello *hello);

#endif

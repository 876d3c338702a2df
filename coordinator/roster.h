/* Who works for this coordinator now: found by the name of the connection, or one after the other.
 */
#ifndef FSH_COORDINATOR_ROSTER_H
#define FSH_COORDINATOR_ROSTER_H

#include "coordinator/lease.h"
#include "coordinator/rate.h"
#include "coordinator/ring.h"
#include "proto/link.h"

typedef struct fsh_member {
    fsh_peer peer;
    fsh_ring link; /* in fsh_roster.members */
    fsh_lessee *lessee;
    char host[256];
    fsh_key key; /* that its connection has shown; "" without keys */
    fsh_rate messages, hellos;
    bool late_check; /* a shard is being checked for it whose lease it does not have */
    uint32_t pid;
    struct fsh_outgoing *outgoing; /* a parcel on its way to it; NULL: none */
    struct fsh_incoming *incoming; /* a shard on its way from it; NULL: none */
    uint64_t samples_running; /* about how many of its unit's samples are done */
    uint64_t joined_ms;
    /* For who looks at it: */
    uint64_t rss_bytes, samples_done;
    uint32_t units_done;
    double share_done; /* of the unit that it works on */
} fsh_member;

typedef struct fsh_roster {
    void *tree; /* of members, by peer */
    fsh_ring members;
    uint32_t n;
} fsh_roster;

void fsh_roster_init(fsh_roster *roster);
void fsh_roster_fini(fsh_roster *roster); /* removes every member */

/* A new member with this name, all else zero; NULL when out of memory. */
fsh_member *fsh_roster_add(fsh_roster *roster, const fsh_peer *peer);
fsh_member *fsh_roster_find(const fsh_roster *roster, const fsh_peer *peer);
void fsh_roster_remove(fsh_roster *roster, fsh_member *member);

#endif

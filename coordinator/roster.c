#include "coordinator/roster.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int
compare(const void *a, const void *b)
{
    return memcmp(&((const fsh_member *)a)->peer, &((const fsh_member *)b)->peer, sizeof(fsh_peer));
}

void
fsh_roster_init(fsh_roster *roster)
{
    *roster = (fsh_roster){0};
    fsh_ring_init(&roster->members);
}

void
fsh_roster_fini(fsh_roster *roster)
{
    while (!fsh_ring_is_empty(&roster->members))
        fsh_roster_remove(roster, FSH_RING_OWNER(roster->members.next, fsh_member, link));
}

fsh_member *
fsh_roster_add(fsh_roster *roster, const fsh_peer *peer)
{
    fsh_member *member = calloc(1, sizeof *member);

    if (!member)
        return NULL;
    member->peer = *peer;
    if (!tsearch(member, &roster->tree, compare)) {
        free(member);
        return NULL;
    }
    fsh_ring_init(&member->link);
    fsh_ring_append(&roster->members, &member->link);
    roster->n++;
    return member;
}

fsh_member *
fsh_roster_find(const fsh_roster *roster, const fsh_peer *peer)
{
    const fsh_member wanted = {.peer = *peer};
    void *found = tfind(&wanted, (void *const *)&roster->tree, compare);

    return found ? *(fsh_member **)found : NULL;
}

void
fsh_roster_remove(fsh_roster *roster, fsh_member *member)
{
    tdelete(member, &roster->tree, compare);
    fsh_ring_remove(&member->link);
    roster->n--;
    free(member);
}

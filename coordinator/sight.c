/* What is shown of a job to who wants to look: a copy of what the loop knows, so that nobody who
 * looks can hold up the loop. */
#include <stdlib.h>

#include "coordinator/inside.h"

enum { SHOW_MS = 1000 };

static fsh_coordinator_worker
worker_of(const fsh_coordination *me, const fsh_member *member, uint64_t now)
{
    uint64_t heard_ms = fsh_lessee_heard_ms(member->lessee);
    fsh_coordinator_worker worker = {.host = member->host,
                                     .pid = member->pid,
                                     .held = fsh_lessee_held(member->lessee),
                                     .unit = FSH_COORDINATOR_NO_UNIT,
                                     .done = member->share_done,
                                     .units_done = member->units_done,
                                     .samples_done = member->samples_done + member->samples_running,
                                     .rss_bytes = member->rss_bytes,
                                     .here_ms = now - member->joined_ms,
                                     .heard_ms = now > heard_ms ? now - heard_ms : 0};

    fsh_lessee_unit(me->leases, member->lessee, &worker.unit);
    return worker;
}

/* False: no memory. */
static bool
make_room(fsh_coordination *me)
{
    if (!me->seen_states)
        me->seen_states = malloc(me->work->units_n + 1u);
    if (me->seen_room < me->roster.n) {
        uint32_t room = 2 * me->roster.n;
        fsh_coordinator_worker *more = realloc(me->seen_workers, room * sizeof *more);

        if (!more)
            return false;
        me->seen_workers = more;
        me->seen_room = room;
    }
    return me->seen_states != NULL;
}

static void
look(fsh_coordination *me, uint64_t now)
{
    fsh_ring *link;
    uint32_t i, n = 0;

    for (i = 0; i < me->work->units_n; i++)
        me->seen_states[i] = (uint8_t)fsh_leases_state(me->leases, i);
    for (link = me->roster.members.next; link != &me->roster.members; link = link->next)
        me->seen_workers[n++] = worker_of(me, FSH_RING_OWNER(link, fsh_member, link), now);
}

void
fsh_coordination_show(fsh_coordination *me, bool now)
{
    uint64_t at_ms = uv_now(&me->loop);
    fsh_coordinator_sight sight;

    if (!me->options.seen || (!now && me->seen_ms && at_ms < me->seen_ms + SHOW_MS) ||
        !make_room(me))
        return;
    me->seen_ms = at_ms;
    look(me, at_ms);
    sight = (fsh_coordinator_sight){.totals = fsh_books_totals(me->books),
                                    .workers = me->seen_workers,
                                    .workers_n = me->roster.n,
                                    .units_n = me->work->units_n,
                                    .states = me->seen_states,
                                    .draining = me->draining};
    me->options.seen(me->options.seer, &sight);
}

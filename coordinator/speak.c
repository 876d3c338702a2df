/* What the coordinator says: to its caller, and to workers. */
#include <stdlib.h>

#include "coordinator/inside.h"

void
fsh_coordination_note_intruders(fsh_coordination *me)
{
    fsh_coordinator_totals *totals = fsh_books_totals(me->books);
    fsh_link_counts counts;

    if (!me->link)
        return;
    counts = fsh_link_get_counts(me->link);
    totals->refused_connections = counts.connections - counts.entered;
    totals->refused_keys = counts.unlisted;
    totals->refused_messages = me->refused_messages + counts.dropped;
}

void
fsh_coordination_tell(fsh_coordination *me, fsh_coordinator_event event)
{
    fsh_coordinator_totals *totals = fsh_books_totals(me->books);
    fsh_ring *link;

    fsh_coordination_note_intruders(me);
    if (!me->options.told)
        return;
    totals->workers = me->roster.n;
    totals->samples_running = 0;
    for (link = me->roster.members.next; link != &me->roster.members; link = link->next)
        totals->samples_running += FSH_RING_OWNER(link, fsh_member, link)->samples_running;
    event.text = event.text ? event.text : "";
    event.host = event.host ? event.host : "";
    event.totals = totals;
    me->options.told(me->options.self, &event);
}

bool
fsh_coordination_say(fsh_coordination *me, const fsh_peer *peer, const fsh_message *message)
{
    if (!me->link)
        return false;
    fsh_text_clear(&me->bytes);
    return fsh_message_encode(message, FSH_FROM_COORDINATOR, &me->bytes, NULL) == FSH_OK &&
           fsh_link_send(me->link, peer, me->bytes.data, me->bytes.bytes);
}

void
fsh_coordination_revoke(fsh_coordination *me, const fsh_peer *peer, uint32_t unit, uint64_t token)
{
    fsh_message message = {.number = FSH_MESSAGE_REVOKE, .revoke = {unit, token}};

    fsh_coordination_say(me, peer, &message);
}

void
fsh_coordination_say_drain(fsh_coordination *me, const fsh_peer *peer)
{
    uint64_t now = uv_now(&me->loop);
    uint64_t left_ms = me->drain_until_ms > now ? me->drain_until_ms - now : 0;
    fsh_message message = {.number = FSH_MESSAGE_DRAIN, .drain = {(uint32_t)left_ms, me->result == FSH_INTERRUPTED}};

    fsh_coordination_say(me, peer, &message);
}

void
fsh_coordination_answer(fsh_coordination *me, const fsh_peer *peer, uint32_t unit, uint64_t token,
                        uint32_t verdict)
{
    if (me->answers_n == me->answers_room) {
        uint32_t room = me->answers_room ? 2 * me->answers_room : 64;
        fsh_answer *more = realloc(me->answers, room * sizeof *more);

        if (!more)
            return; /* the worker asks again */
        me->answers = more;
        me->answers_room = room;
    }
    me->answers[me->answers_n++] = (fsh_answer){*peer, {unit, token, verdict}};
}

void
fsh_coordination_send_answers(fsh_coordination *me)
{
    uint32_t i;

    for (i = 0; i < me->answers_n; i++) {
        fsh_message message = {.number = FSH_MESSAGE_COMMITTED,
                               .committed = me->answers[i].committed};

        fsh_coordination_say(me, &me->answers[i].peer, &message);
    }
    me->answers_n = 0;
}

/* ---- to people ---- */

void
fsh_coordination_warn(fsh_coordination *me, const char *text)
{
    fsh_coordination_tell(me, (fsh_coordinator_event){.kind = FSH_COORDINATOR_WARNING, .text = text});
}

const char *
fsh_coordinator_event_name(fsh_coordinator_event_kind kind)
{
    static const char *const names[] = {"started",     "progress",    "worker_joined", "worker_left",
                                        "unit_failed", "unit_copied", "unit_buried",   "warning",
                                        "draining",    "ended"};

    return (unsigned)kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}

/* What the coordinator says. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker/inside.h"

/* ---- the coordinator speaks ---- */

void
fsh_worker_say_hello(fsh_worker *me)
{
    char host[256] = "";
    fsh_message message = {.number = FSH_MESSAGE_HELLO,
                           .hello = {.protocol = FSH_PROTOCOL,
                                     .version = FSH_VERSION,
                                     .host = host,
                                     .pid = (uint32_t)getpid(),
                                     .threads = me->options.threads,
                                     .job = me->hash}};

    gethostname(host, sizeof host - 1);
    fsh_held_to_hello(&me->held, &message.hello);
    fsh_worker_say(me, &message);
}

/* What was finished while the coordinator was away, or on its way when it went. */
void
fsh_worker_hand_in_again(fsh_worker *me, uint64_t sent_before_ms)
{
    uint32_t i;

    for (i = 0; i < me->held.n; i++)
        if (me->held.leases[i].state == FSH_HELD_HANDED_IN &&
            me->held.leases[i].sent_ms <= sent_before_ms)
            fsh_worker_hand_in(me, &me->held.leases[i]);
}


/* The first WELCOME: what is to be done, and how. */
static fsh_status
take_job(fsh_worker *me, const fsh_message_welcome *welcome, fsh_err *err)
{
    me->job = strdup(welcome->job);
    me->hash = strdup(welcome->hash);
    me->recipe = strdup(welcome->recipe);
    if (!me->job || !me->hash || !me->recipe)
        return fsh_fail(err, FSH_MEMORY, "no memory for the job");
    return welcome->stream ? fsh_worker_open_carrier(me, err) : FSH_OK;
}

static void
take_welcome(fsh_worker *me, const fsh_message_welcome *welcome)
{
    fsh_err err;
    fsh_status status = me->job ? FSH_OK : take_job(me, welcome, &err);

    if (status) {
        fsh_worker_leave(me, status, err.text);
        return;
    }
    if (strcmp(me->hash, welcome->hash) != 0 || (me->carrier != NULL) != welcome->stream) {
        fsh_worker_leave(me, FSH_NETWORK, "the coordinator has another job now");
        return;
    }
    me->known = true;
    me->asked = 0;
    me->beat_ms = welcome->heartbeat_ms;
    uv_timer_start(&me->beat, fsh_worker_beat, me->beat_ms, me->beat_ms);
    fsh_worker_hand_in_again(me, UINT64_MAX);
    if (me->carrier)
        fsh_carrier_resume(me->carrier);
}

static void
copy_suspects(const fsh_message_lease *from, fsh_message_work *to)
{
    size_t bytes = from->suspects.n * sizeof *from->suspects.at;

    to->suspects.n = to->reasons.n = to->values.n = from->suspects.n;
    memcpy(to->suspects.at, from->suspects.at, bytes);
    memcpy(to->reasons.at, from->reasons.at, bytes);
    memcpy(to->values.at, from->values.at, bytes);
}

static void
take_lease(fsh_worker *me, const fsh_message_lease *lease)
{
    fsh_message_work order = {.unit = lease->unit, .token = lease->token};

    me->asked -= me->asked > 0;
    copy_suspects(lease, &order);
    if (me->draining || !fsh_held_add(&me->held, &order))
        fsh_worker_give_back(me, lease->unit, lease->token);
    else
        fsh_held_find(&me->held, lease->token)->here = me->carrier == NULL;
}

/* The child is stopped in the only way that works for one that hangs; a new one is started by
 * `settle`. */
static void
take_revoke(fsh_worker *me, const fsh_message_revoke *revoke)
{
    fsh_held_lease *lease = fsh_held_find(&me->held, revoke->token);

    if (!lease)
        return;
    if (lease->state == FSH_HELD_IN_WORK && me->sandbox)
        fsh_sandbox_kill(me->sandbox);
    fsh_worker_forget(me, lease);
}

static void
take_committed(fsh_worker *me, const fsh_message_committed *committed)
{
    fsh_held_lease *lease = fsh_held_find(&me->held, committed->token);

    if (!lease || lease->state != FSH_HELD_HANDED_IN)
        return;
    fsh_worker_forget(me, lease);
    lease = fsh_held_first(&me->held, FSH_HELD_HANDED_IN);
    if (lease && me->carrier)
        fsh_worker_hand_in(me, lease);
}

/* A standing worker that was sent home until the next coordinator comes is back early: it waits. */
static void
take_drain(fsh_worker *me, const fsh_message_drain *drain)
{
    if (!me->known && drain->again && me->options.stay) {
        me->cut = true;
        return;
    }
    me->again = drain->again;
    fsh_worker_drain(me, drain->grace_ms, me->result);
}

static void
obey(fsh_worker *me, const fsh_message *message)
{
    switch (message->number) {
    case FSH_MESSAGE_WELCOME: take_welcome(me, &message->welcome); break;
    case FSH_MESSAGE_REFUSE: fsh_worker_leave(me, FSH_NETWORK, message->refuse.why); break;
    case FSH_MESSAGE_LEASE: take_lease(me, &message->lease); break;
    case FSH_MESSAGE_REVOKE: take_revoke(me, &message->revoke); break;
    case FSH_MESSAGE_COMMITTED: take_committed(me, &message->committed); break;
    case FSH_MESSAGE_FETCH: fsh_worker_send_shard(me, &message->fetch); break;
    case FSH_MESSAGE_PIECE:
        if (me->carrier)
            fsh_carrier_take_piece(me->carrier, &message->piece);
        break;
    case FSH_MESSAGE_END:
        if (me->carrier)
            fsh_carrier_take_end(me->carrier, &message->end);
        break;
    case FSH_MESSAGE_DRAIN: take_drain(me, &message->drain); break;
    case FSH_MESSAGE_PONG:
        me->known = me->known && message->pong.known;
        if (!me->known)
            fsh_worker_say_hello(me);
        break;
    default: break;
    }
}

void
fsh_worker_obey(void *self, const fsh_peer *peer, const void *data, size_t bytes)
{
    fsh_worker *me = self;
    fsh_message message;

    (void)peer;
    if (me->leaving ||
        fsh_message_decode(data, bytes, FSH_FROM_COORDINATOR, &message, NULL) != FSH_OK)
        return;
    me->heard_ms = uv_now(&me->loop);
    me->cut = false;
    obey(me, &message);
    fsh_message_fini(&message);
    if (!me->leaving)
        fsh_worker_settle(me);
}

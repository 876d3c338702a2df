/* What is done after every event, in four small rules: have a child while there is work (keep_child), fetch the
 * photographs of the next unit where they do not lie in a common folder (fetch_next), give the child the oldest waiting
 * unit (feed_child), and ask for as many units as keep it busy (want_more); and leaving. */
#include <stdio.h>
#include <string.h>

#include "worker/inside.h"

enum {
    WANTED = 2,         /* one unit in work and one that waits behind it */
    SHARDS_MAX = 3,     /* that wait in the spool to be fetched, before no more is made */
    PATIENCE_BEATS = 10 /* without a word, until a worker that is to end does not wait any more */
};

bool
fsh_worker_say(fsh_worker *me, const fsh_message *message)
{
    fsh_text_clear(&me->bytes);
    return me->link && fsh_message_encode(message, FSH_FROM_WORKER, &me->bytes, NULL) == FSH_OK &&
           fsh_link_send(me->link, NULL, me->bytes.data, me->bytes.bytes);
}

/* The lease has ended, here or there. */
void
fsh_worker_forget(fsh_worker *me, fsh_held_lease *lease)
{
    if (me->carrier)
        fsh_carrier_drop(me->carrier, lease->unit, lease->token);
    fsh_held_remove(&me->held, lease);
}

/* ---- leaving ---- */

void
fsh_worker_give_back(fsh_worker *me, uint32_t unit, uint64_t token)
{
    fsh_message message = {.number = FSH_MESSAGE_RETURN, .give_back = {unit, token}};

    fsh_worker_say(me, &message);
}

static void
close_handles(fsh_worker *me)
{
    int i;

    uv_close((uv_handle_t *)&me->beat, NULL);
    for (i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&me->interrupts[i], NULL);
    fsh_sandbox_close(&me->sandbox);
    fsh_carrier_close(&me->carrier);
    fsh_link_close(&me->link);
}

/* Says BYE and ends the loop. What is still in work or not begun comes back to the coordinator. */
void
fsh_worker_leave(fsh_worker *me, fsh_status result, const char *text)
{
    fsh_message bye = {.number = FSH_MESSAGE_BYE,
                       .bye = {result == FSH_INTERRUPTED ? FSH_OK : result, text}};

    if (me->leaving)
        return;
    me->leaving = true;
    me->result = result;
    fsh_fail(&me->err, result, "%s", text);
    fsh_worker_say(me, &bye);
    close_handles(me);
}

/* A coordinator that is not there any more will not answer what was handed in; the next one finds
 * the shard in its place. */
static bool
waits_for_answer(fsh_worker *me)
{
    return me->known && fsh_held_first(&me->held, FSH_HELD_HANDED_IN) &&
           uv_now(&me->loop) - me->heard_ms < PATIENCE_BEATS * me->beat_ms;
}

void
fsh_worker_leave_when_drained(fsh_worker *me)
{
    bool busy = fsh_held_first(&me->held, FSH_HELD_IN_WORK) || waits_for_answer(me);

    if (me->draining && (!busy || uv_now(&me->loop) >= me->drain_until_ms))
        fsh_worker_leave(me, me->result, fsh_status_text(me->result));
}

void
fsh_worker_drain(fsh_worker *me, uint32_t grace_ms, fsh_status result)
{
    fsh_held_lease *waiting;

    while ((waiting = fsh_held_first(&me->held, FSH_HELD_WAITING))) {
        fsh_worker_give_back(me, waiting->unit, waiting->token);
        fsh_worker_forget(me, waiting);
    }
    me->draining = true;
    me->result = result;
    me->drain_until_ms = uv_now(&me->loop) + grace_ms;
}

/* ---- the four rules ---- */


static void
keep_child(fsh_worker *me)
{
    fsh_sandbox_options options = {.command = me->options.child_command,
                                   .job = {me->options.threads, me->job, me->hash, me->recipe,
                                           me->spool ? fsh_spool_folder(me->spool) : NULL,
                                           me->options.models, me->options.templates},
                                   .self = me,
                                   .said = fsh_worker_child_said,
                                   .ended = fsh_worker_child_ended};
    fsh_err err;
    fsh_status status;

    if (me->sandbox || !me->job || me->draining)
        return;
    me->ready = false;
    status = fsh_sandbox_open(&me->loop, &options, &me->sandbox, &err);
    if (status)
        fsh_worker_leave(me, status, err.text);
}

/* The oldest first, so that the one that waits at the front is the first to be here. */
static void
fetch_next(fsh_worker *me)
{
    fsh_err err;
    const fsh_held_lease *next = fsh_held_missing(&me->held);
    fsh_status status;

    if (!next || !me->known || fsh_carrier_is_fetching(me->carrier))
        return;
    status = fsh_carrier_fetch(me->carrier, next->unit, next->token, &err);
    if (status)
        fsh_worker_leave(me, status, err.text);
}

static void
feed_child(fsh_worker *me)
{
    fsh_held_lease *next = fsh_held_first(&me->held, FSH_HELD_WAITING);

    if (!next || !next->here || !me->sandbox || !me->ready ||
        fsh_held_first(&me->held, FSH_HELD_IN_WORK))
        return;
    next->state = FSH_HELD_IN_WORK;
    fsh_sandbox_work(me->sandbox, &next->order);
}

/* Units that wait for an answer do not count, as long as there is room for more. */
static void
want_more(fsh_worker *me)
{
    fsh_message message = {.number = FSH_MESSAGE_CREDIT};
    uint32_t have = me->asked + fsh_held_count(&me->held, FSH_HELD_WAITING) +
                    fsh_held_count(&me->held, FSH_HELD_IN_WORK);

    if (!me->known || !me->ready || me->draining || have >= WANTED ||
        me->held.n + WANTED > FSH_HELD_MAX ||
        (me->carrier && fsh_held_count(&me->held, FSH_HELD_HANDED_IN) >= SHARDS_MAX))
        return;
    message.credit.units = WANTED - have;
    me->asked += message.credit.units;
    fsh_worker_say(me, &message);
}

void
fsh_worker_settle(fsh_worker *me)
{
    fsh_worker_leave_when_drained(me);
    if (!me->leaving)
        keep_child(me);
    if (!me->leaving && me->carrier)
        fetch_next(me);
    if (me->leaving)
        return;
    feed_child(me);
    want_more(me);
}

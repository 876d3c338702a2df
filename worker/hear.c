/* What the compute child and the carrier say. */
#include <stdio.h>
#include <string.h>

#include "worker/inside.h"

enum { BROKEN_STARTS_MAX = 3 }; /* children that may die before they are ready */

/* ---- the child speaks ---- */

/* Shards that go over the wire go one after the other. */
void
fsh_worker_hand_in(fsh_worker *me, fsh_held_lease *lease)
{
    fsh_message message = {.number = FSH_MESSAGE_DONE, .done = lease->report};

    if (me->carrier && lease != fsh_held_first(&me->held, FSH_HELD_HANDED_IN))
        return;
    lease->sent_ms = uv_now(&me->loop);
    fsh_worker_say(me, &message);
}

static void
finish_lease(fsh_worker *me, const fsh_message_done *done)
{
    fsh_held_lease *lease = fsh_held_find(&me->held, done->token);

    if (!lease)
        return;
    lease->state = FSH_HELD_HANDED_IN;
    lease->report = *done;
    if (me->carrier)
        fsh_carrier_drop_parcel(me->carrier, lease->unit, lease->token);
    fsh_worker_hand_in(me, lease);
}

/* A full spool is this worker's own trouble: the unit goes back, and others may have room. */
static void
leave_for_room(fsh_worker *me, fsh_status status, const char *text)
{
    char why[1024];

    snprintf(why, sizeof why, "%.800s (in this worker's spool; --spool names another place)", text);
    fsh_worker_leave(me, status, why);
}

static void
fail_lease(fsh_worker *me, const fsh_message *failed)
{
    fsh_held_lease *lease = fsh_held_find(&me->held, failed->failed.token);

    if (!lease)
        return;
    if (me->carrier && failed->failed.status == FSH_FULL) {
        leave_for_room(me, FSH_FULL, failed->failed.text);
        return;
    }
    fsh_worker_say(me, failed);
    fsh_worker_forget(me, lease);
}

static void
note_tick(fsh_worker *me, const fsh_message_tick *tick)
{
    fsh_held_lease *lease = fsh_held_find(&me->held, tick->token);

    if (!lease)
        return;
    lease->done = tick->done;
    lease->steps = tick->steps;
}

void
fsh_worker_child_said(void *self, const fsh_message *message)
{
    fsh_worker *me = self;

    switch (message->number) {
    case FSH_MESSAGE_READY:
        me->ready = true;
        me->broken_starts = 0;
        break;
    case FSH_MESSAGE_TICK: note_tick(me, &message->tick); return;
    case FSH_MESSAGE_DONE: finish_lease(me, &message->done); break;
    case FSH_MESSAGE_FAILED: fail_lease(me, message); break;
    case FSH_MESSAGE_BROKEN: fsh_worker_leave(me, message->broken.status, message->broken.text); return;
    default: return;
    }
    if (!me->leaving)
        fsh_worker_settle(me);
}

void
fsh_worker_child_ended(void *self, const fsh_message *failed)
{
    fsh_worker *me = self;

    if (failed)
        fail_lease(me, failed);
    fsh_sandbox_close(&me->sandbox);
    if (!me->ready && ++me->broken_starts == BROKEN_STARTS_MAX) {
        fsh_worker_leave(me, FSH_INTERNAL, "the compute process dies while it loads the job's models");
        return;
    }
    me->ready = false;
    fsh_worker_settle(me);
}

/* ---- parcels and shards ---- */

static bool
on_carrier_says(void *self, const fsh_message *message)
{
    return fsh_worker_say(self, message);
}

static void
on_moved(void *self, uint64_t token)
{
    fsh_worker *me = self;
    fsh_held_lease *lease = fsh_held_find(&me->held, token);

    if (lease)
        lease->carried++;
}

/* A shard or parcel that is lost in the spool fails its unit; a spool that takes nothing more ends
 * the worker. */
static void
on_lost(void *self, uint64_t token, fsh_status status, const fsh_err *err)
{
    fsh_worker *me = self;
    const fsh_held_lease *lease = fsh_held_find(&me->held, token);
    fsh_message failed = {.number = FSH_MESSAGE_FAILED,
                          .failed = {.token = token, .status = status, .text = err->text}};

    if (!lease)
        return;
    failed.failed.unit = lease->unit;
    fail_lease(me, &failed);
}

static void
on_fetched(void *self, uint64_t token, fsh_status status, const fsh_err *err)
{
    fsh_worker *me = self;
    fsh_held_lease *lease = fsh_held_find(&me->held, token);

    if (status)
        on_lost(me, token, status, err);
    else if (lease)
        lease->here = true;
    if (!me->leaving)
        fsh_worker_settle(me);
}

fsh_status
fsh_worker_open_carrier(fsh_worker *me, fsh_err *err)
{
    fsh_carrier_options options = {me, on_carrier_says, on_moved, on_fetched, on_lost};
    fsh_status status = fsh_spool_open(me->options.spool, &me->spool, err);

    return status ? status : fsh_carrier_open(&me->loop, me->spool, &options, &me->carrier, err);
}

void
fsh_worker_send_shard(fsh_worker *me, const fsh_message_fetch *fetch)
{
    const fsh_held_lease *lease = fsh_held_find(&me->held, fetch->token);

    if (me->carrier && lease && lease->unit == fetch->unit && lease->state == FSH_HELD_HANDED_IN)
        fsh_carrier_send(me->carrier, fetch);
}

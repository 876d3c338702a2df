/* The coordinator's loop: messages in, calls to the books, messages out. One thread; the checks of
 * shards read files on libuv's pool and come back to it.
 *
 * Everything that a turn of the loop has changed goes to disk in one transaction at its end, and
 * only then are workers answered: what a worker has been told is never forgotten. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/commit.h"
#include "coordinator/inside.h"
#include "coordinator/replace.h"
#include "job/meeting.h"

enum {
    TICK_MS = 200,
    WARN_MS = 10000,
    LAST_WORDS_MS = 2000 /* for the BYE of workers whose grace has passed */
};

/* ---- the end ---- */

static void
remove_private_folder(fsh_coordination *me)
{
    char path[80];

    if (!me->folder[0])
        return;
    snprintf(path, sizeof path, "%s/wire", me->folder);
    unlink(path);
    rmdir(me->folder);
    me->folder[0] = '\0';
}

static void
close_handles(fsh_coordination *me)
{
    fsh_ring *link;
    int i;

    if (me->closing)
        return;
    me->closing = true;
    for (link = me->roster.members.next; link != &me->roster.members; link = link->next) {
        fsh_outgoing_close(FSH_RING_OWNER(link, fsh_member, link));
        fsh_incoming_close(FSH_RING_OWNER(link, fsh_member, link));
    }
    uv_close((uv_handle_t *)&me->timer, NULL);
    for (i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&me->interrupts[i], NULL);
    fsh_crew_close(&me->crew);
    fsh_coordination_note_intruders(me);
    fsh_link_close(&me->link);
}

void
fsh_coordination_drain(fsh_coordination *me, fsh_status result, const char *why, uint32_t grace_ms)
{
    fsh_ring *link;

    if (me->draining)
        return;
    me->draining = true;
    me->result = fsh_fail(&me->err, result, "%s", why);
    me->drain_until_ms = uv_now(&me->loop) + grace_ms;
    if (me->crew)
        fsh_crew_dismiss(me->crew);
    for (link = me->roster.members.next; link != &me->roster.members; link = link->next)
        fsh_coordination_say_drain(me, &FSH_RING_OWNER(link, fsh_member, link)->peer);
    fsh_coordination_tell(me,
                          (fsh_coordinator_event){.kind = FSH_COORDINATOR_DRAINING, .text = why});
}

static void
close_when_drained(fsh_coordination *me)
{
    bool quiet =
        me->checks == 0 && me->roster.n == 0 && (!me->crew || fsh_crew_running(me->crew) == 0);

    if (me->draining && (quiet || uv_now(&me->loop) >= me->drain_until_ms + LAST_WORDS_MS))
        close_handles(me);
}

/* ---- the end of a turn ---- */

static void
tell_copy(fsh_coordination *me, const fsh_lease *lease)
{
    const fsh_member *member = lease->owner;

    fsh_coordination_tell(me, (fsh_coordinator_event){.kind = FSH_COORDINATOR_UNIT_COPIED,
                                                      .host = member->host,
                                                      .pid = member->pid,
                                                      .unit = lease->unit,
                                                      .attempt = lease->attempt});
}

/* What one worker has asked ahead and not begun goes to another that has nothing. */
static void
share(fsh_coordination *me)
{
    fsh_lease lease;

    if (fsh_leases_relieve(me->leases, uv_now(&me->loop), &lease))
        fsh_coordination_revoke(me, &((fsh_member *)lease.owner)->peer, lease.unit, lease.token);
}

/* Tells the worker. A LEASE that does not arrive comes back: its worker never renews it, or is never heard again. */
static void
say_lent(fsh_coordination *me, const fsh_lease *lease)
{
    fsh_message message = {
        .number = FSH_MESSAGE_LEASE,
        .lease = {lease->unit, lease->token, lease->attempt, me->options.silence_ms}};
    fsh_message_lease *to = &message.lease;

    to->suspects.n = to->reasons.n = to->values.n =
        fsh_suspicion_tell(fsh_books_suspicion(me->books, lease->unit), to->suspects.at,
                           to->reasons.at, to->values.at);
    fsh_coordination_say(me, &((fsh_member *)lease->owner)->peer, &message);
    if (lease->copy)
        tell_copy(me, lease);
}

static void
lend(fsh_coordination *me)
{
    fsh_lease lease;

    if (me->draining)
        return;
    share(me);
    while (fsh_leases_lend(me->leases, uv_now(&me->loop), &lease)) {
        say_lent(me, &lease);
        share(me);
    }
}

void
fsh_coordination_turn(void *self)
{
    fsh_coordination *me = self;
    fsh_err err;
    fsh_status status = fsh_books_flush(me->books, &err);

    if (status) {
        me->answers_n = 0;
        fsh_coordination_drain(me, status, err.text, 0);
    } else {
        fsh_coordination_send_answers(me);
        if (fsh_books_are_done(me->books))
            fsh_coordination_drain(me, FSH_OK, "all units are done", 0);
        lend(me);
    }
    close_when_drained(me);
}

/* ---- time and signals ---- */

static void
expire(fsh_coordination *me)
{
    uint64_t now = uv_now(&me->loop);
    fsh_lessee *silent;
    fsh_lease stalled;

    while ((silent = fsh_leases_silent(me->leases, now)))
        fsh_coordination_part_with(me, fsh_lessee_owner(silent), true,
                                   "the worker was not heard for too long");
    fsh_books_blame(me->books, FSH_INTERNAL, "the unit made no progress for too long");
    while (fsh_leases_stalled(me->leases, now, &stalled))
        fsh_coordination_revoke(me, &((fsh_member *)stalled.owner)->peer, stalled.unit,
                                stalled.token);
}

/* What the person at the coordinator can mend: a list of keys that cannot be read, and a worker that
 * is not on it, which is told once in a while however often it knocks. */
static void
mind_keys(fsh_coordination *me)
{
    uint64_t now = uv_now(&me->loop), n = me->link ? fsh_link_get_counts(me->link).unlisted : 0;
    const char *trouble = me->link ? fsh_link_trouble(me->link) : "";
    fsh_err err;

    if (strcmp(trouble, me->trouble.text) != 0) {
        snprintf(me->trouble.text, sizeof me->trouble.text, "%s", trouble);
        fsh_coordination_warn(me, trouble[0] ? trouble : "the list of keys is whole again");
    }
    if (n == me->warned_n || (me->warned_ms && now - me->warned_ms < WARN_MS))
        return;
    me->warned_n = n;
    me->warned_ms = now;
    fsh_fail(&err, FSH_NETWORK, "a worker whose key is not on the list wants to join; to let it in, add "
             "this line to %s/" FSH_KEYS_ALLOWED ": %s NAME", me->options.keys,
             fsh_link_unlisted(me->link));
    fsh_coordination_warn(me, err.text);
}

/* Workers that were started here and cannot work are not started for ever; without any other there
 * is nobody to wait for. */
static void
mind_crew(fsh_coordination *me)
{
    if (!me->crew)
        return;
    fsh_crew_tick(me->crew);
    if (fsh_crew_hoped(me->crew) > 0 || me->roster.n > 0)
        return;
    if (me->complaint)
        fsh_coordination_drain(me, me->complaint, me->complaint_why.text, 0);
    else
        fsh_coordination_drain(me, FSH_NETWORK,
                               "no worker is left: all that were started here have ended", 0);
}

static void
mind_transfers(fsh_coordination *me)
{
    fsh_ring *link;

    for (link = me->roster.members.next; link != &me->roster.members; link = link->next) {
        fsh_outgoing_mind(me, FSH_RING_OWNER(link, fsh_member, link));
        fsh_incoming_mind(me, FSH_RING_OWNER(link, fsh_member, link));
    }
}

static void
on_timer(uv_timer_t *timer)
{
    fsh_coordination *me = timer->data;

    expire(me);
    if (me->work->parcels)
        mind_transfers(me);
    mind_crew(me);
    mind_keys(me);
    fsh_coordination_tell(me, (fsh_coordinator_event){.kind = FSH_COORDINATOR_PROGRESS});
    fsh_coordination_show(me, false);
    fsh_coordination_turn(me);
}

/* The first signal asks for an orderly end, the second for an end. What is committed stays in both
 * cases. */
static void
on_interrupt(uv_signal_t *handle, int number)
{
    fsh_coordination *me = handle->data;

    (void)number;
    if (me->draining)
        close_handles(me);
    else
        fsh_coordination_drain(me, FSH_INTERRUPTED,
                               "interrupted; run the same command again to continue",
                               me->options.grace_ms);
}

/* ---- the beginning ---- */

static void
start_handles(fsh_coordination *me)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    int i;

    uv_timer_init(&me->loop, &me->timer);
    me->timer.data = me;
    uv_timer_start(&me->timer, on_timer, TICK_MS, TICK_MS);
    for (i = 0; i < 2; i++) {
        uv_signal_init(&me->loop, &me->interrupts[i]);
        me->interrupts[i].data = me;
        uv_signal_start(&me->interrupts[i], on_interrupt, numbers[i]);
    }
}

static void
on_unit_failed(void *self, uint32_t unit, uint32_t attempts, bool buried, const char *why)
{
    fsh_coordinator_event event = {.kind = buried ? FSH_COORDINATOR_UNIT_BURIED
                                                  : FSH_COORDINATOR_UNIT_FAILED,
                                   .unit = unit,
                                   .attempt = attempts,
                                   .text = why};

    fsh_coordination_tell(self, event);
}

static fsh_status
open_books(fsh_coordination *me, fsh_err *err)
{
    fsh_lease_rules rules = {me->options.silence_ms, me->options.stall_ms,
                             me->options.attempts_max, me->options.losses_max,
                             me->options.copy_ms};
    fsh_books_watch watch = {me, on_unit_failed};
    fsh_status status =
        fsh_books_open(me->work, &rules, me->options.shard_hashes, &watch, &me->books, err);

    if (!status)
        me->leases = fsh_books_leases(me->books);
    return status;
}

/* Half-written files are swept where no worker of another run can be alive: those that were started by
 * a coordinator end with it, and those that do not see the output cannot write there. */
static bool
is_alone(const fsh_coordination *me)
{
    return !me->options.address || me->work->parcels;
}

static fsh_status
serve(fsh_coordination *me, fsh_err *err)
{
    fsh_status status = fsh_commit_prepare(me->work->output, is_alone(me), err);

    if (status || fsh_books_are_done(me->books))
        return status;
    status = fsh_replace_index(me->work->output, err);
    if (!status)
        status = fsh_coordination_open_link(me, err);
    if (!status && me->options.address)
        status = fsh_meeting_tell(me->work->output, fsh_link_address(me->link), me->options.announce, err);
    if (status) {
        uv_run(&me->loop, UV_RUN_DEFAULT); /* what was opened of it closes there */
        return status;
    }
    start_handles(me);
    fsh_coordination_tell(me, (fsh_coordinator_event){.kind = FSH_COORDINATOR_STARTED,
                                                      .text = fsh_link_address(me->link)});
    status = fsh_coordination_open_crew(me, err);
    if (status)
        close_handles(me);
    uv_run(&me->loop, UV_RUN_DEFAULT);
    return status ? status : me->result ? fsh_fail(err, me->result, "%s", me->err.text) : FSH_OK;
}

static void
fini(fsh_coordination *me)
{
    fsh_roster_fini(&me->roster);
    fsh_books_close(&me->books);
    uv_loop_close(&me->loop);
    remove_private_folder(me);
    fsh_text_fini(&me->bytes);
    free(me->answers);
    free(me->seen_workers);
    free(me->seen_states);
}

static fsh_status
run_books(fsh_coordination *me, fsh_coordinator_totals *totals, fsh_err *err)
{
    fsh_status status = serve(me, err);

    if (!status)
        status = fsh_books_verdict(me->books, err);
    if (!status)
        status = fsh_commit_prepare(me->work->output, true, err);
    else if (is_alone(me)) /* what was broken off in the middle of a shard */
        fsh_commit_prepare(me->work->output, true, NULL);
    fsh_coordination_tell(me, (fsh_coordinator_event){.kind = FSH_COORDINATOR_ENDED});
    fsh_coordination_show(me, true);
    *totals = *fsh_books_totals(me->books);
    return status;
}

fsh_status
fsh_coordinator_serve(const fsh_coordinator_work *work, const fsh_coordinator_options *options,
                      fsh_coordinator_totals *totals, fsh_err *err)
{
    fsh_coordination me = {.work = work, .options = *options};
    fsh_status status;

    *totals = (fsh_coordinator_totals){.units = work->units_n};
    if (uv_loop_init(&me.loop) != 0)
        return fsh_fail(err, FSH_INTERNAL, "no event loop");
    fsh_roster_init(&me.roster);
    status = open_books(&me, err);
    if (!status)
        status = run_books(&me, totals, err);
    fini(&me);
    return status;
}

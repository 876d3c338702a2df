/* What workers say, and what it changes in the books. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "coordinator/commit.h"
#include "coordinator/inside.h"

enum { WORKERS_MAX = 4096 };

/* Far more than a worker ever says: units that take no time at all make some thousand messages a
 * second. What is refused is said again, like all that is lost on the way. */
static const fsh_rate_limit messages_max = {20000, 20000};

/* Of all peers together that are no members yet: HELLO, mostly. */
static const fsh_rate_limit strangers_max = {10000, 5000};

/* Of one worker: each is answered with the whole job. */
static const fsh_rate_limit hellos_max = {20, 4};

/* ---- workers come and go ---- */

static void
tell_member(fsh_coordination *me, fsh_coordinator_event_kind kind, const fsh_member *member,
            const char *text)
{
    fsh_coordination_tell(
        me, (fsh_coordinator_event){
                .kind = kind, .host = member->host, .pid = member->pid, .text = text});
}

void
fsh_coordination_part_with(fsh_coordination *me, fsh_member *member, bool died, const char *why)
{
    fsh_books_blame(me->books, FSH_NETWORK, why);
    fsh_outgoing_close(member);
    fsh_incoming_close(member);
    fsh_leases_leave(me->leases, member->lessee, died);
    tell_member(me, FSH_COORDINATOR_WORKER_LEFT, member, why);
    fsh_roster_remove(&me->roster, member);
}

void
fsh_coordination_strike(void *self, const fsh_peer *peer)
{
    static const char why[] = "its key has been taken off the coordinator's list";
    static const fsh_message message = {.number = FSH_MESSAGE_REFUSE, .refuse = {why}};
    fsh_coordination *me = self;
    fsh_member *member = fsh_roster_find(&me->roster, peer);

    if (me->closing || !member)
        return;
    fsh_coordination_say(me, peer, &message);
    fsh_coordination_part_with(me, member, false, why);
}

static fsh_member *
welcome_new(fsh_coordination *me, const fsh_peer *peer, const fsh_message_hello *hello)
{
    fsh_member *member = fsh_roster_add(&me->roster, peer);

    if (!member)
        return NULL;
    snprintf(member->key.letters, sizeof member->key.letters, "%s", fsh_link_sender(me->link));
    member->lessee = fsh_leases_join(me->leases, member, uv_now(&me->loop));
    if (!member->lessee) {
        fsh_roster_remove(&me->roster, member);
        return NULL;
    }
    snprintf(member->host, sizeof member->host, "%s", hello->host);
    member->pid = hello->pid;
    member->joined_ms = uv_now(&me->loop);
    tell_member(me, FSH_COORDINATOR_WORKER_JOINED, member, "");
    return member;
}

/* Writes why this worker cannot take part, or "". */
static void
judge(const fsh_coordination *me, const fsh_member *member, const fsh_message_hello *hello,
      char why[512])
{
    why[0] = '\0';
    if (hello->protocol != FSH_PROTOCOL || strcmp(hello->version, FSH_VERSION) != 0 ||
        hello->units.n != hello->tokens.n)
        snprintf(why, 512,
                 "the coordinator is faceshard %s (protocol %d), this worker is %s (protocol "
                 "%" PRIu32 "): install the same version on both",
                 FSH_VERSION, FSH_PROTOCOL, hello->version, hello->protocol);
    else if (hello->job[0] && strcmp(hello->job, me->work->job_hash) != 0)
        snprintf(why, 512,
                 "this worker works on job %.12s, and the coordinator has job %.12s now: start it "
                 "again",
                 hello->job, me->work->job_hash);
    else if (!member && me->roster.n >= WORKERS_MAX)
        snprintf(why, 512, "the coordinator has %u workers, and takes no more", me->roster.n);
}

static bool
refuse(fsh_coordination *me, const fsh_peer *peer, const fsh_member *member,
       const fsh_message_hello *hello)
{
    char why[512];
    fsh_message message = {.number = FSH_MESSAGE_REFUSE, .refuse = {why}};

    judge(me, member, hello, why);
    if (!why[0])
        return false;
    fsh_books_totals(me->books)->refused_workers++;
    fsh_coordination_say(me, peer, &message);
    return true;
}

/* What the worker holds stays with it where nobody else has it; what was lent to it and is not in
 * its hands was lost on the way. */
static void
take_inventory(fsh_coordination *me, fsh_member *member, const fsh_message_hello *hello)
{
    uint64_t now = uv_now(&me->loop);
    uint32_t i;

    fsh_leases_credit(me->leases, member->lessee, 0, true);
    fsh_leases_keep(me->leases, member->lessee, hello->tokens.at, hello->tokens.n, UINT64_MAX);
    for (i = 0; i < hello->units.n; i++)
        if (!fsh_leases_renew(me->leases, member->lessee, (uint32_t)hello->units.at[i],
                              hello->tokens.at[i], 0, now))
            fsh_coordination_revoke(me, &member->peer, (uint32_t)hello->units.at[i],
                                    hello->tokens.at[i]);
}

static void
take_hello(fsh_coordination *me, const fsh_peer *peer, fsh_member *member,
           const fsh_message_hello *hello)
{
    fsh_message message = {.number = FSH_MESSAGE_WELCOME,
                           .welcome = {fsh_books_epoch(me->books), me->options.heartbeat_ms,
                                       me->work->job, me->work->job_hash, me->work->recipe,
                                       me->work->parcels != NULL}};

    if (refuse(me, peer, member, hello))
        return;
    /* Who comes without a unit is not let in any more. */
    if (!member && me->draining && me->result == FSH_INTERRUPTED && hello->units.n == 0) {
        fsh_coordination_say_drain(me, peer);
        return;
    }
    if (!member)
        member = welcome_new(me, peer, hello);
    if (!member || !fsh_rate_take(&member->hellos, &hellos_max, uv_now(&me->loop))) {
        me->refused_messages++;
        return;
    }
    fsh_coordination_say(me, peer, &message);
    take_inventory(me, member, hello);
    if (me->draining)
        fsh_coordination_say_drain(me, peer);
}

static void
take_bye(fsh_coordination *me, fsh_member *member, const fsh_message_bye *bye)
{
    if (bye->status)
        me->complaint = fsh_fail(&me->complaint_why, bye->status, "%s", bye->text);
    fsh_coordination_part_with(me, member, false, bye->text);
}

/* ---- what workers say ---- */

/* Two workers at one unit are not twice as far. */
static double
share(const fsh_coordination *me, uint32_t unit)
{
    switch (fsh_leases_state(me->leases, unit)) {
    case FSH_UNIT_LENT:
    case FSH_UNIT_DONE: return 1;
    case FSH_UNIT_COPIED: return 0.5;
    default: return 0;
    }
}

static void
note_progress(fsh_coordination *me, fsh_member *member, const fsh_message_renew *renew)
{
    fsh_coordinator_totals *totals = fsh_books_totals(me->books);
    uint64_t i;

    member->samples_running = 0;
    member->rss_bytes = renew->rss_bytes;
    member->share_done = 0;
    for (i = renew->units.n; i-- > 0;)
        if (renew->steps.at[i] > 0)
            member->share_done = (double)renew->done.at[i] / (double)renew->steps.at[i];
    for (i = 0; i < renew->units.n; i++)
        if (renew->units.at[i] < me->work->units_n && renew->steps.at[i] > 0)
            member->samples_running +=
                (uint64_t)(share(me, (uint32_t)renew->units.at[i]) *
                           (double)me->work->samples[renew->units.at[i]] *
                           (double)renew->done.at[i] / (double)renew->steps.at[i]);
    if (renew->rss_bytes > totals->rss_bytes)
        totals->rss_bytes = renew->rss_bytes;
}

static void
take_renew(fsh_coordination *me, fsh_member *member, const fsh_message_renew *renew)
{
    fsh_message pong = {.number = FSH_MESSAGE_PONG, .pong = {1}};
    uint64_t now = uv_now(&me->loop), i;

    if (renew->tokens.n != renew->units.n || renew->done.n != renew->units.n ||
        renew->steps.n != renew->units.n)
        return;
    for (i = 0; i < renew->units.n; i++)
        if (!fsh_leases_renew(me->leases, member->lessee, (uint32_t)renew->units.at[i],
                              renew->tokens.at[i], renew->done.at[i], now))
            fsh_coordination_revoke(me, &member->peer, (uint32_t)renew->units.at[i],
                                    renew->tokens.at[i]);
    fsh_leases_keep(me->leases, member->lessee, renew->tokens.at, renew->tokens.n,
                    now > me->options.silence_ms ? now - me->options.silence_ms : 0);
    note_progress(me, member, renew);
    fsh_coordination_say(me, &member->peer, &pong);
}

static void
take_done(fsh_coordination *me, fsh_member *member, const fsh_message_done *done)
{
    fsh_unit_state state;

    if (done->unit >= me->work->units_n)
        return;
    state = fsh_leases_state(me->leases, done->unit);
    if (me->work->parcels && state != FSH_UNIT_COMMITTED && state != FSH_UNIT_DONE)
        fsh_incoming_begin(me, member, done);
    else
        fsh_coordination_hand_in(me, member, done);
}

/* Which picture it was, by its name: somebody will want to look at it. */
static void
tell_culprit(fsh_coordination *me, uint32_t unit, const fsh_death *death)
{
    const fsh_coordinator_names *names = me->work->names;
    uint32_t sample = (uint32_t)death->samples[0];
    char name[FSH_PATH_BYTES], text[FSH_PATH_BYTES + 256];

    if (!names || names->name(names->self, unit, sample, name, NULL))
        snprintf(name, sizeof name, "sample %" PRIu32 " of unit %" PRIu32, sample, unit);
    snprintf(text, sizeof text, "%s is rejected (%s): %s", name, fsh_reason_code(death->reason),
             fsh_reason_text(death->reason));
    fsh_coordination_tell(
        me, (fsh_coordinator_event){.kind = FSH_COORDINATOR_WARNING, .unit = unit, .text = text});
}

/* A full disk is nobody's fault and will be the same for the next unit: the job stops, and goes on
 * when there is room. */
static void
take_failed(fsh_coordination *me, const fsh_member *member, const fsh_message_failed *failed)
{
    const fsh_death death = {failed->suspects.at, failed->suspects.n, (fsh_reason)failed->reason,
                             failed->signal};
    uint64_t now = uv_now(&me->loop);
    bool convicted;

    if (!fsh_leases_holds(me->leases, member->lessee, failed->unit, failed->token))
        return;
    fsh_books_blame(me->books, failed->status, failed->text);
    convicted = failed->status != FSH_FULL && failed->status != FSH_INTERRUPTED &&
                fsh_books_suspect(me->books, failed->unit, &death);
    if (failed->status == FSH_FULL || failed->status == FSH_INTERRUPTED)
        fsh_leases_give_back(me->leases, member->lessee, failed->unit, failed->token, now);
    else if (!convicted && fsh_death_is_outside(&death))
        fsh_leases_lose(me->leases, member->lessee, failed->unit, failed->token, now);
    else
        fsh_leases_fail(me->leases, member->lessee, failed->unit, failed->token, convicted, now);
    if (convicted)
        tell_culprit(me, failed->unit, &death);
    if (failed->status == FSH_FULL)
        fsh_coordination_drain(me, FSH_FULL, failed->text, 0);
}

static void
obey(fsh_coordination *me, const fsh_peer *peer, fsh_member *member, const fsh_message *message)
{
    uint64_t now = uv_now(&me->loop);

    switch (message->number) {
    case FSH_MESSAGE_HELLO: take_hello(me, peer, member, &message->hello); break;
    case FSH_MESSAGE_CREDIT:
        fsh_leases_credit(me->leases, member->lessee, message->credit.units, false);
        break;
    case FSH_MESSAGE_RENEW: take_renew(me, member, &message->renew); break;
    case FSH_MESSAGE_DONE: take_done(me, member, &message->done); break;
    case FSH_MESSAGE_FETCH: fsh_outgoing_fetch(me, member, &message->fetch); break;
    case FSH_MESSAGE_PIECE: fsh_incoming_piece(me, member, &message->piece); break;
    case FSH_MESSAGE_FAILED: take_failed(me, member, &message->failed); break;
    case FSH_MESSAGE_RETURN:
        fsh_leases_give_back(me->leases, member->lessee, message->give_back.unit,
                             message->give_back.token, now);
        break;
    case FSH_MESSAGE_BYE: take_bye(me, member, &message->bye); break;
    default: break;
    }
}

/* Everybody may say so much and no more, and nobody under the name of a worker with another key. */
static bool
may_speak(fsh_coordination *me, fsh_member *member)
{
    uint64_t now = uv_now(&me->loop);

    if (!member)
        return fsh_rate_take(&me->strangers, &strangers_max, now);
    return strcmp(member->key.letters, fsh_link_sender(me->link)) == 0 &&
           fsh_rate_take(&member->messages, &messages_max, now);
}

void
fsh_coordination_obey(void *self, const fsh_peer *peer, const void *data, size_t bytes)
{
    static const fsh_message unknown = {.number = FSH_MESSAGE_PONG, .pong = {0}};
    fsh_coordination *me = self;
    fsh_member *member = fsh_roster_find(&me->roster, peer);
    fsh_message message;

    if (me->closing)
        return;
    if (!may_speak(me, member)) {
        me->refused_messages++;
        return;
    }
    if (fsh_message_decode(data, bytes, FSH_FROM_WORKER, &message, NULL) != FSH_OK) {
        fsh_books_totals(me->books)->broken_messages++;
        return;
    }
    if (member)
        fsh_leases_heard(me->leases, member->lessee, uv_now(&me->loop));
    if (member || message.number == FSH_MESSAGE_HELLO)
        obey(me, peer, member, &message);
    else if (message.number != FSH_MESSAGE_BYE)
        fsh_coordination_say(me, peer, &unknown);
    fsh_message_fini(&message);
}

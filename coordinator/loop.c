/* The coordinator's loop: messages in, calls to the books, messages out. One thread; the checks of shards read
 * files on libuv's pool and come back to it.
 *
 * Everything that a turn of the loop has changed goes to disk in one transaction at its end (`turn`), and only
 * then are workers answered: what a worker has been told is never forgotten. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "coordinator/books.h"
#include "coordinator/commit.h"
#include "coordinator/coordinator.h"
#include "coordinator/crew.h"
#include "coordinator/roster.h"
#include "proto/messages.h"

enum {
    TICK_MS = 200,
    LAST_WORDS_MS = 2000, /* for the BYE of workers whose grace has passed */
    VERDICT_TAKEN = 0,
    VERDICT_KNOWN = 1,
    VERDICT_REFUSED = 2
};

static const char *const own_command[] = {"/proc/self/exe", "worker", NULL};

/* A COMMITTED that waits for the end of the turn. */
typedef struct answer {
    fsh_peer peer;
    fsh_message_committed committed;
} answer;

typedef struct coordinator {
    uv_loop_t loop;
    uv_timer_t timer;
    uv_signal_t interrupts[2];
    const fsh_coordinator_work *work;
    fsh_coordinator_options options;
    fsh_books *books;
    fsh_leases *leases; /* of the books */
    fsh_link *link;
    fsh_crew *crew;
    fsh_roster roster;
    fsh_text bytes; /* of the message being sent */
    answer *answers;
    uint32_t answers_n, answers_room;
    uint32_t checks; /* that are under way */
    bool draining, closing;
    uint64_t drain_until_ms;
    fsh_status result;
    fsh_err err;
    fsh_status complaint; /* with which a worker last left */
    fsh_err complaint_why;
    char folder[64]; /* of a private socket, "" otherwise */
} coordinator;

/* ---- telling the caller ---- */

static void
tell(coordinator *me, fsh_coordinator_event event)
{
    fsh_coordinator_totals *totals = fsh_books_totals(me->books);
    fsh_ring *link;

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

static void
on_unit_failed(void *self, uint32_t unit, uint32_t attempts, bool buried, const char *why)
{
    fsh_coordinator_event event = {.kind = buried ? FSH_COORDINATOR_UNIT_BURIED : FSH_COORDINATOR_UNIT_FAILED,
                                   .unit = unit,
                                   .attempt = attempts,
                                   .text = why};

    tell(self, event);
}

static void
tell_member(coordinator *me, fsh_coordinator_event_kind kind, const fsh_member *member, const char *text)
{
    tell(me, (fsh_coordinator_event){.kind = kind, .host = member->host, .pid = member->pid, .text = text});
}

/* ---- speaking to workers ---- */

static void
say(coordinator *me, const fsh_peer *peer, const fsh_message *message)
{
    if (!me->link)
        return;
    fsh_text_clear(&me->bytes);
    if (fsh_message_encode(message, FSH_FROM_COORDINATOR, &me->bytes, NULL) == FSH_OK)
        fsh_link_send(me->link, peer, me->bytes.data, me->bytes.bytes);
}

static void
say_revoke(coordinator *me, const fsh_peer *peer, uint32_t unit, uint64_t token)
{
    fsh_message message = {.number = FSH_MESSAGE_REVOKE, .revoke = {unit, token}};

    say(me, peer, &message);
}

static void
say_drain(coordinator *me, const fsh_peer *peer)
{
    uint64_t now = uv_now(&me->loop);
    uint64_t left_ms = me->drain_until_ms > now ? me->drain_until_ms - now : 0;
    fsh_message message = {.number = FSH_MESSAGE_DRAIN, .drain = {(uint32_t)left_ms}};

    say(me, peer, &message);
}

/* ---- the end ---- */

static void
remove_private_folder(coordinator *me)
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
close_handles(coordinator *me)
{
    int i;

    if (me->closing)
        return;
    me->closing = true;
    uv_close((uv_handle_t *)&me->timer, NULL);
    for (i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&me->interrupts[i], NULL);
    fsh_crew_close(&me->crew);
    fsh_link_close(&me->link);
}

/* No more units are lent; workers finish what they are at and leave. The first reason stays. */
static void
drain(coordinator *me, fsh_status result, const char *why, uint32_t grace_ms)
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
        say_drain(me, &FSH_RING_OWNER(link, fsh_member, link)->peer);
    tell(me, (fsh_coordinator_event){.kind = FSH_COORDINATOR_DRAINING, .text = why});
}

static void
close_when_drained(coordinator *me)
{
    bool quiet = me->checks == 0 && me->roster.n == 0 && (!me->crew || fsh_crew_running(me->crew) == 0);

    if (me->draining && (quiet || uv_now(&me->loop) >= me->drain_until_ms + LAST_WORDS_MS))
        close_handles(me);
}

/* ---- the end of a turn ---- */

static void
answer_later(coordinator *me, const fsh_peer *peer, uint32_t unit, uint64_t token, uint32_t verdict)
{
    if (me->answers_n == me->answers_room) {
        uint32_t room = me->answers_room ? 2 * me->answers_room : 64;
        answer *more = realloc(me->answers, room * sizeof *more);

        if (!more)
            return; /* the worker asks again */
        me->answers = more;
        me->answers_room = room;
    }
    me->answers[me->answers_n++] = (answer){*peer, {unit, token, verdict}};
}

static void
send_answers(coordinator *me)
{
    uint32_t i;

    for (i = 0; i < me->answers_n; i++) {
        fsh_message message = {.number = FSH_MESSAGE_COMMITTED, .committed = me->answers[i].committed};

        say(me, &me->answers[i].peer, &message);
    }
    me->answers_n = 0;
}

/* A LEASE that does not arrive comes back: its worker never renews it, or is never heard again. */
static void
lend(coordinator *me)
{
    fsh_lease lease;

    while (!me->draining && fsh_leases_lend(me->leases, uv_now(&me->loop), &lease)) {
        fsh_message message = {
            .number = FSH_MESSAGE_LEASE,
            .lease = {lease.unit, lease.token, lease.attempt, me->options.silence_ms}};

        say(me, &((fsh_member *)lease.owner)->peer, &message);
    }
}

static void
turn(void *self)
{
    coordinator *me = self;
    fsh_err err;
    fsh_status status = fsh_books_flush(me->books, &err);

    if (status) {
        me->answers_n = 0;
        drain(me, status, err.text, 0);
    } else {
        send_answers(me);
        if (fsh_books_are_done(me->books))
            drain(me, FSH_OK, "all units are done", 0);
        lend(me);
    }
    close_when_drained(me);
}

/* ---- shards that are handed in ---- */

typedef struct check {
    uv_work_t request;
    coordinator *me;
    fsh_peer peer;
    uint64_t token;
    fsh_report report;
    fsh_status status;
    fsh_err err;
} check;

static void
run_check(uv_work_t *request)
{
    check *of = request->data;

    of->status = fsh_commit_check(of->me->work->output, &of->report, &of->err);
}

static void
on_checked(uv_work_t *request, int cancelled)
{
    check *of = request->data;
    coordinator *me = of->me;

    (void)cancelled;
    me->checks--;
    fsh_books_settle(me->books, &of->report, of->status, of->err.text);
    answer_later(me, &of->peer, of->report.unit, of->token, of->status ? VERDICT_REFUSED : VERDICT_TAKEN);
    free(of);
    turn(me);
}

static void
begin_check(coordinator *me, const fsh_member *member, const fsh_message_done *done)
{
    check *of = calloc(1, sizeof *of);

    if (!of) {
        fsh_books_blame(me->books, FSH_MEMORY, "no memory to check a shard");
        fsh_leases_settle(me->leases, done->unit, false);
        return;
    }
    of->request.data = of;
    of->me = me;
    of->peer = member->peer;
    of->token = done->token;
    fsh_message_to_report(done, &of->report);
    me->checks++;
    uv_queue_work(&me->loop, &of->request, run_check, on_checked);
}

/* ---- workers come and go ---- */

static void
part_with(coordinator *me, fsh_member *member, bool died, const char *why)
{
    fsh_books_blame(me->books, FSH_NETWORK, why);
    fsh_leases_leave(me->leases, member->lessee, died);
    tell_member(me, FSH_COORDINATOR_WORKER_LEFT, member, why);
    fsh_roster_remove(&me->roster, member);
}

static fsh_member *
welcome_new(coordinator *me, const fsh_peer *peer, const fsh_message_hello *hello)
{
    fsh_member *member = fsh_roster_add(&me->roster, peer);

    if (!member)
        return NULL;
    member->lessee = fsh_leases_join(me->leases, member, uv_now(&me->loop));
    if (!member->lessee) {
        fsh_roster_remove(&me->roster, member);
        return NULL;
    }
    snprintf(member->host, sizeof member->host, "%s", hello->host);
    member->pid = hello->pid;
    tell_member(me, FSH_COORDINATOR_WORKER_JOINED, member, "");
    return member;
}

static bool
refuse(coordinator *me, const fsh_peer *peer, const fsh_message_hello *hello)
{
    char why[512];
    fsh_message message = {.number = FSH_MESSAGE_REFUSE, .refuse = {why}};

    if (hello->protocol == FSH_PROTOCOL && strcmp(hello->version, FSH_VERSION) == 0 &&
        hello->units.n == hello->tokens.n)
        return false;
    snprintf(why, sizeof why,
             "the coordinator is faceshard %s (protocol %d), this worker is %s (protocol %" PRIu32
             "): install the same version on both",
             FSH_VERSION, FSH_PROTOCOL, hello->version, hello->protocol);
    say(me, peer, &message);
    return true;
}

/* What the worker holds stays with it where nobody else has it; what was lent to it and is not in its hands was
 * lost on the way. */
static void
take_inventory(coordinator *me, fsh_member *member, const fsh_message_hello *hello)
{
    uint64_t now = uv_now(&me->loop);
    uint32_t i;

    fsh_leases_credit(me->leases, member->lessee, 0, true);
    fsh_leases_keep(me->leases, member->lessee, hello->tokens.at, hello->tokens.n, UINT64_MAX);
    for (i = 0; i < hello->units.n; i++)
        if (!fsh_leases_renew(me->leases, member->lessee, (uint32_t)hello->units.at[i], hello->tokens.at[i], 0,
                              now))
            say_revoke(me, &member->peer, (uint32_t)hello->units.at[i], hello->tokens.at[i]);
}

static void
take_hello(coordinator *me, const fsh_peer *peer, fsh_member *member, const fsh_message_hello *hello)
{
    fsh_message message = {.number = FSH_MESSAGE_WELCOME,
                           .welcome = {fsh_books_epoch(me->books), me->options.heartbeat_ms, me->work->job,
                                       me->work->job_hash}};

    if (refuse(me, peer, hello))
        return;
    if (!member)
        member = welcome_new(me, peer, hello);
    if (!member)
        return;
    say(me, peer, &message);
    take_inventory(me, member, hello);
    if (me->draining)
        say_drain(me, peer);
}

static void
take_bye(coordinator *me, fsh_member *member, const fsh_message_bye *bye)
{
    if (bye->status)
        me->complaint = fsh_fail(&me->complaint_why, bye->status, "%s", bye->text);
    part_with(me, member, false, bye->text);
}

/* ---- what workers say ---- */

static void
note_progress(coordinator *me, fsh_member *member, const fsh_message_renew *renew)
{
    fsh_coordinator_totals *totals = fsh_books_totals(me->books);
    uint64_t i;

    member->samples_running = 0;
    for (i = 0; i < renew->units.n; i++)
        if (renew->units.at[i] < me->work->units_n && renew->steps.at[i] > 0 &&
            fsh_leases_state(me->leases, (uint32_t)renew->units.at[i]) == FSH_UNIT_LENT)
            member->samples_running += (uint64_t)((double)me->work->samples[renew->units.at[i]] *
                                                  (double)renew->done.at[i] / (double)renew->steps.at[i]);
    if (renew->rss_bytes > totals->rss_bytes)
        totals->rss_bytes = renew->rss_bytes;
}

static void
take_renew(coordinator *me, fsh_member *member, const fsh_message_renew *renew)
{
    fsh_message pong = {.number = FSH_MESSAGE_PONG, .pong = {1}};
    uint64_t now = uv_now(&me->loop), i;

    if (renew->tokens.n != renew->units.n || renew->done.n != renew->units.n ||
        renew->steps.n != renew->units.n)
        return;
    for (i = 0; i < renew->units.n; i++)
        if (!fsh_leases_renew(me->leases, member->lessee, (uint32_t)renew->units.at[i], renew->tokens.at[i],
                              renew->done.at[i], now))
            say_revoke(me, &member->peer, (uint32_t)renew->units.at[i], renew->tokens.at[i]);
    fsh_leases_keep(me->leases, member->lessee, renew->tokens.at, renew->tokens.n,
                    now > me->options.silence_ms ? now - me->options.silence_ms : 0);
    note_progress(me, member, renew);
    say(me, &member->peer, &pong);
}

static void
take_done(coordinator *me, const fsh_member *member, const fsh_message_done *done)
{
    if (done->unit >= me->work->units_n)
        return;
    if (fsh_leases_hand_in(me->leases, done->unit, uv_now(&me->loop)))
        begin_check(me, member, done);
    else if (fsh_leases_state(me->leases, done->unit) == FSH_UNIT_COMMITTED)
        answer_later(me, &member->peer, done->unit, done->token, VERDICT_KNOWN);
}

/* A full disk is nobody's fault and will be the same for the next unit: the job stops, and goes on when there
 * is room. */
static void
take_failed(coordinator *me, const fsh_member *member, const fsh_message_failed *failed)
{
    uint64_t now = uv_now(&me->loop);

    fsh_books_blame(me->books, failed->status, failed->text);
    if (failed->status == FSH_FULL || failed->status == FSH_INTERRUPTED)
        fsh_leases_give_back(me->leases, member->lessee, failed->unit, failed->token, now);
    else
        fsh_leases_fail(me->leases, member->lessee, failed->unit, failed->token, now);
    if (failed->status == FSH_FULL)
        drain(me, FSH_FULL, failed->text, 0);
}

static void
obey(coordinator *me, const fsh_peer *peer, fsh_member *member, const fsh_message *message)
{
    uint64_t now = uv_now(&me->loop);

    switch (message->number) {
    case FSH_MESSAGE_HELLO: take_hello(me, peer, member, &message->hello); break;
    case FSH_MESSAGE_CREDIT:
        fsh_leases_credit(me->leases, member->lessee, message->credit.units, false);
        break;
    case FSH_MESSAGE_RENEW: take_renew(me, member, &message->renew); break;
    case FSH_MESSAGE_DONE: take_done(me, member, &message->done); break;
    case FSH_MESSAGE_FAILED: take_failed(me, member, &message->failed); break;
    case FSH_MESSAGE_RETURN:
        fsh_leases_give_back(me->leases, member->lessee, message->give_back.unit, message->give_back.token,
                             now);
        break;
    case FSH_MESSAGE_BYE: take_bye(me, member, &message->bye); break;
    default: break;
    }
}

static void
on_received(void *self, const fsh_peer *peer, const void *data, size_t bytes)
{
    static const fsh_message unknown = {.number = FSH_MESSAGE_PONG, .pong = {0}};
    coordinator *me = self;
    fsh_member *member = fsh_roster_find(&me->roster, peer);
    fsh_message message;

    if (me->closing)
        return;
    if (fsh_message_decode(data, bytes, FSH_FROM_WORKER, &message, NULL) != FSH_OK) {
        fsh_books_totals(me->books)->broken_messages++;
        return;
    }
    if (member)
        fsh_leases_heard(me->leases, member->lessee, uv_now(&me->loop));
    if (member || message.number == FSH_MESSAGE_HELLO)
        obey(me, peer, member, &message);
    else if (message.number != FSH_MESSAGE_BYE)
        say(me, peer, &unknown);
    fsh_message_fini(&message);
}

/* ---- time and signals ---- */

static void
expire(coordinator *me)
{
    uint64_t now = uv_now(&me->loop);
    fsh_lessee *silent;
    fsh_lease stalled;

    while ((silent = fsh_leases_silent(me->leases, now)))
        part_with(me, fsh_lessee_owner(silent), true, "the worker was not heard for too long");
    fsh_books_blame(me->books, FSH_INTERNAL, "the unit made no progress for too long");
    while (fsh_leases_stalled(me->leases, now, &stalled))
        say_revoke(me, &((fsh_member *)stalled.owner)->peer, stalled.unit, stalled.token);
}

/* Workers that were started here and cannot work are not started for ever; without any other there is nobody
 * to wait for. */
static void
mind_crew(coordinator *me)
{
    if (!me->crew)
        return;
    fsh_crew_tick(me->crew);
    if (fsh_crew_hoped(me->crew) > 0 || me->roster.n > 0)
        return;
    if (me->complaint)
        drain(me, me->complaint, me->complaint_why.text, 0);
    else
        drain(me, FSH_NETWORK, "no worker is left: all that were started here have ended", 0);
}

static void
on_timer(uv_timer_t *timer)
{
    coordinator *me = timer->data;

    expire(me);
    mind_crew(me);
    tell(me, (fsh_coordinator_event){.kind = FSH_COORDINATOR_PROGRESS});
    turn(me);
}

/* The first signal asks for an orderly end, the second for an end. What is committed stays in both cases. */
static void
on_interrupt(uv_signal_t *handle, int number)
{
    coordinator *me = handle->data;

    (void)number;
    if (me->draining)
        close_handles(me);
    else
        drain(me, FSH_INTERRUPTED, "interrupted; run the same command again to continue", me->options.grace_ms);
}

/* ---- the beginning ---- */

void
fsh_coordinator_options_init(fsh_coordinator_options *options)
{
    *options = (fsh_coordinator_options){.threads = 1,
                                         .heartbeat_ms = 1000,
                                         .silence_ms = 15000,
                                         .stall_ms = 600000,
                                         .grace_ms = 20000,
                                         .attempts_max = 3};
}

const char *
fsh_coordinator_event_name(fsh_coordinator_event_kind kind)
{
    static const char *const names[] = {"started",     "progress",    "worker_joined", "worker_left",
                                        "unit_failed", "unit_buried", "draining",      "ended"};

    return (unsigned)kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}

static fsh_status
choose_address(coordinator *me, char address[FSH_PATH_BYTES], fsh_err *err)
{
    if (me->options.address) {
        snprintf(address, FSH_PATH_BYTES, "%s", me->options.address);
    } else {
        char folder[] = "/tmp/faceshard-XXXXXX"; /* short: a socket's path has at most 107 bytes */

        if (!mkdtemp(folder))
            return fsh_fail(err, FSH_IO, "/tmp: no folder can be made there for the workers' socket");
        snprintf(me->folder, sizeof me->folder, "%s", folder);
        snprintf(address, FSH_PATH_BYTES, "ipc://%s/wire", folder);
    }
    if (!me->options.insecure && fsh_link_is_public(address))
        return fsh_fail(err, FSH_USAGE,
                        "%s: other machines reach this address and nobody is asked for a key; bind to 127.0.0.1, "
                        "or say --insecure where the network is trusted",
                        address);
    return FSH_OK;
}

static fsh_status
open_link(coordinator *me, fsh_err *err)
{
    char address[FSH_PATH_BYTES];
    fsh_link_options options = {.address = address,
                                .bind = true,
                                .bytes_max = FSH_MESSAGE_BYTES_MAX,
                                .self = me,
                                .received = on_received,
                                .turned = turn};
    fsh_status status = choose_address(me, address, err);

    return status ? status : fsh_link_open(&me->loop, &options, &me->link, err);
}

static fsh_status
open_crew(coordinator *me, fsh_err *err)
{
    fsh_crew_options options = {me->options.worker_command ? me->options.worker_command : own_command,
                                fsh_link_address(me->link), me->options.workers, me->options.threads};

    return me->options.workers ? fsh_crew_open(&me->loop, &options, &me->crew, err) : FSH_OK;
}

static void
start_handles(coordinator *me)
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

static fsh_status
open_books(coordinator *me, fsh_err *err)
{
    fsh_lease_rules rules = {me->options.silence_ms, me->options.stall_ms, me->options.attempts_max};
    fsh_books_watch watch = {me, on_unit_failed};
    fsh_status status = fsh_books_open(me->work, &rules, me->options.shard_hashes, &watch, &me->books, err);

    if (!status)
        me->leases = fsh_books_leases(me->books);
    return status;
}

/* Half-written files of earlier runs are swept where no worker of theirs can still be alive: those that were
 * started by a coordinator end with it. */
static fsh_status
serve(coordinator *me, fsh_err *err)
{
    fsh_status status = fsh_commit_prepare(me->work->output, !me->options.address, err);

    if (status || fsh_books_are_done(me->books))
        return status;
    status = open_link(me, err);
    if (status)
        return status;
    start_handles(me);
    tell(me, (fsh_coordinator_event){.kind = FSH_COORDINATOR_STARTED, .text = fsh_link_address(me->link)});
    status = open_crew(me, err);
    if (status)
        close_handles(me);
    uv_run(&me->loop, UV_RUN_DEFAULT);
    return status ? status : me->result ? fsh_fail(err, me->result, "%s", me->err.text) : FSH_OK;
}

static void
fini(coordinator *me)
{
    fsh_roster_fini(&me->roster);
    fsh_books_close(&me->books);
    uv_loop_close(&me->loop);
    remove_private_folder(me);
    fsh_text_fini(&me->bytes);
    free(me->answers);
}

static fsh_status
run_books(coordinator *me, fsh_coordinator_totals *totals, fsh_err *err)
{
    fsh_status status = serve(me, err);

    if (!status)
        status = fsh_books_verdict(me->books, err);
    if (!status)
        status = fsh_commit_prepare(me->work->output, true, err);
    tell(me, (fsh_coordinator_event){.kind = FSH_COORDINATOR_ENDED});
    *totals = *fsh_books_totals(me->books);
    return status;
}

fsh_status
fsh_coordinator_serve(const fsh_coordinator_work *work, const fsh_coordinator_options *options,
                      fsh_coordinator_totals *totals, fsh_err *err)
{
    coordinator me = {.work = work, .options = *options};
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

/* One thread, one loop: the wire on one side, the compute child on the other, and a timer. Whatever
 * happens is handled by four small rules that run after every event: have a child while there is
 * work (keep_child), fetch the photographs of the next unit where they do not lie in a common folder
 * (fetch_next), give the child the oldest waiting unit (feed_child), and ask for as many units as
 * keep it busy (want_more). */
#include "worker/supervisor.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <uv.h>

#include "proto/link.h"
#include "worker/carrier.h"
#include "worker/held.h"
#include "worker/sandbox.h"
#include "worker/turned_away.h"

enum {
    WANTED = 2,           /* one unit in work and one that waits behind it */
    SHARDS_MAX = 3,       /* that wait in the spool to be fetched, before no more is made */
    FIRST_BEAT_MS = 50,   /* until the coordinator says how often */
    PATIENCE_BEATS = 10,  /* without a word, until a worker that is to end does not wait any more */
    BROKEN_STARTS_MAX = 3, /* children that may die before they are ready */
    STRANGE_MAX = 5        /* handshakes that may fail without a reason, with keys */
};

static const char *const own_command[] = {"/proc/self/exe", "compute-child", NULL};

typedef struct worker {
    uv_loop_t loop;
    uv_timer_t beat;
    uv_signal_t interrupts[2];
    fsh_worker_options options;
    fsh_link *link;
    fsh_sandbox *sandbox;
    fsh_spool *spool;          /* NULL where input and output are seen */
    fsh_carrier *carrier;      /* likewise */
    fsh_text bytes;            /* of the message being sent */
    char *job, *hash, *recipe; /* of the WELCOME; NULL before */
    bool known;       /* the coordinator has said WELCOME and nothing else since */
    bool ready;       /* the child has loaded its models */
    bool draining, leaving;
    uint32_t broken_starts;
    uint32_t strange; /* handshakes that have failed without a reason */
    fsh_key key;      /* public; "" without keys */
    uint32_t asked; /* units that were asked for and have not come */
    uint64_t heard_ms, drain_until_ms, beat_ms;
    fsh_held held;
    fsh_status result;
    fsh_err err;
} worker;

static bool
say(worker *me, const fsh_message *message)
{
    fsh_text_clear(&me->bytes);
    return fsh_message_encode(message, FSH_FROM_WORKER, &me->bytes, NULL) == FSH_OK &&
           fsh_link_send(me->link, NULL, me->bytes.data, me->bytes.bytes);
}

/* The lease has ended, here or there. */
static void
forget(worker *me, fsh_held_lease *lease)
{
    if (me->carrier)
        fsh_carrier_drop(me->carrier, lease->unit, lease->token);
    fsh_held_remove(&me->held, lease);
}

/* ---- leaving ---- */

static void
give_back(worker *me, uint32_t unit, uint64_t token)
{
    fsh_message message = {.number = FSH_MESSAGE_RETURN, .give_back = {unit, token}};

    say(me, &message);
}

static void
close_handles(worker *me)
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
static void
leave(worker *me, fsh_status result, const char *text)
{
    fsh_message bye = {.number = FSH_MESSAGE_BYE,
                       .bye = {result == FSH_INTERRUPTED ? FSH_OK : result, text}};

    if (me->leaving)
        return;
    me->leaving = true;
    me->result = result;
    fsh_fail(&me->err, result, "%s", text);
    say(me, &bye);
    close_handles(me);
}

/* A coordinator that is not there any more will not answer what was handed in; the next one finds
 * the shard in its place. */
static bool
waits_for_answer(worker *me)
{
    return me->known && fsh_held_first(&me->held, FSH_HELD_HANDED_IN) &&
           uv_now(&me->loop) - me->heard_ms < PATIENCE_BEATS * me->beat_ms;
}

static void
leave_when_drained(worker *me)
{
    bool busy = fsh_held_first(&me->held, FSH_HELD_IN_WORK) || waits_for_answer(me);

    if (me->draining && (!busy || uv_now(&me->loop) >= me->drain_until_ms))
        leave(me, me->result, fsh_status_text(me->result));
}

static void
drain(worker *me, uint32_t grace_ms, fsh_status result)
{
    fsh_held_lease *waiting;

    while ((waiting = fsh_held_first(&me->held, FSH_HELD_WAITING))) {
        give_back(me, waiting->unit, waiting->token);
        forget(me, waiting);
    }
    me->draining = true;
    me->result = result;
    me->drain_until_ms = uv_now(&me->loop) + grace_ms;
}

/* ---- the four rules ---- */

static void on_child_said(void *self, const fsh_message *message);
static void on_child_ended(void *self, const fsh_message *failed);

static void
keep_child(worker *me)
{
    fsh_sandbox_options options = {.command = me->options.child_command,
                                   .job = {me->options.threads, me->job, me->hash, me->recipe,
                                           me->spool ? fsh_spool_folder(me->spool) : NULL,
                                           me->options.models, me->options.templates},
                                   .self = me,
                                   .said = on_child_said,
                                   .ended = on_child_ended};
    fsh_err err;
    fsh_status status;

    if (me->sandbox || !me->job || me->draining)
        return;
    me->ready = false;
    status = fsh_sandbox_open(&me->loop, &options, &me->sandbox, &err);
    if (status)
        leave(me, status, err.text);
}

/* The oldest first, so that the one that waits at the front is the first to be here. */
static void
fetch_next(worker *me)
{
    fsh_err err;
    const fsh_held_lease *next = fsh_held_missing(&me->held);
    fsh_status status;

    if (!next || !me->known || fsh_carrier_is_fetching(me->carrier))
        return;
    status = fsh_carrier_fetch(me->carrier, next->unit, next->token, &err);
    if (status)
        leave(me, status, err.text);
}

static void
feed_child(worker *me)
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
want_more(worker *me)
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
    say(me, &message);
}

static void
settle(worker *me)
{
    leave_when_drained(me);
    if (!me->leaving)
        keep_child(me);
    if (!me->leaving && me->carrier)
        fetch_next(me);
    if (me->leaving)
        return;
    feed_child(me);
    want_more(me);
}

/* ---- the child speaks ---- */

/* Shards that go over the wire go one after the other. */
static void
hand_in(worker *me, fsh_held_lease *lease)
{
    fsh_message message = {.number = FSH_MESSAGE_DONE, .done = lease->report};

    if (me->carrier && lease != fsh_held_first(&me->held, FSH_HELD_HANDED_IN))
        return;
    lease->sent_ms = uv_now(&me->loop);
    say(me, &message);
}

static void
finish_lease(worker *me, const fsh_message_done *done)
{
    fsh_held_lease *lease = fsh_held_find(&me->held, done->token);

    if (!lease)
        return;
    lease->state = FSH_HELD_HANDED_IN;
    lease->report = *done;
    if (me->carrier)
        fsh_carrier_drop_parcel(me->carrier, lease->unit, lease->token);
    hand_in(me, lease);
}

/* A full spool is this worker's own trouble: the unit goes back, and others may have room. */
static void
leave_for_room(worker *me, fsh_status status, const char *text)
{
    char why[1024];

    snprintf(why, sizeof why, "%.800s (in this worker's spool; --spool names another place)", text);
    leave(me, status, why);
}

static void
fail_lease(worker *me, const fsh_message *failed)
{
    fsh_held_lease *lease = fsh_held_find(&me->held, failed->failed.token);

    if (!lease)
        return;
    if (me->carrier && failed->failed.status == FSH_FULL) {
        leave_for_room(me, FSH_FULL, failed->failed.text);
        return;
    }
    say(me, failed);
    forget(me, lease);
}

static void
note_tick(worker *me, const fsh_message_tick *tick)
{
    fsh_held_lease *lease = fsh_held_find(&me->held, tick->token);

    if (!lease)
        return;
    lease->done = tick->done;
    lease->steps = tick->steps;
}

static void
on_child_said(void *self, const fsh_message *message)
{
    worker *me = self;

    switch (message->number) {
    case FSH_MESSAGE_READY:
        me->ready = true;
        me->broken_starts = 0;
        break;
    case FSH_MESSAGE_TICK: note_tick(me, &message->tick); return;
    case FSH_MESSAGE_DONE: finish_lease(me, &message->done); break;
    case FSH_MESSAGE_FAILED: fail_lease(me, message); break;
    case FSH_MESSAGE_BROKEN: leave(me, message->broken.status, message->broken.text); return;
    default: return;
    }
    if (!me->leaving)
        settle(me);
}

static void
on_child_ended(void *self, const fsh_message *failed)
{
    worker *me = self;

    if (failed)
        fail_lease(me, failed);
    fsh_sandbox_close(&me->sandbox);
    if (!me->ready && ++me->broken_starts == BROKEN_STARTS_MAX) {
        leave(me, FSH_INTERNAL, "the compute process dies while it loads the job's models");
        return;
    }
    me->ready = false;
    settle(me);
}

/* ---- parcels and shards ---- */

static bool
on_carrier_says(void *self, const fsh_message *message)
{
    return say(self, message);
}

static void
on_moved(void *self, uint64_t token)
{
    worker *me = self;
    fsh_held_lease *lease = fsh_held_find(&me->held, token);

    if (lease)
        lease->carried++;
}

/* A shard or parcel that is lost in the spool fails its unit; a spool that takes nothing more ends
 * the worker. */
static void
on_lost(void *self, uint64_t token, fsh_status status, const fsh_err *err)
{
    worker *me = self;
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
    worker *me = self;
    fsh_held_lease *lease = fsh_held_find(&me->held, token);

    if (status)
        on_lost(me, token, status, err);
    else if (lease)
        lease->here = true;
    if (!me->leaving)
        settle(me);
}

static fsh_status
open_carrier(worker *me, fsh_err *err)
{
    fsh_carrier_options options = {me, on_carrier_says, on_moved, on_fetched, on_lost};
    fsh_status status = fsh_spool_open(me->options.spool, &me->spool, err);

    return status ? status : fsh_carrier_open(&me->loop, me->spool, &options, &me->carrier, err);
}

static void
send_shard(worker *me, const fsh_message_fetch *fetch)
{
    const fsh_held_lease *lease = fsh_held_find(&me->held, fetch->token);

    if (me->carrier && lease && lease->unit == fetch->unit && lease->state == FSH_HELD_HANDED_IN)
        fsh_carrier_send(me->carrier, fetch);
}

/* ---- the coordinator speaks ---- */

static void
say_hello(worker *me)
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
    say(me, &message);
}

/* What was finished while the coordinator was away, or on its way when it went. */
static void
hand_in_again(worker *me, uint64_t sent_before_ms)
{
    uint32_t i;

    for (i = 0; i < me->held.n; i++)
        if (me->held.leases[i].state == FSH_HELD_HANDED_IN &&
            me->held.leases[i].sent_ms <= sent_before_ms)
            hand_in(me, &me->held.leases[i]);
}

static void on_beat(uv_timer_t *timer);

/* The first WELCOME: what is to be done, and how. */
static fsh_status
take_job(worker *me, const fsh_message_welcome *welcome, fsh_err *err)
{
    me->job = strdup(welcome->job);
    me->hash = strdup(welcome->hash);
    me->recipe = strdup(welcome->recipe);
    if (!me->job || !me->hash || !me->recipe)
        return fsh_fail(err, FSH_MEMORY, "no memory for the job");
    return welcome->stream ? open_carrier(me, err) : FSH_OK;
}

static void
take_welcome(worker *me, const fsh_message_welcome *welcome)
{
    fsh_err err;
    fsh_status status = me->job ? FSH_OK : take_job(me, welcome, &err);

    if (status) {
        leave(me, status, err.text);
        return;
    }
    if (strcmp(me->hash, welcome->hash) != 0 || (me->carrier != NULL) != welcome->stream) {
        leave(me, FSH_NETWORK, "the coordinator has another job now");
        return;
    }
    me->known = true;
    me->asked = 0;
    me->beat_ms = welcome->heartbeat_ms;
    uv_timer_start(&me->beat, on_beat, me->beat_ms, me->beat_ms);
    hand_in_again(me, UINT64_MAX);
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
take_lease(worker *me, const fsh_message_lease *lease)
{
    fsh_message_work order = {.unit = lease->unit, .token = lease->token};

    me->asked -= me->asked > 0;
    copy_suspects(lease, &order);
    if (me->draining || !fsh_held_add(&me->held, &order))
        give_back(me, lease->unit, lease->token);
    else
        fsh_held_find(&me->held, lease->token)->here = me->carrier == NULL;
}

/* The child is stopped in the only way that works for one that hangs; a new one is started by
 * `settle`. */
static void
take_revoke(worker *me, const fsh_message_revoke *revoke)
{
    fsh_held_lease *lease = fsh_held_find(&me->held, revoke->token);

    if (!lease)
        return;
    if (lease->state == FSH_HELD_IN_WORK && me->sandbox)
        fsh_sandbox_kill(me->sandbox);
    forget(me, lease);
}

static void
take_committed(worker *me, const fsh_message_committed *committed)
{
    fsh_held_lease *lease = fsh_held_find(&me->held, committed->token);

    if (!lease || lease->state != FSH_HELD_HANDED_IN)
        return;
    forget(me, lease);
    lease = fsh_held_first(&me->held, FSH_HELD_HANDED_IN);
    if (lease && me->carrier)
        hand_in(me, lease);
}

static void
obey(worker *me, const fsh_message *message)
{
    switch (message->number) {
    case FSH_MESSAGE_WELCOME: take_welcome(me, &message->welcome); break;
    case FSH_MESSAGE_REFUSE: leave(me, FSH_NETWORK, message->refuse.why); break;
    case FSH_MESSAGE_LEASE: take_lease(me, &message->lease); break;
    case FSH_MESSAGE_REVOKE: take_revoke(me, &message->revoke); break;
    case FSH_MESSAGE_COMMITTED: take_committed(me, &message->committed); break;
    case FSH_MESSAGE_FETCH: send_shard(me, &message->fetch); break;
    case FSH_MESSAGE_PIECE:
        if (me->carrier)
            fsh_carrier_take_piece(me->carrier, &message->piece);
        break;
    case FSH_MESSAGE_END:
        if (me->carrier)
            fsh_carrier_take_end(me->carrier, &message->end);
        break;
    case FSH_MESSAGE_DRAIN: drain(me, message->drain.grace_ms, me->result); break;
    case FSH_MESSAGE_PONG:
        me->known = me->known && message->pong.known;
        if (!me->known)
            say_hello(me);
        break;
    default: break;
    }
}

static void
on_received(void *self, const fsh_peer *peer, const void *data, size_t bytes)
{
    worker *me = self;
    fsh_message message;

    (void)peer;
    if (me->leaving ||
        fsh_message_decode(data, bytes, FSH_FROM_COORDINATOR, &message, NULL) != FSH_OK)
        return;
    me->heard_ms = uv_now(&me->loop);
    obey(me, &message);
    fsh_message_fini(&message);
    if (!me->leaving)
        settle(me);
}

/* ---- time and signals ---- */

static uint64_t
rss_of(uint32_t pid)
{
    char path[64];
    unsigned long size, resident = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%" PRIu32 "/statm", pid);
    file = fopen(path, "r");
    if (file && fscanf(file, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void
renew(worker *me)
{
    fsh_message message = {.number = FSH_MESSAGE_RENEW};

    fsh_held_to_renew(&me->held, &message.renew);
    message.renew.rss_bytes =
        rss_of((uint32_t)getpid()) + (me->sandbox ? rss_of(fsh_sandbox_pid(me->sandbox)) : 0);
    say(me, &message);
}

static void
on_beat(uv_timer_t *timer)
{
    worker *me = timer->data;
    uint64_t now = uv_now(&me->loop);

    if (now - me->heard_ms >= me->options.give_up_ms) {
        leave(me, FSH_NETWORK, "no coordinator was heard for too long");
        return;
    }
    if (me->known) {
        renew(me);
        hand_in_again(me, now - 4 * me->beat_ms);
        if (me->carrier)
            fsh_carrier_nudge(me->carrier);
    } else {
        say_hello(me);
    }
    settle(me);
}

/* The first signal asks for an orderly end, the second for an end. */
static void
on_interrupt(uv_signal_t *handle, int number)
{
    worker *me = handle->data;

    (void)number;
    if (me->draining && me->result == FSH_INTERRUPTED)
        me->drain_until_ms = 0;
    else
        drain(me, me->options.grace_ms, FSH_INTERRUPTED);
    leave_when_drained(me);
}

/* ---- beginning and end ---- */

void
fsh_worker_options_init(fsh_worker_options *options)
{
    *options = (fsh_worker_options){.threads = 1, .give_up_ms = 600000, .grace_ms = 20000};
}

static void
start_handles(worker *me)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    int i;

    uv_timer_init(&me->loop, &me->beat);
    me->beat.data = me;
    uv_timer_start(&me->beat, on_beat, 0, FIRST_BEAT_MS);
    for (i = 0; i < 2; i++) {
        uv_signal_init(&me->loop, &me->interrupts[i]);
        me->interrupts[i].data = me;
        uv_signal_start(&me->interrupts[i], on_interrupt, numbers[i]);
    }
}

/* A worker that was let in before waits: the list may be changed just now, and the coordinator may be
 * starting again. Without keys, who answers may be about to become the coordinator. */
static void
on_handshake_failed(void *self, fsh_link_failure failure)
{
    worker *me = self;
    char host[256] = "";
    fsh_err text;

    if (me->leaving || me->job)
        return;
    if (failure == FSH_LINK_STRANGE && (!me->key.letters[0] || ++me->strange < STRANGE_MAX))
        return;
    gethostname(host, sizeof host - 1);
    fsh_turned_away_text(failure, me->key.letters, host, &text);
    leave(me, FSH_NETWORK, text.text);
}

static fsh_status
open_link(worker *me, const char *address)
{
    fsh_link_options options = {.address = address,
                                .bytes_max = FSH_MESSAGE_BYTES_MAX,
                                .self = me,
                                .received = on_received,
                                .failed = on_handshake_failed};
    fsh_keys keys = {0};
    fsh_status status = FSH_OK;

    if (me->options.keys) {
        status = fsh_keys_read(me->options.keys, FSH_KEYS_WORKER, &keys, &me->err);
        options.keys = &keys;
        me->key = keys.own_public;
    }
    if (!status)
        status = fsh_link_open(&me->loop, &options, &me->link, &me->err);
    fsh_keys_wipe(&keys);
    return status;
}

static fsh_status
work(worker *me, const char *address)
{
    fsh_status status = open_link(me, address);

    me->result = status;
    me->heard_ms = uv_now(&me->loop);
    if (!status)
        start_handles(me);
    uv_run(&me->loop, UV_RUN_DEFAULT);
    return me->result;
}

/* A parent that has gone before this call is noticed by the number of the parent now. */
static fsh_status
tie_to_parent(uint32_t parent_pid, fsh_err *err)
{
    if (parent_pid == 0)
        return FSH_OK;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    return (uint32_t)getppid() == parent_pid
               ? FSH_OK
               : fsh_fail(err, FSH_NETWORK, "the coordinator that started this worker is gone");
}

fsh_status
fsh_worker_run(const char *address, const fsh_worker_options *options, fsh_err *err)
{
    worker me = {.options = *options};
    fsh_status status = tie_to_parent(options->parent_pid, err);

    if (status)
        return status;
    if (!me.options.child_command)
        me.options.child_command = own_command;
    if (uv_loop_init(&me.loop) != 0)
        return fsh_fail(err, FSH_INTERNAL, "no event loop");
    status = work(&me, address);
    uv_loop_close(&me.loop);
    fsh_spool_close(&me.spool);
    fsh_text_fini(&me.bytes);
    free(me.job);
    free(me.hash);
    free(me.recipe);
    if (status == FSH_NETWORK)
        return fsh_fail(err, status, "%s: %s", address, me.err.text);
    return status ? fsh_fail(err, status, "%s", me.err.text) : FSH_OK;
}

/* One thread, one epoll over the descriptors of all sockets. ZeroMQ's descriptor is edge-triggered
 * and a send can use an edge up, so a worker that was woken is served until receiving says EAGAIN,
 * and again after everything that it sends. */
#include "bench/coordinator/crowd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "base/files.h"
#include "job/paths.h"
#include "proto/messages.h"

enum {
    CREDIT = 2, /* as a real worker: one unit in work and one behind it */
    EVENTS = 256,
    BEAT_US = 1000000,
    HELLO_US = 500000, /* until an unanswered HELLO is said again */
    STILL_US = 60000000
};

/* A lease and what has become of it. */
typedef struct lease {
    uint32_t unit;
    uint64_t token;
    uint64_t done_us; /* when DONE was sent; 0: not yet */
} lease;

typedef struct worker {
    void *socket;
    uint32_t number;
    bool welcome, gone, working;
    lease held[FSH_HELD_MAX];
    uint32_t held_n;
    uint64_t due_us;       /* when the unit in work ends */
    uint64_t beat_us;      /* next heartbeat */
    struct worker *behind; /* in the queue of those who work */
} worker;

typedef struct crowd {
    const fsh_crowd_options *options;
    fsh_crowd_result *result;
    void *context;
    int poll;
    worker *workers;
    worker *first, *last; /* who works, next to end first */
    uint8_t *answered;    /* of each unit */
    uint32_t welcome_n, gone_n;
    uint64_t began_us, begins_us; /* when all were welcome, and the first unit is asked for */
    uint64_t moved_us, work_us;
    fsh_text bytes;
} crowd;

static uint64_t
clock_us(clockid_t which)
{
    struct timespec now;

    clock_gettime(which, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t
now_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

/* ---- speaking ---- */

static void
say(crowd *me, worker *of, const fsh_message *message)
{
    fsh_text_clear(&me->bytes);
    if (fsh_message_encode(message, FSH_FROM_WORKER, &me->bytes, NULL) == FSH_OK &&
        zmq_send(of->socket, me->bytes.data, me->bytes.bytes, ZMQ_DONTWAIT) >= 0)
        me->result->messages++;
}

static void
say_hello(crowd *me, worker *of)
{
    fsh_message message = {.number = FSH_MESSAGE_HELLO,
                           .hello = {.protocol = FSH_PROTOCOL,
                                     .version = FSH_VERSION,
                                     .host = "simulated",
                                     .pid = of->number + 1,
                                     .threads = 1}};

    of->beat_us = now_us() + HELLO_US;
    say(me, of, &message);
}

static void
say_credit(crowd *me, worker *of, uint32_t units)
{
    fsh_message message = {.number = FSH_MESSAGE_CREDIT, .credit = {units}};

    say(me, of, &message);
}

static void
renew(crowd *me, worker *of)
{
    fsh_message message = {.number = FSH_MESSAGE_RENEW};
    fsh_message_renew *what = &message.renew;
    uint32_t i;

    what->units.n = what->tokens.n = what->done.n = what->steps.n = of->held_n;
    for (i = 0; i < of->held_n; i++) {
        what->units.at[i] = of->held[i].unit;
        what->tokens.at[i] = of->held[i].token;
        what->done.at[i] = of->held[i].done_us != 0;
        what->steps.at[i] = 1;
    }
    of->beat_us = now_us() + BEAT_US;
    say(me, of, &message);
}

/* ---- work ---- */

/* What the simulated unit holds. */
static int
print_shard(uint32_t unit, char text[64])
{
    return snprintf(text, 64, "shard of unit %u\n", unit);
}

static fsh_status
write_shard(const crowd *me, uint32_t unit, fsh_err *err)
{
    char path[FSH_PATH_BYTES], name[64], text[64];
    int n = print_shard(unit, text), file;
    bool good;

    snprintf(name, sizeof name, FSH_PATH_SHARD, unit);
    snprintf(path, sizeof path, "%s/%s", me->options->output, name);
    file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    good = file >= 0 && write(file, text, (size_t)n) == n;
    if (file < 0 || close(file) != 0 || !good)
        return fsh_fail_errno(err, errno, "%s: cannot be written", path);
    return FSH_OK;
}

/* Writing shards is what real workers do on their own machines, so it is done before the clock
 * starts; checking them is the coordinator's work, and stays in. */
static fsh_status
write_shards(const crowd *me, fsh_err *err)
{
    fsh_status status = FSH_OK;
    uint32_t i;

    for (i = 0; i < me->options->units && !status; i++)
        status = write_shard(me, i, err);
    return status;
}

/* The oldest lease that is not handed in. */
static lease *
next_lease(worker *of)
{
    uint32_t i;

    for (i = 0; i < of->held_n; i++)
        if (!of->held[i].done_us)
            return &of->held[i];
    return NULL;
}

static void
begin_unit(crowd *me, worker *of)
{
    if (of->working || !next_lease(of))
        return;
    of->working = true;
    of->due_us = now_us() + me->work_us;
    of->behind = NULL;
    if (me->last)
        me->last->behind = of;
    else
        me->first = of;
    me->last = of;
}

static void
end_unit(crowd *me, worker *of)
{
    char text[64];
    lease *of_unit = next_lease(of);
    fsh_message message = {.number = FSH_MESSAGE_DONE,
                           .done = {.samples = 1, .delivered = 1, .images = 1}};

    of->working = false;
    if (!of_unit)
        return; /* revoked meanwhile */
    message.done.unit = of_unit->unit;
    message.done.token = of_unit->token;
    message.done.rejected.n = FSH_REASON_N;
    message.done.times_ns.n = FSH_REPORT_TIMES_MAX;
    message.done.bytes = (uint64_t)print_shard(of_unit->unit, text);
    message.done.shard_hash = fsh_hash_of(text, message.done.bytes);
    of_unit->done_us = now_us();
    say(me, of, &message);
    if (of->held_n + CREDIT <= FSH_HELD_MAX)
        say_credit(me, of, 1);
    begin_unit(me, of);
}

/* ---- listening ---- */

static void
forget(worker *of, uint64_t token)
{
    uint32_t i, kept = 0;

    for (i = 0; i < of->held_n; i++)
        if (of->held[i].token != token)
            of->held[kept++] = of->held[i];
    of->held_n = kept;
}

/* The answer to a DONE may be on its way behind the REVOKE of its lease. */
static void
take_revoke(worker *of, const fsh_message_revoke *told)
{
    uint32_t i;

    for (i = 0; i < of->held_n; i++)
        if (of->held[i].token == told->token && !of->held[i].done_us)
            forget(of, told->token);
}

static void
take_lease(crowd *me, worker *of, const fsh_message_lease *told)
{
    if (of->held_n < FSH_HELD_MAX)
        of->held[of->held_n++] = (lease){told->unit, told->token, 0};
    begin_unit(me, of);
}

static void
take_committed(crowd *me, worker *of, const fsh_message_committed *told)
{
    uint64_t now = now_us();
    uint32_t i;

    for (i = 0; i < of->held_n; i++)
        if (of->held[i].token == told->token && of->held[i].done_us) {
            uint32_t *place = &me->result->answer_us[me->result->answers_n];

            if (me->result->answers_n < me->options->units)
                *place = (uint32_t)(now - of->held[i].done_us), me->result->answers_n++;
            me->moved_us = now;
            me->result->seconds = (double)(now - me->began_us) * 1e-6;
            me->result->doubled += me->answered[told->unit]++ > 0;
        }
    forget(of, told->token);
}

static void
leave(crowd *me, worker *of)
{
    fsh_message bye = {.number = FSH_MESSAGE_BYE, .bye = {0, ""}};

    if (of->gone)
        return;
    of->gone = true;
    me->gone_n++;
    say(me, of, &bye);
}

static void
take_welcome(crowd *me, worker *of)
{
    if (!of->welcome)
        me->welcome_n++;
    of->welcome = true;
    of->beat_us = now_us() + BEAT_US;
}

static fsh_status
obey(crowd *me, worker *of, const fsh_message *message, fsh_err *err)
{
    switch (message->number) {
    case FSH_MESSAGE_WELCOME: take_welcome(me, of); break;
    case FSH_MESSAGE_LEASE: take_lease(me, of, &message->lease); break;
    case FSH_MESSAGE_COMMITTED: take_committed(me, of, &message->committed); break;
    case FSH_MESSAGE_REVOKE: take_revoke(of, &message->revoke); break;
    case FSH_MESSAGE_DRAIN: leave(me, of); break;
    case FSH_MESSAGE_PONG:
        if (!message->pong.known)
            say_hello(me, of);
        break;
    case FSH_MESSAGE_REFUSE: return fsh_fail(err, FSH_NETWORK, "%s", message->refuse.why);
    default: break;
    }
    return FSH_OK;
}

static fsh_status
serve(crowd *me, worker *of, fsh_err *err)
{
    fsh_status status = FSH_OK;
    zmq_msg_t part;

    zmq_msg_init(&part);
    while (!status && zmq_msg_recv(&part, of->socket, ZMQ_DONTWAIT) >= 0) {
        fsh_message message;

        status = fsh_message_decode(zmq_msg_data(&part), zmq_msg_size(&part), FSH_FROM_COORDINATOR,
                                    &message, err);
        if (status)
            break;
        me->result->messages++;
        status = obey(me, of, &message, err);
        fsh_message_fini(&message);
    }
    zmq_msg_close(&part);
    return status;
}

/* ---- turns ---- */

static fsh_status
end_due_units(crowd *me, fsh_err *err)
{
    uint64_t now = now_us();
    fsh_status status = FSH_OK;

    while (!status && me->first && me->first->due_us <= now) {
        worker *of = me->first;

        me->first = of->behind;
        if (!me->first)
            me->last = NULL;
        end_unit(me, of);
        status = serve(me, of, err);
    }
    return status;
}

/* Heartbeats, and HELLO until it is answered. */
static fsh_status
beat(crowd *me, fsh_err *err)
{
    uint64_t now = now_us();
    fsh_status status = FSH_OK;
    uint32_t i;

    for (i = 0; i < me->options->workers && !status; i++) {
        worker *of = &me->workers[i];

        if (of->gone || of->beat_us > now)
            continue;
        if (of->welcome)
            renew(me, of);
        else
            say_hello(me, of);
        status = serve(me, of, err);
    }
    if (!status && now > me->moved_us + STILL_US)
        status = fsh_fail(err, FSH_NETWORK, "no unit was committed for a minute");
    return status;
}

/* Workers begin one after the other over the time of one unit, so that they do not march in step.
 */
static fsh_status
begin_due_workers(crowd *me, uint32_t *begun, fsh_err *err)
{
    uint64_t now = now_us();
    fsh_status status = FSH_OK;
    uint32_t n = me->options->workers;

    if (me->welcome_n < n)
        return FSH_OK;
    if (!me->began_us) {
        status = write_shards(me, err);
        me->began_us = me->moved_us = now_us();
        me->result->processor_seconds = -(double)clock_us(CLOCK_THREAD_CPUTIME_ID) * 1e-6;
    }
    for (; *begun < n && me->began_us + me->work_us * *begun / n <= now && !status; ++*begun) {
        say_credit(me, &me->workers[*begun], CREDIT);
        status = serve(me, &me->workers[*begun], err);
    }
    return status;
}

static fsh_status
turn(crowd *me, fsh_err *err)
{
    struct epoll_event events[EVENTS];
    int i, n = epoll_wait(me->poll, events, EVENTS, 1);
    fsh_status status = FSH_OK;

    for (i = 0; i < n && !status; i++)
        status = serve(me, events[i].data.ptr, err);
    return status;
}

static fsh_status
work(crowd *me, fsh_err *err)
{
    uint64_t next_beat_us = 0, started_us = now_us();
    uint32_t begun = 0;
    fsh_status status = FSH_OK;

    me->moved_us = started_us;
    while (!status && me->gone_n < me->options->workers) {
        if (now_us() >= next_beat_us) {
            status = beat(me, err);
            next_beat_us = now_us() + 20000;
        }
        if (!status)
            status = begin_due_workers(me, &begun, err);
        if (!status)
            status = end_due_units(me, err);
        if (!status)
            status = turn(me, err);
    }
    me->result->join_seconds = (double)(me->began_us - started_us) * 1e-6;
    me->result->processor_seconds += (double)clock_us(CLOCK_THREAD_CPUTIME_ID) * 1e-6;
    return status;
}

/* ---- beginning and end ---- */

static fsh_status
connect_worker(crowd *me, worker *of, fsh_err *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = of};
    uint8_t name[16] = "simulated";
    int descriptor, linger = 1000, immediate = 1;
    size_t bytes = sizeof descriptor;

    memcpy(name + 12, &of->number, sizeof of->number);
    of->socket = zmq_socket(me->context, ZMQ_DEALER);
    if (of->socket && zmq_setsockopt(of->socket, ZMQ_ROUTING_ID, name, sizeof name) == 0 &&
        zmq_setsockopt(of->socket, ZMQ_LINGER, &linger, sizeof linger) == 0 &&
        zmq_setsockopt(of->socket, ZMQ_IMMEDIATE, &immediate, sizeof immediate) == 0 &&
        zmq_connect(of->socket, me->options->address) == 0 &&
        zmq_getsockopt(of->socket, ZMQ_FD, &descriptor, &bytes) == 0 &&
        epoll_ctl(me->poll, EPOLL_CTL_ADD, descriptor, &event) == 0)
        return FSH_OK;
    return fsh_fail(err, FSH_NETWORK, "worker %u cannot connect: %s", of->number,
                    zmq_strerror(zmq_errno()));
}

static fsh_status
open_crowd(crowd *me, fsh_err *err)
{
    uint32_t i, n = me->options->workers;
    fsh_status status = FSH_OK;

    me->workers = calloc(n, sizeof *me->workers);
    me->answered = calloc(me->options->units, 1);
    me->result->answer_us = calloc(me->options->units, sizeof *me->result->answer_us);
    me->poll = epoll_create1(EPOLL_CLOEXEC);
    me->context = zmq_ctx_new();
    if (!me->workers || !me->answered || !me->result->answer_us || me->poll < 0 || !me->context)
        return fsh_fail(err, FSH_MEMORY, "no memory for %u workers", n);
    zmq_ctx_set(me->context, ZMQ_MAX_SOCKETS, (int)n + 16);
    for (i = 0; i < n && !status; i++) {
        me->workers[i].number = i;
        status = connect_worker(me, &me->workers[i], err);
    }
    return status;
}

static void
close_crowd(crowd *me)
{
    uint32_t i;

    for (i = 0; me->workers && i < me->options->workers; i++)
        if (me->workers[i].socket)
            zmq_close(me->workers[i].socket);
    if (me->context)
        zmq_ctx_term(me->context);
    if (me->poll >= 0)
        close(me->poll);
    fsh_text_fini(&me->bytes);
    free(me->workers);
    free(me->answered);
}

fsh_status
fsh_crowd_run(const fsh_crowd_options *options, fsh_crowd_result *result, fsh_err *err)
{
    crowd me = {.options = options, .result = result, .poll = -1};
    fsh_status status;

    *result = (fsh_crowd_result){0};
    if (options->rate > 0)
        me.work_us = (uint64_t)(1e6 * options->workers / options->rate);
    status = open_crowd(&me, err);
    if (!status)
        status = work(&me, err);
    close_crowd(&me);
    return status;
}

void
fsh_crowd_result_fini(fsh_crowd_result *result)
{
    free(result->answer_us);
    *result = (fsh_crowd_result){0};
}

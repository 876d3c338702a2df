/* ZeroMQ's descriptor is edge-triggered: it becomes readable when something changes, and a send or
 * receive can use that up. So the descriptor only wakes the loop, and whether there are messages is
 * asked of ZMQ_EVENTS: before the loop sleeps (prepare: with messages left, an idle handle keeps it
 * awake) and after it wakes (check: take them, at most TURN_MESSAGES so that timers and processes
 * get their time). */
#include "proto/link.h"

#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum {
    TURN_MESSAGES = 512,
    QUEUE_MESSAGES = 10000, /* that wait for one peer */
    LINGER_MS = 1000,
    HANDLES = 4,
    BEAT_MS = 5000, /* ZeroMQ's own heartbeat: finds connections that are cut without a word */
    BEAT_TIMEOUT_MS = 30000,
    RECONNECT_MS = 200,
    RECONNECT_MAX_MS = 5000,
    HANDSHAKE_MS = 10000,
    ADDRESS_BYTES = 512
};

#ifdef __SANITIZE_THREAD__
/* The thread sanitizer does not see the atomics inside Debian's libzmq, which is not built for it.
 */
const char *__tsan_default_suppressions(void);

const char *
__tsan_default_suppressions(void)
{
    return "race:libzmq.so\ncalled_from_lib:libzmq.so\n";
}
#endif

struct fsh_link {
    void *context, *socket;
    fsh_link_options options;
    char address[ADDRESS_BYTES];
    uv_poll_t poll;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    int handles_open;
    uint64_t dropped;
};

bool
fsh_link_is_public(const char *address)
{
    static const char *const own[] = {"ipc://", "inproc://", "tcp://127.",
                                      "tcp://localhost:", "tcp://[::1]:"};
    size_t i;

    for (i = 0; i < sizeof own / sizeof *own; i++)
        if (strncmp(address, own[i], strlen(own[i])) == 0)
            return false;
    return true;
}

/* ---- receiving ---- */

static bool
has_messages(fsh_link *link)
{
    int events = 0;
    size_t bytes = sizeof events;

    return zmq_getsockopt(link->socket, ZMQ_EVENTS, &events, &bytes) == 0 && (events & ZMQ_POLLIN);
}

static void
drop_rest(fsh_link *link)
{
    zmq_msg_t part;

    zmq_msg_init(&part);
    while (zmq_msg_recv(&part, link->socket, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&part))
        ;
    zmq_msg_close(&part);
    link->dropped++;
}

/* The first part of what a ROUTER receives is the sender's name. True: *peer is set and the message
 * follows. */
static bool
receive_peer(fsh_link *link, fsh_peer *peer)
{
    zmq_msg_t part;
    bool good;

    zmq_msg_init(&part);
    good = zmq_msg_recv(&part, link->socket, ZMQ_DONTWAIT) == (int)sizeof *peer;
    if (good)
        memcpy(peer, zmq_msg_data(&part), sizeof *peer);
    if (good && !zmq_msg_more(&part))
        good = false;
    else if (!good && zmq_msg_more(&part))
        drop_rest(link);
    zmq_msg_close(&part);
    return good;
}

static void
receive_one(fsh_link *link)
{
    fsh_peer peer = {{0}};
    zmq_msg_t part;

    if (link->options.bind && !receive_peer(link, &peer))
        return;
    zmq_msg_init(&part);
    if (zmq_msg_recv(&part, link->socket, ZMQ_DONTWAIT) >= 0) {
        if (zmq_msg_more(&part))
            drop_rest(link);
        else
            link->options.received(link->options.self, &peer, zmq_msg_data(&part),
                                   zmq_msg_size(&part));
    }
    zmq_msg_close(&part);
}

static void
on_check(uv_check_t *check)
{
    fsh_link *link = check->data;
    int n;

    for (n = 0; n < TURN_MESSAGES && link->socket && has_messages(link); n++)
        receive_one(link);
    if (link->options.turned)
        link->options.turned(link->options.self);
}

static void
on_idle(uv_idle_t *idle)
{
    (void)idle;
}

static void
on_prepare(uv_prepare_t *prepare)
{
    fsh_link *link = prepare->data;

    if (has_messages(link))
        uv_idle_start(&link->idle, on_idle);
    else
        uv_idle_stop(&link->idle);
}

static void
on_wake(uv_poll_t *poll, int status, int events)
{
    (void)poll, (void)status, (void)events;
}

/* ---- opening and closing ---- */

static void
set(void *socket, int option, int value)
{
    zmq_setsockopt(socket, option, &value, sizeof value);
}

static void
set_options(fsh_link *link)
{
    int64_t bytes_max = (int64_t)link->options.bytes_max;

    zmq_setsockopt(link->socket, ZMQ_MAXMSGSIZE, &bytes_max, sizeof bytes_max);
    set(link->socket, ZMQ_LINGER, LINGER_MS);
    set(link->socket, ZMQ_SNDHWM, QUEUE_MESSAGES);
    set(link->socket, ZMQ_RCVHWM, QUEUE_MESSAGES);
    set(link->socket, ZMQ_HEARTBEAT_IVL, BEAT_MS);
    set(link->socket, ZMQ_HEARTBEAT_TIMEOUT, BEAT_TIMEOUT_MS);
    set(link->socket, ZMQ_HEARTBEAT_TTL, BEAT_TIMEOUT_MS);
    set(link->socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS);
    set(link->socket, ZMQ_RECONNECT_IVL, RECONNECT_MS);
    set(link->socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS);
    set(link->socket, ZMQ_IPV6, 1);
}

/* MANDATORY: a message for a peer that is gone is told, not swallowed. HANDOVER: a worker that
 * reconnects under its name replaces a connection that was cut and that this end still believes in.
 */
static int
bind_socket(fsh_link *link)
{
    size_t bytes = sizeof link->address;

    set(link->socket, ZMQ_ROUTER_MANDATORY, 1);
    set(link->socket, ZMQ_ROUTER_HANDOVER, 1);
    set(link->socket, ZMQ_BACKLOG, 4096);
    if (zmq_bind(link->socket, link->options.address) != 0)
        return -1;
    return zmq_getsockopt(link->socket, ZMQ_LAST_ENDPOINT, link->address, &bytes);
}

/* IMMEDIATE: nothing is queued for a coordinator that is not there, so that it does not get old
 * heartbeats when it comes back. A name must not begin with a zero byte. */
static int
connect_socket(fsh_link *link)
{
    fsh_peer name;

    if (uv_random(NULL, NULL, &name, sizeof name, 0, NULL) != 0)
        return -1;
    name.bytes[0] |= 1;
    zmq_setsockopt(link->socket, ZMQ_ROUTING_ID, &name, sizeof name);
    set(link->socket, ZMQ_IMMEDIATE, 1);
    strncpy(link->address, link->options.address, sizeof link->address - 1);
    return zmq_connect(link->socket, link->options.address);
}

static fsh_status
open_socket(fsh_link *link, fsh_err *err)
{
    bool binds = link->options.bind;
    int failed;

    link->context = zmq_ctx_new();
    if (link->context) {
        zmq_ctx_set(link->context, ZMQ_MAX_SOCKETS, 16);
        link->socket = zmq_socket(link->context, binds ? ZMQ_ROUTER : ZMQ_DEALER);
    }
    if (!link->socket)
        return fsh_fail(err, FSH_NETWORK, "ZeroMQ cannot make a socket: %s",
                        zmq_strerror(zmq_errno()));
    set_options(link);
    failed = binds ? bind_socket(link) : connect_socket(link);
    if (failed)
        return fsh_fail(err, FSH_NETWORK, "%s: cannot %s: %s", link->options.address,
                        binds ? "listen there" : "connect", zmq_strerror(zmq_errno()));
    return FSH_OK;
}

static void
close_socket(fsh_link *link)
{
    if (link->socket)
        zmq_close(link->socket);
    if (link->context)
        zmq_ctx_term(link->context);
    link->socket = link->context = NULL;
}

static fsh_status
start_handles(uv_loop_t *loop, fsh_link *link, fsh_err *err)
{
    int descriptor;
    size_t bytes = sizeof descriptor;

    if (zmq_getsockopt(link->socket, ZMQ_FD, &descriptor, &bytes) != 0 ||
        uv_poll_init(loop, &link->poll, descriptor) != 0)
        return fsh_fail(err, FSH_NETWORK, "%s: the event loop cannot watch it", link->address);
    uv_prepare_init(loop, &link->prepare);
    uv_check_init(loop, &link->check);
    uv_idle_init(loop, &link->idle);
    link->handles_open = HANDLES;
    link->poll.data = link->prepare.data = link->check.data = link->idle.data = link;
    uv_poll_start(&link->poll, UV_READABLE, on_wake);
    uv_prepare_start(&link->prepare, on_prepare);
    uv_check_start(&link->check, on_check);
    return FSH_OK;
}

fsh_status
fsh_link_open(uv_loop_t *loop, const fsh_link_options *options, fsh_link **link, fsh_err *err)
{
    fsh_link *opened = calloc(1, sizeof *opened);
    fsh_status status;

    if (!opened)
        return fsh_fail(err, FSH_MEMORY, "no memory for a connection");
    opened->options = *options;
    status = open_socket(opened, err);
    if (!status)
        status = start_handles(loop, opened, err);
    if (status) {
        close_socket(opened);
        free(opened);
        return status;
    }
    *link = opened;
    return FSH_OK;
}

static void
on_closed(uv_handle_t *handle)
{
    fsh_link *link = handle->data;

    if (--link->handles_open == 0) {
        close_socket(link);
        free(link);
    }
}

void
fsh_link_close(fsh_link **link)
{
    fsh_link *closing = *link;

    *link = NULL;
    if (!closing)
        return;
    uv_close((uv_handle_t *)&closing->poll, on_closed);
    uv_close((uv_handle_t *)&closing->prepare, on_closed);
    uv_close((uv_handle_t *)&closing->check, on_closed);
    uv_close((uv_handle_t *)&closing->idle, on_closed);
}

/* ---- sending ---- */

const char *
fsh_link_address(const fsh_link *link)
{
    return link->address;
}

bool
fsh_link_send(fsh_link *link, const fsh_peer *peer, const void *data, size_t bytes)
{
    if (peer && zmq_send(link->socket, peer, sizeof *peer, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0)
        return false;
    return zmq_send(link->socket, data, bytes, ZMQ_DONTWAIT) >= 0;
}

uint64_t
fsh_link_dropped(const fsh_link *link)
{
    return link->dropped;
}

/* What comes and goes over a socket. What happens around it is next door: socket.c (its options), watch.c
 * (the loop), door.c (who may join), monitor.c and crowd.c (connections). */
#include "proto/link.h"

#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "proto/crowd.h"
#include "proto/door.h"
#include "proto/monitor.h"
#include "proto/socket.h"
#include "proto/watch.h"

enum {
    RETRY_MS = 1000, /* after a handshake that libzmq does not repeat by itself */
    SOCKETS_MAX = 16,
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
    uv_loop_t *loop;
    void *context, *socket;
    fsh_link_options options;
    char address[ADDRESS_BYTES];
    fsh_watch watch;
    fsh_door *door;       /* NULL where no keys are asked for */
    fsh_monitor *monitor;
    fsh_crowd crowd;      /* of a coordinator */
    uv_timer_t retry;     /* of a worker */
    int parts_open;       /* that are in the loop */
    bool closing;
    const char *sender; /* key of the message that is being told */
    fsh_link_counts counts;
};

bool
fsh_link_is_public(const char *address)
{
    static const char *const own[] = {"ipc://", "inproc://", "tcp://127.",
                                      "tcp://localhost:", "tcp://[::1]:",
                                      "tcp://[::ffff:127."};
    size_t i;

    for (i = 0; i < sizeof own / sizeof *own; i++)
        if (strncmp(address, own[i], strlen(own[i])) == 0)
            return false;
    return true;
}

/* ---- receiving ---- */

static void
drop_rest(fsh_link *link)
{
    zmq_msg_t part;

    zmq_msg_init(&part);
    while (zmq_msg_recv(&part, link->socket, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&part))
        ;
    zmq_msg_close(&part);
    link->counts.dropped++;
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

/* A key that has been taken off the list is out from now on, although its connection is still there. */
static void
tell(fsh_link *link, const fsh_peer *peer, zmq_msg_t *message)
{
    const char *key = link->door ? zmq_msg_gets(message, "User-Id") : "";

    link->sender = key ? key : "";
    if (!link->door || fsh_door_allows(link->door, link->sender)) {
        link->options.received(link->options.self, peer, zmq_msg_data(message),
                               zmq_msg_size(message));
        return;
    }
    link->counts.dropped++;
    if (link->options.struck)
        link->options.struck(link->options.self, peer);
}

static void
receive_one(void *self)
{
    fsh_link *link = self;
    fsh_peer peer = {{0}};
    zmq_msg_t part;

    if (link->closing || (link->options.bind && !receive_peer(link, &peer)))
        return;
    zmq_msg_init(&part);
    if (zmq_msg_recv(&part, link->socket, ZMQ_DONTWAIT) >= 0) {
        if (zmq_msg_more(&part))
            drop_rest(link);
        else
            tell(link, &peer, &part);
    }
    zmq_msg_close(&part);
}

static void
on_turned(void *self)
{
    fsh_link *link = self;

    if (link->options.turned && !link->closing)
        link->options.turned(link->options.self);
}

/* ---- connections come and go ---- */

static fsh_link_failure
failure_of(fsh_monitor_event event)
{
    switch (event) {
    case FSH_MONITOR_UNLISTED: return FSH_LINK_UNLISTED;
    case FSH_MONITOR_MISMATCH: return FSH_LINK_MISMATCH;
    default: return FSH_LINK_STRANGE;
    }
}

/* libzmq gives a connection up whose handshake was refused; the reason may pass, so we do not. */
static void
on_retry(uv_timer_t *timer)
{
    fsh_link *link = timer->data;

    zmq_disconnect(link->socket, link->address);
    zmq_connect(link->socket, link->address);
}

static void
note_of_worker(fsh_link *link, fsh_monitor_event event)
{
    bool refused = event == FSH_MONITOR_UNLISTED || event == FSH_MONITOR_MISMATCH ||
                   event == FSH_MONITOR_STRANGE;

    if (event == FSH_MONITOR_SHAKEN)
        link->counts.entered++;
    if (event == FSH_MONITOR_DISCONNECTED && link->options.lost)
        link->options.lost(link->options.self);
    if (!refused && event != FSH_MONITOR_CUT)
        return;
    if (refused)
        uv_timer_start(&link->retry, on_retry, RETRY_MS, 0);
    if (link->options.failed)
        link->options.failed(link->options.self, failure_of(event));
}

static void
note_of_coordinator(fsh_link *link, fsh_monitor_event event, uint32_t value)
{
    switch (event) {
    case FSH_MONITOR_LISTENING: link->crowd.listener = (int)value; break;
    case FSH_MONITOR_ACCEPTED:
        link->counts.connections++;
        fsh_crowd_come(&link->crowd, value);
        break;
    case FSH_MONITOR_DISCONNECTED: fsh_crowd_go(&link->crowd, value); break;
    case FSH_MONITOR_SHAKEN: link->counts.entered++; break;
    default: break;
    }
}

static void
on_monitor(void *self, fsh_monitor_event event, uint32_t value)
{
    fsh_link *link = self;

    if (link->closing)
        return;
    if (link->options.bind)
        note_of_coordinator(link, event, value);
    else
        note_of_worker(link, event);
}

/* ---- opening and closing ---- */

static fsh_status
open_door(fsh_link *link, fsh_err *err)
{
    const fsh_keys *keys = link->options.keys;
    fsh_status status = FSH_OK;

    if (keys && !fsh_socket_set_keys(link->socket, keys, link->options.bind))
        return fsh_fail(err, FSH_NETWORK, "this libzmq cannot use keys: %s",
                        zmq_strerror(zmq_errno()));
    if (keys && link->options.bind)
        status = fsh_door_open(link->loop, link->context, keys->allowed, &link->door, err);
    link->parts_open += link->door != NULL;
    link->options.keys = NULL;
    return status;
}

static fsh_status
open_monitor(fsh_link *link, fsh_err *err)
{
    fsh_status status = fsh_monitor_open(link->loop, link->context, link->socket, link, on_monitor,
                                         &link->monitor, err);

    link->parts_open += link->monitor != NULL;
    if (!status && link->options.bind)
        status = fsh_crowd_init(&link->crowd, link->options.connections_max, err);
    return status;
}

static fsh_status
join(fsh_link *link, fsh_err *err)
{
    bool binds = link->options.bind;
    int failed = binds ? fsh_socket_bind(link->socket, link->options.address, link->crowd.max, link->address,
                                         sizeof link->address)
                       : fsh_socket_connect(link->socket, link->options.address);

    if (failed)
        return fsh_fail(err, FSH_NETWORK, "%s: cannot %s: %s", link->options.address,
                        binds ? "listen there" : "connect", zmq_strerror(zmq_errno()));
    if (!binds)
        strncpy(link->address, link->options.address, sizeof link->address - 1);
    link->watch.self = link;
    link->watch.readable = receive_one;
    link->watch.turned = on_turned;
    if (!fsh_watch_start(link->loop, link->socket, &link->watch))
        return fsh_fail(err, FSH_NETWORK, "%s: the event loop cannot watch it", link->address);
    link->parts_open++;
    return FSH_OK;
}

static fsh_status
open_socket(fsh_link *link, fsh_err *err)
{
    link->context = zmq_ctx_new();
    if (link->context) {
        zmq_ctx_set(link->context, ZMQ_MAX_SOCKETS, SOCKETS_MAX);
        link->socket = zmq_socket(link->context, link->options.bind ? ZMQ_ROUTER : ZMQ_DEALER);
    }
    if (!link->socket)
        return fsh_fail(err, FSH_NETWORK, "ZeroMQ cannot make a socket: %s",
                        zmq_strerror(zmq_errno()));
    fsh_socket_set_options(link->socket, link->options.bytes_max);
    return FSH_OK;
}

static void
free_link(fsh_link *link)
{
    if (link->socket)
        zmq_close(link->socket);
    if (link->context)
        zmq_ctx_term(link->context);
    fsh_crowd_fini(&link->crowd);
    free(link);
}

static void
on_part_closed(void *self)
{
    fsh_link *link = self;

    if (--link->parts_open == 0)
        free_link(link);
}

static void
on_timer_closed(uv_handle_t *timer)
{
    on_part_closed(timer->data);
}

fsh_status
fsh_link_open(uv_loop_t *loop, const fsh_link_options *options, fsh_link **link, fsh_err *err)
{
    fsh_link *opened = calloc(1, sizeof *opened);
    fsh_status status;

    if (!opened)
        return fsh_fail(err, FSH_MEMORY, "no memory for a connection");
    opened->loop = loop;
    opened->options = *options;
    opened->parts_open = 1;
    uv_timer_init(loop, &opened->retry);
    opened->retry.data = opened;
    status = open_socket(opened, err);
    if (!status)
        status = open_door(opened, err);
    if (!status)
        status = open_monitor(opened, err);
    if (!status)
        status = join(opened, err);
    if (status)
        fsh_link_close(&opened);
    else
        *link = opened;
    return status;
}

void
fsh_link_close(fsh_link **link)
{
    fsh_link *closing = *link;

    *link = NULL;
    if (!closing)
        return;
    closing->closing = true;
    if (closing->watch.socket)
        fsh_watch_stop(&closing->watch, on_part_closed);
    if (closing->monitor)
        fsh_monitor_close(&closing->monitor, on_part_closed);
    if (closing->door)
        fsh_door_close(&closing->door, closing, on_part_closed);
    uv_close((uv_handle_t *)&closing->retry, on_timer_closed);
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

const char *
fsh_link_sender(const fsh_link *link)
{
    return link->sender;
}

fsh_link_counts
fsh_link_get_counts(const fsh_link *link)
{
    fsh_link_counts counts = link->counts;

    counts.open = link->crowd.n;
    counts.most = link->crowd.most;
    counts.shut = link->crowd.shut_n;
    counts.unlisted = link->door ? fsh_door_turned_away(link->door) : 0;
    return counts;
}

const char *
fsh_link_unlisted(const fsh_link *link)
{
    return link->door ? fsh_door_last(link->door) : "";
}

const char *
fsh_link_trouble(const fsh_link *link)
{
    return link->door ? fsh_door_trouble(link->door) : "";
}

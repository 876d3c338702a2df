#include "proto/monitor.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "proto/watch.h"

#define ADDRESS "inproc://monitor"

enum {
    EVENTS = ZMQ_EVENT_LISTENING | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_ACCEPT_FAILED |
             ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
             ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
             ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
};

struct fsh_monitor {
    void *monitored, *socket;
    fsh_watch watch;
    void *self;
    void (*happened)(void *self, fsh_monitor_event event, uint32_t value);
    void (*closed)(void *self);
};

/* False: nothing that we tell. */
static bool
translate(uint16_t event, uint32_t value, fsh_monitor_event *told)
{
    switch (event) {
    case ZMQ_EVENT_LISTENING: *told = FSH_MONITOR_LISTENING; return true;
    case ZMQ_EVENT_ACCEPTED: *told = FSH_MONITOR_ACCEPTED; return true;
    case ZMQ_EVENT_ACCEPT_FAILED: *told = FSH_MONITOR_NOT_ACCEPTED; return true;
    case ZMQ_EVENT_DISCONNECTED: *told = FSH_MONITOR_DISCONNECTED; return true;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: *told = FSH_MONITOR_SHAKEN; return true;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: *told = FSH_MONITOR_UNLISTED; return true;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: *told = FSH_MONITOR_CUT; return true;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        *told = value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH ? FSH_MONITOR_MISMATCH
                                                                    : FSH_MONITOR_STRANGE;
        return true;
    default: return false;
    }
}

/* An event is two parts: its number in 16 bits with a value in 32, and an address. */
static void
on_event(void *self)
{
    fsh_monitor *monitor = self;
    fsh_monitor_event told;
    uint16_t event;
    uint32_t value;
    char head[sizeof event + sizeof value], address[256];
    int bytes = zmq_recv(monitor->socket, head, sizeof head, ZMQ_DONTWAIT);

    if (bytes < 0)
        return;
    zmq_recv(monitor->socket, address, sizeof address, ZMQ_DONTWAIT);
    if (bytes != (int)sizeof head)
        return;
    memcpy(&event, head, sizeof event);
    memcpy(&value, head + sizeof event, sizeof value);
    if (translate(event, value, &told))
        monitor->happened(monitor->self, told, value);
}

/* The queue is without bounds: libzmq's own thread would wait for room while it holds a lock that
 * closing needs. */
static bool
connect_pair(void *context, fsh_monitor *monitor)
{
    int all = 0;

    monitor->socket = zmq_socket(context, ZMQ_PAIR);
    return monitor->socket &&
           zmq_setsockopt(monitor->socket, ZMQ_RCVHWM, &all, sizeof all) == 0 &&
           zmq_socket_monitor(monitor->monitored, ADDRESS, EVENTS) == 0 &&
           zmq_connect(monitor->socket, ADDRESS) == 0;
}

fsh_status
fsh_monitor_open(uv_loop_t *loop, void *context, void *socket, void *self,
                 void (*happened)(void *self, fsh_monitor_event event, uint32_t value),
                 fsh_monitor **monitor, fsh_err *err)
{
    fsh_monitor *opened = calloc(1, sizeof *opened);

    if (!opened)
        return fsh_fail(err, FSH_MEMORY, "no memory to watch connections");
    *opened = (fsh_monitor){.monitored = socket, .self = self, .happened = happened};
    opened->watch.self = opened;
    opened->watch.readable = on_event;
    if (connect_pair(context, opened) && fsh_watch_start(loop, opened->socket, &opened->watch)) {
        *monitor = opened;
        return FSH_OK;
    }
    fsh_fail(err, FSH_NETWORK, "connections cannot be watched: %s", zmq_strerror(zmq_errno()));
    zmq_socket_monitor(socket, NULL, 0);
    if (opened->socket)
        zmq_close(opened->socket);
    free(opened);
    return FSH_NETWORK;
}

static void
on_stopped(void *self)
{
    fsh_monitor *monitor = self;
    void *owner = monitor->self;
    void (*closed)(void *) = monitor->closed;

    zmq_close(monitor->socket);
    free(monitor);
    closed(owner);
}

/* In this order: events that nobody can receive would stop libzmq's thread. */
void
fsh_monitor_close(fsh_monitor **monitor, void (*closed)(void *self))
{
    fsh_monitor *closing = *monitor;

    *monitor = NULL;
    closing->closed = closed;
    zmq_socket_monitor(closing->monitored, NULL, 0);
    fsh_watch_stop(&closing->watch, on_stopped);
}

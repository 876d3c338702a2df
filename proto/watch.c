/* ZeroMQ's descriptor is edge-triggered: it becomes readable when something changes, and a send or
 * receive can use that up. So the descriptor only wakes the loop, and whether there are messages is
 * asked of ZMQ_EVENTS: before the loop sleeps (prepare: with messages left, an idle handle keeps it
 * awake) and after it wakes (check: take them, at most TURN_MESSAGES so that timers and processes
 * get their time). */
#include "proto/watch.h"

#include <zmq.h>

enum { TURN_MESSAGES = 512, HANDLES = 4 };

static bool
has_messages(fsh_watch *watch)
{
    int events = 0;
    size_t bytes = sizeof events;

    return zmq_getsockopt(watch->socket, ZMQ_EVENTS, &events, &bytes) == 0 &&
           (events & ZMQ_POLLIN);
}

static void
on_check(uv_check_t *check)
{
    fsh_watch *watch = check->data;
    int n;

    for (n = 0; n < TURN_MESSAGES && has_messages(watch); n++)
        watch->readable(watch->self);
    if (watch->turned)
        watch->turned(watch->self);
}

static void
on_idle(uv_idle_t *idle)
{
    (void)idle;
}

static void
on_prepare(uv_prepare_t *prepare)
{
    fsh_watch *watch = prepare->data;

    if (has_messages(watch))
        uv_idle_start(&watch->idle, on_idle);
    else
        uv_idle_stop(&watch->idle);
}

static void
on_wake(uv_poll_t *poll, int status, int events)
{
    (void)poll, (void)status, (void)events;
}

bool
fsh_watch_start(uv_loop_t *loop, void *socket, fsh_watch *watch)
{
    int descriptor;
    size_t bytes = sizeof descriptor;

    watch->socket = socket;
    if (zmq_getsockopt(socket, ZMQ_FD, &descriptor, &bytes) != 0 ||
        uv_poll_init(loop, &watch->poll, descriptor) != 0)
        return false;
    uv_prepare_init(loop, &watch->prepare);
    uv_check_init(loop, &watch->check);
    uv_idle_init(loop, &watch->idle);
    watch->handles_open = HANDLES;
    watch->poll.data = watch->prepare.data = watch->check.data = watch->idle.data = watch;
    uv_poll_start(&watch->poll, UV_READABLE, on_wake);
    uv_prepare_start(&watch->prepare, on_prepare);
    uv_check_start(&watch->check, on_check);
    return true;
}

static void
on_closed(uv_handle_t *handle)
{
    fsh_watch *watch = handle->data;

    if (--watch->handles_open == 0)
        watch->stopped(watch->self);
}

void
fsh_watch_stop(fsh_watch *watch, void (*stopped)(void *self))
{
    watch->stopped = stopped;
    uv_close((uv_handle_t *)&watch->poll, on_closed);
    uv_close((uv_handle_t *)&watch->prepare, on_closed);
    uv_close((uv_handle_t *)&watch->check, on_closed);
    uv_close((uv_handle_t *)&watch->idle, on_closed);
}

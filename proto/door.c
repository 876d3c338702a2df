#include "proto/door.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "proto/allowed.h"
#include "proto/watch.h"

enum { LOOK_MS = 1000, PARTS = 16, PART_BYTES = 256, KEY_BYTES = 32, OTHER_HANDLES = 2 };

/* The parts of a request and of a reply, in their order. */
enum { ASK_VERSION, ASK_NUMBER, ASK_DOMAIN, ASK_ADDRESS, ASK_IDENTITY, ASK_MECHANISM, ASK_KEY, ASK_N };

typedef struct part {
    uint8_t data[PART_BYTES];
    int bytes; /* longer than data: it was cut */
} part;

struct fsh_door {
    void *socket;
    fsh_watch watch;
    uv_timer_t look;
    uv_signal_t hangup;
    fsh_allowed *allowed;
    fsh_err trouble;
    uint64_t turned_away;
    fsh_key last; /* that was */
    int parts_open;
    void *owner;
    void (*closed)(void *owner);
};

static void
look_at_list(fsh_door *door)
{
    if (fsh_allowed_refresh(door->allowed, &door->trouble) == FSH_OK)
        door->trouble.text[0] = '\0';
}

static void
on_look(uv_timer_t *timer)
{
    look_at_list(timer->data);
}

static void
on_hangup(uv_signal_t *signal, int number)
{
    (void)number;
    look_at_list(signal->data);
}

/* ---- asked ---- */

/* Receives all parts of a request; returns how many. */
static int
receive(void *socket, part parts[PARTS])
{
    int n = 0, more = 1;
    size_t bytes = sizeof more;

    memset(parts, 0, PARTS * sizeof *parts);
    while (more) {
        part aside;
        part *to = n < PARTS ? &parts[n] : &aside;

        to->bytes = zmq_recv(socket, to->data, sizeof to->data, ZMQ_DONTWAIT);
        if (to->bytes < 0)
            return 0;
        n++;
        if (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &bytes) != 0)
            return 0;
    }
    return n;
}

static bool
is(const part *of, const char *text)
{
    return of->bytes == (int)strlen(text) && memcmp(of->data, text, (size_t)of->bytes) == 0;
}

/* Fail closed: whatever is not exactly the question that we know is answered with no. */
static bool
may_come_in(fsh_door *door, const part parts[PARTS], int n, fsh_key *key)
{
    if (n != ASK_N || !is(&parts[ASK_VERSION], "1.0") || !is(&parts[ASK_DOMAIN], FSH_DOOR_DOMAIN) ||
        !is(&parts[ASK_MECHANISM], "CURVE") || parts[ASK_KEY].bytes != KEY_BYTES)
        return false;
    if (!zmq_z85_encode(key->letters, parts[ASK_KEY].data, KEY_BYTES))
        return false;
    look_at_list(door);
    return fsh_allowed_has_new(door->allowed, key->letters);
}

static void
send_text(void *socket, const char *text, int flags)
{
    zmq_send(socket, text, strlen(text), flags | ZMQ_DONTWAIT);
}

/* The key becomes the "User-Id" of every message of this connection. */
static void
answer(void *socket, const part *number, bool yes, const char *key)
{
    send_text(socket, "1.0", ZMQ_SNDMORE);
    zmq_send(socket, number->data, (size_t)number->bytes, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    send_text(socket, yes ? "200" : "400", ZMQ_SNDMORE);
    send_text(socket, yes ? "OK" : "this key is not on the list", ZMQ_SNDMORE);
    send_text(socket, yes ? key : "", ZMQ_SNDMORE);
    send_text(socket, "", 0);
}

static void
on_asked(void *self)
{
    fsh_door *door = self;
    part parts[PARTS];
    fsh_key key = {""};
    int n = receive(door->socket, parts);
    bool yes;

    if (n == 0)
        return;
    if (parts[ASK_NUMBER].bytes > PART_BYTES)
        parts[ASK_NUMBER].bytes = PART_BYTES;
    yes = may_come_in(door, parts, n, &key);
    if (!yes) {
        door->turned_away++;
        door->last = key;
    }
    answer(door->socket, &parts[ASK_NUMBER], yes, key.letters);
}

/* ---- opening and closing ---- */

static void
free_door(fsh_door *door)
{
    if (door->socket)
        zmq_close(door->socket);
    fsh_allowed_close(&door->allowed);
    free(door);
}

static void
on_part_closed(fsh_door *door)
{
    void *owner = door->owner;
    void (*closed)(void *) = door->closed;

    if (--door->parts_open)
        return;
    free_door(door);
    closed(owner);
}

static void
on_watch_stopped(void *self)
{
    on_part_closed(self);
}

static void
on_handle_closed(uv_handle_t *handle)
{
    on_part_closed(handle->data);
}

static bool
open_socket(void *context, fsh_door *door)
{
    int linger = 0;

    door->socket = zmq_socket(context, ZMQ_REP);
    return door->socket && zmq_setsockopt(door->socket, ZMQ_LINGER, &linger, sizeof linger) == 0 &&
           zmq_bind(door->socket, "inproc://zeromq.zap.01") == 0;
}

static fsh_status
open_door(uv_loop_t *loop, void *context, const char *allowed_path, fsh_door *door, fsh_err *err)
{
    fsh_status status = fsh_allowed_open(allowed_path, &door->allowed, err);

    if (status)
        return status;
    door->watch.self = door;
    door->watch.readable = on_asked;
    if (!open_socket(context, door) || !fsh_watch_start(loop, door->socket, &door->watch))
        return fsh_fail(err, FSH_NETWORK, "keys cannot be asked for: %s", zmq_strerror(zmq_errno()));
    return FSH_OK;
}

fsh_status
fsh_door_open(uv_loop_t *loop, void *context, const char *allowed_path, fsh_door **door, fsh_err *err)
{
    fsh_door *opened = calloc(1, sizeof *opened);
    fsh_status status;

    if (!opened)
        return fsh_fail(err, FSH_MEMORY, "no memory for a door");
    status = open_door(loop, context, allowed_path, opened, err);
    if (status) {
        free_door(opened);
        return status;
    }
    uv_timer_init(loop, &opened->look);
    uv_signal_init(loop, &opened->hangup);
    opened->look.data = opened->hangup.data = opened;
    uv_timer_start(&opened->look, on_look, LOOK_MS, LOOK_MS);
    uv_signal_start(&opened->hangup, on_hangup, SIGHUP);
    opened->parts_open = 1 + OTHER_HANDLES;
    *door = opened;
    return FSH_OK;
}

void
fsh_door_close(fsh_door **door, void *self, void (*closed)(void *self))
{
    fsh_door *closing = *door;

    *door = NULL;
    closing->owner = self;
    closing->closed = closed;
    fsh_watch_stop(&closing->watch, on_watch_stopped);
    uv_close((uv_handle_t *)&closing->look, on_handle_closed);
    uv_close((uv_handle_t *)&closing->hangup, on_handle_closed);
}

/* ---- asking ---- */

bool
fsh_door_allows(const fsh_door *door, const char *key)
{
    return fsh_allowed_has(door->allowed, key);
}

const char *
fsh_door_last(const fsh_door *door)
{
    return door->last.letters;
}

uint64_t
fsh_door_turned_away(const fsh_door *door)
{
    return door->turned_away;
}

const char *
fsh_door_trouble(const fsh_door *door)
{
    return door->trouble.text;
}

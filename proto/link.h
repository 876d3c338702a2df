/* ZeroMQ on a libuv loop: the only place that knows <zmq.h>. A coordinator binds a ROUTER, a worker
 * connects a DEALER; both send and receive whole messages and never block. All calls belong to the
 * loop's thread.
 *
 *     fsh_link_options options = {.address = "tcp://127.0.0.1:*", .bind = true, .self = me,
 *                                 .received = on_message, .turned = on_turn};
 *     fsh_link_open(loop, &options, &link, &err);
 *     fsh_link_send(link, &peer, data, bytes);
 *     fsh_link_close(&link);      and then run the loop until it is empty */
#ifndef FSH_PROTO_LINK_H
#define FSH_PROTO_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/status.h"

typedef struct fsh_link fsh_link;

/* Who a message is from: made anew by every worker process, at random. */
typedef struct fsh_peer {
    uint8_t bytes[16];
} fsh_peer;

typedef struct fsh_link_options {
    /* "ipc://PATH", "tcp://HOST:PORT", "tcp://127.0.0.1:*" for any free port */
    const char *address;
    bool bind;        /* true: coordinator; false: worker */
    size_t bytes_max; /* a longer message ends its connection */
    void *self;
    /* A message has come. peer and data are borrowed for the call; peer is zero on the worker's
     * side. */
    void (*received)(void *self, const fsh_peer *peer, const void *data, size_t bytes);
    /* All messages of this turn of the loop (some hundred at most) were received. May be NULL. */
    void (*turned)(void *self);
} fsh_link_options;

/* Fails with NETWORK and names the address. */
fsh_status fsh_link_open(uv_loop_t *loop, const fsh_link_options *options, fsh_link **link,
                         fsh_err *err);

/* Sends what is queued for up to a second, then closes. NULL is fine. Its handles leave the loop in
 * the next turn. */
void fsh_link_close(fsh_link **link);

/* The address with the port that was found; borrowed until close. */
const char *fsh_link_address(const fsh_link *link);

/* Queues one message; peer NULL on the worker's side. False: the peer is gone or takes nothing more
 * (or, on the worker's side, there is no connection): the message is dropped, and the protocol
 * heals that. */
bool fsh_link_send(fsh_link *link, const fsh_peer *peer, const void *data, size_t bytes);

/* Messages dropped because they were no message of a worker: wrong parts, wrong name. */
uint64_t fsh_link_dropped(const fsh_link *link);

/* Whether other machines can reach this address. */
bool fsh_link_is_public(const char *address);

#endif

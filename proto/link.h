/* ZeroMQ on a libuv loop. Only proto/ knows <zmq.h>. A coordinator binds a ROUTER, a worker
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
#include "proto/keys.h"

typedef struct fsh_link fsh_link;

/* Who a message is from: made anew by every worker process, at random. */
typedef struct fsh_peer {
    uint8_t bytes[16];
} fsh_peer;

/* Why a worker's handshake with a coordinator has failed. It goes on trying. */
typedef enum fsh_link_failure {
    FSH_LINK_UNLISTED, /* its key is not on the coordinator's list */
    FSH_LINK_MISMATCH, /* one of both has keys and the other has none */
    FSH_LINK_STRANGE   /* the coordinator has another key than is expected, or is no coordinator */
} fsh_link_failure;

/* What has come to a coordinator's address. */
typedef struct fsh_link_counts {
    uint64_t connections; /* taken */
    uint64_t entered;     /* of these, with a handshake that was good: with keys, a listed key */
    uint64_t unlisted;    /* of these, with a good key that is not on the list */
    uint64_t dropped;     /* messages: wrong parts, wrong name, a key no longer on the list */
    uint64_t shut;        /* how often there were too many connections to take any more */
    uint32_t open, most;  /* connections now, and at most at a time */
} fsh_link_counts;

typedef struct fsh_link_options {
    /* "ipc://PATH", "tcp://HOST:PORT", "tcp://127.0.0.1:*" for any free port */
    const char *address;
    bool bind;        /* true: coordinator; false: worker */
    size_t bytes_max; /* a longer message ends its connection */
    /* Coordinator: connections at a time; 0: as many as descriptors allow, 4096 at most. */
    uint32_t connections_max;
    const fsh_keys *keys; /* NULL: anybody who reaches the address; borrowed until open returns */
    void *self;
    /* A message has come. peer and data are borrowed for the call; peer is zero on the worker's
     * side. */
    void (*received)(void *self, const fsh_peer *peer, const void *data, size_t bytes);
    /* All messages of this turn of the loop (some hundred at most) were received. May be NULL. */
    void (*turned)(void *self);
    /* Coordinator: a message was dropped because its key has been taken off the list. May be NULL. */
    void (*struck)(void *self, const fsh_peer *peer);
    /* Worker: a handshake has failed. May be NULL. */
    void (*failed)(void *self, fsh_link_failure failure);
    /* Worker: a connection is gone. It is tried again and again. May be NULL. */
    void (*lost)(void *self);
} fsh_link_options;

/* Fails with NETWORK and names the address, or as fsh_allowed_open does; the loop must be run until it is
 * empty in any case. */
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

/* Key of the worker that has sent the message which is being told; "" without keys. In `received` and
 * `struck` only. */
const char *fsh_link_sender(const fsh_link *link);

fsh_link_counts fsh_link_get_counts(const fsh_link *link);

/* The last key that wanted to come in and was not on the list; "" when there was none. */
const char *fsh_link_unlisted(const fsh_link *link);

/* Why nobody new is let in, or "": what is wrong with the list of keys since it has changed. */
const char *fsh_link_trouble(const fsh_link *link);

/* Whether other machines can reach this address. */
bool fsh_link_is_public(const char *address);

#endif

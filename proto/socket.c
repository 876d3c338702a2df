#include "proto/socket.h"

#include <stdint.h>
#include <string.h>
#include <uv.h>
#include <zmq.h>

#include "proto/door.h"
#include "proto/link.h"

/* libzmq has the option, its header shows it only to builds with draft functions. */
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

enum {
    QUEUE_MESSAGES = 10000, /* that wait for one peer */
    LINGER_MS = 1000,
    BEAT_MS = 1000, /* ZeroMQ's own heartbeat: finds connections that are cut without a word */
    BEAT_TIMEOUT_MS = 5000,
    CONNECT_TIMEOUT_MS = 5000,
    RECONNECT_MS = 100,
    RECONNECT_MAX_MS = 2000,
    HANDSHAKE_MS = 5000,
    BACKLOG = 1024 /* they are still taken when the crowd has become too large */
};

static bool
set(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

void
fsh_socket_set_options(void *socket, size_t bytes_max)
{
    int64_t most = (int64_t)bytes_max;

    zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &most, sizeof most);
    set(socket, ZMQ_LINGER, LINGER_MS);
    set(socket, ZMQ_SNDHWM, QUEUE_MESSAGES);
    set(socket, ZMQ_RCVHWM, QUEUE_MESSAGES);
    set(socket, ZMQ_HEARTBEAT_IVL, BEAT_MS);
    set(socket, ZMQ_HEARTBEAT_TIMEOUT, BEAT_TIMEOUT_MS);
    set(socket, ZMQ_HEARTBEAT_TTL, BEAT_TIMEOUT_MS);
    set(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS);
    set(socket, ZMQ_CONNECT_TIMEOUT, CONNECT_TIMEOUT_MS);
    set(socket, ZMQ_RECONNECT_IVL, RECONNECT_MS);
    set(socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS);
    set(socket, ZMQ_IPV6, 1);
}

/* MANDATORY: a message for a peer that is gone is told, not swallowed. HANDOVER: a worker that
 * reconnects under its name replaces a connection that was cut and that this end still believes in.
 */
int
fsh_socket_bind(void *socket, const char *address, uint32_t connections, char *bound, size_t bytes)
{
    set(socket, ZMQ_ROUTER_MANDATORY, 1);
    set(socket, ZMQ_ROUTER_HANDOVER, 1);
    set(socket, ZMQ_BACKLOG, (int)(connections < BACKLOG ? connections : BACKLOG));
    if (zmq_bind(socket, address) != 0)
        return -1;
    return zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &bytes);
}

/* IMMEDIATE: nothing is queued for a coordinator that is not there, so that it does not get old
 * heartbeats when it comes back. A name must not begin with a zero byte. */
int
fsh_socket_connect(void *socket, const char *address)
{
    fsh_peer name;

    if (uv_random(NULL, NULL, &name, sizeof name, 0, NULL) != 0)
        return -1;
    name.bytes[0] |= 1;
    zmq_setsockopt(socket, ZMQ_ROUTING_ID, &name, sizeof name);
    set(socket, ZMQ_IMMEDIATE, 1);
    return zmq_connect(socket, address);
}

/* ENFORCE_DOMAIN: without an answer from the door nobody comes in. */
bool
fsh_socket_set_keys(void *socket, const fsh_keys *keys, bool binds)
{
    size_t n = FSH_KEY_LETTERS + 1;

    if (zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys->own_public.letters, n) != 0 ||
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys->own_secret.letters, n) != 0)
        return false;
    if (!binds)
        return zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, keys->coordinator.letters, n) == 0;
    return set(socket, ZMQ_CURVE_SERVER, 1) && set(socket, ZMQ_ZAP_ENFORCE_DOMAIN, 1) &&
           zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, FSH_DOOR_DOMAIN, strlen(FSH_DOOR_DOMAIN)) == 0;
}

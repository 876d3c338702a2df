/* A ZeroMQ socket on a libuv loop: tells its owner when there are messages. All calls belong to the
 * loop's thread. Inside proto/ only.
 *
 *     watch.self = me, watch.readable = take_one;
 *     fsh_watch_start(loop, socket, &watch);
 *     fsh_watch_stop(&watch, on_stopped);      and on_stopped closes the socket */
#ifndef FSH_PROTO_WATCH_H
#define FSH_PROTO_WATCH_H

#include <stdbool.h>
#include <uv.h>

/* Caller's memory; it must stay until `stopped` is called. */
typedef struct fsh_watch {
    void *self;
    /* There is a message: take one. Called again while there are more. */
    void (*readable)(void *self);
    /* This turn of the loop has taken all that it may take. NULL is fine. */
    void (*turned)(void *self);
    /* ---- the watch's own ---- */
    void (*stopped)(void *self);
    void *socket;
    uv_poll_t poll;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    int handles_open;
} fsh_watch;

/* False where the loop cannot watch the socket; then there is nothing to stop. */
bool fsh_watch_start(uv_loop_t *loop, void *socket, fsh_watch *watch);

/* Calls stopped(self) in the next turn of the loop, once. */
void fsh_watch_stop(fsh_watch *watch, void (*stopped)(void *self));

#endif

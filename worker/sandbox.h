/* The compute child as its worker sees it: started, given orders, listened to, watched, ended. On a
 * libuv loop; all calls belong to the loop's thread. */
#ifndef FSH_WORKER_SANDBOX_H
#define FSH_WORKER_SANDBOX_H

#include <uv.h>

#include "proto/messages.h"

typedef struct fsh_sandbox fsh_sandbox;

typedef struct fsh_sandbox_options {
    const char *const *command; /* program and arguments, ended by NULL */
    fsh_message_job job;        /* sent to it; its texts are borrowed for the call */
    void *self;
    /* The child has said something; borrowed for the call. */
    void (*said)(void *self, const fsh_message *message);
    /* The child is gone, and everything that it said has been told; failed: the unit that it was at,
     * why it died and who is suspect, as FAILED tells it, or NULL. The sandbox is to be closed. */
    void (*ended)(void *self, const fsh_message *failed);
} fsh_sandbox_options;

/* Starts the child. Fails with IO where the program cannot be started. */
fsh_status fsh_sandbox_open(uv_loop_t *loop, const fsh_sandbox_options *options,
                            fsh_sandbox **sandbox, fsh_err *err);

/* Orders one unit. A child that is longer at one sample than it said in READY is killed. A child that cannot be told is killed, and `ended` follows. */
void fsh_sandbox_work(fsh_sandbox *sandbox, const fsh_message_work *order);

/* Ends the child now; `ended` follows. */
void fsh_sandbox_kill(fsh_sandbox *sandbox);

uint32_t fsh_sandbox_pid(const fsh_sandbox *sandbox);

/* Ends the child if it still runs, without a further call to `ended`. NULL is fine. Its handles
 * leave the loop in the next turns. */
void fsh_sandbox_close(fsh_sandbox **sandbox);

#endif

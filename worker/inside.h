/* What the parts of the worker share: supervisor.c runs it, rules.c holds what is done after every event, obey.c does
 * what the coordinator says, hear.c what the compute child and the carrier say. Nobody else includes this. */
#ifndef FSH_WORKER_INSIDE_H
#define FSH_WORKER_INSIDE_H

#include <uv.h>

#include "job/meeting.h"
#include "proto/link.h"
#include "worker/carrier.h"
#include "worker/held.h"
#include "worker/sandbox.h"
#include "worker/supervisor.h"

typedef struct fsh_worker {
    uv_loop_t loop;
    uv_timer_t beat;
    uv_signal_t interrupts[2];
    fsh_worker_options options;
    fsh_link *link;            /* NULL until an address is known */
    const char *folder;        /* where the coordinator tells its address; NULL: it was given */
    char address[FSH_MEETING_BYTES]; /* of the link */
    uint64_t looked_ms;        /* into the folder */
    fsh_sandbox *sandbox;
    fsh_spool *spool;          /* NULL where input and output are seen */
    fsh_carrier *carrier;      /* likewise */
    fsh_text bytes;            /* of the message being sent */
    char *job, *hash, *recipe; /* of the WELCOME; NULL before */
    bool known;       /* the coordinator has said WELCOME and nothing else since */
    bool cut;         /* nobody is to be heard over this link: it was lost, or is about to be */
    bool ready;       /* the child has loaded its models */
    bool draining, leaving;
    bool again; /* the coordinator that said DRAIN may be started again */
    uint32_t broken_starts;
    uint32_t strange; /* handshakes that have failed without a reason */
    fsh_key key;      /* public; "" without keys */
    uint32_t asked; /* units that were asked for and have not come */
    uint64_t heard_ms, drain_until_ms, beat_ms;
    fsh_held held;
    fsh_status result;
    fsh_err err;
} fsh_worker;

/* ---- rules.c ---- */

/* False: it was not sent; the protocol heals that. */
bool fsh_worker_say(fsh_worker *me, const fsh_message *message);

/* The lease has ended, here or there. */
void fsh_worker_forget(fsh_worker *me, fsh_held_lease *lease);
void fsh_worker_give_back(fsh_worker *me, uint32_t unit, uint64_t token);

/* Says BYE and ends the loop. What is still in work or not begun comes back to the coordinator. */
void fsh_worker_leave(fsh_worker *me, fsh_status result, const char *text);
void fsh_worker_leave_when_drained(fsh_worker *me);

/* Gives back what was not begun, finishes the rest within the grace, and leaves with result. */
void fsh_worker_drain(fsh_worker *me, uint32_t grace_ms, fsh_status result);

/* To be called after every event. */
void fsh_worker_settle(fsh_worker *me);

/* ---- hear.c ---- */

void fsh_worker_hand_in(fsh_worker *me, fsh_held_lease *lease);
void fsh_worker_child_said(void *self, const fsh_message *message);
void fsh_worker_child_ended(void *self, const fsh_message *failed);
fsh_status fsh_worker_open_carrier(fsh_worker *me, fsh_err *err);
void fsh_worker_send_shard(fsh_worker *me, const fsh_message_fetch *fetch);

/* ---- obey.c ---- */

void fsh_worker_say_hello(fsh_worker *me);

/* What was finished while the coordinator was away, or on its way when it went. */
void fsh_worker_hand_in_again(fsh_worker *me, uint64_t sent_before_ms);

/* A message has come: `received` of the link, self is the fsh_worker. */
void fsh_worker_obey(void *self, const fsh_peer *peer, const void *data, size_t bytes);

/* ---- meet.c ---- */

/* Opens the connection to me->address; what was there before is closed. */
fsh_status fsh_worker_open_link(fsh_worker *me);

/* Looks for the coordinator in the folder, where none is heard. */
void fsh_worker_look(fsh_worker *me);

/* ---- supervisor.c ---- */

/* A heartbeat: what is held, and who is not heard any more. */
void fsh_worker_beat(uv_timer_t *timer);

#endif

/* What the parts of the coordinator share: loop.c runs it, opening.c opens what it needs, obey.c does what workers say, check.c takes
 * shards, speak.c
 * tells workers and the caller. Nobody else includes this. */
#ifndef FSH_COORDINATOR_INSIDE_H
#define FSH_COORDINATOR_INSIDE_H

#include <uv.h>

#include "coordinator/books.h"
#include "coordinator/coordinator.h"
#include "coordinator/crew.h"
#include "coordinator/roster.h"
#include "proto/messages.h"

/* COMMITTED.verdict */
enum { FSH_VERDICT_TAKEN, FSH_VERDICT_KNOWN, FSH_VERDICT_REFUSED };

/* A COMMITTED that waits for the end of the turn. */
typedef struct fsh_answer {
    fsh_peer peer;
    fsh_message_committed committed;
} fsh_answer;

typedef struct fsh_coordination {
    uv_loop_t loop;
    uv_timer_t timer;
    uv_signal_t interrupts[2];
    const fsh_coordinator_work *work;
    fsh_coordinator_options options;
    fsh_books *books;
    fsh_leases *leases; /* of the books */
    fsh_link *link;     /* NULL when closed */
    fsh_crew *crew;     /* NULL where no workers are started by this coordinator */
    fsh_remote_options remote; /* of those on other hosts */
    fsh_roster roster;
    fsh_text bytes; /* of the message being sent */
    fsh_answer *answers;
    uint32_t answers_n, answers_room;
    uint32_t checks; /* of shards, under way */
    bool draining, closing;
    uint64_t drain_until_ms;
    fsh_status result; /* why it drains */
    fsh_err err;
    fsh_rate strangers;           /* messages of peers that are no members */
    uint64_t refused_messages;
    uint64_t warned_ms, warned_n; /* when, and of how many keys that are not on the list */
    fsh_err trouble;              /* with the list of keys, as it was told */
    fsh_status complaint; /* with which a worker last left */
    fsh_err complaint_why;
    char folder[64]; /* of a private socket, "" otherwise */
    fsh_coordinator_worker *seen_workers;
    uint8_t *seen_states;
    uint32_t seen_room; /* of workers */
    uint64_t seen_ms;   /* when it was shown last */
} fsh_coordination;

/* ---- speak.c ---- */

/* Brings the totals of what was refused up to date. */
void fsh_coordination_note_intruders(fsh_coordination *me);

/* Tells the caller's sink, with totals brought up to date. */
void fsh_coordination_tell(fsh_coordination *me, fsh_coordinator_event event);

/* Tells the caller of something that he can mend. */
void fsh_coordination_warn(fsh_coordination *me, const char *text);

/* False: the worker cannot be told; the protocol heals that. */
bool fsh_coordination_say(fsh_coordination *me, const fsh_peer *peer, const fsh_message *message);
void fsh_coordination_revoke(fsh_coordination *me, const fsh_peer *peer, uint32_t unit,
                             uint64_t token);
void fsh_coordination_say_drain(fsh_coordination *me, const fsh_peer *peer);

/* Answers a DONE at the end of the turn, when the ledger is on disk. */
void fsh_coordination_answer(fsh_coordination *me, const fsh_peer *peer, uint32_t unit,
                             uint64_t token, uint32_t verdict);
void fsh_coordination_send_answers(fsh_coordination *me);

/* ---- sight.c ---- */

/* Shows the job to the caller's `seen`, if that is due; now: in any case. */
void fsh_coordination_show(fsh_coordination *me, bool now);

/* ---- obey.c ---- */

/* A message has come: `received` of the link, self is the fsh_coordination. */
void fsh_coordination_obey(void *self, const fsh_peer *peer, const void *data, size_t bytes);

/* Its key has been taken off the list: `struck` of the link, self is the fsh_coordination. */
void fsh_coordination_strike(void *self, const fsh_peer *peer);

/* A worker has left, or is given up (died). */
void fsh_coordination_part_with(fsh_coordination *me, fsh_member *member, bool died,
                                const char *why);

/* ---- check.c ---- */

/* The shard lies under its final name: checks it, and answers. From a worker that does not have the
 * lease, a shard that is not right changes nothing. */
void fsh_coordination_hand_in(fsh_coordination *me, fsh_member *member,
                              const fsh_message_done *done);

/* ---- outgoing.c: parcels, where workers do not see the input ---- */

/* A worker asks for bytes of a unit that it holds. */
void fsh_outgoing_fetch(fsh_coordination *me, fsh_member *member, const fsh_message_fetch *fetch);

/* Stops what the worker has no lease for any more. */
void fsh_outgoing_mind(fsh_coordination *me, fsh_member *member);
void fsh_outgoing_close(fsh_member *member);

/* ---- incoming.c: shards, where workers do not see the output ---- */

/* A shard is finished where its worker is: asks for it, if the worker holds the lease. When all of it
 * has come it is handed in. */
void fsh_incoming_begin(fsh_coordination *me, fsh_member *member, const fsh_message_done *done);
void fsh_incoming_piece(fsh_coordination *me, fsh_member *member, const fsh_message_piece *piece);

/* Asks again where nothing comes, and stops what the worker has no lease for any more. */
void fsh_incoming_mind(fsh_coordination *me, fsh_member *member);
void fsh_incoming_close(fsh_member *member);

/* ---- opening.c ---- */

/* The address that workers speak to, and the workers that are started from here. What fails leaves
 * handles that close in the loop. */
fsh_status fsh_coordination_open_link(fsh_coordination *me, fsh_err *err);
fsh_status fsh_coordination_open_crew(fsh_coordination *me, fsh_err *err);

/* ---- loop.c ---- */

/* No more units are lent; workers finish what they are at and leave. The first reason stays. */
void fsh_coordination_drain(fsh_coordination *me, fsh_status result, const char *why,
                            uint32_t grace_ms);

/* The end of a turn: to disk, answers, new leases. `turned` of the link, self is the
 * fsh_coordination. */
void fsh_coordination_turn(void *self);

#endif

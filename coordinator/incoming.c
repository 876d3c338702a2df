/* Shards on their way from workers that do not see the output: one for each worker, into a file
 * whose name is made here, of unit and token. It gets its final name when its length and SHA-256
 * are what DONE told, and then it is checked like any other. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/files.h"
#include "coordinator/inside.h"
#include "job/paths.h"
#include "proto/inflow.h"

typedef struct fsh_incoming {
    fsh_coordination *me;
    fsh_member *member;
    fsh_message_done done;
    fsh_inflow *inflow;
} fsh_incoming;

void
fsh_incoming_close(fsh_member *member)
{
    if (!member->incoming)
        return;
    fsh_inflow_close(&member->incoming->inflow);
    free(member->incoming);
    member->incoming = NULL;
}

static bool
is_held(const fsh_incoming *of)
{
    return fsh_leases_holds(of->me->leases, of->member->lessee, of->done.unit, of->done.token);
}

static void
on_fetch(void *self, uint64_t from, uint64_t until, bool again)
{
    const fsh_incoming *of = self;
    fsh_message message = {.number = FSH_MESSAGE_FETCH,
                           .fetch = {of->done.unit, of->done.token, from, until, again}};

    fsh_coordination_say(of->me, &of->member->peer, &message);
}

/* A full disk stops the job, as it does where workers write themselves. */
static void
refuse(fsh_coordination *me, const fsh_member *member, const fsh_message_done *done,
       fsh_status status, const char *why)
{
    fsh_report report;

    if (status == FSH_FULL) {
        fsh_coordination_drain(me, status, why, 0);
        return;
    }
    fsh_message_to_report(done, &report);
    if (fsh_leases_hand_in(me->leases, done->unit, uv_now(&me->loop)))
        fsh_books_settle(me->books, &report, status, why);
    fsh_coordination_answer(me, &member->peer, done->unit, done->token, FSH_VERDICT_REFUSED);
}

static void
on_ended(void *self, fsh_status status, const fsh_err *err)
{
    const fsh_incoming of = *(fsh_incoming *)self;
    const fsh_err why = *err;
    bool held = is_held(&of);

    fsh_incoming_close(of.member);
    if (!held)
        return;
    if (status)
        refuse(of.me, of.member, &of.done, status, why.text);
    else
        fsh_coordination_hand_in(of.me, of.member, &of.done);
}

static fsh_status
open_inflow(fsh_incoming *of, fsh_err *err)
{
    char token[24], name[FSH_PATH_BYTES], path[FSH_PATH_BYTES], final[FSH_PATH_BYTES];
    const char *output = of->me->work->output;
    fsh_inflow_options options = {path, final, of, on_fetch, on_ended};
    fsh_status status;

    snprintf(token, sizeof token, "%" PRIx64, of->done.token);
    snprintf(name, sizeof name, FSH_PATH_SHARD_TEMPORARY, of->done.unit, token);
    status = fsh_path_join(path, output, name, err);
    snprintf(name, sizeof name, FSH_PATH_SHARD, of->done.unit);
    if (!status)
        status = fsh_path_join(final, output, name, err);
    return status ? status : fsh_inflow_open(&of->me->loop, &options, &of->inflow, err);
}

static void
begin(fsh_coordination *me, fsh_member *member, const fsh_message_done *done)
{
    fsh_incoming *of = calloc(1, sizeof *of);
    fsh_err err;
    fsh_status status;

    if (!of)
        return; /* the worker says DONE again */
    *of = (fsh_incoming){me, member, *done, NULL};
    status = open_inflow(of, &err);
    if (status) {
        free(of);
        refuse(me, member, done, status, err.text);
        return;
    }
    member->incoming = of;
    fsh_inflow_end(of->inflow, done->bytes, &done->shard_hash);
}

/* A worker hands in one shard after the other and says DONE again while it is not answered. */
void
fsh_incoming_begin(fsh_coordination *me, fsh_member *member, const fsh_message_done *done)
{
    if (!fsh_leases_holds(me->leases, member->lessee, done->unit, done->token)) {
        fsh_coordination_revoke(me, &member->peer, done->unit, done->token);
        return;
    }
    if (member->incoming && !is_held(member->incoming))
        fsh_incoming_close(member);
    if (!member->incoming)
        begin(me, member, done);
}

void
fsh_incoming_piece(fsh_coordination *me, fsh_member *member, const fsh_message_piece *piece)
{
    fsh_incoming *of = member->incoming;

    if (!of || of->done.unit != piece->unit || of->done.token != piece->token || !is_held(of) ||
        !fsh_inflow_piece(of->inflow, piece->offset, piece->data.at, piece->data.n))
        fsh_books_totals(me->books)->refused_pieces++;
}

void
fsh_incoming_mind(fsh_coordination *me, fsh_member *member)
{
    (void)me;
    if (!member->incoming)
        return;
    if (is_held(member->incoming))
        fsh_inflow_nudge(member->incoming->inflow);
    else
        fsh_incoming_close(member);
}

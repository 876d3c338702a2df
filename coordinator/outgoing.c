/* Parcels on their way to workers that do not see the input: one for each worker, read from the
 * input on libuv's pool as far as the worker asks. */
#include <stdlib.h>

#include "coordinator/inside.h"
#include "proto/outflow.h"

typedef struct fsh_outgoing {
    fsh_coordination *me;
    fsh_member *member;
    uint32_t unit;
    uint64_t token;
    fsh_outflow *outflow;
} fsh_outgoing;

void
fsh_outgoing_close(fsh_member *member)
{
    if (!member->outgoing)
        return;
    fsh_outflow_close(&member->outgoing->outflow);
    free(member->outgoing);
    member->outgoing = NULL;
}

static bool
on_send(void *self, uint64_t offset, const void *data, size_t bytes)
{
    const fsh_outgoing *of = self;
    fsh_message message = {.number = FSH_MESSAGE_PIECE,
                           .piece = {of->unit, of->token, offset, {bytes, data}}};

    return fsh_coordination_say(of->me, &of->member->peer, &message);
}

static void
on_end(void *self, uint64_t bytes, const fsh_hash *hash)
{
    const fsh_outgoing *of = self;
    fsh_message message = {.number = FSH_MESSAGE_END, .end = {of->unit, of->token, bytes, *hash}};

    fsh_coordination_say(of->me, &of->member->peer, &message);
}

/* The input cannot be read here, so the unit fails as it would where workers read it themselves. */
static void
fail(fsh_coordination *me, fsh_member *member, uint32_t unit, uint64_t token, fsh_status status,
     const char *text)
{
    fsh_books_blame(me->books, status, text);
    fsh_leases_fail(me->leases, member->lessee, unit, token, false, uv_now(&me->loop));
    fsh_coordination_revoke(me, &member->peer, unit, token);
}

static void
on_failed(void *self, fsh_status status, const fsh_err *err)
{
    const fsh_outgoing of = *(fsh_outgoing *)self;

    fsh_outgoing_close(of.member);
    fail(of.me, of.member, of.unit, of.token, status, err->text);
}

static fsh_status
begin(fsh_coordination *me, fsh_member *member, const fsh_message_fetch *fetch, fsh_err *err)
{
    const fsh_coordinator_parcels *parcels = me->work->parcels;
    fsh_outgoing *of = calloc(1, sizeof *of);
    fsh_outflow_options options = {.self = of, .send = on_send, .end = on_end, .failed = on_failed};
    fsh_status status;

    if (!of)
        return fsh_fail(err, FSH_MEMORY, "no memory to send a parcel");
    *of = (fsh_outgoing){me, member, fetch->unit, fetch->token, NULL};
    status = parcels->open(parcels->self, fetch->unit, &options.source, err);
    if (!status)
        status = fsh_outflow_open(&me->loop, &options, &of->outflow, err);
    if (status)
        free(of);
    else
        member->outgoing = of;
    return status;
}

void
fsh_outgoing_fetch(fsh_coordination *me, fsh_member *member, const fsh_message_fetch *fetch)
{
    fsh_err err;
    fsh_status status = FSH_OK;

    if (!me->work->parcels ||
        !fsh_leases_holds(me->leases, member->lessee, fetch->unit, fetch->token)) {
        fsh_coordination_revoke(me, &member->peer, fetch->unit, fetch->token);
        return;
    }
    if (member->outgoing && member->outgoing->token != fetch->token)
        fsh_outgoing_close(member);
    if (!member->outgoing)
        status = begin(me, member, fetch, &err);
    if (status)
        fail(me, member, fetch->unit, fetch->token, status, err.text);
    else if (!fsh_outflow_fetch(member->outgoing->outflow, fetch->from, fetch->until, fetch->again))
        fsh_books_totals(me->books)->refused_pieces++;
}

void
fsh_outgoing_mind(fsh_coordination *me, fsh_member *member)
{
    const fsh_outgoing *of = member->outgoing;

    if (of && !fsh_leases_holds(me->leases, member->lessee, of->unit, of->token))
        fsh_outgoing_close(member);
}

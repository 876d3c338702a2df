/* Carries parcels to a worker that does not see the input, and its shards back: one of each at a
 * time, so that the next unit comes while one is computed and the last one goes. On the worker's
 * loop.
 *
 *     fsh_carrier_open(loop, spool, &options, &carrier, &err);
 *     fsh_carrier_fetch(carrier, unit, token);             `fetched` follows
 *     fsh_carrier_take_piece(carrier, &message->piece);    and END
 *     fsh_carrier_send(carrier, &message->fetch);          for a shard that was handed in
 *     fsh_carrier_drop(carrier, unit, token);              the lease has ended
 *     fsh_carrier_close(&carrier); */
#ifndef FSH_WORKER_CARRIER_H
#define FSH_WORKER_CARRIER_H

#include <uv.h>

#include "proto/messages.h"
#include "worker/spool.h"

typedef struct fsh_carrier fsh_carrier;

typedef struct fsh_carrier_options {
    void *self;
    /* To the coordinator; false: it cannot be told now. */
    bool (*say)(void *self, const fsh_message *message);
    /* Bytes of this lease have come or gone. */
    void (*moved)(void *self, uint64_t token);
    /* The parcel is in the spool, or cannot be had: FORMAT when it arrived damaged several times.
     */
    void (*fetched)(void *self, uint64_t token, fsh_status status, const fsh_err *err);
    /* A shard cannot be read back from the spool. */
    void (*lost)(void *self, uint64_t token, fsh_status status, const fsh_err *err);
} fsh_carrier_options;

/* The spool is borrowed until close. */
fsh_status fsh_carrier_open(uv_loop_t *loop, const fsh_spool *spool,
                            const fsh_carrier_options *options, fsh_carrier **carrier,
                            fsh_err *err);
void fsh_carrier_close(fsh_carrier **carrier); /* NULL is fine */

/* Whether a parcel is on its way. */
bool fsh_carrier_is_fetching(const fsh_carrier *carrier);

/* Begins to fetch a parcel; none must be on its way. */
fsh_status fsh_carrier_fetch(fsh_carrier *carrier, uint32_t unit, uint64_t token, fsh_err *err);

/* What is not of the parcel that is on its way is dropped. */
void fsh_carrier_take_piece(fsh_carrier *carrier, const fsh_message_piece *piece);
void fsh_carrier_take_end(fsh_carrier *carrier, const fsh_message_end *end);

/* The coordinator asks for bytes of a finished shard. */
void fsh_carrier_send(fsh_carrier *carrier, const fsh_message_fetch *fetch);

/* Stops what moves for a lease and removes its files. */
void fsh_carrier_drop(fsh_carrier *carrier, uint32_t unit, uint64_t token);

/* The parcel is not needed any more. */
void fsh_carrier_drop_parcel(fsh_carrier *carrier, uint32_t unit, uint64_t token);

/* Asks again where nothing comes; call with every heartbeat. */
void fsh_carrier_nudge(fsh_carrier *carrier);

/* The coordinator has just learnt to know us, perhaps a new one: asks again at once. */
void fsh_carrier_resume(fsh_carrier *carrier);

#endif

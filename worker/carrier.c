#include "worker/carrier.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/inflow.h"
#include "proto/outflow.h"

enum { FETCHES_MAX = 3 }; /* of one parcel, when it arrives damaged */

struct fsh_carrier {
    uv_loop_t *loop;
    const fsh_spool *spool;
    fsh_carrier_options options;
    fsh_inflow *inflow; /* the parcel on its way; NULL: none */
    uint32_t in_unit, fetches;
    uint64_t in_token;
    fsh_outflow *outflow; /* the shard on its way; NULL: none */
    uint32_t out_unit;
    uint64_t out_token;
};

/* ---- parcels ---- */

static void
on_fetch(void *self, uint64_t from, uint64_t until, bool again)
{
    fsh_carrier *carrier = self;
    fsh_message message = {.number = FSH_MESSAGE_FETCH,
                           .fetch = {carrier->in_unit, carrier->in_token, from, until, again}};

    carrier->options.say(carrier->options.self, &message);
}

static void on_fetched(void *self, fsh_status status, const fsh_err *err);

static fsh_status
begin_fetch(fsh_carrier *carrier, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_inflow_options options = {path, NULL, carrier, on_fetch, on_fetched};

    carrier->fetches++;
    fsh_spool_parcel(carrier->spool, carrier->in_unit, carrier->in_token, path);
    return fsh_inflow_open(carrier->loop, &options, &carrier->inflow, err);
}

/* Damaged on the way means that the input changed while a stream was taken up again: a whole one
 * will do. */
static void
on_fetched(void *self, fsh_status status, const fsh_err *err)
{
    fsh_carrier *carrier = self;
    fsh_err why = *err;

    fsh_inflow_close(&carrier->inflow);
    if (status == FSH_FORMAT && carrier->fetches < FETCHES_MAX) {
        status = begin_fetch(carrier, &why);
        if (!status)
            return;
    }
    carrier->options.fetched(carrier->options.self, carrier->in_token, status, &why);
}

bool
fsh_carrier_is_fetching(const fsh_carrier *carrier)
{
    return carrier->inflow != NULL;
}

fsh_status
fsh_carrier_fetch(fsh_carrier *carrier, uint32_t unit, uint64_t token, fsh_err *err)
{
    carrier->in_unit = unit;
    carrier->in_token = token;
    carrier->fetches = 0;
    return begin_fetch(carrier, err);
}

void
fsh_carrier_take_piece(fsh_carrier *carrier, const fsh_message_piece *piece)
{
    if (!carrier->inflow || piece->token != carrier->in_token)
        return;
    if (fsh_inflow_piece(carrier->inflow, piece->offset, piece->data.at, piece->data.n))
        carrier->options.moved(carrier->options.self, piece->token);
}

void
fsh_carrier_take_end(fsh_carrier *carrier, const fsh_message_end *end)
{
    if (carrier->inflow && end->token == carrier->in_token)
        fsh_inflow_end(carrier->inflow, end->bytes, &end->hash);
}

/* ---- shards ---- */

typedef struct shard {
    int file;
    char path[FSH_PATH_BYTES];
} shard;

static fsh_status
read_shard(void *self, uint64_t offset, void *data, size_t room, size_t *bytes, fsh_err *err)
{
    const shard *of = self;
    uint8_t *to = data;
    size_t used = 0;

    while (used < room) {
        ssize_t n = pread(of->file, to + used, room - used, (off_t)(offset + used));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fsh_fail_errno(err, errno, "%s: cannot be read", of->path);
        if (n == 0)
            break;
        used += (size_t)n;
    }
    *bytes = used;
    return FSH_OK;
}

static void
close_shard(void *self)
{
    shard *of = self;

    close(of->file);
    free(of);
}

static bool
on_send(void *self, uint64_t offset, const void *data, size_t bytes)
{
    fsh_carrier *carrier = self;
    fsh_message message = {.number = FSH_MESSAGE_PIECE,
                           .piece = {carrier->out_unit, carrier->out_token, offset, {bytes, data}}};
    bool sent = carrier->options.say(carrier->options.self, &message);

    if (sent)
        carrier->options.moved(carrier->options.self, carrier->out_token);
    return sent;
}

static void
on_lost(void *self, fsh_status status, const fsh_err *err)
{
    fsh_carrier *carrier = self;

    fsh_outflow_close(&carrier->outflow);
    carrier->options.lost(carrier->options.self, carrier->out_token, status, err);
}

static fsh_status
open_shard(fsh_carrier *carrier, uint32_t unit, uint64_t token, fsh_err *err)
{
    fsh_outflow_options options = {.source = {.read = read_shard, .close = close_shard},
                                   .self = carrier,
                                   .send = on_send,
                                   .failed = on_lost};
    shard *of = calloc(1, sizeof *of);

    if (!of)
        return fsh_fail(err, FSH_MEMORY, "no memory to send a shard");
    fsh_spool_shard(carrier->spool, unit, of->path);
    of->file = open(of->path, O_RDONLY | O_CLOEXEC);
    if (of->file < 0) {
        fsh_status status = fsh_fail_errno(err, errno, "%s: cannot be opened", of->path);

        free(of);
        return status;
    }
    carrier->out_unit = unit;
    carrier->out_token = token;
    options.source.self = of;
    return fsh_outflow_open(carrier->loop, &options, &carrier->outflow, err);
}

void
fsh_carrier_send(fsh_carrier *carrier, const fsh_message_fetch *fetch)
{
    fsh_err err;
    fsh_status status = FSH_OK;

    if (carrier->outflow && carrier->out_token != fetch->token)
        fsh_outflow_close(&carrier->outflow);
    if (!carrier->outflow)
        status = open_shard(carrier, fetch->unit, fetch->token, &err);
    if (status)
        carrier->options.lost(carrier->options.self, fetch->token, status, &err);
    else
        fsh_outflow_fetch(carrier->outflow, fetch->from, fetch->until, fetch->again);
}

/* ---- both ---- */

void
fsh_carrier_drop_parcel(fsh_carrier *carrier, uint32_t unit, uint64_t token)
{
    char path[FSH_PATH_BYTES];

    if (carrier->inflow && carrier->in_token == token)
        fsh_inflow_close(&carrier->inflow);
    fsh_spool_parcel(carrier->spool, unit, token, path);
    unlink(path);
}

void
fsh_carrier_drop(fsh_carrier *carrier, uint32_t unit, uint64_t token)
{
    char path[FSH_PATH_BYTES];

    fsh_carrier_drop_parcel(carrier, unit, token);
    if (carrier->outflow && carrier->out_token == token)
        fsh_outflow_close(&carrier->outflow);
    fsh_spool_shard(carrier->spool, unit, path);
    unlink(path);
}

void
fsh_carrier_nudge(fsh_carrier *carrier)
{
    if (carrier->inflow)
        fsh_inflow_nudge(carrier->inflow);
}

void
fsh_carrier_resume(fsh_carrier *carrier)
{
    if (carrier->inflow)
        fsh_inflow_resume(carrier->inflow);
}

fsh_status
fsh_carrier_open(uv_loop_t *loop, const fsh_spool *spool, const fsh_carrier_options *options,
                 fsh_carrier **carrier, fsh_err *err)
{
    fsh_carrier *opened = calloc(1, sizeof *opened);

    if (!opened)
        return fsh_fail(err, FSH_MEMORY, "no memory to carry parcels");
    opened->loop = loop;
    opened->spool = spool;
    opened->options = *options;
    *carrier = opened;
    return FSH_OK;
}

void
fsh_carrier_close(fsh_carrier **carrier)
{
    fsh_carrier *closing = *carrier;

    *carrier = NULL;
    if (!closing)
        return;
    fsh_inflow_close(&closing->inflow);
    fsh_outflow_close(&closing->outflow);
    free(closing);
}

#include "proto/outflow.h"

#include <stdlib.h>

struct fsh_outflow {
    uv_loop_t *loop;
    fsh_outflow_options options;
    fsh_outlet outlet;
    uv_work_t request;
    bool busy; /* the pool reads: source and piece are its own */
    bool closing;
    uint64_t offset; /* of what is read, or was read last */
    size_t room, bytes;
    fsh_status status;
    fsh_err err;
    uint8_t piece[FSH_PIECE_BYTES];
};

static void
outflow_free(fsh_outflow *outflow)
{
    outflow->options.source.close(outflow->options.source.self);
    free(outflow);
}

void
fsh_outflow_close(fsh_outflow **outflow)
{
    fsh_outflow *closing = *outflow;

    *outflow = NULL;
    if (!closing)
        return;
    closing->closing = true;
    if (!closing->busy)
        outflow_free(closing);
}

static void
run_read(uv_work_t *request)
{
    fsh_outflow *outflow = request->data;
    const fsh_source *source = &outflow->options.source;

    outflow->bytes = 0;
    outflow->status = source->read(source->self, outflow->offset, outflow->piece, outflow->room,
                                   &outflow->bytes, &outflow->err);
}

static void
tell_end(fsh_outflow *outflow)
{
    const fsh_source *source = &outflow->options.source;
    uint64_t bytes;
    fsh_hash hash;

    fsh_outlet_stop(&outflow->outlet);
    if (!source->sum)
        return;
    source->sum(source->self, &bytes, &hash);
    outflow->options.end(outflow->options.self, bytes, &hash);
}

/* What was read while the receiver asked for something else is dropped. */
static void
give(fsh_outflow *outflow)
{
    const fsh_outflow_options *options = &outflow->options;

    if (outflow->offset != outflow->outlet.next || fsh_outlet_room(&outflow->outlet) == 0)
        return;
    if (outflow->bytes == 0)
        tell_end(outflow);
    else if (options->send(options->self, outflow->offset, outflow->piece, outflow->bytes))
        fsh_outlet_sent(&outflow->outlet, outflow->bytes);
    else
        fsh_outlet_stop(&outflow->outlet);
}

static void advance(fsh_outflow *outflow);

static void
on_read(uv_work_t *request, int cancelled)
{
    fsh_outflow *outflow = request->data;

    (void)cancelled;
    outflow->busy = false;
    if (outflow->closing) {
        outflow_free(outflow);
    } else if (outflow->status) {
        outflow->options.failed(outflow->options.self, outflow->status, &outflow->err);
    } else {
        give(outflow);
        advance(outflow);
    }
}

static void
advance(fsh_outflow *outflow)
{
    size_t room = fsh_outlet_room(&outflow->outlet);

    if (outflow->busy || room == 0)
        return;
    outflow->busy = true;
    outflow->offset = outflow->outlet.next;
    outflow->room = room;
    outflow->request.data = outflow;
    uv_queue_work(outflow->loop, &outflow->request, run_read, on_read);
}

/* A receiver that is impatient while its very next bytes are being read has lost nothing: to begin
 * again would only make it wait longer. */
bool
fsh_outflow_fetch(fsh_outflow *outflow, uint64_t from, uint64_t until, bool again)
{
    bool lost =
        again && !(outflow->busy && outflow->offset == from && outflow->outlet.next == from);

    if (!fsh_outlet_fetch(&outflow->outlet, from, until, lost))
        return false;
    advance(outflow);
    return true;
}

uint64_t
fsh_outflow_bytes(const fsh_outflow *outflow)
{
    return outflow->outlet.next;
}

fsh_status
fsh_outflow_open(uv_loop_t *loop, const fsh_outflow_options *options, fsh_outflow **outflow,
                 fsh_err *err)
{
    fsh_outflow *opened = calloc(1, sizeof *opened);

    if (!opened) {
        options->source.close(options->source.self);
        return fsh_fail(err, FSH_MEMORY, "no memory to send a file");
    }
    opened->loop = loop;
    opened->options = *options;
    *outflow = opened;
    return FSH_OK;
}

/* The other end of an inflow: a source of bytes that goes out in pieces, as far as they are asked
 * for. The source is read on libuv's pool, a piece at a time.
 *
 *     fsh_outflow_open(loop, &options, &outflow, &err);
 *     fsh_outflow_fetch(outflow, from, until, again);      for every FETCH
 *     fsh_outflow_close(&outflow); */
#ifndef FSH_PROTO_OUTFLOW_H
#define FSH_PROTO_OUTFLOW_H

#include <uv.h>

#include "base/hash.h"
#include "base/status.h"
#include "proto/pieces.h"

typedef struct fsh_outflow fsh_outflow;

/* Where the bytes come from. `read` and `close` are called on the pool's threads or, when the pool
 * is idle, on the loop's: never two at once. */
typedef struct fsh_source {
    void *self;
    /* Reads up to room bytes at offset; less than room only at the end, none behind it. May block.
     */
    fsh_status (*read)(void *self, uint64_t offset, void *data, size_t room, size_t *bytes,
                       fsh_err *err);
    /* After the end was read: how many bytes there are in all, and their SHA-256. NULL where the
     * receiver knows. */
    void (*sum)(void *self, uint64_t *bytes, fsh_hash *hash);
    void (*close)(void *self);
} fsh_source;

typedef struct fsh_outflow_options {
    fsh_source source; /* taken, also when open fails */
    void *self;
    /* PIECE is to be sent; false: it cannot be, and the receiver will ask again. */
    bool (*send)(void *self, uint64_t offset, const void *data, size_t bytes);
    /* END is to be sent; not called where the source has no sum. */
    void (*end)(void *self, uint64_t bytes, const fsh_hash *hash);
    /* The source cannot be read. The outflow is to be closed. */
    void (*failed)(void *self, fsh_status status, const fsh_err *err);
} fsh_outflow_options;

fsh_status fsh_outflow_open(uv_loop_t *loop, const fsh_outflow_options *options,
                            fsh_outflow **outflow, fsh_err *err);

/* The receiver has asked. False: for what makes no sense; nothing changes. */
bool fsh_outflow_fetch(fsh_outflow *outflow, uint64_t from, uint64_t until, bool again);

/* Bytes that have gone out so far. */
uint64_t fsh_outflow_bytes(const fsh_outflow *outflow);

/* NULL is fine. Memory goes when the pool is done with it; no function of the options is called any
 * more, but the source's close. */
void fsh_outflow_close(fsh_outflow **outflow);

#endif

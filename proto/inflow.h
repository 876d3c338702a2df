/* A stream of pieces that becomes a file: a parcel on its way to a worker, a shard on its way to
 * the coordinator. The loop's thread takes pieces; libuv's pool writes them, adds them to the
 * running SHA-256, and flushes the file at the end. At most a window of bytes is in memory.
 *
 *     fsh_inflow_open(loop, &options, &inflow, &err);      asks for the first bytes
 *     fsh_inflow_piece(inflow, offset, data, bytes);       for every PIECE
 *     fsh_inflow_end(inflow, bytes, &hash);                for END, or at once where they are known
 *     fsh_inflow_nudge(inflow);                            now and then
 *     fsh_inflow_close(&inflow);                           also in or after `ended` */
#ifndef FSH_PROTO_INFLOW_H
#define FSH_PROTO_INFLOW_H

#include <uv.h>

#include "base/hash.h"
#include "base/status.h"
#include "proto/pieces.h"

typedef struct fsh_inflow fsh_inflow;

typedef struct fsh_inflow_options {
    const char *path; /* the file to make; copied */
    const char
        *final; /* copied; where it is flushed and renamed to at the end, or NULL: it stays */
    void *self;
    /* FETCH is to be sent. */
    void (*fetch)(void *self, uint64_t from, uint64_t until, bool again);
    /* Once: with OK the whole stream is in its file. FORMAT: length or SHA-256 are not what was
     * told; FULL or IO: it cannot be written. The inflow is to be closed. */
    void (*ended)(void *self, fsh_status status, const fsh_err *err);
} fsh_inflow_options;

fsh_status fsh_inflow_open(uv_loop_t *loop, const fsh_inflow_options *options, fsh_inflow **inflow,
                           fsh_err *err);

/* Copies the piece. False: it is not the next one and is dropped. */
bool fsh_inflow_piece(fsh_inflow *inflow, uint64_t offset, const void *data, uint64_t bytes);

/* The whole stream has so many bytes and this SHA-256. */
void fsh_inflow_end(fsh_inflow *inflow, uint64_t bytes, const fsh_hash *hash);

/* Asks again where nothing has come for seconds; longer each time. */
void fsh_inflow_nudge(fsh_inflow *inflow);

/* Asks again at once: the sender is another one now. */
void fsh_inflow_resume(fsh_inflow *inflow);

/* Bytes that have come so far. */
uint64_t fsh_inflow_bytes(const fsh_inflow *inflow);

/* Ends it, and removes a file that is not whole. NULL is fine. Memory goes when the pool is done
 * with it; neither function of the options is called any more. */
void fsh_inflow_close(fsh_inflow **inflow);

#endif

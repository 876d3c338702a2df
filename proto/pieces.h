/* A stream of bytes in pieces, as its two ends count it. Pure.
 *
 * The receiver asks: all bytes before `from` have come, those before `until` may be sent. So what
 * is on the way, and what either end must keep in memory, is never more than a window, however long
 * the stream is; a message that says this twice, or late, says nothing wrong. Pieces come in order
 * or not at all (a connection was cut): the receiver takes the next one and refuses every other,
 * and a hole makes it ask again from there on. */
#ifndef FSH_PROTO_PIECES_H
#define FSH_PROTO_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FSH_PIECE_BYTES = 262144, FSH_WINDOW_BYTES = 4 * FSH_PIECE_BYTES };

/* ---- the end that receives ---- */

typedef struct fsh_intake {
    uint64_t next;    /* bytes that have come, without a hole */
    uint64_t stored;  /* of these, no longer in memory */
    uint64_t until;   /* that the sender was allowed last */
    uint64_t refused; /* pieces that were not the next one */
    bool hole;        /* a later piece came first, and what is missing was asked for */
} fsh_intake;

typedef enum fsh_taken {
    FSH_TAKEN,         /* the next one: to be kept */
    FSH_TAKEN_REFUSED, /* to be dropped */
    FSH_TAKEN_HOLE     /* to be dropped, and what is missing to be asked for again */
} fsh_taken;

/* A piece has come. */
fsh_taken fsh_intake_piece(fsh_intake *intake, uint64_t offset, uint64_t bytes);

/* So many more bytes are no longer in memory. */
void fsh_intake_store(fsh_intake *intake, uint64_t bytes);

/* Whether the sender may have so much more that it is worth a message; then `until` is told. */
bool fsh_intake_widens(fsh_intake *intake);

/* ---- the end that sends ---- */

typedef struct fsh_outlet {
    uint64_t next;    /* of the stream that is to be sent */
    uint64_t from;    /* that has come, as far as is known */
    uint64_t until;   /* that may be sent */
    uint64_t refused; /* requests that made no sense */
    bool ended;       /* there are no more bytes */
} fsh_outlet;

/* The receiver has asked. False: it claims what was never sent, and nothing changes. */
bool fsh_outlet_fetch(fsh_outlet *outlet, uint64_t from, uint64_t until, bool again);

/* How many bytes the next piece may have; 0: none may be sent now. */
size_t fsh_outlet_room(const fsh_outlet *outlet);

void fsh_outlet_sent(fsh_outlet *outlet, size_t bytes);

/* The end of the stream was told, or a piece could not be sent: nothing goes until it is asked for
 * again. */
void fsh_outlet_stop(fsh_outlet *outlet);

#endif

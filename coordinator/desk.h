/* What the two halves of the lending desk share: lease.c is about units, lessee.c about workers.
 * Nobody else includes this.
 *
 * Invariants:
 * 1. A unit's link is in `ready` when READY, in `lent` when LENT, in no ring otherwise.
 * 2. A unit has one loan when LENT, two when COPIED, none otherwise. A loan that is none has no
 *    lessee, no token and a link in no ring; one that is has its link in its lessee's `held`.
 * 3. A lessee's link `moving` is in the desk's `moving` exactly while it holds a unit.
 * 4. A lessee's link `wanting` is in the desk's `wanting` exactly while it has credit, and `idle`
 * in the desk's `idle` exactly while it has credit and holds nothing.
 * 5. A lessee's link `hoarding` is in the desk's `hoarding` exactly while it holds more than one. */
#ifndef FSH_COORDINATOR_DESK_H
#define FSH_COORDINATOR_DESK_H

#include "coordinator/lease.h"
#include "coordinator/pace.h"
#include "coordinator/ring.h"

enum { FSH_LOANS_MAX = 2 }; /* of one unit */

/* A unit in the hands of a worker. */
typedef struct fsh_loan {
    fsh_ring link;
    fsh_lessee *lessee;
    uint64_t token, lent_ms;
} fsh_loan;

typedef struct fsh_desk_unit {
    fsh_ring link;
    fsh_loan loans[FSH_LOANS_MAX];
    uint8_t state, attempts, losses;
} fsh_desk_unit;

struct fsh_lessee {
    void *owner;
    fsh_ring held;    /* its loans, oldest first: the first is being worked on */
    fsh_ring heard;   /* link in fsh_leases.heard */
    fsh_ring moving;  /* link in fsh_leases.moving */
    fsh_ring wanting; /* link in fsh_leases.wanting */
    fsh_ring idle;    /* link in fsh_leases.idle */
    fsh_ring hoarding; /* link in fsh_leases.hoarding */
    uint64_t heard_ms, moved_ms;
    uint64_t done; /* steps of the first unit */
    uint32_t held_n, credit;
};

struct fsh_leases {
    fsh_lease_rules rules;
    fsh_lease_watch watch;
    fsh_ring ready;   /* units, next to be lent first */
    fsh_ring lent;    /* units with one loan, lent for longest first */
    fsh_ring heard;   /* lessees, silent for longest first */
    fsh_ring moving;  /* lessees, without progress for longest first */
    fsh_ring wanting; /* lessees with credit, waiting for longest first */
    fsh_ring idle;    /* those of them that hold nothing */
    fsh_ring hoarding; /* lessees that hold units behind the one that they work on */
    fsh_pace pace;    /* of finished units */
    uint64_t next_token, refused;
    uint32_t counts[FSH_UNIT_STATE_N];
    uint32_t lessees_n, units_n;
    fsh_desk_unit units[];
};

/* ---- lessee.c ---- */

/* What a worker is working on; NULL: nothing. */
fsh_loan *fsh_lessee_at(const fsh_lessee *lessee);

/* A worker gets a loan, or a loan ends (nothing happens where it is none). */
void fsh_lessee_give(fsh_leases *leases, fsh_lessee *lessee, fsh_loan *loan, uint64_t token,
                     uint64_t now_ms);
void fsh_lessee_take(fsh_leases *leases, fsh_loan *loan, uint64_t now_ms);

/* A unit of its credit is used up. */
void fsh_lessee_spend(fsh_leases *leases, fsh_lessee *lessee);

/* ---- lease.c ---- */

/* The one place where a unit changes its state. loan: what the event is about, one of the unit's;
 * NULL: the whole unit. False: the event is no step of the table. */
bool fsh_desk_happen(fsh_leases *leases, fsh_desk_unit *unit, fsh_loan *loan, fsh_unit_event event,
                     uint64_t now_ms);

fsh_desk_unit *fsh_desk_unit_of(fsh_leases *leases, const fsh_loan *loan);
fsh_lease fsh_desk_describe(fsh_leases *leases, const fsh_loan *loan);

#endif

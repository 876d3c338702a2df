/* A ring of things that carry their own links: put in and taken out in one step, no allocation. The
 * ring itself is a link that belongs to nothing. A link that is in no ring points to itself. */
#ifndef FSH_COORDINATOR_RING_H
#define FSH_COORDINATOR_RING_H

#include <stdbool.h>
#include <stddef.h>

typedef struct fsh_ring {
    struct fsh_ring *previous, *next;
} fsh_ring;

/* The struct of this type whose field `member` is at link. */
#define FSH_RING_OWNER(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void
fsh_ring_init(fsh_ring *ring)
{
    ring->previous = ring->next = ring;
}

static inline bool
fsh_ring_is_empty(const fsh_ring *ring)
{
    return ring->next == ring;
}

static inline void
fsh_ring_remove(fsh_ring *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    fsh_ring_init(link);
}

/* Moves link, wherever it was, to the end of ring. */
static inline void
fsh_ring_append(fsh_ring *ring, fsh_ring *link)
{
    fsh_ring_remove(link);
    link->previous = ring->previous;
    link->next = ring;
    ring->previous->next = link;
    ring->previous = link;
}

/* Moves link, wherever it was, to the front of ring. */
static inline void
fsh_ring_prepend(fsh_ring *ring, fsh_ring *link)
{
    fsh_ring_append(ring->next, link);
}

#endif

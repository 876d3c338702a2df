/* A place for one thing between two threads. */
#ifndef FSH_DOOR_SLOT_H
#define FSH_DOOR_SLOT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct fsh_slot {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void *thing; /* NULL: empty */
    bool closed; /* nothing more comes, or nobody takes */
} fsh_slot;

void fsh_slot_init(fsh_slot *slot);
void fsh_slot_fini(fsh_slot *slot); /* it must be empty */

/* Puts a thing there, waiting until the slot is empty. False: it is closed. */
bool fsh_slot_put(fsh_slot *slot, void *thing);

/* Puts a thing there without waiting, and gives what had to make room, or NULL. *taken false: the
 * slot is closed. */
void *fsh_slot_replace(fsh_slot *slot, void *thing, bool *taken);

/* Takes the thing, waiting at most wait_ms for one (UINT32_MAX: for ever). NULL: none has come, or
 * the slot is closed and empty. */
void *fsh_slot_take(fsh_slot *slot, uint32_t wait_ms);

void fsh_slot_close(fsh_slot *slot);
bool fsh_slot_is_done(fsh_slot *slot); /* closed and empty */

#endif

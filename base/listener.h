/* What a long computation tells of itself while it is at it: which step, and how much of that is
 * done. Whoever computes tells as often as is convenient; who listens shows what there is time for.
 */
#ifndef FSH_BASE_LISTENER_H
#define FSH_BASE_LISTENER_H

#include <stdint.h>

typedef struct fsh_listener {
    /* From one thread at a time; text lives for the call. of 0: it is not known how many there are.
     */
    void (*told)(void *self, const char *text, uint64_t done, uint64_t of);
    void *self;
    const char
        *text; /* of the step that is told about; callers set it for functions that do one step */
} fsh_listener;

/* steps may be NULL: nobody listens. */
void fsh_listener_tell(const fsh_listener *steps, uint64_t done, uint64_t of);

/* The same listener for a step with this text. */
fsh_listener fsh_listener_at(const fsh_listener *steps, const char *text);

#endif

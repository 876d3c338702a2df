#include "door/slot.h"

#include <errno.h>
#include <time.h>

#include "base/thread.h"

void
fsh_slot_init(fsh_slot *slot)
{
    *slot = (fsh_slot){.thing = NULL};
    pthread_mutex_init(&slot->lock, NULL);
    fsh_cond_init(&slot->changed);
}

void
fsh_slot_fini(fsh_slot *slot)
{
    pthread_cond_destroy(&slot->changed);
    pthread_mutex_destroy(&slot->lock);
}

bool
fsh_slot_put(fsh_slot *slot, void *thing)
{
    bool put;

    pthread_mutex_lock(&slot->lock);
    while (slot->thing && !slot->closed)
        pthread_cond_wait(&slot->changed, &slot->lock);
    put = !slot->closed;
    if (put)
        slot->thing = thing;
    pthread_cond_broadcast(&slot->changed);
    pthread_mutex_unlock(&slot->lock);
    return put;
}

void *
fsh_slot_replace(fsh_slot *slot, void *thing, bool *taken)
{
    void *before = NULL;

    pthread_mutex_lock(&slot->lock);
    *taken = !slot->closed;
    if (!slot->closed) {
        before = slot->thing;
        slot->thing = thing;
    }
    pthread_cond_broadcast(&slot->changed);
    pthread_mutex_unlock(&slot->lock);
    return before;
}

static struct timespec
after_ms(uint32_t ms)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

void *
fsh_slot_take(fsh_slot *slot, uint32_t wait_ms)
{
    struct timespec until = after_ms(wait_ms == UINT32_MAX ? 0 : wait_ms);
    int waited = 0;
    void *thing;

    pthread_mutex_lock(&slot->lock);
    while (!slot->thing && !slot->closed && waited != ETIMEDOUT)
        waited = wait_ms == UINT32_MAX
                     ? pthread_cond_wait(&slot->changed, &slot->lock)
                     : pthread_cond_timedwait(&slot->changed, &slot->lock, &until);
    thing = slot->thing;
    slot->thing = NULL;
    pthread_cond_broadcast(&slot->changed);
    pthread_mutex_unlock(&slot->lock);
    return thing;
}

void
fsh_slot_close(fsh_slot *slot)
{
    pthread_mutex_lock(&slot->lock);
    slot->closed = true;
    pthread_cond_broadcast(&slot->changed);
    pthread_mutex_unlock(&slot->lock);
}

bool
fsh_slot_is_done(fsh_slot *slot)
{
    bool done;

    pthread_mutex_lock(&slot->lock);
    done = slot->closed && !slot->thing;
    pthread_mutex_unlock(&slot->lock);
    return done;
}

/* Small things about threads that POSIX makes long. */
#ifndef FSH_BASE_THREAD_H
#define FSH_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

/* A condition whose timed waits go by CLOCK_MONOTONIC, which nobody sets. */
static inline void
fsh_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t by;

    pthread_condattr_init(&by);
    pthread_condattr_setclock(&by, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &by);
    pthread_condattr_destroy(&by);
}

/* Sets *closing, wakes the thread that waits for it, and waits for the thread's end. */
static inline void
fsh_thread_end(pthread_t thread, pthread_mutex_t *lock, pthread_cond_t *changed, bool *closing)
{
    pthread_mutex_lock(lock);
    *closing = true;
    pthread_cond_broadcast(changed);
    pthread_mutex_unlock(lock);
    pthread_join(thread, NULL);
}

#endif

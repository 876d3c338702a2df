/* The workers that a coordinator starts itself: as processes on its own machine, and over ssh on others. One that is killed, or
 * a host that cannot be reached, is tried again, later each time; one that ends by itself with an error has said why to the
 * coordinator and is not. */
#ifndef FSH_COORDINATOR_CREW_H
#define FSH_COORDINATOR_CREW_H

#include <uv.h>

#include "base/status.h"
#include "coordinator/remote.h"

typedef struct fsh_crew fsh_crew;

typedef struct fsh_crew_options {
    const char *const *command; /* ended by NULL; borrowed until close */
    const char *address;        /* borrowed until close */
    const char *keys;           /* folder of the workers' keys, or NULL; borrowed until close */
    uint32_t n, threads, grace_ms;
    const fsh_host *hosts;            /* hosts_n, one ssh each; borrowed until close */
    const fsh_remote_options *remote; /* how; borrowed until close */
    uint32_t hosts_n;
    void *self;
    void (*warned)(void *self, const char *text); /* about a host; may be NULL without hosts */
} fsh_crew_options;

/* Starts all of them. */
fsh_status fsh_crew_open(uv_loop_t *loop, const fsh_crew_options *options, fsh_crew **crew,
                         fsh_err *err);

/* Starts again whoever is due. Call some times a second. */
void fsh_crew_tick(fsh_crew *crew);

/* From now on nobody is started again. */
void fsh_crew_dismiss(fsh_crew *crew);

/* Processes that run, and those that run or will. */
uint32_t fsh_crew_running(const fsh_crew *crew);
uint32_t fsh_crew_hoped(const fsh_crew *crew);

/* Kills who is left (those elsewhere are told to end by the loss of their connection), and frees the crew when the loop has seen them end. NULL is fine. */
void fsh_crew_close(fsh_crew **crew);

#endif

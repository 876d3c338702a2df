/* A list of hosts that are reached over ssh, a line each:
 *
 *     node-1
 *     user@node-2   workers=2 threads=8 spool=/scratch     # and what else has a row in hosts.c
 */
#ifndef FSH_COORDINATOR_HOSTS_H
#define FSH_COORDINATOR_HOSTS_H

#include "base/args.h"

enum { FSH_HOST_BYTES = 256, FSH_HOST_LABEL_BYTES = 64 };

typedef struct fsh_host {             /* also named in coordinator.h */
    char name[FSH_HOST_BYTES];        /* as ssh takes it: host, user@host, ssh://user@host:port */
    char label[FSH_HOST_LABEL_BYTES]; /* for files and keys; another one for each host */
    int64_t workers, threads; /* threads of each worker; 0: the host's processors, shared out */
    char program[FSH_ARG_TEXT_BYTES], models[FSH_ARG_TEXT_BYTES], templates[FSH_ARG_TEXT_BYTES],
        spool[FSH_ARG_TEXT_BYTES]; /* "": as here */
} fsh_host;

/* *hosts is the caller's to free. USAGE names file and line. */
fsh_status fsh_hosts_read(const char *path, fsh_host **hosts, uint32_t *n, fsh_err *err);

/* The rows of a line, for help. */
extern const fsh_arg fsh_host_rows[];

#endif

/* The hosts of `run --hosts`: their list, keys and logs in the output folder. Inside cli/ only. */
#ifndef FSH_CLI_FAR_H
#define FSH_CLI_FAR_H

#include "base/files.h"
#include "coordinator/coordinator.h"
#include "coordinator/hosts.h"

typedef struct fsh_far {
    fsh_host *hosts; /* n, or NULL */
    uint32_t n;
    char keys[FSH_PATH_BYTES], logs[FSH_PATH_BYTES];
} fsh_far;

/* Reads the list, "" or NULL: none; makes OUT/hosts with logs, and keys where no folder of keys is
 * given. */
fsh_status fsh_far_open(const char *list, const char *output, const char *keys, fsh_far *far,
                        fsh_err *err);

/* Puts the hosts into the options; an address and keys where there are none yet. Borrows far. */
void fsh_far_use(const fsh_far *far, const char *ssh, fsh_coordinator_options *to);

void fsh_far_close(fsh_far *far);

#endif

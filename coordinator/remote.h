/* Workers on another host: one ssh process, which carries the host's keys and a small script
 * (deploy/hosts/remote.sh) there, and what the workers say back. Its standard input stays open:
 * when it ends, however that comes, the script stops the workers and removes the keys. */
#ifndef FSH_COORDINATOR_REMOTE_H
#define FSH_COORDINATOR_REMOTE_H

#include <uv.h>

#include "coordinator/hosts.h"

/* All borrowed. */
typedef struct fsh_remote_options {
    const char *ssh;      /* command, with options: "ssh -i key" */
    const char *address;  /* of the coordinator; every interface: */
    const char *announce; /*   its name, or "" for where the host sees the connection come from */
    const char *keys;     /* folder of the coordinator's; hosts get LABEL in it */
    const char *logs;     /* folder: LABEL.log */
    uint32_t grace_ms;
} fsh_remote_options;

/* Makes the keys of every host and the folder of logs. */
fsh_status fsh_remote_prepare(const fsh_remote_options *options, const fsh_host *hosts, uint32_t n,
                              fsh_err *err);

/* Starts ssh. lifeline is the open end of its standard input, to be closed in any case; process is
 * a handle when it has one's type. */
fsh_status fsh_remote_spawn(uv_loop_t *loop, const fsh_remote_options *options,
                            const fsh_host *host, uv_process_t *process, uv_pipe_t *lifeline,
                            uv_exit_cb ended, fsh_err *err);

/* Appends the last line of the host's log, and where it stands. */
void fsh_remote_last_words(const fsh_remote_options *options, const fsh_host *host, fsh_text *out);

#endif

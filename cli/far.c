#include "cli/far.h"

#include <stdio.h>
#include <stdlib.h>

#include "coordinator/remote.h"

fsh_status
fsh_far_open(const char *list, const char *output, const char *keys, fsh_far *far, fsh_err *err)
{
    fsh_remote_options options = {.keys = far->keys, .logs = far->logs};
    fsh_status status;

    *far = (fsh_far){NULL, 0, "", ""};
    if (!list || !list[0])
        return FSH_OK;
    status = fsh_hosts_read(list, &far->hosts, &far->n, err);
    if (!status)
        status = fsh_path_join(far->logs, output, "hosts", err);
    if (!status && keys && keys[0])
        snprintf(far->keys, sizeof far->keys, "%s", keys);
    else if (!status)
        status = fsh_path_join(far->keys, far->logs, "keys", err);
    if (!status)
        status = fsh_remote_prepare(&options, far->hosts, far->n, err);
    if (status)
        fsh_far_close(far);
    return status;
}

void
fsh_far_use(const fsh_far *far, const char *ssh, fsh_coordinator_options *to)
{
    if (!far->n)
        return;
    to->hosts = far->hosts;
    to->hosts_n = far->n;
    to->hosts_logs = far->logs;
    to->keys = far->keys;
    to->ssh = ssh;
    if (!to->address)
        to->address = "tcp://0.0.0.0:*";
}

void
fsh_far_close(fsh_far *far)
{
    free(far->hosts);
    far->hosts = NULL;
    far->n = 0;
}

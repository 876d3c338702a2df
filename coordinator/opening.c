/* What a coordinator opens before its loop runs: options, address, workers. */
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/inside.h"

static const char *const own_command[] = {"/proc/self/exe", "worker", NULL};

void
fsh_coordinator_options_init(fsh_coordinator_options *options)
{
    *options = (fsh_coordinator_options){.threads = 1,
                                         .heartbeat_ms = 1000,
                                         .silence_ms = 15000,
                                         .stall_ms = 600000,
                                         .grace_ms = 20000,
                                         .attempts_max = FSH_ATTEMPTS_MAX,
                                         .losses_max = 20,
                                         .copy_ms = 5000};
}

static fsh_status
choose_address(fsh_coordination *me, char address[FSH_PATH_BYTES], fsh_err *err)
{
    if (me->options.address) {
        snprintf(address, FSH_PATH_BYTES, "%s", me->options.address);
    } else {
        char folder[] = "/tmp/faceshard-XXXXXX"; /* short: a socket's path has at most 107 bytes */

        if (!mkdtemp(folder))
            return fsh_fail(err, FSH_IO,
                            "/tmp: no folder can be made there for the workers' socket");
        snprintf(me->folder, sizeof me->folder, "%s", folder);
        snprintf(address, FSH_PATH_BYTES, "ipc://%s/wire", folder);
    }
    if (!me->options.insecure && !me->options.keys && fsh_link_is_public(address))
        return fsh_fail(err, FSH_USAGE,
                        "%s: other machines reach this address and nobody is asked for a key; make "
                        "keys with `faceshard keygen DIR` and say --keys DIR, bind to 127.0.0.1, "
                        "or say --insecure where the network is trusted",
                        address);
    return FSH_OK;
}

fsh_status
fsh_coordination_open_link(fsh_coordination *me, fsh_err *err)
{
    char address[FSH_PATH_BYTES];
    fsh_link_options options = {.address = address,
                                .bind = true,
                                .bytes_max = FSH_MESSAGE_BYTES_MAX,
                                .connections_max = me->options.connections_max,
                                .self = me,
                                .received = fsh_coordination_obey,
                                .turned = fsh_coordination_turn,
                                .struck = fsh_coordination_strike};
    fsh_keys keys = {0};
    fsh_status status = choose_address(me, address, err);

    if (!status && me->options.keys) {
        status = fsh_keys_read(me->options.keys, FSH_KEYS_COORDINATOR, &keys, err);
        options.keys = &keys;
    }
    if (!status)
        status = fsh_link_open(&me->loop, &options, &me->link, err);
    fsh_keys_wipe(&keys);
    return status;
}

static void
warn_of_host(void *self, const char *text)
{
    fsh_coordination_warn(self, text);
}

fsh_status
fsh_coordination_open_crew(fsh_coordination *me, fsh_err *err)
{
    const fsh_coordinator_options *to = &me->options;
    fsh_crew_options options = {.command = to->worker_command ? to->worker_command : own_command,
                                .address = fsh_link_address(me->link),
                                .keys = to->keys,
                                .n = to->workers,
                                .threads = to->threads,
                                .grace_ms = to->grace_ms,
                                .hosts = to->hosts,
                                .remote = &me->remote,
                                .hosts_n = to->hosts_n,
                                .self = me,
                                .warned = warn_of_host};

    me->remote = (fsh_remote_options){to->ssh,  options.address, to->announce,
                                      to->keys, to->hosts_logs,  to->grace_ms};
    return to->workers || to->hosts_n ? fsh_crew_open(&me->loop, &options, &me->crew, err) : FSH_OK;
}

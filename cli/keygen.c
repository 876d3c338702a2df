/* `faceshard keygen`: the keys of a coordinator and of its workers. */
#include <stdio.h>

#include "cli/command.h"
#include "proto/keys.h"

typedef struct keygen_options {
    int64_t workers;
    char name[FSH_ARG_TEXT_BYTES];
} keygen_options;

static const fsh_arg rows[] = {
    FSH_ARG_INT(keygen_options, workers, 0, 10000, "0",
                "make keys for so many further workers: DIR/worker-1 and so on"),
    FSH_ARG_TEXT(keygen_options, name, "", "make keys for one further worker: DIR/NAME"),
    FSH_ARG_END};

static void
tell_coordinator(const char *folder)
{
    printf("%s: keys of a coordinator, and of workers that share them\n"
           "  the coordinator, here:        faceshard coordinator JOB.yaml --bind tcp://HOST:8685 --keys %s\n"
           "  workers on this machine:      faceshard worker tcp://HOST:8685 --keys %s\n"
           "  a worker with a key of its own:  faceshard keygen %s --name NAME\n"
           "Never copy coordinator.secret to another machine.\n",
           folder, folder, folder, folder);
}

static fsh_status
make_worker(const char *folder, const char *name, fsh_err *err)
{
    fsh_status status = fsh_keys_make_worker(folder, name, err);

    if (!status)
        printf("%s/%s: keys of worker %s, listed in %s/" FSH_KEYS_ALLOWED
               "; copy the whole folder to its machine, as in\n"
               "  scp -pr %s/%s %s:keys    and there    faceshard worker tcp://HOST:8685 --keys keys\n",
               folder, name, name, folder, folder, name, name);
    return status;
}

/* Names that are taken are passed over, so that a second call makes as many more. */
static fsh_status
make_workers(const char *folder, int64_t n, fsh_err *err)
{
    char path[FSH_PATH_BYTES], name[32];
    fsh_status status = FSH_OK;
    int64_t number, made = 0;

    for (number = 1; made < n && !status; number++) {
        snprintf(name, sizeof name, "worker-%lld", (long long)number);
        status = fsh_path_join(path, folder, name, err);
        if (status || fsh_file_exists(path))
            continue;
        status = make_worker(folder, name, err);
        made++;
    }
    return status;
}

static fsh_status
run_keygen(const fsh_invocation *invocation, fsh_err *err)
{
    const keygen_options *options = invocation->options;
    const char *folder = invocation->words[0];
    bool adds = (options->workers || options->name[0]) && fsh_keys_exist(folder);
    fsh_status status = adds ? FSH_OK : fsh_keys_make_coordinator(folder, err);

    if (!status && !adds)
        tell_coordinator(folder);
    if (!status && options->name[0])
        status = make_worker(folder, options->name, err);
    return status ? status : make_workers(folder, options->workers, err);
}

const fsh_command fsh_command_keygen = {
    "keygen", "DIR", 1, 1, "make keys, so that only your workers may join",
    "Makes the folder DIR with a coordinator's keys, a pair that workers may share, and `allowed`, the list of\n"
    "workers' keys that may join. Called again with --name or --workers it adds workers with keys of their own,\n"
    "each in a folder that is copied to the worker's machine as a whole. Keys are never overwritten. To take a\n"
    "worker away delete its line in `allowed`: the coordinator reads it again by itself. Example:\n\n"
    "  faceshard keygen keys --name host-7\n"
    "  faceshard coordinator JOB.yaml --bind tcp://0.0.0.0:8685 --keys keys\n",
    rows, sizeof(keygen_options), false, run_keygen};

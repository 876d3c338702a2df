/* `faceshard worker`, and the compute child that it starts. */
#include <unistd.h>

#include "cli/command.h"
#include "worker/child.h"
#include "worker/supervisor.h"

typedef struct worker_options {
    int64_t threads, parent;
    double grace, patience;
    char keys[FSH_ARG_TEXT_BYTES];
    char models[FSH_ARG_TEXT_BYTES], templates[FSH_ARG_TEXT_BYTES], spool[FSH_ARG_TEXT_BYTES];
} worker_options;

static const fsh_arg rows[] = {
    FSH_ARG_INT(worker_options, threads, 0, 256, "0", "compute threads; 0: one for every processor"),
    FSH_ARG_TEXT(worker_options, models, "",
                 "folders where this machine has model cards and files, separated by commas; also $FACESHARD_MODELS"),
    FSH_ARG_TEXT(worker_options, templates, "", "folder where this machine has masks/, glasses/ and sunglasses/"),
    FSH_ARG_TEXT(worker_options, spool, "",
                 "transport stream: place for photographs on their way in and shards on their way out; else $TMPDIR"),
    FSH_ARG_REAL(worker_options, grace, 0, 86400, "20",
                 "seconds to finish the unit in work after SIGINT or SIGTERM; then it is given back"),
    FSH_ARG_REAL(worker_options, patience, 1, 31536000, "600", "seconds without a coordinator after which it ends"),
    FSH_ARG_INT(worker_options, parent, 0, 4194304, "0", "process that must not be outlived; 0: none"),
    FSH_ARG_TEXT(worker_options, keys, "", "folder of keys from `faceshard keygen`, where the coordinator asks for them"),
    FSH_ARG_END};

static const char *
or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static fsh_status
run_worker(const fsh_invocation *invocation, fsh_err *err)
{
    const worker_options *options = invocation->options;
    fsh_worker_options to;

    fsh_worker_options_init(&to);
    to.threads = (uint32_t)(options->threads ? options->threads : sysconf(_SC_NPROCESSORS_ONLN));
    to.keys = or_null(options->keys);
    to.grace_ms = (uint32_t)(1000 * options->grace);
    to.give_up_ms = options->patience < 4000000 ? (uint32_t)(1000 * options->patience) : UINT32_MAX;
    to.stay = options->parent == 0;
    to.parent_pid = (uint32_t)options->parent;
    to.models = or_null(options->models);
    to.templates = or_null(options->templates);
    to.spool = or_null(options->spool);
    return fsh_worker_run(invocation->words[0], &to, err);
}

const fsh_command fsh_command_worker = {
    "worker", "ADDRESS|OUT", 1, 1, "work for a coordinator",
    "Asks the coordinator at ADDRESS (tcp://HOST:PORT or ipc://PATH) for units until there are no more. Or OUT is the\n"
    "output folder of a job, where a coordinator with --bind has told its address: the worker waits for it, and follows it\n"
    "to another machine. A coordinator that is told to end, or killed, is waited for, for as long as --patience says. The job\n"
    "comes over the wire; input and output must be there under the same paths, or the job says `transport: {mode:\n"
    "stream}`: then photographs come over the wire as well, shards go back by it, and --spool has room for some units\n"
    "of both. Models and templates must be the coordinator's, which is checked. SIGTERM ends it in good order: the unit\n"
    "in work is finished or, after --grace, given back, and the exit code is 130. A second signal ends it at once.\n",
    rows, sizeof(worker_options), false, run_worker};

static const fsh_arg no_rows[] = {FSH_ARG_END};

static fsh_status
run_child(const fsh_invocation *invocation, fsh_err *err)
{
    (void)invocation;
    if (fsh_child_main(&fsh_compute_work) == 0)
        return FSH_OK;
    return fsh_fail(err, FSH_INTERNAL, "the compute child is started by `faceshard worker`, not by hand");
}

const fsh_command fsh_command_compute_child = {
    "compute-child", "", 0, 0, NULL, "Started by `faceshard worker`.\n", no_rows, 0, false, run_child};

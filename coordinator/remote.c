#include "coordinator/remote.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "base/template.h"
#include "proto/keys.h"

enum { WORDS_MAX = 64, LOG_TAIL_BYTES = 2048 };

extern const char fsh_remote_script[]; /* deploy/hosts/remote.sh, made into a C file by the build */

/* ---- keys and logs ---- */

fsh_status
fsh_remote_prepare(const fsh_remote_options *options, const fsh_host *hosts, uint32_t n,
                   fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_status status = fsh_folder_make(options->logs, err);
    uint32_t i;

    if (!status && !fsh_keys_exist(options->keys))
        status = fsh_keys_make_coordinator(options->keys, err);
    for (i = 0; i < n && !status; i++) {
        status = fsh_path_join(path, options->keys, hosts[i].label, err);
        if (!status && !fsh_file_exists(path))
            status = fsh_keys_make_worker(options->keys, hosts[i].label, err);
    }
    return status;
}

static fsh_status
log_path(const fsh_remote_options *options, const fsh_host *host, char path[FSH_PATH_BYTES],
         fsh_err *err)
{
    char name[FSH_HOST_LABEL_BYTES + 8];

    snprintf(name, sizeof name, "%s.log", host->label);
    return fsh_path_join(path, options->logs, name, err);
}

void
fsh_remote_last_words(const fsh_remote_options *options, const fsh_host *host, fsh_text *out)
{
    char path[FSH_PATH_BYTES], tail[LOG_TAIL_BYTES + 1] = "", *line = tail, *end;
    int fd = log_path(options, host, path, NULL) ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    off_t bytes = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    off_t from = bytes > LOG_TAIL_BYTES ? bytes - LOG_TAIL_BYTES : 0;
    ssize_t n = fd < 0 ? 0 : pread(fd, tail, LOG_TAIL_BYTES, from);

    if (fd >= 0)
        close(fd);
    for (end = tail + (n > 0 ? n : 0); end > tail && (end[-1] == '\n' || end[-1] == '\r'); end--)
        ;
    *end = '\0';
    if (strrchr(tail, '\n'))
        line = strrchr(tail, '\n') + 1;
    fsh_text_addf(out, "%s (%s)", line[0] ? line : "nothing was said", path);
}

/* ---- the script ---- */

static void
add_value(fsh_text *to, const char *option, const char *value)
{
    if (!value[0])
        return;
    fsh_text_addf(to, " %s ", option);
    fsh_text_add_shell(to, value);
}

static fsh_status
add_keys(fsh_text *to, const fsh_remote_options *options, const fsh_host *host, fsh_err *err)
{
    char folder[FSH_PATH_BYTES];
    fsh_keys_file files[FSH_KEYS_FILES];
    fsh_status status = fsh_path_join(folder, options->keys, host->label, err);
    int i;

    if (!status)
        status = fsh_keys_pack(folder, files, err);
    for (i = 0; i < FSH_KEYS_FILES && !status; i++) {
        fsh_text_addf(to, "%sput %s ", i ? "\n" : "", files[i].name);
        fsh_text_add_shell(to, files[i].line);
    }
    explicit_bzero(files, sizeof files);
    return status;
}

static bool
is_every_interface(const char *address)
{
    return strstr(address, "0.0.0.0") || strstr(address, "[::]") || strstr(address, "/*:");
}

/* "": where the host sees the connection come from. */
static void
add_address(fsh_text *to, const fsh_remote_options *options)
{
    char address[FSH_ARG_TEXT_BYTES + 64] = "";
    const char *port = strrchr(options->address, ':');

    if (!is_every_interface(options->address))
        snprintf(address, sizeof address, "%s", options->address);
    else if (options->announce && options->announce[0])
        snprintf(address, sizeof address, "tcp://%s%s", options->announce, port ? port : "");
    fsh_text_add_shell(to, address);
}

/* Texts in the order of the words of print_script. */
static fsh_status
make_texts(const fsh_remote_options *options, const fsh_host *host, fsh_text *texts, fsh_err *err)
{
    char here[FSH_PATH_BYTES], own[FSH_PATH_BYTES] = "";
    const char *models = getenv("FACESHARD_MODELS");

    if (!getcwd(here, sizeof here) || readlink("/proc/self/exe", own, sizeof own - 1) <= 0)
        return fsh_fail(err, FSH_IO,
                        "the current folder or the path of this program is not to be found out");
    fsh_text_add_shell(&texts[0], here);
    fsh_text_add_shell(&texts[1], host->program[0] ? host->program : own);
    add_address(&texts[2], options);
    if (models) {
        fsh_text_add(&texts[3], "export FACESHARD_MODELS=");
        fsh_text_add_shell(&texts[3], models);
    }
    add_value(&texts[4], "--models", host->models);
    add_value(&texts[4], "--templates", host->templates);
    add_value(&texts[4], "--spool", host->spool);
    return add_keys(&texts[5], options, host, err);
}

static fsh_status
print_script(const fsh_remote_options *options, const fsh_host *host, fsh_text *out, fsh_err *err)
{
    char workers[16], threads[16], grace[32];
    const char *port = strrchr(options->address, ':');
    fsh_text texts[6] = {0};
    fsh_status status = make_texts(options, host, texts, err);
    int i;

    snprintf(workers, sizeof workers, "%u", (unsigned)host->workers);
    snprintf(threads, sizeof threads, "%u", (unsigned)host->threads);
    snprintf(grace, sizeof grace, "%.3f", options->grace_ms * 1e-3);
    if (!status) {
        const fsh_template_word words[] = {{"HERE", fsh_text_get(&texts[0])},
                                           {"PROGRAM", fsh_text_get(&texts[1])},
                                           {"ADDRESS", fsh_text_get(&texts[2])},
                                           {"ENVIRONMENT", fsh_text_get(&texts[3])},
                                           {"OPTIONS", fsh_text_get(&texts[4])},
                                           {"KEYS", fsh_text_get(&texts[5])},
                                           {"WORKERS", workers},
                                           {"THREADS", threads},
                                           {"GRACE", grace},
                                           {"PORT", port ? port + 1 : ""},
                                           {NULL, NULL}};

        status = fsh_template_fill(fsh_remote_script, words, out, err);
    }
    for (i = 0; i < 6; i++)
        fsh_text_fini(&texts[i]);
    return status;
}

/* ---- ssh ---- */

/* The script goes in on standard input, because arguments can be seen by everybody there; a shell
 * reads ahead, so that it is read by dd. BatchMode: nobody is there to type a password. Alive: a
 * host that is gone is noticed. */
static void
make_words(char *ssh, const char *name, const char *remote, const char *words[WORDS_MAX + 1])
{
    static const char *const own[] = {"-T", "-oBatchMode=yes", "-oConnectTimeout=10",
                                      "-oServerAliveInterval=15", "-oServerAliveCountMax=4"};
    char *rest, *word;
    uint32_t n = 0, i;

    for (word = strtok_r(ssh, " ", &rest); word && n < WORDS_MAX - 8;
         word = strtok_r(NULL, " ", &rest))
        words[n++] = word;
    for (i = 0; i < sizeof own / sizeof *own; i++)
        words[n++] = own[i];
    words[n++] = name;
    words[n++] = remote;
    words[n] = NULL;
}

static fsh_status
start(uv_loop_t *loop, const fsh_remote_options *options, const fsh_host *host, size_t script_bytes,
      int log, uv_process_t *process, uv_pipe_t *lifeline, uv_exit_cb ended, fsh_err *err)
{
    char ssh[FSH_ARG_TEXT_BYTES], remote[128];
    const char *words[WORDS_MAX + 1];
    uv_stdio_container_t files[] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)lifeline},
        {.flags = UV_INHERIT_FD, .data.fd = log},
        {.flags = UV_INHERIT_FD, .data.fd = log}};
    uv_process_options_t to = {
        .args = (char **)(uintptr_t)words, .stdio = files, .stdio_count = 3, .exit_cb = ended};
    int code;

    snprintf(ssh, sizeof ssh, "%s", options->ssh);
    snprintf(remote, sizeof remote, "exec sh -c 'eval \"$(dd bs=1 count=%zu 2>/dev/null)\"'",
             script_bytes);
    make_words(ssh, host->name, remote, words);
    to.file = words[0];
    to.flags =
        UV_PROCESS_DETACHED; /* Ctrl-C is for the coordinator, which lets the workers finish */
    code = uv_spawn(loop, process, &to);
    return code ? fsh_fail(err, FSH_IO, "%s cannot be started: %s", words[0], uv_strerror(code))
                : FSH_OK;
}

static void
on_written(uv_write_t *request, int status)
{
    (void)status; /* who does not take it ends, and says why in the log */
    explicit_bzero(request->data, strlen(request->data));
    free(request->data);
    free(request);
}

static fsh_status
send_script(uv_pipe_t *lifeline, const fsh_text *script, fsh_err *err)
{
    uv_write_t *request = malloc(sizeof *request);
    char *copy = strdup(fsh_text_get(script));
    uv_buf_t bytes = uv_buf_init(copy, (unsigned)script->bytes);

    if (request && copy) {
        request->data = copy;
        if (uv_write(request, (uv_stream_t *)lifeline, &bytes, 1, on_written) == 0)
            return FSH_OK;
    }
    free(request);
    free(copy);
    return fsh_fail(err, FSH_MEMORY, "no memory for the script of a host");
}

fsh_status
fsh_remote_spawn(uv_loop_t *loop, const fsh_remote_options *options, const fsh_host *host,
                 uv_process_t *process, uv_pipe_t *lifeline, uv_exit_cb ended, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_text script = {0};
    fsh_status status = log_path(options, host, path, err);
    int log = status ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

    uv_pipe_init(loop, lifeline, 0);
    if (!status && log < 0)
        status = fsh_fail_errno(err, errno, "%s: cannot be written", path);
    if (!status)
        status = print_script(options, host, &script, err);
    if (!status)
        status = start(loop, options, host, script.bytes, log, process, lifeline, ended, err);
    if (!status && send_script(lifeline, &script, err))
        uv_process_kill(process, SIGKILL); /* tried again, as whatever ends early */
    if (script.data)
        explicit_bzero(script.data, script.bytes);
    fsh_text_fini(&script);
    if (log >= 0)
        close(log);
    return status;
}

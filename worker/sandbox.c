#include "worker/sandbox.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker/child.h"
#include "worker/executing.h"
#include "worker/frame.h"

enum {
    READ_BYTES = 65536,
    WATCH_MS = 100, /* between two looks at what is executing */
    NAMED_MAX = 8   /* samples that are named in a text */
};

struct fsh_sandbox {
    fsh_sandbox_options options;
    uv_process_t process;
    uv_pipe_t pipe;
    uv_timer_t timer; /* looks at what is executing */
    fsh_executing *executing;
    fsh_watch watch;
    uint64_t watched_ms; /* when that was */
    uint32_t image_ms;   /* that one sample may take; 0: any time */
    uint32_t unit;       /* that is in work ... */
    uint64_t token;      /* ... under this lease; 0: none */
    bool hung;           /* it was killed for the time that it took over hung_sample */
    uint32_t hung_sample;
    fsh_text received;
    char piece[READ_BYTES];
    int signal;
    bool exited, silent; /* process reaped; nothing more will be said */
    bool closing;
    int handles_open;
};

typedef struct letter {
    uv_write_t request;
    fsh_text bytes;
} letter;

uint32_t
fsh_sandbox_pid(const fsh_sandbox *sandbox)
{
    return (uint32_t)sandbox->process.pid;
}

void
fsh_sandbox_kill(fsh_sandbox *sandbox)
{
    if (!sandbox->exited)
        uv_process_kill(&sandbox->process, SIGKILL);
}

/* ---- the child's end ---- */

static void
name_suspects(const fsh_message_failed *failed, fsh_text *out)
{
    uint64_t i;

    if (failed->suspects.n)
        fsh_text_addf(out, "; it was at sample%s", failed->suspects.n > 1 ? "s" : "");
    for (i = 0; i < failed->suspects.n && i < NAMED_MAX; i++)
        fsh_text_addf(out, "%s %" PRIu64, i ? "," : "", failed->suspects.at[i]);
    fsh_text_add(out, failed->suspects.n > NAMED_MAX ? ", ..." : "");
}

static void
describe_end(const fsh_sandbox *sandbox, fsh_message_failed *failed, fsh_text *out)
{
    failed->suspects.n = fsh_executing_list(sandbox->executing, failed->suspects.at);
    failed->reason = failed->suspects.n ? FSH_REASON_CRASHED : FSH_REASON_NONE;
    failed->signal = (uint32_t)sandbox->signal;
    if (sandbox->hung) {
        failed->suspects.n = 1;
        failed->suspects.at[0] = sandbox->hung_sample;
        failed->reason = FSH_REASON_TIMED_OUT;
        failed->signal = 0;
        fsh_text_addf(out, "the compute process took longer than %" PRIu32 " ms over one image",
                      sandbox->image_ms);
    } else if (sandbox->signal) {
        fsh_text_addf(out, "the compute process was ended by signal %d (%s)", sandbox->signal,
                      strsignal(sandbox->signal));
    } else {
        fsh_text_add(out, "the compute process ended in the middle of the unit");
    }
    name_suspects(failed, out);
}

static void
tell_end(fsh_sandbox *sandbox)
{
    fsh_message message = {.number = FSH_MESSAGE_FAILED};
    fsh_text text = {0};

    if (!sandbox->exited || !sandbox->silent || sandbox->closing)
        return;
    if (sandbox->token) {
        describe_end(sandbox, &message.failed, &text);
        message.failed.unit = sandbox->unit;
        message.failed.token = sandbox->token;
        message.failed.status = FSH_INTERNAL;
        message.failed.text = fsh_text_get(&text);
    }
    sandbox->options.ended(sandbox->options.self, sandbox->token ? &message : NULL);
    fsh_text_fini(&text);
}

static void
on_ended(uv_process_t *process, int64_t code, int signal)
{
    fsh_sandbox *sandbox = process->data;

    (void)code;
    sandbox->exited = true;
    sandbox->signal = signal;
    tell_end(sandbox);
}

static void
on_closed(uv_handle_t *handle)
{
    fsh_sandbox *sandbox = handle->data;

    if (--sandbox->handles_open)
        return;
    fsh_executing_close(&sandbox->executing);
    fsh_text_fini(&sandbox->received);
    free(sandbox);
}

/* A child that is killed here is not waited for: it is reaped when this process ends. */
void
fsh_sandbox_close(fsh_sandbox **sandbox)
{
    fsh_sandbox *closing = *sandbox;

    *sandbox = NULL;
    if (!closing)
        return;
    fsh_sandbox_kill(closing);
    closing->closing = true;
    uv_close((uv_handle_t *)&closing->process, on_closed);
    uv_close((uv_handle_t *)&closing->pipe, on_closed);
    uv_close((uv_handle_t *)&closing->timer, on_closed);
}

/* ---- watching ---- */

/* A process that was stopped from outside is not slow. */
static bool
is_stopped(uint32_t pid)
{
    char path[64], line[512] = "";
    const char *behind;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%" PRIu32 "/stat", pid);
    file = fopen(path, "r");
    if (file && !fgets(line, sizeof line, file))
        line[0] = '\0';
    if (file)
        fclose(file);
    behind = strrchr(line, ')');
    return behind && (behind[2] == 'T' || behind[2] == 't');
}

/* Time in which this process did not run itself does not count either. */
static void
on_watch(uv_timer_t *timer)
{
    fsh_sandbox *sandbox = timer->data;
    uint64_t now = uv_now(timer->loop), step_ms = now - sandbox->watched_ms;

    sandbox->watched_ms = now;
    if (!sandbox->token || sandbox->hung || is_stopped(fsh_sandbox_pid(sandbox)))
        return;
    sandbox->hung = fsh_watch_step(&sandbox->watch, sandbox->executing,
                                   step_ms < 2 * WATCH_MS ? step_ms : 2 * WATCH_MS,
                                   sandbox->image_ms, &sandbox->hung_sample);
    if (sandbox->hung)
        fsh_sandbox_kill(sandbox);
}

static void
begin_watch(fsh_sandbox *sandbox, uint32_t image_ms)
{
    sandbox->image_ms = image_ms;
    sandbox->watched_ms = uv_now(sandbox->timer.loop);
    if (image_ms)
        uv_timer_start(&sandbox->timer, on_watch, WATCH_MS, WATCH_MS);
}

/* ---- listening ---- */

static void
on_space(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
    fsh_sandbox *sandbox = handle->data;

    (void)wanted;
    *buffer = uv_buf_init(sandbox->piece, sizeof sandbox->piece);
}

static void
note(fsh_sandbox *sandbox, const fsh_message *message)
{
    if (message->number == FSH_MESSAGE_READY)
        begin_watch(sandbox, message->ready.image_ms);
    if (message->number == FSH_MESSAGE_DONE || message->number == FSH_MESSAGE_FAILED)
        sandbox->token = 0;
}

/* A child that says what is no message cannot be trusted any more. */
static void
hear(fsh_sandbox *sandbox)
{
    fsh_message message;
    fsh_status status = FSH_OK;

    while (!status && !sandbox->closing) {
        status = fsh_frame_take(&sandbox->received, FSH_FROM_CHILD, &message, NULL);
        if (status)
            break;
        note(sandbox, &message);
        sandbox->options.said(sandbox->options.self, &message);
        fsh_message_fini(&message);
    }
    if (status && status != FSH_INTERRUPTED)
        fsh_sandbox_kill(sandbox);
}

static void
on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    fsh_sandbox *sandbox = stream->data;

    if (n > 0) {
        fsh_text_add_bytes(&sandbox->received, buffer->base, (size_t)n);
        hear(sandbox);
    } else if (n < 0) {
        uv_read_stop(stream);
        fsh_sandbox_kill(sandbox);
        sandbox->silent = true;
        tell_end(sandbox);
    }
}

/* ---- speaking ---- */

static void
on_written(uv_write_t *request, int status)
{
    letter *sent = request->data;

    (void)status; /* a child that is gone is told by on_ended */
    fsh_text_fini(&sent->bytes);
    free(sent);
}

static fsh_status
say(fsh_sandbox *sandbox, const fsh_message *message, fsh_err *err)
{
    letter *sending = calloc(1, sizeof *sending);
    uv_buf_t buffer;
    fsh_status status;

    if (!sending)
        return fsh_fail(err, FSH_MEMORY, "no memory for a message");
    status = fsh_frame_encode(message, FSH_FROM_SUPERVISOR, &sending->bytes, err);
    sending->request.data = sending;
    buffer = uv_buf_init(sending->bytes.data, (unsigned)sending->bytes.bytes);
    if (!status &&
        uv_write(&sending->request, (uv_stream_t *)&sandbox->pipe, &buffer, 1, on_written) == 0)
        return FSH_OK;
    fsh_text_fini(&sending->bytes);
    free(sending);
    return status ? status : fsh_fail(err, FSH_IO, "the compute child cannot be told");
}

void
fsh_sandbox_work(fsh_sandbox *sandbox, const fsh_message_work *order)
{
    fsh_message message = {.number = FSH_MESSAGE_WORK, .work = *order};

    sandbox->unit = order->unit;
    sandbox->token = order->token;
    sandbox->hung = false; /* and if it is being killed for that, this unit is not to blame */
    fsh_executing_clear(sandbox->executing);
    if (say(sandbox, &message, NULL))
        fsh_sandbox_kill(sandbox);
}

/* ---- starting ---- */

/* Models are large and read here and there: on pages of 2 MB landmarks take half the time, because the processor
 * finds the pages. glibc asks for them when it is told so at a program's start; others do not know the name. */
static void
ask_for_large_pages(void)
{
    setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", 0);
}

static int
spawn(uv_loop_t *loop, fsh_sandbox *sandbox, int table_file)
{
    uv_stdio_container_t files[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = 2}, /* what libraries print belongs to the log */
        {.flags = UV_INHERIT_FD, .data.fd = 2},
        [FSH_CHILD_FILE] = {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE,
                            .data.stream = (uv_stream_t *)&sandbox->pipe},
        [FSH_TABLE_FILE] = {.flags = UV_INHERIT_FD, .data.fd = table_file}};
    uv_process_options_t options = {.file = sandbox->options.command[0],
                                    .args = (char **)(uintptr_t)sandbox->options.command,
                                    .stdio = files,
                                    .stdio_count = sizeof files / sizeof *files,
                                    .exit_cb = on_ended};

    ask_for_large_pages();
    return uv_spawn(loop, &sandbox->process, &options);
}

static fsh_status
begin(uv_loop_t *loop, fsh_sandbox *sandbox, fsh_err *err)
{
    const fsh_sandbox_options *options = &sandbox->options;
    fsh_message job = {.number = FSH_MESSAGE_JOB, .job = options->job};
    int table_file, code;
    fsh_status status = fsh_executing_new(&sandbox->executing, &table_file, err);

    sandbox->exited = true; /* until it runs */
    if (status)
        return status;
    code = spawn(loop, sandbox, table_file);
    sandbox->exited = code != 0;
    close(table_file);
    if (code) {
        return fsh_fail(err, FSH_IO, "%s: cannot be started: %s", options->command[0],
                        uv_strerror(code));
    }
    uv_read_start((uv_stream_t *)&sandbox->pipe, on_space, on_read);
    return say(sandbox, &job, err);
}

fsh_status
fsh_sandbox_open(uv_loop_t *loop, const fsh_sandbox_options *options, fsh_sandbox **sandbox,
                 fsh_err *err)
{
    fsh_sandbox *opened = calloc(1, sizeof *opened);
    fsh_status status;

    if (!opened)
        return fsh_fail(err, FSH_MEMORY, "no memory for a compute child");
    opened->options = *options;
    opened->handles_open = 3;
    opened->process.data = opened->pipe.data = opened->timer.data = opened;
    uv_pipe_init(loop, &opened->pipe, 0);
    uv_timer_init(loop, &opened->timer);
    status = begin(loop, opened, err);
    if (status)
        fsh_sandbox_close(&opened);
    else
        *sandbox = opened;
    return status;
}

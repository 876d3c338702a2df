#include "worker/sandbox.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "worker/child.h"
#include "worker/frame.h"

enum { READ_BYTES = 65536 };

struct fsh_sandbox {
    fsh_sandbox_options options;
    uv_process_t process;
    uv_pipe_t pipe;
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
tell_end(fsh_sandbox *sandbox)
{
    if (sandbox->exited && sandbox->silent && !sandbox->closing)
        sandbox->options.ended(sandbox->options.self, sandbox->signal);
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
}

/* ---- listening ---- */

static void
on_space(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
    fsh_sandbox *sandbox = handle->data;

    (void)wanted;
    *buffer = uv_buf_init(sandbox->piece, sizeof sandbox->piece);
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
fsh_sandbox_work(fsh_sandbox *sandbox, uint32_t unit, uint64_t token)
{
    fsh_message message = {.number = FSH_MESSAGE_WORK, .work = {unit, token}};

    if (say(sandbox, &message, NULL))
        fsh_sandbox_kill(sandbox);
}

/* ---- starting ---- */

static int
spawn(uv_loop_t *loop, fsh_sandbox *sandbox)
{
    uv_stdio_container_t files[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = 2}, /* what libraries print belongs to the log */
        {.flags = UV_INHERIT_FD, .data.fd = 2},
        [FSH_CHILD_FILE] = {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE,
                            .data.stream = (uv_stream_t *)&sandbox->pipe}};
    uv_process_options_t options = {.file = sandbox->options.command[0],
                                    .args = (char **)(uintptr_t)sandbox->options.command,
                                    .stdio = files,
                                    .stdio_count = sizeof files / sizeof *files,
                                    .exit_cb = on_ended};

    return uv_spawn(loop, &sandbox->process, &options);
}

static fsh_status
begin(uv_loop_t *loop, fsh_sandbox *sandbox, fsh_err *err)
{
    const fsh_sandbox_options *options = &sandbox->options;
    fsh_message job = {.number = FSH_MESSAGE_JOB, .job = options->job};
    int code = spawn(loop, sandbox);

    if (code) {
        sandbox->exited = true;
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
    opened->handles_open = 2;
    opened->process.data = opened->pipe.data = opened;
    uv_pipe_init(loop, &opened->pipe, 0);
    status = begin(loop, opened, err);
    if (status)
        fsh_sandbox_close(&opened);
    else
        *sandbox = opened;
    return status;
}

#include "coordinator/crew.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

enum {
    BACK_OFF_MS = 200, /* before the first new start; twice as long before each further one */
    DEATHS_MAX = 8,    /* in a row, each soon after its start */
    SOON_MS = 10000,
    FAR_SOON_MS = 60000, /* the same on another host, which first has to be reached */
    UNREACHED = 255,     /* ssh's own exit code */
    ARGUMENTS_MAX = 16
};

typedef enum hand_state { HAND_RUNNING, HAND_RESTING, HAND_GONE } hand_state;

typedef struct hand {
    uv_process_t process;
    uv_pipe_t lifeline;   /* of a worker elsewhere: */
    const fsh_host *host; /* NULL: this machine */
    fsh_crew *crew;
    hand_state state;
    uint32_t deaths;
    uint64_t started_ms, again_ms;
} hand;

struct fsh_crew {
    uv_loop_t *loop;
    fsh_crew_options options;
    uint32_t handles_open;
    bool dismissed, closing;
    uint32_t n;
    hand hands[];
};

static void
free_when_empty(fsh_crew *crew)
{
    if (crew->closing && crew->handles_open == 0)
        free(crew);
}

static void
on_closed(uv_handle_t *handle)
{
    hand *of = handle->data;

    of->crew->handles_open--;
    free_when_empty(of->crew);
}

/* Whether the end of a process came from outside, so that starting it again may help. A shell tells the death of a worker by a
 * signal as a code above 128, and ssh a host that it does not reach as 255. */
static bool
was_killed(const hand *of, int64_t code, int signal)
{
    return signal != 0 || code == 0 || code == fsh_status_exit_code(FSH_INTERRUPTED) || (of->host && code > 128);
}

/* The first time, and when it is given up. */
static void
warn(hand *of, int64_t code)
{
    const fsh_crew *crew = of->crew;
    fsh_text text = {0};

    if (!of->host || crew->dismissed || code == 0 || (of->state == HAND_RESTING && of->deaths > 1))
        return;
    fsh_text_addf(&text, "%s %s%s: ", of->host->name, code == UNREACHED ? "cannot be reached" : "has ended",
                  of->state == HAND_RESTING ? ", and is tried again" : "; the job goes on without it");
    fsh_remote_last_words(crew->options.remote, of->host, &text);
    crew->options.warned(crew->options.self, fsh_text_get(&text));
    fsh_text_fini(&text);
}

static void
close_hand(hand *of)
{
    uv_close((uv_handle_t *)&of->process, on_closed);
    if (of->host)
        uv_close((uv_handle_t *)&of->lifeline, on_closed);
}

static void
on_ended(uv_process_t *process, int64_t code, int signal)
{
    hand *of = process->data;
    uint64_t now = uv_now(of->crew->loop), soon = of->host ? FAR_SOON_MS : SOON_MS;

    of->deaths = now - of->started_ms < soon ? of->deaths + 1 : 1;
    of->again_ms = now + ((uint64_t)BACK_OFF_MS << of->deaths);
    of->state = was_killed(of, code, signal) && of->deaths < DEATHS_MAX && !of->crew->dismissed
                    ? HAND_RESTING
                    : HAND_GONE;
    warn(of, code);
    close_hand(of);
}

static int
spawn(fsh_crew *crew, hand *of)
{
    char threads[16], parent[16], grace[32];
    const char *arguments[ARGUMENTS_MAX + 1];
    uv_stdio_container_t files[] = {{.flags = UV_IGNORE},
                                    {.flags = UV_INHERIT_FD, .data.fd = 2},
                                    {.flags = UV_INHERIT_FD, .data.fd = 2}};
    uv_process_options_t options = {.file = crew->options.command[0],
                                    .args = (char **)(uintptr_t)arguments,
                                    .stdio = files,
                                    .stdio_count = 3,
                                    .exit_cb = on_ended};
    const char *keys = crew->options.keys;
    const char *const behind[] = {crew->options.address, "--threads", threads, "--parent", parent,
                                  "--grace", grace, keys ? "--keys" : NULL, keys, NULL};
    uint32_t n, i;

    snprintf(threads, sizeof threads, "%" PRIu32, crew->options.threads);
    snprintf(grace, sizeof grace, "%.3f", crew->options.grace_ms * 1e-3);
    snprintf(parent, sizeof parent, "%ld", (long)getpid());
    for (n = 0; crew->options.command[n] && n < ARGUMENTS_MAX - 10; n++)
        arguments[n] = crew->options.command[n];
    for (i = 0; i < sizeof behind / sizeof *behind; i++)
        arguments[n + i] = behind[i];
    return uv_spawn(crew->loop, &of->process, &options);
}

static fsh_status
start_here(fsh_crew *crew, hand *of, fsh_err *err)
{
    int code;

    of->process.data = of;
    of->started_ms = uv_now(crew->loop);
    crew->handles_open++;
    code = spawn(crew, of);
    of->state = code ? HAND_GONE : HAND_RUNNING;
    if (!code)
        return FSH_OK;
    uv_close((uv_handle_t *)&of->process, on_closed);
    return fsh_fail(err, FSH_IO, "%s: a worker cannot be started: %s", crew->options.command[0],
                    uv_strerror(code));
}

static fsh_status
start_there(fsh_crew *crew, hand *of, fsh_err *err)
{
    fsh_status status;

    memset(&of->process, 0, sizeof of->process);
    of->process.data = of->lifeline.data = of;
    of->started_ms = uv_now(crew->loop);
    crew->handles_open += 2;
    status = fsh_remote_spawn(crew->loop, crew->options.remote, of->host, &of->process, &of->lifeline, on_ended, err);
    of->state = status ? HAND_GONE : HAND_RUNNING;
    if (!status)
        return FSH_OK;
    uv_close((uv_handle_t *)&of->lifeline, on_closed);
    if (of->process.type == UV_PROCESS)
        uv_close((uv_handle_t *)&of->process, on_closed);
    else
        crew->handles_open--;
    return status;
}

static fsh_status
start(fsh_crew *crew, hand *of, fsh_err *err)
{
    return of->host ? start_there(crew, of, err) : start_here(crew, of, err);
}

fsh_status
fsh_crew_open(uv_loop_t *loop, const fsh_crew_options *options, fsh_crew **crew, fsh_err *err)
{
    uint32_t n = options->n + options->hosts_n;
    fsh_crew *opened = calloc(1, sizeof *opened + n * sizeof *opened->hands);
    fsh_status status = FSH_OK;
    uint32_t i;

    if (!opened)
        return fsh_fail(err, FSH_MEMORY, "no memory for %u workers", n);
    opened->loop = loop;
    opened->options = *options;
    opened->n = n;
    for (i = 0; i < n; i++) {
        opened->hands[i].crew = opened;
        opened->hands[i].state = HAND_GONE;
        opened->hands[i].host = i < options->n ? NULL : &options->hosts[i - options->n];
    }
    for (i = 0; i < n && !status; i++)
        status = start(opened, &opened->hands[i], err);
    if (status)
        fsh_crew_close(&opened);
    else
        *crew = opened;
    return status;
}

/* A process handle may be used again once it is closed, which the shortest back-off leaves time
 * for. */
void
fsh_crew_tick(fsh_crew *crew)
{
    uint64_t now = uv_now(crew->loop);
    uint32_t i;

    for (i = 0; i < crew->n; i++)
        if (crew->hands[i].state == HAND_RESTING && crew->hands[i].again_ms <= now)
            start(crew, &crew->hands[i], NULL);
}

void
fsh_crew_dismiss(fsh_crew *crew)
{
    uint32_t i;

    crew->dismissed = true;
    for (i = 0; i < crew->n; i++)
        if (crew->hands[i].state == HAND_RESTING)
            crew->hands[i].state = HAND_GONE;
}

static uint32_t
count(const fsh_crew *crew, hand_state state)
{
    uint32_t i, n = 0;

    for (i = 0; i < crew->n; i++)
        n += crew->hands[i].state == state;
    return n;
}

uint32_t
fsh_crew_running(const fsh_crew *crew)
{
    return count(crew, HAND_RUNNING);
}

uint32_t
fsh_crew_hoped(const fsh_crew *crew)
{
    return count(crew, HAND_RUNNING) + count(crew, HAND_RESTING);
}

void
fsh_crew_close(fsh_crew **crew)
{
    fsh_crew *closing = *crew;
    uint32_t i;

    *crew = NULL;
    if (!closing)
        return;
    fsh_crew_dismiss(closing);
    closing->closing = true;
    for (i = 0; i < closing->n; i++)
        if (closing->hands[i].state == HAND_RUNNING)
            uv_process_kill(&closing->hands[i].process, closing->hands[i].host ? SIGTERM : SIGKILL);
    free_when_empty(closing);
}

/* `faceshard report`: report.html of a finished job. `run` and `finish` have it made at their end,
 * in a process of its own. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/apart.h"
#include "cli/command.h"
#include "cli/outcome.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "page/report.h"
#include "stages/vision/decode.h"

#define STEP "writing report.html"

enum { LIMIT_S = 600 }; /* of processor time */

typedef struct report_options {
    int32_t log;
} report_options;

static const fsh_arg rows[] = {
    FSH_ARG_CHOICE(report_options, log, FSH_LOG_MODES, "auto", "how progress is told"),
    FSH_ARG_END};

typedef struct making {
    const char *output;
    fsh_progress progress;
} making;

static fsh_status
write_report(void *self, fsh_err *err)
{
    making *of = self;
    fsh_listener steps = fsh_progress_listener(&of->progress);
    fsh_status status;

    steps = fsh_listener_at(&steps, STEP);
    fsh_vision_init();
    status = fsh_report_write(of->output, &steps, err);
    fsh_progress_clear(&of->progress);
    return status;
}

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    const report_options *options = invocation->options;
    making of = {.output = invocation->words[0]};

    fsh_progress_start(&of.progress, fsh_outcome_mode(options->log));
    return fsh_apart_run(write_report, &of, of.output, LIMIT_S, err);
}

/* ---- for others ---- */

/* Starts `faceshard report`, which tells on the line how far it is; 0: it cannot be. */
static pid_t
start(const char *output, int line)
{
    static char program[] = "/proc/self/exe", command[] = "report", log[] = "--log", json[] = "json";
    char *arguments[] = {program, command, (char *)(uintptr_t)output, log, json, NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, line, STDOUT_FILENO);
    if (posix_spawn(&child, program, &actions, NULL, arguments, environ) != 0)
        child = 0;
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

/* Until it has ended. Takes the line over. */
static void
follow(int line, const fsh_listener *steps)
{
    FILE *from = fdopen(line, "r");
    unsigned long long done, of;
    char text[256], *at;

    if (!from)
        close(line);
    while (from && fgets(text, sizeof text, from))
        if ((at = strstr(text, "\"done\":")) && sscanf(at, "\"done\":%llu,\"of\":%llu", &done, &of) == 2)
            fsh_listener_tell(steps, done, of);
    if (from)
        fclose(from);
}

fsh_status
fsh_report_make(const char *output, const fsh_listener *steps, fsh_err *err)
{
    fsh_listener first = fsh_listener_at(steps, "gathering what the report tells"),
                 then = fsh_listener_at(steps, STEP);
    int ends[2], code = 0;
    pid_t child;

    fsh_listener_tell(&first, 0, 0);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fsh_fail_errno(err, errno, "no pipe can be made for the report");
    child = start(output, ends[1]);
    close(ends[1]);
    follow(ends[0], &then);
    if (!child || waitpid(child, &code, 0) != child)
        return fsh_fail(err, FSH_IO, "no process can be started for the report");
    return WIFEXITED(code) && WEXITSTATUS(code) == 0
               ? FSH_OK
               : fsh_fail(err, FSH_IO,
                          "%s/report.html could not be made; `faceshard report %s` tries again",
                          output, output);
}

const fsh_command fsh_command_report = {
    "report",
    "OUT",
    1,
    1,
    "write report.html of a finished job again",
    "One page without outside parts: numbers, what was rejected with pictures, mean distances, "
    "people by number of\n"
    "photographs, sheets of every variant, times, and how to get the same again. `run` and "
    "`finish` write it at their end.\n",
    rows,
    sizeof(report_options),
    false,
    run};

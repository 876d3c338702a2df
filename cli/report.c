/* `faceshard report`: report.html of a finished job. `run` and `finish` have it made at their end,
 * in a process of its own. */
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/apart.h"
#include "cli/command.h"
#include "cli/report.h"
#include "page/report.h"
#include "stages/vision/decode.h"

enum { LIMIT_S = 600 }; /* of processor time */

static const fsh_arg rows[] = {FSH_ARG_END};

static fsh_status
write_report(void *self, fsh_err *err)
{
    fsh_vision_init();
    return fsh_report_write(self, err);
}

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    const char *output = invocation->words[0];

    return fsh_apart_run(write_report, (void *)(uintptr_t)output, output, LIMIT_S, err);
}

fsh_status
fsh_report_make(const char *output, fsh_err *err)
{
    static char program[] = "/proc/self/exe", command[] = "report";
    char *arguments[] = {program, command, (char *)(uintptr_t)output, NULL};
    pid_t child;
    int code = 0;

    if (posix_spawn(&child, program, NULL, NULL, arguments, environ) != 0 ||
        waitpid(child, &code, 0) != child)
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
    0,
    false,
    run};

/* `faceshard status`: how far a job is, from its output folder. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "cli/command.h"
#include "job/paths.h"
#include "page/view.h"

typedef struct status_options {
    bool json, watch;
    double every;
} status_options;

static const fsh_arg rows[] = {
    FSH_ARG_BOOL(status_options, json, "false",
                 "for scripts: one JSON object; with --watch one a line"),
    FSH_ARG_BOOL(status_options, watch, "false", "look again and again, until the job is at rest"),
    FSH_ARG_REAL(status_options, every, 0.1, 3600, "1", "seconds between two looks with --watch"),
    FSH_ARG_END};

static uint32_t
terminal_columns(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 100;
}

static bool
is_at_work(const fsh_view *view)
{
    return view->phase == FSH_PHASE_PLANNING || view->phase == FSH_PHASE_RUNNING ||
           view->phase == FSH_PHASE_DRAINING || view->phase == FSH_PHASE_FINISHING;
}

/* On a terminal each look is drawn over the one before; elsewhere they follow each other. */
static fsh_status
tell(const status_options *options, const fsh_view *view, fsh_err *err)
{
    bool terminal = isatty(STDOUT_FILENO) != 0;
    fsh_text out = {0};
    fsh_status status = FSH_OK;

    if (options->json) {
        fsh_view_print_json(view, false, &out);
        fsh_text_add(&out, "\n");
    } else {
        fsh_text_add(&out, options->watch && terminal ? "\x1b[H\x1b[J" : "");
        fsh_view_print(view, terminal_columns(), terminal && !getenv("NO_COLOR"), &out);
    }
    if (!fsh_text_ok(&out))
        status = fsh_fail(err, FSH_MEMORY, "out of memory");
    else
        fputs(fsh_text_get(&out), stdout);
    fflush(stdout);
    fsh_text_fini(&out);
    return status;
}

static void
pause_for(double seconds)
{
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

    nanosleep(&time, NULL);
}

/* Whether a cluster has the job and has not begun it. */
static bool
is_submitted(const char *output, bool *told)
{
    char path[FSH_PATH_BYTES];

    if (fsh_path_join(path, output, FSH_PATH_SUBMITTED, NULL) || !fsh_file_exists(path))
        return false;
    if (!*told)
        fprintf(stderr, "%s: submitted, and not begun\n", output);
    *told = true;
    return true;
}

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    const status_options *options = invocation->options;
    bool again = true, told = false;
    fsh_status status = FSH_OK;

    while (!status && again) {
        fsh_view view;

        status = fsh_view_read(invocation->words[0], &view, err);
        if (status == FSH_USAGE && options->watch && is_submitted(invocation->words[0], &told)) {
            status = FSH_OK;
            pause_for(options->every);
            continue;
        }
        if (status)
            break;
        status = tell(options, &view, err);
        again = options->watch && is_at_work(&view);
        fsh_view_fini(&view);
        if (again)
            pause_for(options->every);
    }
    return status;
}

const fsh_command fsh_command_status = {
    "status",
    "OUT",
    1,
    1,
    "how far the job of an output folder is",
    "Tells from the ledger of an output folder, whether somebody works on it, or it is "
    "interrupted, or finished: job,\n"
    "progress, units by state, rejected by reason, time by stage; where a coordinator runs also "
    "rate, time left and\n"
    "workers. Changes nothing. Example:\n\n"
    "  faceshard status out --watch\n",
    rows,
    sizeof(status_options),
    false,
    run};

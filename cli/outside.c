#include "cli/outside.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MAX = 32, TOO_LATE = 124, NOT_THERE = 127 };

extern char **environ;

/* By coreutils' timeout, which ends what the program has started as well. */
static int
start(const char *const *words, const char *folder, unsigned limit_s, int to, pid_t *child)
{
    char seconds[16];
    const char *arguments[WORDS_MAX + 4] = {"timeout", "--kill-after=5", seconds};
    posix_spawn_file_actions_t actions;
    size_t n;
    int failed;

    snprintf(seconds, sizeof seconds, "%u", limit_s);
    for (n = 0; words[n] && n < WORDS_MAX; n++)
        arguments[n + 3] = words[n];
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder);
    posix_spawn_file_actions_adddup2(&actions, to, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, to, STDERR_FILENO);
    failed =
        posix_spawnp(child, arguments[0], &actions, NULL, (char **)(uintptr_t)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static void
hear(int from, fsh_text *said)
{
    char part[4096];
    ssize_t n;

    while ((n = read(from, part, sizeof part)) > 0 || (n < 0 && errno == EINTR))
        fsh_text_add_bytes(said, part, n > 0 ? (size_t)n : 0);
    while (said->bytes > 0 && said->data[said->bytes - 1] == '\n')
        said->data[--said->bytes] = '\0';
}

static fsh_status
judge(const char *program, int ended, unsigned limit_s, const fsh_text *said, fsh_err *err)
{
    int code = WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);

    if (code == 0)
        return fsh_text_ok(said) ? FSH_OK : fsh_fail(err, FSH_MEMORY, "out of memory");
    if (code == TOO_LATE)
        return fsh_fail(err, FSH_NETWORK, "%s has not answered in %u s", program, limit_s);
    if (code == NOT_THERE)
        return fsh_fail(err, FSH_NETWORK, "%s is not on this machine", program);
    return fsh_fail(err, FSH_NETWORK, "%s: %s", program,
                    said->bytes ? fsh_text_get(said) : "it has failed and not said why");
}

fsh_status
fsh_outside_run(const char *const *words, const char *folder, unsigned limit_s, fsh_text *said,
                fsh_err *err)
{
    int ends[2], ended = 0, failed;
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return fsh_fail_errno(err, errno, "no pipe to hear %s", words[0]);
    failed = start(words, folder, limit_s, ends[1], &child);
    close(ends[1]);
    if (!failed)
        hear(ends[0], said);
    close(ends[0]);
    if (failed)
        return fsh_fail_errno(err, failed, "%s cannot be started in %s", words[0], folder);
    while (waitpid(child, &ended, 0) < 0 && errno == EINTR)
        ;
    return judge(words[0], ended, limit_s, said, err);
}

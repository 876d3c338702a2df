#include "base/apart.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child says at its end. */
typedef struct verdict {
    fsh_status status;
    fsh_err err;
} verdict;

/* Smaller than a pipe, so that writing it never waits. */
static void
live_apart(fsh_status (*run)(void *self, fsh_err *err), void *self, uint32_t limit_s, int to)
{
    struct rlimit seconds = {limit_s, limit_s + 1u}, no_core = {0, 0};
    verdict said = {FSH_OK, {""}};

    signal(SIGXCPU, SIG_DFL);
    setrlimit(RLIMIT_CPU, &seconds);
    setrlimit(RLIMIT_CORE, &no_core);
    said.status = run(self, &said.err);
    if (fflush(stdout) != 0 && !said.status)
        said.status = fsh_fail_errno(&said.err, errno, "standard output");
    _exit(write(to, &said, sizeof said) == (ssize_t)sizeof said ? 0 : 1);
}

static fsh_status
judge(const verdict *said, ssize_t bytes, int ended, const char *file, uint32_t limit_s, fsh_err *err)
{
    if (bytes == (ssize_t)sizeof *said)
        return said->status ? fsh_fail(err, said->status, "%s", said->err.text) : FSH_OK;
    if (WIFSIGNALED(ended) && (WTERMSIG(ended) == SIGXCPU || WTERMSIG(ended) == SIGKILL))
        return fsh_fail(err, FSH_FORMAT,
                        "%s: reading it took more than %u s of processor time: the file is damaged", file,
                        limit_s);
    return fsh_fail(err, FSH_FORMAT,
                    "%s: the library that reads it was ended by signal %d (%s): the file is damaged", file,
                    WIFSIGNALED(ended) ? WTERMSIG(ended) : 0,
                    WIFSIGNALED(ended) ? strsignal(WTERMSIG(ended)) : "none");
}

static ssize_t
hear(int from, verdict *said)
{
    ssize_t n;

    do
        n = read(from, said, sizeof *said);
    while (n < 0 && errno == EINTR);
    return n;
}

fsh_status
fsh_apart_run(fsh_status (*run)(void *self, fsh_err *err), void *self, const char *file,
              uint32_t limit_s, fsh_err *err)
{
    verdict said;
    ssize_t bytes;
    int ends[2], ended = 0;
    pid_t child;

    fflush(stdout);
    if (pipe(ends) != 0)
        return fsh_fail_errno(err, errno, "%s: no pipe to read it through", file);
    child = fork();
    if (child == 0)
        live_apart(run, self, limit_s, ends[1]);
    close(ends[1]);
    bytes = child > 0 ? hear(ends[0], &said) : 0;
    close(ends[0]);
    if (child < 0)
        return fsh_fail_errno(err, errno, "%s: no process to read it in", file);
    while (waitpid(child, &ended, 0) < 0 && errno == EINTR)
        ;
    return judge(&said, bytes, ended, file, limit_s, err);
}

void
fsh_apart_limit_memory(uint64_t bytes)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    const struct rlimit limit = {bytes, bytes};

    if (bytes)
        setrlimit(RLIMIT_DATA, &limit);
#else
    (void)bytes;
#endif
}

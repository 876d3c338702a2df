/* Who asks and prints locks for a moment; a thread of ours talks to the process. */
#include "page/gallery.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/thread.h"

enum {
    KEPT = 4,        /* units whose pictures are held */
    REST_MS = 2000,  /* from one to the next, */
    SHARE = 200,     /* or longer, so that they take one part in so many of all processors, but not */
    REST_MOST_MS = 30000, /* longer than that */
    ANSWER_MS = 60000, /* that the process, which gives way to all others, may take */
    SLICE_MS = 200,
    ANSWER_BYTES = 8 << 20, /* that it may say */
    NOBODY = -1
};

struct fsh_gallery {
    const char *output, *input;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the next part */
    pthread_cond_t changed;
    int64_t wanted; /* unit, or NOBODY */
    int64_t last;   /* that was asked for */
    uint32_t serial;
    fsh_text kept[KEPT]; /* at serial % KEPT */
    bool busy;           /* a unit is being read */
    bool hurry;          /* no rest any more */
    bool closing;
    /* Of the thread: */
    pid_t child; /* 0: none */
    int line;
};

/* ---- the process ---- */

static void
end_child(fsh_gallery *of)
{
    if (!of->child)
        return;
    close(of->line);
    kill(of->child, SIGKILL);
    waitpid(of->child, NULL, 0);
    of->child = 0;
}

static bool
spawn(fsh_gallery *of, int theirs)
{
    static char program[] = "/proc/self/exe", command[] = "page_pictures";
    char *arguments[] = {program, command, (char *)(uintptr_t)of->output,
                         (char *)(uintptr_t)of->input, NULL};
    posix_spawn_file_actions_t actions;
    bool started;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, theirs, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, theirs, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    started = posix_spawn(&of->child, program, &actions, NULL, arguments, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    return started;
}

static bool
start_child(fsh_gallery *of)
{
    int ends[2];
    bool started;

    if (of->child)
        return true;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    started = spawn(of, ends[1]);
    close(ends[1]);
    if (started)
        of->line = ends[0];
    else
        close(ends[0]);
    of->child = started ? of->child : 0;
    return started;
}

static uint64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static bool
is_closing(fsh_gallery *of)
{
    bool closing;

    pthread_mutex_lock(&of->lock);
    closing = of->closing;
    pthread_mutex_unlock(&of->lock);
    return closing;
}

/* Whether there is something to be read before until_ms. */
static bool
wait_for(fsh_gallery *of, uint64_t until_ms)
{
    struct pollfd wait = {of->line, POLLIN, 0};
    int ready = 0;

    while (ready == 0 && now_ms() < until_ms && !is_closing(of))
        ready = poll(&wait, 1, SLICE_MS);
    return ready > 0;
}

/* Exactly n bytes before until_ms. */
static bool
receive(fsh_gallery *of, char *to, size_t n, uint64_t until_ms)
{
    while (n > 0) {
        ssize_t got = wait_for(of, until_ms) ? recv(of->line, to, n, 0) : 0;

        if (got <= 0)
            return false;
        to += got;
        n -= (size_t)got;
    }
    return true;
}

static bool
receive_answer(fsh_gallery *of, fsh_text *answer)
{
    uint64_t until_ms = now_ms() + ANSWER_MS;
    char digits[16] = "", *bytes;
    size_t n = 0, i;

    for (i = 0; i + 1 < sizeof digits; i++)
        if (!receive(of, digits + i, 1, until_ms) || digits[i] == '\n')
            break;
    if (digits[i] != '\n')
        return false;
    n = strtoul(digits, NULL, 10);
    bytes = n <= ANSWER_BYTES ? malloc(n + 1) : NULL;
    if (!bytes || !receive(of, bytes, n, until_ms)) {
        free(bytes);
        return false;
    }
    fsh_text_add_bytes(answer, bytes, n);
    free(bytes);
    return true;
}

/* A process that has died or says nothing is ended, and started again for the next unit. */
static void
ask(fsh_gallery *of, uint32_t unit, fsh_text *answer)
{
    char line[16];
    int n = snprintf(line, sizeof line, "%" PRIu32 "\n", unit);

    if (!start_child(of))
        return;
    if (send(of->line, line, (size_t)n, MSG_NOSIGNAL) != n || !receive_answer(of, answer))
        end_child(of);
}

/* ---- the thread ---- */

/* Processor time of the child so far. */
static uint64_t
spent_ms(const fsh_gallery *of)
{
    struct timespec spent = {0, 0};
    clockid_t clock;

    if (of->child && clock_getcpuclockid(of->child, &clock) == 0)
        clock_gettime(clock, &spent);
    return (uint64_t)spent.tv_sec * 1000u + (uint64_t)spent.tv_nsec / 1000000u;
}

static void
rest(fsh_gallery *of, uint64_t took_ms)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t ms = took_ms * SHARE / (uint64_t)(processors > 0 ? processors : 1);
    struct timespec until;

    ms = ms < REST_MS ? REST_MS : ms > REST_MOST_MS ? REST_MOST_MS : ms;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    while (!of->closing && !of->hurry && pthread_cond_timedwait(&of->changed, &of->lock, &until) == 0)
        ;
}

static void
keep(fsh_gallery *of, fsh_text *answer)
{
    fsh_text *place = &of->kept[(of->serial + 1) % KEPT];

    if (!answer->bytes || !fsh_text_ok(answer))
        return;
    fsh_text_fini(place);
    *place = *answer;
    *answer = (fsh_text){0};
    of->serial++;
}

static void *
collect(void *self)
{
    fsh_gallery *of = self;
    fsh_text answer = {0};

    pthread_mutex_lock(&of->lock);
    while (!of->closing) {
        uint64_t began, took;
        bool started;
        uint32_t unit = (uint32_t)of->wanted;

        if (of->wanted == NOBODY) {
            pthread_cond_wait(&of->changed, &of->lock);
            continue;
        }
        of->wanted = NOBODY;
        of->last = unit;
        of->busy = true;
        pthread_mutex_unlock(&of->lock);
        started = of->child == 0; /* to start is dear, and happens once */
        began = spent_ms(of);
        ask(of, unit, &answer);
        took = started || spent_ms(of) < began ? 0 : spent_ms(of) - began;
        pthread_mutex_lock(&of->lock);
        keep(of, &answer);
        fsh_text_clear(&answer);
        of->busy = false;
        rest(of, took);
    }
    pthread_mutex_unlock(&of->lock);
    fsh_text_fini(&answer);
    end_child(of);
    return NULL;
}

/* ---- for the server ---- */

static void
tear_down(fsh_gallery *of)
{
    int i;

    for (i = 0; i < KEPT; i++)
        fsh_text_fini(&of->kept[i]);
    pthread_cond_destroy(&of->changed);
    pthread_mutex_destroy(&of->lock);
    free(of);
}

fsh_status
fsh_gallery_open(const char *output, const char *input, fsh_gallery **gallery, fsh_err *err)
{
    fsh_gallery *opened = calloc(1, sizeof *opened);

    if (!opened)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    opened->output = output;
    opened->input = input;
    opened->wanted = opened->last = NOBODY;
    pthread_mutex_init(&opened->lock, NULL);
    fsh_cond_init(&opened->changed);
    if (pthread_create(&opened->thread, NULL, collect, opened) != 0) {
        tear_down(opened);
        return fsh_fail(err, FSH_MEMORY, "no thread can be made");
    }
    *gallery = opened;
    return FSH_OK;
}

void
fsh_gallery_close(fsh_gallery **gallery)
{
    fsh_gallery *closing = *gallery;

    *gallery = NULL;
    if (!closing)
        return;
    fsh_thread_end(closing->thread, &closing->lock, &closing->changed, &closing->closing);
    tear_down(closing);
}

void
fsh_gallery_want(fsh_gallery *gallery, uint32_t unit)
{
    pthread_mutex_lock(&gallery->lock);
    if (gallery->last != unit) {
        gallery->wanted = unit;
        pthread_cond_signal(&gallery->changed);
    }
    pthread_mutex_unlock(&gallery->lock);
}

static bool
has_work(fsh_gallery *gallery)
{
    bool any;

    pthread_mutex_lock(&gallery->lock);
    any = gallery->busy || gallery->wanted != NOBODY;
    pthread_mutex_unlock(&gallery->lock);
    return any;
}

void
fsh_gallery_settle(fsh_gallery *gallery, uint32_t ms)
{
    const struct timespec moment = {0, 10000000};
    uint64_t until_ms = now_ms() + ms;

    pthread_mutex_lock(&gallery->lock);
    gallery->hurry = true;
    pthread_cond_signal(&gallery->changed);
    pthread_mutex_unlock(&gallery->lock);
    while (has_work(gallery) && now_ms() < until_ms)
        nanosleep(&moment, NULL);
}

uint32_t
fsh_gallery_serial(fsh_gallery *gallery)
{
    uint32_t serial;

    pthread_mutex_lock(&gallery->lock);
    serial = gallery->serial;
    pthread_mutex_unlock(&gallery->lock);
    return serial;
}

void
fsh_gallery_print(fsh_gallery *gallery, uint32_t after, fsh_text *out)
{
    uint32_t i;

    pthread_mutex_lock(&gallery->lock);
    if (gallery->serial > KEPT && after < gallery->serial - KEPT)
        after = gallery->serial - KEPT;
    fsh_text_addf(out, "{\"serial\":%" PRIu32 ",\"units\":[", gallery->serial);
    for (i = after + 1; i <= gallery->serial; i++) {
        fsh_text_add(out, i > after + 1 ? "," : "");
        fsh_text_add(out, fsh_text_get(&gallery->kept[i % KEPT]));
    }
    fsh_text_add(out, "]}");
    pthread_mutex_unlock(&gallery->lock);
}

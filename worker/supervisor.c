/* One thread, one loop: the wire on one side, the compute child on the other, and a timer. Whatever happens is
 * handled by the rules of rules.c. */
#include "worker/supervisor.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "worker/inside.h"

enum { FIRST_BEAT_MS = 50 }; /* until the coordinator says how often */

static const char *const own_command[] = {"/proc/self/exe", "compute-child", NULL};

/* ---- time and signals ---- */

static uint64_t
rss_of(uint32_t pid)
{
    char path[64];
    unsigned long size, resident = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%" PRIu32 "/statm", pid);
    file = fopen(path, "r");
    if (file && fscanf(file, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void
renew(fsh_worker *me)
{
    fsh_message message = {.number = FSH_MESSAGE_RENEW};

    fsh_held_to_renew(&me->held, &message.renew);
    message.renew.rss_bytes =
        rss_of((uint32_t)getpid()) + (me->sandbox ? rss_of(fsh_sandbox_pid(me->sandbox)) : 0);
    fsh_worker_say(me, &message);
}

void
fsh_worker_beat(uv_timer_t *timer)
{
    fsh_worker *me = timer->data;
    uint64_t now = uv_now(&me->loop);

    if (now - me->heard_ms >= me->options.give_up_ms) {
        fsh_worker_leave(me, FSH_NETWORK,
                         me->link ? "no coordinator was heard for too long"
                                  : "no coordinator has told there where it is; one that is started with --bind does");
        return;
    }
    if (me->folder)
        fsh_worker_look(me);
    if (me->leaving)
        return;
    if (me->known) {
        renew(me);
        fsh_worker_hand_in_again(me, now - 4 * me->beat_ms);
        if (me->carrier)
            fsh_carrier_nudge(me->carrier);
    } else {
        fsh_worker_say_hello(me);
    }
    fsh_worker_settle(me);
}

/* The first signal asks for an orderly end, the second for an end. */
static void
on_interrupt(uv_signal_t *handle, int number)
{
    fsh_worker *me = handle->data;

    (void)number;
    if (me->draining && me->result == FSH_INTERRUPTED)
        me->drain_until_ms = 0;
    else
        fsh_worker_drain(me, me->options.grace_ms, FSH_INTERRUPTED);
    fsh_worker_leave_when_drained(me);
}

/* ---- beginning and end ---- */

void
fsh_worker_options_init(fsh_worker_options *options)
{
    *options = (fsh_worker_options){.threads = 1, .give_up_ms = 600000, .grace_ms = 20000};
}

static void
start_handles(fsh_worker *me)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    int i;

    uv_timer_init(&me->loop, &me->beat);
    me->beat.data = me;
    uv_timer_start(&me->beat, fsh_worker_beat, 0, FIRST_BEAT_MS);
    for (i = 0; i < 2; i++) {
        uv_signal_init(&me->loop, &me->interrupts[i]);
        me->interrupts[i].data = me;
        uv_signal_start(&me->interrupts[i], on_interrupt, numbers[i]);
    }
}

static fsh_status
work(fsh_worker *me, const char *address)
{
    bool known = strstr(address, "://") != NULL;
    fsh_status status = FSH_OK;

    if (strlen(address) >= sizeof me->address)
        status = fsh_fail(&me->err, FSH_USAGE, "%.60s...: longer than an address can be", address);
    else if (known)
        strcpy(me->address, address);
    else
        me->folder = address;
    if (!status && known)
        status = fsh_worker_open_link(me);
    me->result = status;
    me->heard_ms = uv_now(&me->loop);
    if (!status)
        start_handles(me);
    uv_run(&me->loop, UV_RUN_DEFAULT);
    return me->result;
}

/* A parent that has gone before this call is noticed by the number of the parent now. */
static fsh_status
tie_to_parent(uint32_t parent_pid, fsh_err *err)
{
    if (parent_pid == 0)
        return FSH_OK;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    return (uint32_t)getppid() == parent_pid
               ? FSH_OK
               : fsh_fail(err, FSH_NETWORK, "the coordinator that started this worker is gone");
}

static fsh_status
run_once(const char *address, const fsh_worker_options *options, bool *again, fsh_err *err)
{
    fsh_worker me = {.options = *options};
    fsh_status status;

    if (!me.options.child_command)
        me.options.child_command = own_command;
    if (uv_loop_init(&me.loop) != 0)
        return fsh_fail(err, FSH_INTERNAL, "no event loop");
    status = work(&me, address);
    *again = me.again;
    uv_loop_close(&me.loop);
    fsh_spool_close(&me.spool);
    fsh_text_fini(&me.bytes);
    free(me.job);
    free(me.hash);
    free(me.recipe);
    if (status == FSH_NETWORK)
        return fsh_fail(err, status, "%s: %s", address, me.err.text);
    return status ? fsh_fail(err, status, "%s", me.err.text) : FSH_OK;
}

fsh_status
fsh_worker_run(const char *address, const fsh_worker_options *options, fsh_err *err)
{
    bool again = false;
    fsh_status status = tie_to_parent(options->parent_pid, err);

    if (status)
        return status;
    do
        status = run_once(address, options, &again, err);
    while (!status && again && options->stay);
    return status;
}

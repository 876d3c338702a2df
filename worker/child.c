#include "worker/child.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/apart.h"
#include "worker/frame.h"

enum { TICK_MS = 200 }; /* between two TICK, unless the unit ends */

typedef struct child {
    const fsh_child_work *work;
    void *state;
    fsh_text received;
    const fsh_message_work *order; /* what is being run */
    fsh_executing *executing;      /* NULL: its worker does not want to know */
    uint64_t ticked_ms;
} child;

/* Dies with its worker, leaves no core file of a crash, and lets the worker decide what Ctrl-C
 * means. */
static void
settle_in(void)
{
    const struct rlimit none = {0, 0};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
}

static uint64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static fsh_status
say(const fsh_message *message)
{
    return fsh_frame_write(FSH_CHILD_FILE, message, FSH_FROM_CHILD, NULL);
}

/* A worker that cannot be told any more is gone: the unit is stopped. */
static int
tick(void *self, uint32_t done, uint32_t steps)
{
    child *me = self;
    uint64_t now = now_ms();
    fsh_message message = {.number = FSH_MESSAGE_TICK, .tick = {me->order->token, done, steps}};

    if (now - me->ticked_ms < TICK_MS)
        return 0;
    me->ticked_ms = now;
    return say(&message) != FSH_OK;
}

static fsh_status
say_failed(const child *me, fsh_status status, const fsh_err *err)
{
    fsh_message message = {.number = FSH_MESSAGE_FAILED,
                           .failed = {.unit = me->order->unit,
                                      .token = me->order->token,
                                      .status = status,
                                      .text = err->text}};
    fsh_message_failed *failed = &message.failed;

    if (fsh_executing_is_frozen(me->executing)) {
        failed->reason = status == FSH_MEMORY ? FSH_REASON_NO_MEMORY : FSH_REASON_CRASHED;
        failed->suspects.n = fsh_executing_list(me->executing, failed->suspects.at);
    }
    return say(&message);
}

static fsh_status
say_done(const child *me, fsh_report *report)
{
    fsh_message message;

    report->unit = me->order->unit;
    fsh_message_from_report(report, me->order->token, &message);
    return say(&message);
}

static fsh_status
run_unit(child *me, const fsh_message_work *order)
{
    char token[24];
    fsh_unit_order unit = {order->unit,
                           token,
                           order->suspects.at,
                           order->reasons.at,
                           order->values.at,
                           order->suspects.n,
                           me->executing,
                           tick,
                           me};
    fsh_report report = {0};
    fsh_err err = {""};
    fsh_status status;

    if (order->reasons.n != order->suspects.n || order->values.n != order->suspects.n)
        return FSH_FORMAT;
    me->order = order;
    snprintf(token, sizeof token, "%" PRIx64, order->token);
    status = me->work->unit(me->state, &unit, &report, &err);
    return status ? say_failed(me, status, &err) : say_done(me, &report);
}

static fsh_status
open_job(child *me, const fsh_message_job *job)
{
    fsh_child_limits limits = {0};
    fsh_err err = {""};
    fsh_status status = me->work->open(job, &me->state, &limits, &err);
    fsh_message broken = {.number = FSH_MESSAGE_BROKEN, .broken = {status, err.text}};
    fsh_message ready = {.number = FSH_MESSAGE_READY,
                         .ready = {(uint32_t)getpid(), limits.image_ms}};

    if (status) {
        say(&broken);
        return status;
    }
    fsh_apart_limit_memory(limits.memory_bytes);
    return say(&ready);
}

static fsh_status
obey(child *me, const fsh_message *message)
{
    switch (message->number) {
    case FSH_MESSAGE_JOB: return me->state ? FSH_FORMAT : open_job(me, &message->job);
    case FSH_MESSAGE_WORK: return me->state ? run_unit(me, &message->work) : FSH_FORMAT;
    default: return FSH_FORMAT;
    }
}

int
fsh_child_main(const fsh_child_work *work)
{
    child me = {.work = work};
    fsh_status status = FSH_OK;
    fsh_message message;

    settle_in();
    me.executing = fsh_executing_map(FSH_TABLE_FILE);
    while (!status) {
        status = fsh_frame_read(FSH_CHILD_FILE, &me.received, FSH_FROM_SUPERVISOR, &message, NULL);
        if (status)
            break;
        status = obey(&me, &message);
        fsh_message_fini(&message);
    }
    if (me.state)
        work->close(me.state);
    fsh_executing_close(&me.executing);
    fsh_text_fini(&me.received);
    return status == FSH_INTERRUPTED ? 0 : fsh_status_exit_code(status);
}

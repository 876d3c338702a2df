#include "worker/alone.h"

#include <sys/random.h>

#include "proto/states.h"
#include "proto/suspicion.h"
#include "worker/sandbox.h"

static const char *const own_command[] = {"/proc/self/exe", "compute-child", NULL};

typedef struct alone {
    uv_loop_t loop;
    fsh_sandbox_options options;
    fsh_sandbox *sandbox;
    fsh_message_work order;
    fsh_suspicion suspicion;
    uint32_t attempts, kills;
    fsh_report report;
    fsh_status status;
    fsh_err err;
} alone;

static void
end(alone *me, fsh_status status, const char *text)
{
    me->status = status ? fsh_fail(&me->err, status, "%s", text) : FSH_OK;
    fsh_sandbox_close(&me->sandbox);
}

static void
work(alone *me)
{
    fsh_message_work *order = &me->order;

    order->suspects.n = order->reasons.n = order->values.n =
        fsh_suspicion_tell(&me->suspicion, order->suspects.at, order->reasons.at, order->values.at);
    fsh_sandbox_work(me->sandbox, order);
}

/* True: the unit is to be tried again. A failure that is nobody's fault would be the same again. */
static bool
judge(alone *me, const fsh_message_failed *failed, bool died)
{
    const fsh_death death = {failed->suspects.at, failed->suspects.n, (fsh_reason)failed->reason,
                             failed->signal};
    bool convicted = fsh_suspicion_note(&me->suspicion, &death);
    fsh_unit_step step;

    if (!convicted && fsh_death_is_outside(&death))
        return ++me->kills < FSH_KILLS_MAX;
    fsh_unit_step_find(FSH_UNIT_LENT, convicted ? FSH_EVENT_CONVICT : FSH_EVENT_FAIL, &step);
    me->attempts = fsh_unit_step_count(&step, me->attempts);
    return (died || failed->suspects.n) && me->attempts < FSH_ATTEMPTS_MAX;
}

static void
on_said(void *self, const fsh_message *message)
{
    alone *me = self;

    switch (message->number) {
    case FSH_MESSAGE_READY: work(me); break;
    case FSH_MESSAGE_BROKEN: end(me, message->broken.status, message->broken.text); break;
    case FSH_MESSAGE_DONE:
        fsh_message_to_report(&message->done, &me->report);
        end(me, FSH_OK, "");
        break;
    case FSH_MESSAGE_FAILED:
        if (judge(me, &message->failed, false))
            work(me);
        else
            end(me, message->failed.status, message->failed.text);
        break;
    default: break;
    }
}

static void
start(alone *me)
{
    fsh_err err;
    fsh_status status = fsh_sandbox_open(&me->loop, &me->options, &me->sandbox, &err);

    if (status)
        end(me, status, err.text);
}

static void
on_ended(void *self, const fsh_message *failed)
{
    alone *me = self;
    bool again = failed && judge(me, &failed->failed, true);

    if (!again)
        end(me, FSH_INTERNAL,
            failed ? failed->failed.text
                   : "the compute process dies while it loads the job's models");
    fsh_sandbox_close(&me->sandbox);
    if (again)
        start(me);
}

fsh_status
fsh_unit_run_alone(const fsh_job *job, uint32_t unit, uint32_t threads,
                   const char *const *child_command, fsh_report *report, fsh_err *err)
{
    fsh_text text = {0};
    alone me = {.order = {.unit = unit}};

    /* Others may run the same unit on other machines: the temporary file must be this process's
     * own. */
    if (getrandom(&me.order.token, sizeof me.order.token, 0) != sizeof me.order.token)
        return fsh_fail(err, FSH_INTERNAL, "no random numbers");
    me.order.token |= 1;
    if (uv_loop_init(&me.loop) != 0)
        return fsh_fail(err, FSH_INTERNAL, "no event loop");
    fsh_job_print(job, &text);
    me.options = (fsh_sandbox_options){.command = child_command ? child_command : own_command,
                                       .job = {.threads = threads,
                                               .text = fsh_text_get(&text),
                                               .hash = job->hash,
                                               .recipe = fsh_text_get(&job->recipe)},
                                       .self = &me,
                                       .said = on_said,
                                       .ended = on_ended};
    start(&me);
    uv_run(&me.loop, UV_RUN_DEFAULT);
    uv_loop_close(&me.loop);
    fsh_text_fini(&text);
    fsh_suspicion_fini(&me.suspicion);
    if (me.status)
        return fsh_fail(err, me.status, "%s", me.err.text);
    *report = me.report;
    return FSH_OK;
}

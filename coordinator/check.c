/* Shards that are handed in: checked on libuv's pool, settled in the books, answered. */
#include <stdlib.h>

#include "coordinator/commit.h"
#include "coordinator/inside.h"

typedef struct check {
    uv_work_t request;
    fsh_coordination *me;
    fsh_peer peer;
    uint64_t token;
    bool late;
    fsh_report report;
    fsh_status status;
    fsh_err err;
} check;

static void
run_check(uv_work_t *request)
{
    check *of = request->data;

    of->status = fsh_commit_check(of->me->work->output, &of->report, &of->err);
    if (of->status == FSH_FORMAT)
        fsh_commit_discard(of->me->work->output, of->report.unit);
}

/* Who does not have the lease is right when the shard is there, and changes nothing when it is not:
 * a message that is late, or said again, costs the unit no attempt and takes it from nobody. False:
 * the shard is right, but is being checked for somebody else, whose answer is not known yet. */
static bool
settle_late(const check *of)
{
    fsh_coordination *me = of->me;
    fsh_member *member = fsh_roster_find(&me->roster, &of->peer);

    if (member)
        member->late_check = false;
    if (of->status)
        me->refused_messages++;
    else if (fsh_leases_hand_in(me->leases, of->report.unit, uv_now(&me->loop)))
        fsh_books_settle(me->books, &of->report, FSH_OK, "");
    return of->status || fsh_leases_state(me->leases, of->report.unit) == FSH_UNIT_COMMITTED;
}

static void
note_handed_in(fsh_member *member, const check *of)
{
    member->samples_running = 0; /* they are committed now, or lost */
    member->share_done = 0;
    if (of->status)
        return;
    member->units_done++;
    member->samples_done += of->report.samples;
}

static void
on_checked(uv_work_t *request, int cancelled)
{
    check *of = request->data;
    fsh_coordination *me = of->me;
    fsh_member *member = fsh_roster_find(&me->roster, &of->peer);
    bool settled = true;

    (void)cancelled;
    me->checks--;
    if (member)
        note_handed_in(member, of);
    if (of->late)
        settled = settle_late(of);
    else
        fsh_books_settle(me->books, &of->report, of->status, of->err.text);
    if (settled)
        fsh_coordination_answer(me, &of->peer, of->report.unit, of->token,
                                of->status ? FSH_VERDICT_REFUSED : FSH_VERDICT_TAKEN);
    free(of);
    if (me->closing)
        fsh_coordination_turn(me); /* the link, which would do it, is gone */
}

static void
begin_check(fsh_coordination *me, fsh_member *member, const fsh_message_done *done, bool late)
{
    check *of = calloc(1, sizeof *of);

    if (!of && late)
        return; /* the worker says DONE again */
    if (!of) {
        fsh_books_blame(me->books, FSH_MEMORY, "no memory to check a shard");
        fsh_leases_settle(me->leases, done->unit, false);
        return;
    }
    of->request.data = of;
    of->me = me;
    of->peer = member->peer;
    of->token = done->token;
    of->late = late;
    member->late_check |= late;
    fsh_message_to_report(done, &of->report);
    me->checks++;
    uv_queue_work(&me->loop, &of->request, run_check, on_checked);
}

void
fsh_coordination_hand_in(fsh_coordination *me, fsh_member *member, const fsh_message_done *done)
{
    fsh_unit_state state = fsh_leases_state(me->leases, done->unit);

    if (state == FSH_UNIT_COMMITTED)
        fsh_coordination_answer(me, &member->peer, done->unit, done->token, FSH_VERDICT_KNOWN);
    else if (fsh_leases_holds(me->leases, member->lessee, done->unit, done->token) &&
             fsh_leases_hand_in(me->leases, done->unit, uv_now(&me->loop)))
        begin_check(me, member, done, false);
    else if (state != FSH_UNIT_DONE && !member->late_check)
        begin_check(me, member, done, true);
}

/* The second phase: identity by identity, on facts alone. */
#include <stdlib.h>
#include <string.h>

#include "worker/work.h"

/* The faces of one identity that have no reason yet, in order. */
static uint32_t
collect(const fsh_work *work, uint32_t identity, fsh_face **faces)
{
    const uint32_t *starts = work->unit.identity_starts;
    uint32_t n = 0, sample, k;

    for (sample = starts[identity]; sample < starts[identity + 1]; sample++)
        for (k = 0; k < work->facts[sample].faces_n; k++)
            if (work->facts[sample].faces[k].reason == FSH_REASON_NONE)
                faces[n++] = &work->facts[sample].faces[k];
    return n;
}

static fsh_status
run_stage(fsh_work *work, const fsh_opened *opened, uint32_t identity, fsh_face **faces)
{
    const char *name = work->unit.identity_names[identity];
    uint32_t n = collect(work, identity, faces);
    fsh_status status;

    if (n == 0)
        return FSH_OK;
    status = opened->step->stage->select(opened->state, opened->step->params, &work->runner->env, faces, n,
                                         fsh_hash_key(name, strlen(name)), work->err);
    if (status)
        fsh_fail_within(work->err, status, "stage %s, identity %s", opened->step->stage->name, name);
    return status;
}

static fsh_status
run_stages(fsh_work *work, uint32_t identity, fsh_face **faces)
{
    const fsh_runner *runner = work->runner;
    fsh_status status = FSH_OK;
    uint64_t since = fsh_work_now_ns();
    uint32_t i;

    for (i = 0; i < runner->job->stages.steps_n && !status; i++) {
        if (runner->job->stages.steps[i].stage->phase != FSH_PHASE_SELECT)
            continue;
        status = run_stage(work, runner->stages[i], identity, faces);
        fsh_work_spent(work, 0, runner->stages[i]->time, &since);
    }
    return status;
}

/* A sample none of whose faces is left takes the reason of its first one. */
static void
settle_samples(fsh_work *work)
{
    uint32_t i, k;

    for (i = 0; i < work->unit.samples_n; i++) {
        fsh_facts *facts = &work->facts[i];

        for (k = 0; k < facts->faces_n; k++)
            if (facts->faces[k].reason == FSH_REASON_NONE)
                break;
        if (facts->faces_n && k == facts->faces_n && facts->reason == FSH_REASON_NONE) {
            facts->reason = facts->faces[0].reason;
            facts->value = facts->faces[0].value;
        }
    }
}

fsh_status
fsh_work_select(fsh_work *work)
{
    uint32_t i, faces_n = 0;
    fsh_face **faces;
    fsh_status status = FSH_OK;

    for (i = 0; i < work->unit.samples_n; i++)
        faces_n += work->facts[i].faces_n;
    faces = calloc(faces_n + 1, sizeof *faces);
    if (!faces)
        return fsh_fail(work->err, FSH_MEMORY, "out of memory for %u faces", faces_n);
    for (i = 0; i < work->unit.identities_n && !status; i++)
        status = run_stages(work, i, faces);
    free(faces);
    settle_samples(work);
    return status;
}

/* The second phase: stage by stage, on facts alone; an identity or all of them at once. */
#include <stdlib.h>
#include <string.h>

#include "worker/work.h"

/* Faces that have no reason yet, by identity. */
typedef struct groups {
    fsh_face **faces;
    fsh_group *at; /* identities that have a face */
    uint32_t *identities, n;
} groups;

/* Appends the faces of one identity, in order; `faces` is where they go. Returns how many. */
static uint32_t
collect_identity(const fsh_work *work, uint32_t identity, fsh_face **faces)
{
    const uint32_t *starts = work->unit.identity_starts;
    uint32_t n = 0, sample, k;

    for (sample = starts[identity]; sample < starts[identity + 1]; sample++)
        for (k = 0; k < work->facts[sample].faces_n; k++)
            if (work->facts[sample].faces[k].reason == FSH_REASON_NONE)
                faces[n++] = &work->facts[sample].faces[k];
    return n;
}

static void
collect(const fsh_work *work, groups *of)
{
    fsh_face **faces = of->faces;
    uint32_t i, n;

    for (i = 0, of->n = 0; i < work->unit.identities_n; i++, faces += n) {
        const char *name = work->unit.identity_names[i];

        n = collect_identity(work, i, faces);
        if (n == 0)
            continue;
        of->at[of->n] = (fsh_group){faces, n, fsh_hash_key(name, strlen(name))};
        of->identities[of->n++] = i;
    }
}

static fsh_status
run_each(fsh_work *work, const fsh_opened *opened, const groups *of)
{
    const fsh_stage *stage = opened->step->stage;
    fsh_status status = FSH_OK;
    uint32_t i;

    for (i = 0; i < of->n && !status; i++) {
        status = stage->select(opened->state, opened->step->params, &work->runner->env, &of->at[i],
                               work->err);
        if (status)
            fsh_fail_within(work->err, status, "stage %s, identity %s", stage->name,
                            work->unit.identity_names[of->identities[i]]);
    }
    return status;
}

static fsh_status
run_all(fsh_work *work, const fsh_opened *opened, const groups *of)
{
    const fsh_stage *stage = opened->step->stage;
    fsh_status status = stage->select_all(opened->state, opened->step->params, &work->runner->env,
                                          of->at, of->n, work->err);

    return status ? fsh_fail_within(work->err, status, "stage %s", stage->name) : FSH_OK;
}

static fsh_status
run_stages(fsh_work *work, groups *of)
{
    const fsh_runner *runner = work->runner;
    fsh_status status = FSH_OK;
    uint64_t since = fsh_work_now_ns();
    uint32_t i;

    for (i = 0; i < runner->job->stages.steps_n && !status; i++) {
        const fsh_stage *stage = runner->job->stages.steps[i].stage;

        if (stage->phase != FSH_PHASE_SELECT)
            continue;
        collect(work, of);
        status = stage->select ? run_each(work, runner->stages[i], of)
                               : run_all(work, runner->stages[i], of);
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
    uint32_t i, faces_n = 0, identities_n = work->unit.identities_n;
    groups of = {0};
    fsh_status status;

    for (i = 0; i < work->unit.samples_n; i++)
        faces_n += work->facts[i].faces_n;
    of.faces = calloc((size_t)faces_n + 1, sizeof *of.faces);
    of.at = calloc((size_t)identities_n + 1, sizeof *of.at);
    of.identities = calloc((size_t)identities_n + 1, sizeof *of.identities);
    if (of.faces && of.at && of.identities)
        status = run_stages(work, &of);
    else
        status = fsh_fail(work->err, FSH_MEMORY, "out of memory for %u faces", faces_n);
    free(of.faces);
    free(of.at);
    free(of.identities);
    if (!status)
        settle_samples(work);
    return status;
}

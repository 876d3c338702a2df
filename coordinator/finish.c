#include "coordinator/finish.h"


#include "coordinator/removed.h"
#include "job/paths.h"
#include "stages/clean.h"
#include "stages/table.h"

/* What the job's `clean` does with mislabelled photographs; DROP where it has none. */
static fsh_clean_action
action_of(const fsh_job *job)
{
    uint32_t i;

    for (i = 0; i < job->stages.steps_n; i++)
        if (job->stages.steps[i].stage == &fsh_stage_clean)
            return fsh_clean_get_action(job->stages.steps[i].params);
    return FSH_CLEAN_DROP;
}

fsh_status
fsh_finish(const fsh_job *job, uint32_t units, const fsh_hash *hashes, fsh_index_totals *totals,
           fsh_err *err)
{
    fsh_index_plan plan = {job->output, FSH_PATH_SHARD, FSH_PATH_INDEX, FSH_PATH_MANIFEST, job->hash, units,
                           hashes};
    fsh_clean_action action = action_of(job);
    fsh_status status = fsh_index_build(&plan, totals, err);

    if (!status && (action == FSH_CLEAN_MOVE || action == FSH_CLEAN_COPY))
        status = fsh_removed_put_aside(job, action == FSH_CLEAN_MOVE, err);
    return status;
}

#include "coordinator/finish.h"

#include <string.h>

#include "coordinator/removed.h"
#include "job/paths.h"
#include "shards/read.h"
#include "stages/table.h"

fsh_clean_action
fsh_finish_action(const fsh_job *job)
{
    uint32_t i;

    for (i = 0; i < job->stages.steps_n; i++)
        if (job->stages.steps[i].stage == &fsh_stage_clean)
            return fsh_clean_get_action(job->stages.steps[i].params);
    return FSH_CLEAN_DROP;
}

fsh_status
fsh_finish(const fsh_job *job, uint32_t units, const fsh_hash *hashes, const fsh_listener *steps,
           fsh_index_totals *totals, fsh_err *err)
{
    fsh_listener joining = fsh_listener_at(steps, "joining the shards");
    fsh_index_plan plan = {job->output, FSH_PATH_SHARD, FSH_PATH_INDEX, FSH_PATH_MANIFEST, job->hash, units,
                           hashes,      &joining};
    fsh_status status = fsh_index_build(&plan, totals, err);

    return status ? status : fsh_finish_again(job, err);
}

fsh_status
fsh_finish_again(const fsh_job *job, fsh_err *err)
{
    fsh_clean_action action = fsh_finish_action(job);

    if (action != FSH_CLEAN_MOVE && action != FSH_CLEAN_COPY)
        return FSH_OK;
    return fsh_removed_put_aside(job, action == FSH_CLEAN_MOVE, err);
}

bool
fsh_finish_is_done(const fsh_job *job)
{
    char manifest[FSH_PATH_BYTES], index[FSH_PATH_BYTES];
    fsh_shard_file *file;
    bool ours;

    if (fsh_path_join(manifest, job->output, FSH_PATH_MANIFEST, NULL) || !fsh_file_exists(manifest) ||
        fsh_path_join(index, job->output, FSH_PATH_INDEX, NULL) || fsh_shard_open(index, &file, NULL))
        return false;
    ours = strcmp(fsh_shard_get_info(file)->meta.job_hash, job->hash) == 0;
    fsh_shard_close(&file);
    return ours;
}

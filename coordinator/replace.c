#include "coordinator/replace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/finish.h"
#include "coordinator/ledger.h"
#include "job/paths.h"
#include "stages/clean.h"

static fsh_status
remove_file(const char *output, const char *name, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(path, output, name, err);

    if (!status && unlink(path) != 0 && errno != ENOENT)
        status = fsh_fail_errno(err, errno, "%s: cannot be removed", path);
    return status;
}

/* manifest.json first: it is the mark of a finished job. */
fsh_status
fsh_replace_index(const char *output, fsh_err *err)
{
    fsh_status status = remove_file(output, FSH_PATH_MANIFEST, err);

    if (!status)
        status = remove_file(output, FSH_PATH_INDEX, err);
    return status ? status : fsh_file_sync(output, err);
}

static fsh_status
remove_shards(const char *output, fsh_err *err)
{
    char folder[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(folder, output, FSH_PATH_SHARDS, err);

    if (status || !fsh_file_exists(folder))
        return status;
    status = fsh_folder_sweep(folder, "", ".tmp", NULL, err);
    if (!status)
        status = fsh_folder_sweep(folder, "shard-", "", NULL, err);
    return status ? status : fsh_file_sync(folder, err);
}

/* They are copies; what was moved is never removed. */
static fsh_status
remove_copies(const fsh_job *old, fsh_err *err)
{
    char folder[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(folder, old->output, FSH_PATH_REMOVED, err);

    if (status || !fsh_file_exists(folder) || fsh_finish_action(old) != FSH_CLEAN_COPY)
        return status;
    return fsh_folder_remove(folder, err);
}

static fsh_status
check_moved(const fsh_job *old, fsh_err *err)
{
    char folder[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(folder, old->output, FSH_PATH_REMOVED, err);

    if (status || !fsh_file_exists(folder) || fsh_finish_action(old) != FSH_CLEAN_MOVE)
        return status;
    return fsh_fail(err, FSH_USAGE, "%s: the earlier job moved photographs here out of the input; move them back "
                    "to %s and remove this folder, or choose another --output", folder, old->input);
}

fsh_status
fsh_replace_old(const fsh_job *old, fsh_err *err)
{
    fsh_status status = check_moved(old, err);

    if (!status)
        status = fsh_replace_index(old->output, err);
    if (!status)
        status = fsh_ledger_forget(old->output, err);
    if (!status)
        status = remove_shards(old->output, err);
    if (!status)
        status = remove_copies(old, err);
    return status ? status : remove_file(old->output, FSH_PATH_JOB, err);
}

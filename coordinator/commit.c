#include "coordinator/commit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "job/paths.h"

/* Longer than any stall: who has not written for so long is dead. */
enum { DEAD_SECONDS = 3600 };

static fsh_status
shard_path(char path[FSH_PATH_BYTES], const char *output, uint32_t unit, fsh_err *err)
{
    char name[64];

    snprintf(name, sizeof name, FSH_PATH_SHARD, unit);
    return fsh_path_join(path, output, name, err);
}

fsh_status
fsh_commit_check(const char *output, const fsh_report *report, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_hash hash;
    uint64_t bytes;
    fsh_status status = shard_path(path, output, report->unit, err);

    if (!status)
        status = fsh_hash_file(path, &hash, &bytes, err);
    if (status)
        return status;
    if (bytes != report->bytes)
        return fsh_fail(err, FSH_FORMAT, "%s has %" PRIu64 " bytes, its worker wrote %" PRIu64,
                        path, bytes, report->bytes);
    if (memcmp(&hash, &report->shard_hash, sizeof hash))
        return fsh_fail(err, FSH_FORMAT, "%s: SHA-256 is not what its worker wrote", path);
    return FSH_OK;
}

bool
fsh_commit_is_there(const char *output, const fsh_report *report)
{
    char path[FSH_PATH_BYTES];
    struct stat found;

    return shard_path(path, output, report->unit, NULL) == FSH_OK && stat(path, &found) == 0 &&
           S_ISREG(found.st_mode) && (uint64_t)found.st_size == report->bytes;
}

bool
fsh_commit_has_file(const char *output, uint32_t unit)
{
    char path[FSH_PATH_BYTES];

    return shard_path(path, output, unit, NULL) == FSH_OK && fsh_file_exists(path);
}

void
fsh_commit_discard(const char *output, uint32_t unit)
{
    char path[FSH_PATH_BYTES];

    if (shard_path(path, output, unit, NULL) == FSH_OK)
        unlink(path);
}

/* Temporary names of index.h5, manifest.json and the plan: their writer holds the output's lock, or is gone. */
static fsh_status
sweep_others(const char *output, fsh_err *err)
{
    char state[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(state, output, FSH_PATH_STATE, err);

    if (!status)
        status = fsh_folder_sweep_idle(output, "", ".tmp", DEAD_SECONDS, NULL, err);
    if (!status && fsh_file_exists(state))
        status = fsh_folder_sweep_idle(state, "", ".tmp", DEAD_SECONDS, NULL, err);
    return status;
}

fsh_status
fsh_commit_prepare(const char *output, bool sweep, fsh_err *err)
{
    char folder[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(folder, output, FSH_PATH_SHARDS, err);

    if (!status)
        status = fsh_folder_make(folder, err);
    if (!status)
        status = fsh_folder_sweep_idle(folder, ".shard-", ".tmp", sweep ? 0 : DEAD_SECONDS, NULL, err);
    return status ? status : sweep_others(output, err);
}

#include "coordinator/removed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "job/paths.h"
#include "shards/read.h"

enum { ROWS_AT_ONCE = 1024, FILE_MAX_BYTES = 1 << 28 };

static fsh_status
copy_file(const char *from, const char *to, fsh_err *err)
{
    uint8_t *data;
    size_t bytes;
    fsh_status status = fsh_file_read(from, FILE_MAX_BYTES, &data, &bytes, err);

    if (status)
        return status;
    status = fsh_file_write(to, data, bytes, err);
    free(data);
    return status;
}

/* The copy is on disk before the original goes, also across file systems. */
static fsh_status
put_one_aside(const fsh_job *job, const char *source, bool move, fsh_err *err)
{
    char from[FSH_PATH_BYTES], to[FSH_PATH_BYTES], folder[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(from, job->input, source, err);

    if (!status)
        status = fsh_path_join(folder, job->output, FSH_PATH_REMOVED, err);
    if (!status)
        status = fsh_path_join(to, folder, source, err);
    if (status || (fsh_file_exists(to) && !(move && fsh_file_exists(from))))
        return status;
    snprintf(folder, sizeof folder, "%.*s", (int)(fsh_path_name(to) - to - 1), to);
    status = fsh_folder_make(folder, err);
    if (!status)
        status = copy_file(from, to, err);
    if (!status && move && unlink(from) != 0)
        status = fsh_fail_errno(err, errno, "%s: copied to %s, but cannot be removed", from, to);
    return status;
}

static fsh_status
put_rows_aside(const fsh_job *job, bool move, fsh_shard_file *index, uint64_t first, size_t n, fsh_err *err)
{
    char **sources = NULL, **reasons = NULL;
    fsh_status status = fsh_shard_read_texts(index, FSH_COLUMN_REJECTED_SOURCE, first, n, &sources, err);
    size_t i;

    if (!status)
        status = fsh_shard_read_texts(index, FSH_COLUMN_REJECTED_REASON, first, n, &reasons, err);
    for (i = 0; i < n && !status; i++)
        if (strcmp(reasons[i], fsh_reason_code(FSH_REASON_MISLABELLED)) == 0)
            status = put_one_aside(job, sources[i], move, err);
    free(sources);
    free(reasons);
    return status;
}

fsh_status
fsh_removed_put_aside(const fsh_job *job, bool move, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_shard_file *index;
    uint64_t first, rows;
    fsh_status status = fsh_path_join(path, job->output, FSH_PATH_INDEX, err);

    if (!status)
        status = fsh_shard_open(path, &index, err);
    if (status)
        return status;
    rows = fsh_shard_get_info(index)->rows[FSH_TABLE_REJECTED];
    for (first = 0; first < rows && !status; first += ROWS_AT_ONCE)
        status = put_rows_aside(job, move, index, first,
                                rows - first < ROWS_AT_ONCE ? rows - first : ROWS_AT_ONCE, err);
    fsh_shard_close(&index);
    return status;
}

#include "coordinator/plan.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "job/paths.h"

static fsh_status
make_folders(const fsh_job *job, fsh_err *err)
{
    static const char *const names[] = {FSH_PATH_STATE, FSH_PATH_SHARDS};
    char path[FSH_PATH_BYTES];
    fsh_status status = FSH_OK;
    int i;

    for (i = 0; i < 2 && !status; i++) {
        status = fsh_path_join(path, job->output, names[i], err);
        if (!status)
            status = fsh_folder_make(path, err);
    }
    return status;
}

/* Shards inside the input would be taken for people by the next run. */
static fsh_status
check_apart(const fsh_job *job, fsh_err *err)
{
    size_t n = strlen(job->input);
    struct stat info;

    while (n > 1 && job->input[n - 1] == '/')
        n--;
    if (strncmp(job->output, job->input, n) == 0 && (job->output[n] == '/' || job->output[n] == '\0'))
        return fsh_fail(err, FSH_USAGE, "%s: the output folder lies inside the input folder; choose another "
                        "--output", job->output);
    if (stat(job->input, &info) != 0)
        return fsh_fail_errno(err, errno, "%s: the input cannot be found", job->input);
    return FSH_OK;
}

/* The remembered job starts with a comment line that holds its hash. */
static fsh_status
write_job(const fsh_job *job, const char *path, fsh_err *err)
{
    fsh_text text = {0};
    fsh_status status;

    fsh_text_addf(&text, "# job %s\n", job->hash);
    fsh_job_print(job, &text);
    status = fsh_text_ok(&text) ? fsh_file_write(path, fsh_text_get(&text), text.bytes, err)
                                : fsh_fail(err, FSH_MEMORY, "out of memory");
    fsh_text_fini(&text);
    return status;
}

static fsh_status
compare_jobs(const fsh_job *job, fsh_job *held, fsh_err *err)
{
    fsh_status status = fsh_job_hash(held, err);

    if (status)
        return status;
    if (strcmp(job->hash, held->hash) != 0)
        return fsh_fail(err, FSH_USAGE, "%s holds the output of another job (%.12s, this one is %.12s): choose "
                        "another --output, or remove that folder; `diff` %s/%s with `faceshard run ... "
                        "--explain` shows what changed", job->output, held->hash, job->hash, job->output,
                        FSH_PATH_JOB);
    if (strcmp(job->input, held->input) != 0)
        return fsh_fail(err, FSH_USAGE, "%s holds the output of the same job over another input (%s): choose "
                        "another --output, or remove that folder", job->output, held->input);
    return FSH_OK;
}

/* *planned tells whether the folder holds a finished plan of this job. */
static fsh_status
look_for_plan(const fsh_job *job, bool *planned, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_job *held;
    fsh_job_overrides none = {0};
    fsh_status status = fsh_path_join(path, job->output, FSH_PATH_JOB, err);

    *planned = false;
    if (status || !fsh_file_exists(path))
        return status;
    status = fsh_job_read(path, &none, &held, err);
    if (status)
        return fsh_fail_within(err, status, "%s was written by another version: choose another --output",
                               job->output);
    status = compare_jobs(job, held, err);
    fsh_job_free(held);
    *planned = status == FSH_OK;
    return status;
}

static fsh_status
read_totals(const char *path, fsh_manifest_totals *totals, fsh_err *err)
{
    fsh_manifest *manifest;
    fsh_status status = fsh_manifest_open(path, &manifest, err);

    if (status)
        return status;
    *totals = *fsh_manifest_get_totals(manifest);
    fsh_manifest_close(manifest);
    return FSH_OK;
}

/* The job is written last: where it stands, the plan is whole. */
static fsh_status
make_plan(const fsh_job *job, const char *manifest, fsh_manifest_progress *progress, void *self,
          fsh_manifest_totals *totals, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(path, job->output, FSH_PATH_JOB, err);

    if (!status)
        status = make_folders(job, err);
    if (!status)
        status = fsh_manifest_build(manifest, job->reader, job->input, (uint64_t)job->unit_images, progress,
                                    self, totals, err);
    return status ? status : write_job(job, path, err);
}

fsh_status
fsh_plan(const fsh_job *job, fsh_manifest_progress *progress, void *self, fsh_manifest_totals *totals,
         bool *again, fsh_err *err)
{
    char manifest[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(manifest, job->output, FSH_PATH_UNITS, err);

    if (!status)
        status = check_apart(job, err);
    if (!status)
        status = look_for_plan(job, again, err);
    if (status)
        return status;
    return *again ? read_totals(manifest, totals, err)
                  : make_plan(job, manifest, progress, self, totals, err);
}

fsh_status
fsh_plan_check(const fsh_job *job, fsh_manifest_totals *totals, fsh_err *err)
{
    char manifest[FSH_PATH_BYTES];
    bool planned;
    fsh_status status = fsh_path_join(manifest, job->output, FSH_PATH_UNITS, err);

    if (!status)
        status = look_for_plan(job, &planned, err);
    if (!status && !planned)
        status = fsh_fail(err, FSH_USAGE, "%s holds no plan: run `faceshard plan JOB.yaml` first", job->output);
    return status ? status : read_totals(manifest, totals, err);
}

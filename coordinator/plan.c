#include "coordinator/plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "coordinator/lock.h"
#include "coordinator/replace.h"
#include "job/facts.h"
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

/* The hash that stands in the folder, not that of the same text today: a model may have changed since. */
static fsh_status
read_hash(const char *path, char hash[FSH_HASH_HEX], fsh_err *err)
{
    FILE *file = fopen(path, "re");
    int found;

    if (!file)
        return fsh_fail_errno(err, errno, "%s: cannot be opened", path);
    found = fscanf(file, "# job %64[0-9a-f]", hash);
    fclose(file);
    return found == 1 ? FSH_OK : fsh_fail(err, FSH_FORMAT, "%s: does not begin with the hash of a job", path);
}

fsh_status
fsh_plan_held(const char *output, fsh_job **held, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_job_overrides none = {0};
    fsh_status status = fsh_path_join(path, output, FSH_PATH_JOB, err);

    *held = NULL;
    if (status || !fsh_file_exists(path))
        return status;
    status = fsh_job_read(path, &none, held, err);
    if (!status)
        status = read_hash(path, (*held)->hash, err);
    if (!status)
        return FSH_OK;
    fsh_job_free(*held);
    *held = NULL;
    return fsh_fail_within(err, status, "%s was written by another version: choose another --output, or remove "
                           "that folder", output);
}

static fsh_status
compare_inputs(const fsh_job *job, const fsh_job *held, fsh_err *err)
{
    if (strcmp(job->input, held->input) == 0 && strcmp(job->format, held->format) == 0 &&
        strcmp(job->keep, held->keep) == 0)
        return FSH_OK;
    return fsh_fail(err, FSH_USAGE, "%s holds the output of a job over another input (%s): choose another "
                    "--output, or remove that folder", job->output, held->input);
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
        status = fsh_facts_claim(job, err);
    if (!status)
        status = fsh_manifest_build(manifest, job->reader, job->input, job->keep, (uint64_t)job->unit_images,
                                    progress, self, totals, err);
    return status ? status : write_job(job, path, err);
}

/* With the lock held: somebody else may have planned since the folder was looked at. */
static fsh_status
plan_locked(const fsh_job *job, const char *manifest, fsh_manifest_progress *progress, void *self,
            fsh_manifest_totals *totals, fsh_plan_outcome *outcome, fsh_err *err)
{
    fsh_job *held;
    fsh_status status = fsh_plan_held(job->output, &held, err);

    if (!status && held)
        status = compare_inputs(job, held, err);
    if (!status)
        *outcome = !held                                ? FSH_PLAN_NEW
                   : strcmp(job->hash, held->hash) == 0 ? FSH_PLAN_KNOWN
                                                        : FSH_PLAN_REPLACED;
    if (!status && *outcome == FSH_PLAN_REPLACED)
        status = fsh_replace_old(held, err);
    if (!status)
        status = *outcome == FSH_PLAN_KNOWN ? read_totals(manifest, totals, err)
                                            : make_plan(job, manifest, progress, self, totals, err);
    fsh_job_free(held);
    return status;
}

/* Whether the folder holds a plan of exactly this job. */
static fsh_status
is_planned(const fsh_job *job, bool *planned, fsh_err *err)
{
    fsh_job *held;
    fsh_status status = fsh_plan_held(job->output, &held, err);

    *planned = false;
    if (!status && held)
        status = compare_inputs(job, held, err);
    if (!status && held)
        *planned = strcmp(job->hash, held->hash) == 0;
    fsh_job_free(held);
    return status;
}

fsh_status
fsh_plan(const fsh_job *job, fsh_manifest_progress *progress, void *self, fsh_manifest_totals *totals,
         fsh_plan_outcome *outcome, fsh_err *err)
{
    char manifest[FSH_PATH_BYTES];
    fsh_lock *lock;
    bool planned = false;
    fsh_status status = fsh_path_join(manifest, job->output, FSH_PATH_UNITS, err);

    *outcome = FSH_PLAN_KNOWN;
    if (!status)
        status = check_apart(job, err);
    if (!status)
        status = is_planned(job, &planned, err);
    if (status || planned)
        return status ? status : read_totals(manifest, totals, err);
    status = fsh_lock_take(job->output, &lock, err);
    if (status)
        return status;
    status = plan_locked(job, manifest, progress, self, totals, outcome, err);
    fsh_lock_release(&lock);
    return status;
}

fsh_status
fsh_plan_check(const fsh_job *job, fsh_manifest_totals *totals, fsh_err *err)
{
    char manifest[FSH_PATH_BYTES];
    bool planned;
    fsh_status status = fsh_path_join(manifest, job->output, FSH_PATH_UNITS, err);

    if (!status)
        status = is_planned(job, &planned, err);
    if (!status && !planned)
        status = fsh_fail(err, FSH_USAGE, "%s holds no plan of this job (%.12s): run `faceshard plan JOB.yaml` "
                          "first", job->output, job->hash);
    return status ? status : read_totals(manifest, totals, err);
}

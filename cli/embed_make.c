#include "cli/embed_make.h"

#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "cli/embed_known.h"
#include "coordinator/plan.h"
#include "job/paths.h"

/* Only what a job makes there: a folder of that name may have been there before. */
static fsh_status
remove_work(const fsh_job *job, fsh_err *err)
{
    static const char *const folders[] = {FSH_PATH_STATE, FSH_PATH_SHARDS, FSH_PATH_FACTS};
    static const char *const files[] = {FSH_PATH_INDEX, FSH_PATH_MANIFEST};
    char path[FSH_PATH_BYTES];
    fsh_status status = FSH_OK;
    size_t i;

    for (i = 0; i < sizeof files / sizeof files[0] && !status; i++)
        if (!(status = fsh_path_join(path, job->output, files[i], err)))
            unlink(path);
    for (i = 0; i < sizeof folders / sizeof folders[0] && !status; i++)
        if (!(status = fsh_path_join(path, job->output, folders[i], err)))
            status = fsh_folder_remove(path, err);
    rmdir(job->output);
    return status;
}

static fsh_status
write_down(const char *from, const char *output, fsh_embed_result *result, fsh_err *err)
{
    fsh_progress *progress = &result->run.progress;
    fsh_listener listening = fsh_progress_listener(progress),
              step = fsh_listener_at(&listening, "writing the embeddings");
    fsh_status status = fsh_embeddings_convert(from, output, &step, &result->totals, err);

    fsh_progress_clear(progress);
    return status;
}

static fsh_status
convert(const fsh_job *job, const char *output, fsh_embed_result *result, fsh_err *err)
{
    char index[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(index, job->output, FSH_PATH_INDEX, err);

    if (!status)
        status = write_down(index, output, result, err);
    return status ? status : remove_work(job, err);
}

/* A run that was killed between the file and the end of its work folder has left that. */
static fsh_status
leave(const fsh_job *job, fsh_err *err)
{
    fsh_manifest_totals totals;

    return fsh_plan_check(job, &totals, NULL) ? FSH_OK : remove_work(job, err);
}

static fsh_status
run(const fsh_job *job, const fsh_embedded_options *options, const char *output,
    fsh_embed_result *result, fsh_err *err)
{
    fsh_run_options how = {.workers = fsh_run_workers(options->workers),
                           .threads = 1,
                           .grace = 20,
                           .log = (fsh_log_mode)options->log};
    fsh_status status = fsh_run(job, &how, &result->run, err);

    return status ? status : convert(job, output, result, err);
}

/* Whether the file has the embeddings that are wanted: they need only be copied. */
static fsh_status
has_them(const char *input, const fsh_embedded_options *options, bool *has, fsh_err *err)
{
    fsh_embeddings facts = {0};
    fsh_status status;

    *has = false;
    if (!fsh_embed_is_store(input))
        return FSH_OK;
    status = fsh_embeddings_read_facts(input, &facts, err);
    if (!status)
        *has = facts.dimension > 0 && facts.flip == options->flip &&
               fsh_embedded_is_of(&facts, options->model);
    if (!status && !*has && !fsh_reader_find("shards")->fits(input))
        status =
            fsh_fail(err, FSH_FORMAT,
                     "%s: its embeddings are those of the model '%s', %s the mirror image, and it "
                     "has no pictures to embed otherwise",
                     input, facts.model, facts.flip ? "with" : "without");
    fsh_embeddings_fini(&facts);
    return status;
}

static fsh_status
copy(const char *input, const fsh_embedded_options *options, const char *output,
     fsh_embed_result *result, fsh_err *err)
{
    fsh_progress_start(&result->run.progress, (fsh_log_mode)options->log);
    return write_down(input, output, result, err);
}

fsh_status
fsh_embed_make(const char *input, const fsh_embedded_options *options, const char *output,
               fsh_embed_result *result, fsh_err *err)
{
    fsh_job *job = NULL;
    bool has;
    fsh_status status = has_them(input, options, &has, err);

    memset(result, 0, sizeof *result);
    result->max_rejected = 1;
    if (!status && has)
        return copy(input, options, output, result, err);
    if (!status)
        status = fsh_embed_job(input, options, output, &job, err);
    if (!status)
        result->max_rejected = job->max_rejected;
    if (!status)
        status = fsh_embed_is_known(job, output, &result->made_before, &result->totals, err);
    if (!status)
        status = result->made_before ? leave(job, err) : run(job, options, output, result, err);
    fsh_job_free(job);
    return status;
}

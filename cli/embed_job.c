/* The job that embeds pictures. Its defaults are those of an evaluation: no face is too small, and
 * no picture is left out that can be embedded at all. */
#include <stdio.h>
#include <string.h>

#include "base/store.h"
#include "cli/embed_make.h"
#include "datasets/reader.h"
#include "shards/read.h"

/* Points from a detector that gives five are better than the 68 under a mask, and enough. Units are
 * small, so that all workers have something to do to the end. */
static const char stages[] = "output: {encoding: none}\n"
                             "units: {images: 128}\n"
                             "stages:\n"
                             "  - detect: {min_side: 0}\n"
                             "  - landmarks: {unless_five: yes}\n";

bool
fsh_embed_is_store(const char *input)
{
    fsh_store *store = NULL;
    bool is = !fsh_store_open(input, &store, NULL);

    fsh_store_close(&store, NULL);
    return is;
}

static fsh_status
print_job(const char *format, const fsh_embedded_options *options, fsh_text *out, fsh_err *err)
{
    fsh_text_addf(out, "input: {format: %s}\nmodels: {detector: ", format);
    fsh_text_add_json(out, options->detector);
    if (options->model[0]) {
        fsh_text_add(out, ", embedder: ");
        fsh_text_add_json(out, options->model);
    }
    fsh_text_add(out, ", device: ");
    fsh_text_add_json(out, options->device[0] ? options->device : "cpu");
    fsh_text_addf(out, "}\n%s  - embed: {flip: %s}\n", stages, options->flip ? "yes" : "no");
    return fsh_text_ok(out) ? FSH_OK : fsh_fail(err, FSH_MEMORY, "out of memory");
}

/* Whether the pictures are a job's that has aligned them: their five points are known. */
static bool
is_aligned(const fsh_job *job)
{
    fsh_shard_file *file = NULL;
    bool aligned;

    if (strcmp(job->format, "shards") != 0 || fsh_shard_open(job->input, &file, NULL))
        return false;
    aligned = strstr(fsh_shard_get_info(file)->meta.stages, "\n  - align: ") != NULL;
    fsh_shard_close(&file);
    return aligned;
}

/* The first whose file is here, of a list with the best first; the last where none is. */
static void
take_first_here(fsh_job *job, const char *list)
{
    char names[FSH_ARG_TEXT_BYTES], *rest = names, *name;
    size_t best = strcspn(list, ", ");
    fsh_card card;
    fsh_status status = FSH_MODEL;

    strcpy(names, list);
    while (status && (name = strsep(&rest, ", ")))
        if (*name) {
            memset(&card, 0, sizeof card);
            strcpy(job->models.detector, name);
            status = fsh_card_load(&job->models, name, FSH_TASK_DETECT, &card, NULL);
        }
    if (strlen(job->models.detector) != best || strncmp(list, job->models.detector, best) != 0)
        fprintf(stderr, "the detector %.*s, which suits %s best, is not here: %s finds the faces\n",
                (int)best, list, job->models.embedder, job->models.detector);
}

/* The detector whose points the embedder was measured with; on stored pictures that are aligned
 * there is nothing to detect. */
static fsh_status
choose_detector(fsh_job *job, fsh_err *err)
{
    fsh_card card;
    fsh_status status;

    if (job->models.detector[0])
        return FSH_OK;
    memset(&card, 0, sizeof card);
    status = fsh_card_load(&job->models, job->models.embedder, FSH_TASK_EMBED, &card, err);
    if (!status && is_aligned(job))
        strcpy(job->models.detector, "aligned");
    else if (!status)
        take_first_here(job, card.detector[0] ? card.detector : "hog");
    return status;
}

static fsh_status
choose_format(const char *input, const fsh_embedded_options *options, const char **format,
              fsh_err *err)
{
    const fsh_reader *reader = NULL;
    fsh_status status;

    *format = options->format;
    if (options->format[0] && strcmp(options->format, "auto") != 0)
        return FSH_OK;
    status = fsh_reader_detect(input, &reader, err);
    if (!status)
        *format = reader->format;
    return status;
}

static fsh_status
compose(const char *format, const fsh_embedded_options *options, const fsh_job_overrides *overrides,
        fsh_job **job, fsh_err *err)
{
    fsh_text text = {0};
    fsh_job *made = NULL;
    fsh_status status = print_job(format, options, &text, err);

    if (!status)
        status = fsh_job_compose("the job of embed", fsh_text_get(&text), overrides, &made, err);
    fsh_text_fini(&text);
    if (!status)
        status = choose_detector(made, err);
    if (!status)
        status = fsh_job_hash(made, err);
    if (status)
        fsh_job_free(made);
    else
        *job = made;
    return status;
}

fsh_status
fsh_embed_job(const char *input, const fsh_embedded_options *options, const char *output,
              fsh_job **job, fsh_err *err)
{
    char work[FSH_ARG_TEXT_BYTES];
    fsh_job_overrides overrides = {input, work, options->sets, options->sets_n};
    const char *format;
    fsh_status status;

    if (snprintf(work, sizeof work, "%s.work", output) >= (int)sizeof work)
        return fsh_fail(err, FSH_USAGE, "%.80s...: path too long", output);
    status = choose_format(input, options, &format, err);
    return status ? status : compose(format, options, &overrides, job, err);
}

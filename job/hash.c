#include <stdlib.h>
#include <string.h>

#include "job/job.h"
#include "shards/layout.h"

/* The card that a stage runs, told from what it gives; NULL for stages without a model. */
static const char *
card_of(const fsh_job *job, const fsh_stage *stage, fsh_model_task *task, const char **role)
{
    static const char *const roles[] = {"detector", "landmarker", "embedder"};
    const char *const cards[] = {job->models.detector, job->models.landmarker, job->models.embedder};
    static const unsigned gives[] = {FSH_FACT_FACE, FSH_FACT_LANDMARKS, FSH_FACT_EMBEDDING};
    static const fsh_model_task tasks[] = {FSH_TASK_DETECT, FSH_TASK_LANDMARKS, FSH_TASK_EMBED};
    int i;

    for (i = 0; i < 3; i++)
        if (stage->gives & gives[i]) {
            *task = tasks[i];
            *role = roles[i];
            return cards[i];
        }
    return NULL;
}

static fsh_status
add_model(fsh_job *job, const fsh_stage *stage, fsh_err *err)
{
    fsh_model_task task;
    const char *role, *name = card_of(job, stage, &task, &role);
    char hex[FSH_HASH_HEX];
    fsh_card *card;
    fsh_status status;

    if (!name)
        return FSH_OK;
    card = calloc(1, sizeof *card);
    if (!card)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    status = fsh_card_load(&job->models, name, task, card, err);
    if (!status) {
        fsh_hash_hex(&card->file_hash, hex);
        fsh_text_addf(&job->model_list, "%s %s %s\n", role, card->name, hex);
    }
    free(card);
    return status;
}

static fsh_status
add_template_file(void *out, const char *folder, const char *name, fsh_err *err)
{
    char path[FSH_PATH_BYTES], hex[FSH_HASH_HEX];
    fsh_hash hash;
    fsh_status status = fsh_path_join(path, folder, name, err);

    if (!status)
        status = fsh_hash_file(path, &hash, NULL, err);
    if (status)
        return status;
    fsh_hash_hex(&hash, hex);
    fsh_text_addf(out, "%s %s\n", name, hex);
    return FSH_OK;
}

static fsh_status
add_template_folder(const char *templates, const char *kind, fsh_text *out, fsh_err *err)
{
    char folder[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(folder, templates, kind, err);

    /* A folder of the user's own may hold masks alone; the stage says if another is missed. */
    return status ? status : fsh_folder_each(folder, add_template_file, out, err);
}

/* What is worn is drawn from templates; the stages that wear are those that need landmarks. */
static bool
wears(const fsh_chain *chain)
{
    uint32_t i;

    for (i = 0; i < chain->steps_n; i++)
        if (chain->steps[i].stage->needs & FSH_FACT_LANDMARKS)
            return true;
    return false;
}

static fsh_status
add_templates(const fsh_job *job, fsh_text *out, fsh_err *err)
{
    static const char *const kinds[] = {"masks", "glasses", "sunglasses"};
    fsh_status status = FSH_OK;
    uint32_t i;

    for (i = 0; i < job->variants_n; i++)
        if (wears(&job->variants[i]))
            break;
    if (i == job->variants_n)
        return FSH_OK;
    for (i = 0; i < 3 && !status; i++)
        status = add_template_folder(job->templates, kinds[i], out, err);
    return status;
}

/* A chain with the version of every stage. */
static void
add_chain(const fsh_chain *chain, fsh_text *out)
{
    uint32_t i;

    for (i = 0; i < chain->steps_n; i++)
        fsh_text_addf(out, "%u.%u ", chain->steps[i].stage->id, chain->steps[i].stage->version);
    fsh_chain_print(chain, out);
    fsh_text_add(out, "\n");
}

/* PNG has none; that it counts there keeps the hashes of jobs as they were. */
static bool
has_quality(const fsh_job *job)
{
    return job->encoding == FSH_ENCODING_JPEG || job->encoding == FSH_ENCODING_PNG;
}

static fsh_status
write_recipe(fsh_job *job, fsh_err *err)
{
    fsh_text *all = &job->recipe;
    fsh_status status = FSH_OK;
    uint32_t i;

    fsh_text_clear(&job->model_list);
    fsh_text_clear(all);
    for (i = 0; i < job->stages.steps_n && !status; i++)
        status = add_model(job, job->stages.steps[i].stage, err);
    fsh_text_addf(all, "shard format %d, %d columns\nformat %s\nseed %lld\nsize %lld\nencoding %d %lld\nunits %lld\n"
                  "max_pixels %lld\n%s", FSH_SHARD_FORMAT, FSH_COLUMN_N, job->format, (long long)job->seed,
                  (long long)job->size, job->encoding, has_quality(job) ? (long long)job->quality : 0LL,
                  (long long)job->unit_images, (long long)job->max_pixels, fsh_text_get(&job->model_list));
    add_chain(&job->stages, all);
    for (i = 0; i < job->variants_n; i++)
        add_chain(&job->variants[i], all);
    return status ? status : add_templates(job, all, err);
}

fsh_status
fsh_job_hash(fsh_job *job, fsh_err *err)
{
    fsh_status status = write_recipe(job, err);
    fsh_hash hash;

    if (!status && !fsh_text_ok(&job->recipe))
        status = fsh_fail(err, FSH_MEMORY, "out of memory");
    if (status)
        return status;
    hash = fsh_hash_of(fsh_text_get(&job->recipe), job->recipe.bytes);
    fsh_hash_hex(&hash, job->hash);
    return FSH_OK;
}

/* ---- what differs ---- */

static bool
has_line(const char *text, const char *line, size_t n)
{
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
        if (strncmp(text, line, n) == 0 && (text[n] == '\n' || text[n] == '\0'))
            return true;
    return false;
}

/* The first line of a that is not in b, as "'line'" of at most 200 bytes. */
static void
add_first_missing(const char *a, const char *b, fsh_text *out)
{
    for (; *a; a += strcspn(a, "\n"), a += *a == '\n') {
        size_t n = strcspn(a, "\n");

        if (has_line(b, a, n))
            continue;
        fsh_text_addf(out, "'%.*s'", (int)(n < 200 ? n : 200), a);
        return;
    }
    fsh_text_add(out, "nothing");
}

void
fsh_recipe_diff(const char *here, const char *there, fsh_text *out)
{
    fsh_text_add(out, "here ");
    add_first_missing(here, there, out);
    fsh_text_add(out, ", there ");
    add_first_missing(there, here, out);
}

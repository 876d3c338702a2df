#include "job/job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/installed.h"
#include "datasets/readers.h"
#include "job/steps.h"
#include "stages/clean.h"
#include "stages/table.h"

static const fsh_arg input_args[] = {
    FSH_ARG_TEXT(fsh_job, format, "auto", "folders, pictures, list, recordio, mscelebtsv, tar or shards (docs/formats.md); auto: what it looks like"),
    {"path", FSH_ARG_TYPE_TEXT, offsetof(fsh_job, input), 0, 0, NULL, "", "the input"},
    {"keep", FSH_ARG_TYPE_TEXT, offsetof(fsh_job, keep), 0, 0, NULL, "",
     "a clean list: only samples are kept whose source (m.0107_f/12-FaceId-0.jpg) stands in a line of this file"},
    FSH_ARG_END};

static const fsh_arg output_args[] = {
    {"path", FSH_ARG_TYPE_TEXT, offsetof(fsh_job, output), 0, 0, NULL, "", "folder for everything that is made"},
    FSH_ARG_INT(fsh_job, size, 16, 1024, "112", "px, width and height of the stored pictures"),
    FSH_ARG_CHOICE(fsh_job, encoding, "raw|jpeg|png|none", "raw", "how pictures are stored; none: not at all, only what "
                   "was found out about them"),
    FSH_ARG_INT(fsh_job, quality, 1, 100, "95", "of encoding jpeg"),
    FSH_ARG_END};

static const fsh_arg unit_args[] = {
    {"images", FSH_ARG_TYPE_INT, offsetof(fsh_job, unit_images), 1, 1 << 20, NULL, "512",
     "images that a unit, and so a shard, is made of at most (identities are never split)"},
    FSH_ARG_END};

static const fsh_arg limit_args[] = {
    FSH_ARG_INT(fsh_job, max_pixels, 1, 1 << 30, "67108864", "larger pictures are rejected unread"),
    FSH_ARG_REAL(fsh_job, image_seconds, 0.1, 86400, "300", "seconds that one image may take; an image that takes "
                 "longer twice is rejected"),
    FSH_ARG_INT(fsh_job, thread_memory, 64, 1 << 20, "2048", "MB that a compute process may take for each of its "
                "threads, and once more; an image that needs more is rejected"),
    FSH_ARG_REAL(fsh_job, max_rejected, 0, 1, "1", "share of rejected samples (those that sample left out do "
                 "not count) over which the exit code is 1"),
    FSH_ARG_END};

static const fsh_arg model_args[] = {
    {"detector", FSH_ARG_TYPE_TEXT, offsetof(fsh_job, models.detector), 0, 0, NULL, "hog",
     "name or path of the card of the face detector"},
    {"landmarker", FSH_ARG_TYPE_TEXT, offsetof(fsh_job, models.landmarker), 0, 0, NULL, "dlib68",
     "name or path of the card of the landmark model"},
    {"embedder", FSH_ARG_TYPE_TEXT, offsetof(fsh_job, models.embedder), 0, 0, NULL, "faceshard_mobile",
     "name or path of the card of the embedder"},
    {"search", FSH_ARG_TYPE_TEXT, offsetof(fsh_job, models.search), 0, 0, NULL, "models",
     "folders where cards and their files are looked for first"},
    {"device", FSH_ARG_TYPE_TEXT, offsetof(fsh_job, models.device), 0, 0, NULL, "cpu",
     "where networks run: cpu; cuda or cuda:N for cards of backend torch"},
    FSH_ARG_END};

static const fsh_arg template_args[] = {
    {"path", FSH_ARG_TYPE_TEXT, offsetof(fsh_job, templates), 0, 0, NULL, "",
     "folder with masks/, glasses/ and sunglasses/; the project's own by default"},
    FSH_ARG_END};

static const fsh_arg store_args[] = {
    {"path", FSH_ARG_TYPE_TEXT, offsetof(fsh_job, store), 0, 0, NULL, "",
     "folder for what was found out about photographs, which jobs may share; facts/ in the output by default"},
    FSH_ARG_END};

static const fsh_arg transport_args[] = {
    {"mode", FSH_ARG_TYPE_CHOICE, offsetof(fsh_job, transport), 0, 0, "shared|stream", "shared",
     "shared: workers see input and output under the same paths; stream: photographs and shards go over the wire"},
    FSH_ARG_END};

static const fsh_arg root_args[] = {
    FSH_ARG_INT(fsh_job, seed, 0, 9007199254740991.0, "1", "of every random draw"),
    FSH_ARG_END};

const fsh_section fsh_sections[] = {
    {"input", input_args},   {"output", output_args}, {"units", unit_args},
    {"limits", limit_args},  {"models", model_args},  {"templates", template_args},
    {"store", store_args},   {"transport", transport_args},
    {NULL, NULL},
};

static const fsh_section *
find_section(const char *name)
{
    const fsh_section *section = fsh_sections;

    while (section->name && strcmp(section->name, name) != 0)
        section++;
    return section->name ? section : NULL;
}

static fsh_status
set_defaults(fsh_job *job, fsh_err *err)
{
    const fsh_section *section;
    fsh_status status = fsh_args_defaults(root_args, job, err);

    for (section = fsh_sections; section->name && !status; section++)
        status = fsh_args_defaults(section->args, job, err);
    return status;
}

static fsh_status
read_root_entry(fsh_job *job, const fsh_node *entry, const char *file, fsh_err *err)
{
    const fsh_section *section = find_section(entry->key);

    if (section)
        return fsh_args_read(section->args, job, entry, file, err);
    if (strcmp(entry->key, "stages") == 0)
        return fsh_steps_read(job, entry, file, err);
    if (strcmp(entry->key, root_args[0].name) == 0) {
        fsh_node only = *entry, map = {FSH_NODE_MAP, entry->line, NULL, NULL, &only, NULL};

        only.next = NULL;
        return fsh_args_read(root_args, job, &map, file, err);
    }
    return fsh_fail(err, FSH_USAGE, "%s:%u: unknown key '%s'; allowed here: input, output, seed, units, "
                    "limits, models, templates, store, transport, stages", file, entry->line, entry->key);
}

/* Makes a path of the job absolute, so that it means the same in every process. */
static fsh_status
make_absolute(char path[FSH_ARG_TEXT_BYTES], fsh_err *err)
{
    char here[FSH_ARG_TEXT_BYTES], joined[FSH_PATH_BYTES];
    fsh_status status;

    if (path[0] == '/' || path[0] == '\0')
        return FSH_OK;
    if (!getcwd(here, sizeof here))
        return fsh_fail_errno(err, errno, "the current folder has no usable path");
    status = fsh_path_join(joined, here, strncmp(path, "./", 2) == 0 ? path + 2 : path, err);
    if (!status && strlen(joined) >= FSH_ARG_TEXT_BYTES)
        status = fsh_fail(err, FSH_USAGE, "%s: path longer than %d bytes", joined, FSH_ARG_TEXT_BYTES - 1);
    if (!status)
        strcpy(path, joined);
    return status;
}

const char *
fsh_job_own_templates(void)
{
    static char installed[FSH_PATH_BYTES];

    if (fsh_installed_find("share/faceshard/templates", installed) && strlen(installed) < FSH_ARG_TEXT_BYTES)
        return installed;
    return FSH_SOURCE_DIR "/datasets/templates";
}

static fsh_status
check_paths(fsh_job *job, const char *file, fsh_err *err)
{
    fsh_status status;

    if (!job->input[0])
        return fsh_fail(err, FSH_USAGE, "%s: input.path is missing: the folder with a folder per identity "
                        "(or give --input DIR)", file);
    if (!job->output[0])
        return fsh_fail(err, FSH_USAGE, "%s: output.path is missing: the folder for the shards (or give "
                        "--output DIR)", file);
    if (!job->templates[0])
        strcpy(job->templates, fsh_job_own_templates());
    status = make_absolute(job->input, err);
    if (!status)
        status = make_absolute(job->output, err);
    if (!status)
        status = make_absolute(job->store, err);
    if (!status)
        status = make_absolute(job->keep, err);
    return status ? status : make_absolute(job->templates, err);
}

/* What looks like nothing that is known is taken for folders: its scan says what was expected. */
static void
guess_format(fsh_job *job)
{
    const fsh_reader *reader = &fsh_reader_folders;

    if (job->input[0])
        fsh_reader_detect(job->input, &reader, NULL);
    snprintf(job->format, sizeof job->format, "%s", reader->format);
}

static fsh_status
check_format(fsh_job *job, const char *file, fsh_err *err)
{
    fsh_text formats = {0};
    uint32_t i;

    if (strcmp(job->format, "auto") == 0)
        guess_format(job);
    job->reader = fsh_reader_find(job->format);
    if (job->reader)
        return FSH_OK;
    fsh_text_add(&formats, "auto, ");
    for (i = 0; fsh_readers[i]; i++)
        fsh_text_addf(&formats, "%s%s", i ? ", " : "", fsh_readers[i]->format);
    fsh_fail(err, FSH_USAGE, "%s: input.format: found '%s', expected one of %s", file, job->format,
             fsh_text_get(&formats));
    fsh_text_fini(&formats);
    return FSH_USAGE;
}

/* Variants are pictures. */
static fsh_status
check_encoding(const fsh_job *job, const char *file, fsh_err *err)
{
    if (job->encoding != FSH_ENCODING_NONE || (job->variants_n == 1 && job->variants[0].steps_n == 0))
        return FSH_OK;
    return fsh_fail(err, FSH_USAGE, "%s: output.encoding: none keeps no pictures, so there is nothing to make variants "
                    "of: take 'variants' and what changes pictures out of stages", file);
}

static fsh_status
check_transport(const fsh_job *job, const char *file, fsh_err *err)
{
    if (!job->reader->local || job->transport == FSH_TRANSPORT_SHARED)
        return FSH_OK;
    return fsh_fail(err, FSH_USAGE, "%s: input.format %s needs transport.mode shared: it is read by workers themselves",
                    file, job->format);
}

/* What `clean` moves or copies must be files below the input. */
static fsh_status
check_action(const fsh_job *job, const char *file, fsh_err *err)
{
    uint32_t i;

    for (i = 0; i < job->stages.steps_n; i++) {
        const fsh_step *step = &job->stages.steps[i];
        fsh_clean_action action =
            step->stage == &fsh_stage_clean ? fsh_clean_get_action(step->params) : FSH_CLEAN_DROP;

        if (!job->reader->in_place && (action == FSH_CLEAN_MOVE || action == FSH_CLEAN_COPY))
            return fsh_fail(err, FSH_USAGE, "%s: clean.action move and copy work on folders of files, not on input.format "
                            "%s: choose drop or flag", file, job->format);
    }
    return FSH_OK;
}

static fsh_status
read_tree(fsh_job *job, fsh_tree *tree, fsh_err *err)
{
    const char *file = fsh_tree_name(tree);
    const fsh_node *entry;
    fsh_status status = set_defaults(job, err);

    for (entry = fsh_tree_root(tree)->child; entry && !status; entry = entry->next)
        status = read_root_entry(job, entry, file, err);
    if (!status && !fsh_node_get(fsh_tree_root(tree), "stages"))
        status = fsh_steps_read(job, NULL, file, err);
    if (!status)
        status = check_format(job, file, err);
    if (!status)
        status = check_encoding(job, file, err);
    if (!status)
        status = check_action(job, file, err);
    if (!status)
        status = check_transport(job, file, err);
    return status ? status : check_paths(job, file, err);
}

static fsh_status
job_from_tree(fsh_tree *tree, fsh_job **job, fsh_err *err)
{
    fsh_job *made = calloc(1, sizeof *made);
    fsh_status status = made ? read_tree(made, tree, err) : fsh_fail(err, FSH_MEMORY, "out of memory");

    fsh_tree_free(tree);
    if (status) {
        fsh_job_free(made);
        return status;
    }
    *job = made;
    return FSH_OK;
}

static fsh_status
apply_set(fsh_tree *tree, const char *set, fsh_err *err)
{
    char path[FSH_ARG_TEXT_BYTES];
    const char *equals = strchr(set, '=');

    if (!equals || equals == set || equals - set >= (long)sizeof path)
        return fsh_fail(err, FSH_USAGE, "--set %s: expected key=value, such as stages.detect.margin=40", set);
    memcpy(path, set, (size_t)(equals - set));
    path[equals - set] = '\0';
    return fsh_tree_set(tree, path, equals + 1, err);
}

/* A path goes in as it is: it may hold what YAML would read as something else. */
static fsh_status
apply_path(fsh_tree *tree, const char *key, const char *path, fsh_err *err)
{
    fsh_text quoted = {0};
    fsh_status status;

    if (!path)
        return FSH_OK;
    fsh_text_add_json(&quoted, path);
    status = fsh_tree_set(tree, key, fsh_text_get(&quoted), err);
    fsh_text_fini(&quoted);
    return status;
}

static fsh_status
apply_overrides(fsh_tree *tree, const fsh_job_overrides *overrides, fsh_err *err)
{
    fsh_status status = apply_path(tree, "input.path", overrides->input, err);
    uint32_t i;

    if (!status)
        status = apply_path(tree, "output.path", overrides->output, err);
    for (i = 0; i < overrides->sets_n && !status; i++)
        status = apply_set(tree, overrides->sets[i], err);
    return status;
}

static fsh_status
override_tree(fsh_tree *tree, const fsh_job_overrides *overrides, fsh_job **job, fsh_err *err)
{
    fsh_status status = overrides ? apply_overrides(tree, overrides, err) : FSH_OK;

    if (!status)
        return job_from_tree(tree, job, err);
    fsh_tree_free(tree);
    return status;
}

fsh_status
fsh_job_read(const char *path, const fsh_job_overrides *overrides, fsh_job **job, fsh_err *err)
{
    fsh_tree *tree;
    fsh_status status = fsh_tree_read(path, &tree, err);

    return status ? status : override_tree(tree, overrides, job, err);
}

fsh_status
fsh_job_compose(const char *name, const char *text, const fsh_job_overrides *overrides, fsh_job **job,
                fsh_err *err)
{
    fsh_tree *tree;
    fsh_status status = fsh_tree_parse(name, text, strlen(text), &tree, err);

    return status ? status : override_tree(tree, overrides, job, err);
}

fsh_status
fsh_job_parse(const char *name, const char *text, fsh_job **job, fsh_err *err)
{
    return fsh_job_compose(name, text, NULL, job, err);
}

void
fsh_job_free(fsh_job *job)
{
    uint32_t i;

    if (!job)
        return;
    fsh_chain_fini(&job->stages);
    for (i = 0; i < job->variants_n; i++)
        fsh_chain_fini(&job->variants[i]);
    fsh_text_fini(&job->model_list);
    fsh_text_fini(&job->recipe);
    free(job);
}

void
fsh_job_print(const fsh_job *job, fsh_text *out)
{
    const fsh_section *section;
    uint32_t i;

    for (section = fsh_sections; section->name; section++) {
        fsh_text_addf(out, "%s: ", section->name);
        fsh_args_print(section->args, job, out);
        fsh_text_add(out, "\n");
    }
    fsh_text_addf(out, "seed: %lld\nstages:\n", (long long)job->seed);
    for (i = 0; i < job->stages.steps_n; i++) {
        const fsh_step *step = &job->stages.steps[i];

        fsh_text_addf(out, "  - %s: ", step->stage->name);
        fsh_args_print(step->stage->args, step->params, out);
        fsh_text_add(out, "\n");
    }
    fsh_text_add(out, "  - variants:\n");
    for (i = 0; i < job->variants_n; i++) {
        fsh_text_add(out, "      - ");
        fsh_chain_print(&job->variants[i], out);
        fsh_text_add(out, "\n");
    }
}

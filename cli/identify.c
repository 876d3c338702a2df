/* `faceshard identify`: who of a gallery is each probe? */
#include <stdio.h>
#include <sys/stat.h>

#include "base/files.h"
#include "cli/command.h"
#include "cli/embed_make.h"
#include "cli/mistakes.h"
#include "cli/outcome.h"
#include "evaluate/identify.h"

typedef struct identify_options {
    char gallery[FSH_ARG_TEXT_BYTES], probes[FSH_ARG_TEXT_BYTES];
    char gallery_images[FSH_ARG_TEXT_BYTES], probe_images[FSH_ARG_TEXT_BYTES];
    char json[FSH_ARG_TEXT_BYTES], sheet[FSH_ARG_TEXT_BYTES];
    fsh_reals threshold;
    int64_t mistakes;
    fsh_embedded_options embedded;
} identify_options;

static const fsh_arg rows[] = {
    FSH_ARG_TEXT(identify_options, gallery, "",
                 "whom to find: a folder, or embeddings (a file of them, a shard, index.h5)"),
    FSH_ARG_TEXT(identify_options, probes, "", "who is looked for, likewise"),
    FSH_ARG_REALS(identify_options, threshold, "0.3,0.7,0.8",
                  "Euclidean distances under which the nearest person is the answer"),
    FSH_ARG_TEXT(identify_options, json, "", "write all that was found to this file"),
    FSH_ARG_TEXT(identify_options, sheet, "",
                 "write a PNG to this file: probe, whom it was taken for, whom it is"),
    FSH_ARG_INT(identify_options, mistakes, 0, 1000, "20",
                "how many of the nearest mistakes are told and drawn"),
    FSH_ARG_TEXT(identify_options, gallery_images, "",
                 "folder of the gallery's pictures, where --gallery is embeddings: for --sheet"),
    FSH_ARG_TEXT(identify_options, probe_images, "", "the same of the probes"),
    FSH_EMBEDDED_ROWS(identify_options),
    {"log", FSH_ARG_TYPE_CHOICE, offsetof(identify_options, embedded.log), 0, 0, FSH_LOG_MODES, "auto", "how progress is told"},
    FSH_ARG_END};

static bool
is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Where pictures lie: the folder that was said, the input itself where that is one, the folder of a list. "" where the
 * input is embeddings. */
static void
find_folder(const char *images, const char *input, char folder[FSH_PATH_BYTES])
{
    if (images[0])
        snprintf(folder, FSH_PATH_BYTES, "%s", images);
    else if (is_folder(input))
        snprintf(folder, FSH_PATH_BYTES, "%s", input);
    else if (!fsh_embed_is_store(input))
        snprintf(folder, FSH_PATH_BYTES, "%.*s", (int)(fsh_path_name(input) - input), input);
    else
        folder[0] = '\0';
}

static fsh_status
draw(const identify_options *options, const fsh_identification *found, fsh_err *err)
{
    char gallery[FSH_PATH_BYTES], probes[FSH_PATH_BYTES];

    if (!options->sheet[0])
        return FSH_OK;
    if (!found->mistakes_n || !options->mistakes) {
        fprintf(stderr, "%s: not written, there is no mistake to show\n", options->sheet);
        return FSH_OK;
    }
    find_folder(options->gallery_images, options->gallery, gallery);
    find_folder(options->probe_images, options->probes, probes);
    return fsh_mistakes_draw(found, gallery, probes, (uint32_t)options->mistakes, options->sheet,
                             err);
}

/* Told before anything is computed. */
static fsh_status
check(const identify_options *options, fsh_err *err)
{
    if (!options->gallery[0] || !options->probes[0])
        return fsh_fail(err, FSH_USAGE,
                        "--gallery and --probes are needed; see `faceshard identify --help`");
    if (options->sheet[0] &&
        ((!options->gallery_images[0] && fsh_embed_is_store(options->gallery)) ||
         (!options->probe_images[0] && fsh_embed_is_store(options->probes))))
        return fsh_fail(err, FSH_USAGE,
                        "--sheet needs pictures: say --gallery-images and --probe-images where "
                        "the inputs are embeddings");
    return FSH_OK;
}

static fsh_status
tell(const identify_options *options, fsh_log_mode mode, const fsh_identification *found,
     fsh_err *err)
{
    fsh_text table = {0}, json = {0};
    fsh_status status = draw(options, found, err);

    fsh_identify_print(found, (uint32_t)options->mistakes, &table);
    fsh_identify_print_json(found, (uint32_t)options->mistakes, &json);
    if (!status)
        status = fsh_outcome_tell(mode, &table, &json, options->json, err);
    fsh_text_fini(&table);
    fsh_text_fini(&json);
    return status;
}

static fsh_status
identify(const identify_options *options, const fsh_embeddings *gallery,
         const fsh_embeddings *probes, fsh_err *err)
{
    fsh_identification found;
    fsh_progress progress;
    fsh_listener steps = fsh_progress_listener(&progress);
    fsh_status status;

    steps.text = "comparing";
    fsh_progress_start(&progress, fsh_outcome_mode(options->embedded.log));
    status = fsh_identify_run(gallery, probes, options->threshold.at, options->threshold.n,
                              &steps, &found, err);
    fsh_progress_clear(&progress);
    if (status)
        return status;
    status = tell(options, progress.mode, &found, err);
    fsh_identify_fini(&found);
    return status;
}

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    const identify_options *options = invocation->options;
    fsh_embedded_options embedded = options->embedded;
    fsh_embeddings gallery = {0}, probes = {0};
    fsh_status status = check(options, err);

    embedded.log = (int32_t)fsh_outcome_mode(embedded.log);
    if (!status)
        status = fsh_embedded_get(options->gallery, &embedded, &gallery, err);
    if (!status)
        status = fsh_embedded_get(options->probes, &embedded, &probes, err);
    if (!status)
        status = identify(options, &gallery, &probes, err);
    fsh_embeddings_fini(&gallery);
    fsh_embeddings_fini(&probes);
    return status;
}

const fsh_command fsh_command_identify = {
    "identify",
    "",
    0,
    0,
    "who of a gallery is each probe",
    "Finds the nearest person of a gallery for every probe. Under a threshold that is the answer, "
    "correct or incorrect by\n"
    "name; otherwise the probe is unknown. Prints that for each threshold and for the best one, "
    "rank 1, 5 and 20, DIR at FAR where\n"
    "some probes are of people who are not in the gallery, and the nearest mistakes. Names: of a "
    "folder of folders, the\n"
    "folders'; of a flat folder, the files' without ending; a probe NAME_3 is NAME. "
    "docs/evaluation.md has the formulas. Example:\n\n"
    "  faceshard identify --gallery gallery.h5 --probes masked.h5 --threshold 0.7,0.8,1.1 --json "
    "found.json\n",
    rows,
    sizeof(identify_options),
    false,
    run};

/* `faceshard verify`: are two pictures of one person? Pairs, folds, accuracy, rates, plots. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/embedded.h"
#include "cli/outcome.h"
#include "cli/verify_pictures.h"
#include "evaluate/plots.h"
#include "evaluate/verification.h"

typedef struct verify_options {
    char pairs[FSH_ARG_TEXT_BYTES], images[FSH_ARG_TEXT_BYTES], embeddings[FSH_ARG_TEXT_BYTES];
    char json[FSH_ARG_TEXT_BYTES], plots[FSH_ARG_TEXT_BYTES];
    int32_t metric;
    fsh_embedded_options embedded;
} verify_options;

static const fsh_arg rows[] = {
    FSH_ARG_TEXT(verify_options, pairs, "", "pairs.txt as LFW or MFR2 have it, or a .bin set of pictures"),
    FSH_ARG_TEXT(verify_options, images, "", "folder of the pictures: NAME/NAME_0001.jpg; a .bin set has its own"),
    FSH_ARG_TEXT(verify_options, embeddings, "", "instead of --images: an embeddings file, a shard or index.h5"),
    FSH_EMBEDDED_ROWS(verify_options),
    {"keep", FSH_ARG_TYPE_TEXT, offsetof(verify_options, embedded.output), 0, 0, NULL, "", "keep the embeddings in this file, and use it next time; interrupted, the same command continues"},
    FSH_ARG_CHOICE(verify_options, metric, FSH_METRICS, "squared", "what distances and thresholds are"),
    FSH_ARG_TEXT(verify_options, json, "", "write all that was found to this file"),
    FSH_ARG_TEXT(verify_options, plots, "", "write roc.svg and histogram.svg into this folder"),
    {"log", FSH_ARG_TYPE_CHOICE, offsetof(verify_options, embedded.log), 0, 0, FSH_LOG_MODES, "auto", "how progress is told"},
    FSH_ARG_END};

/* What is to be verified: pairs, and where their pictures come from. */
typedef struct verify_input {
    fsh_pairs pairs;
    fsh_bin set; /* zeroed where the pairs are a list */
} verify_input;

static fsh_status
read_input(const char *path, verify_input *input, fsh_err *err)
{
    fsh_status status;

    if (!fsh_bin_is(path))
        return fsh_pairs_read(path, &input->pairs, err);
    status = fsh_bin_read(path, &input->set, err);
    return status ? status : fsh_bin_pairs(&input->set, &input->pairs, err);
}

/* Embeds the pictures that pairs name, and no others. Those of a set are aligned already. */
static fsh_status
embed(const verify_options *options, const verify_input *input, fsh_embeddings *e, fsh_err *err)
{
    fsh_embedded_options embedded = options->embedded;
    char folder[FSH_PATH_BYTES];
    fsh_status status;

    embedded.log = (int32_t)fsh_outcome_mode(embedded.log);
    if (options->embeddings[0])
        return fsh_embedded_get(options->embeddings, &embedded, e, err);
    if (input->set.pairs_n && !embedded.detector[0])
        snprintf(embedded.detector, sizeof embedded.detector, "aligned");
    status = input->set.pairs_n ? fsh_verify_unpack_pictures(&input->set, embedded.output, folder, err)
                                : fsh_verify_link_pictures(&input->pairs, options->images, embedded.output, folder, err);
    if (!status)
        status = fsh_embedded_get(folder, &embedded, e, err);
    if (folder[0] && !(status == FSH_INTERRUPTED && embedded.output[0]))
        fsh_folder_remove(folder, NULL);
    return status;
}

static fsh_status
tell(const verify_options *options, const fsh_verification *v, fsh_err *err)
{
    fsh_text table = {0}, json = {0};
    fsh_status status = FSH_OK;

    fsh_verification_print(v, &table);
    fsh_verification_print_json(v, &json);
    if (options->plots[0])
        status = fsh_plots_write(v, options->plots, err);
    if (!status)
        status = fsh_outcome_tell(fsh_outcome_mode(options->embedded.log), &table, &json,
                                  options->json, err);
    fsh_text_fini(&table);
    fsh_text_fini(&json);
    return status;
}

static fsh_status
verify(const verify_options *options, const fsh_pairs *pairs, const fsh_embeddings *e, fsh_err *err)
{
    fsh_verification v;
    fsh_status status = fsh_verification_run(pairs, e, (fsh_metric)options->metric, &v, err);

    if (status)
        return fsh_fail_within(err, status, "%s", options->pairs);
    status = tell(options, &v, err);
    fsh_verification_fini(&v);
    return status;
}

static fsh_status
check(const verify_options *options, fsh_err *err)
{
    bool pictures = options->images[0] || fsh_bin_is(options->pairs);

    if (!options->pairs[0] || (!pictures && !options->embeddings[0]))
        return fsh_fail(err, FSH_USAGE, "--pairs FILE is needed, and --images FOLDER or --embeddings FILE; see `faceshard verify --help`");
    return FSH_OK;
}

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    const verify_options *options = invocation->options;
    verify_input input = {{0}, {0}};
    fsh_embeddings e = {0};
    fsh_status status = check(options, err);

    if (!status)
        status = read_input(options->pairs, &input, err);
    if (!status)
        status = embed(options, &input, &e, err);
    if (!status)
        status = verify(options, &input.pairs, &e, err);
    fsh_embeddings_fini(&e);
    fsh_pairs_fini(&input.pairs);
    fsh_bin_fini(&input.set);
    return status;
}

const fsh_command fsh_command_verify = {
    "verify", "", 0, 0, "how well a model tells whether two pictures show one person",
    "Compares pairs of pictures by LFW's protocol: for each fold the threshold that is best on the others decides.\n"
    "Prints accuracy with its standard error, AUC, EER and TAR at FAR 1e-1 to 1e-4. The pictures that pairs name are embedded\n"
    "(detected and aligned as the model's card says), or --embeddings has them. Pairs whose pictures have no embedding are\n"
    "skipped, counted and listed with the reason. docs/evaluation.md has the formulas. Example:\n\n"
    "  faceshard verify --pairs pairs.txt --images lfw --json lfw.json --plots lfw-plots\n",
    rows, sizeof(verify_options), false, run};

/* `faceshard verify`: are two pictures of one person? Pairs, folds, accuracy, rates, plots. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/embedded.h"
#include "cli/outcome.h"
#include "evaluate/bin.h"
#include "evaluate/plots.h"
#include "evaluate/verification.h"

typedef struct verify_options {
    char pairs[FSH_ARG_TEXT_BYTES], images[FSH_ARG_TEXT_BYTES], embeddings[FSH_ARG_TEXT_BYTES];
    char json[FSH_ARG_TEXT_BYTES], plots[FSH_ARG_TEXT_BYTES];
    int32_t metric;
    fsh_embedded_options embed;
} verify_options;

static const fsh_arg rows[] = {
    FSH_ARG_TEXT(verify_options, pairs, "",
                 "pairs.txt as LFW or MFR2 have it, or a .bin set of pictures"),
    FSH_ARG_TEXT(verify_options, embeddings, "",
                 "embeddings of the pictures: an embeddings file, a shard or index.h5"),
    FSH_ARG_TEXT(verify_options, json, "", "write all that was found to this file"),
    FSH_ARG_TEXT(verify_options, plots, "", "write roc.svg and histogram.svg into this folder"),
    FSH_ARG_CHOICE(verify_options, metric, FSH_METRICS, "squared",
                   "what distances and thresholds are"),
    {"log", FSH_ARG_TYPE_CHOICE, offsetof(verify_options, embed.log), 0, 0, FSH_LOG_MODES, "auto",
     "how progress is told"},
    FSH_ARG_END};

static fsh_status
read_pairs(const char *path, fsh_pairs *pairs, fsh_err *err)
{
    fsh_bin set;
    fsh_status status;

    if (!fsh_bin_is(path))
        return fsh_pairs_read(path, pairs, err);
    status = fsh_bin_read(path, &set, err);
    if (status)
        return status;
    status = fsh_bin_pairs(&set, pairs, err);
    fsh_bin_fini(&set);
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
        status = fsh_outcome_tell(fsh_outcome_mode(options->embed.log), &table, &json,
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
run(const fsh_invocation *invocation, fsh_err *err)
{
    const verify_options *options = invocation->options;
    fsh_embeddings e = {0};
    fsh_pairs pairs = {0};
    fsh_status status;

    if (!options->pairs[0] || !options->embeddings[0])
        return fsh_fail(
            err, FSH_USAGE,
            "--pairs FILE and --embeddings FILE are needed; see `faceshard verify --help`");
    status = read_pairs(options->pairs, &pairs, err);
    if (!status)
        status = fsh_embedded_get(options->embeddings, &options->embed, &e, err);
    if (!status)
        status = verify(options, &pairs, &e, err);
    fsh_embeddings_fini(&e);
    fsh_pairs_fini(&pairs);
    return status;
}

const fsh_command fsh_command_verify = {
    "verify",
    "",
    0,
    0,
    "how well embeddings tell whether two pictures show one person",
    "Compares pairs of pictures by LFW's protocol: for each fold the threshold that is best on the "
    "others decides.\n"
    "Prints accuracy with its standard error, AUC, EER and TAR at FAR 1e-1 to 1e-4. Pairs whose "
    "pictures have no\n"
    "embedding are skipped, counted and listed with the reason. docs/evaluation.md has the "
    "formulas. Example:\n\n"
    "  faceshard run docs/jobs/crops.yaml --input LFW --output lfw-crops\n"
    "  faceshard verify --pairs pairs.txt --embeddings lfw-crops/index.h5 --json lfw.json --plots "
    "lfw-plots\n",
    rows,
    sizeof(verify_options),
    false,
    run};

/* `faceshard clean`: what is wrong with the labels of a data set; changes nothing. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/embedded.h"
#include "cli/outcome.h"
#include "evaluate/cleaning.h"
#include "stages/models.h"

typedef struct clean_options {
    int32_t method;
    double threshold, near;
    char against[FSH_ARG_TEXT_BYTES], json[FSH_ARG_TEXT_BYTES];
    fsh_embedded_options embed;
} clean_options;

#define EMBED(field) offsetof(clean_options, embed.field)

static const fsh_arg rows[] = {
    FSH_ARG_CHOICE(
        clean_options, method, FSH_CLEANING_METHODS, "robust",
        "robust: by the identity and by all others; mean_distance: over the threshold from the "
        "identity's other pictures"),
    FSH_ARG_REAL_AUTO(clean_options, threshold, 0, 2, "auto",
                      "distance of mean_distance; auto: as the embedder's card recommends"),
    FSH_ARG_REAL_AUTO(
        clean_options, near, 0, 2, "auto",
        "distance up to which two pictures are near-duplicates; auto: 0.24 of the threshold "
        "that the card recommends"),
    FSH_ARG_TEXT(clean_options, against, "",
                 "a set that shares nobody with this one, or should (LFW): like INPUT"),
    FSH_ARG_TEXT(clean_options, json, "", "write every finding to this file"),
    {"model", FSH_ARG_TYPE_TEXT, EMBED(model), 0, 0, NULL, "",
     "card of the embedder; of embeddings, the one they must be of"},
    {"log", FSH_ARG_TYPE_CHOICE, EMBED(log), 0, 0, FSH_LOG_MODES, "auto", "how progress is told"},
    FSH_ARG_END};

/* Of 1.25, what the card of a well-made embedder says, and near-duplicates of LFW: all pairs up to
 * 0.29 are one photograph cut or coloured twice, none from 0.31 on. */
static const double usual_threshold = 1.25, near_share = 0.24;

/* The threshold of the embedder's card. Embeddings name their embedder; where its card is not here,
 * the usual one is taken, and said so. */
static fsh_status
find_threshold(const clean_options *options, const fsh_embeddings *e, double *threshold,
               fsh_err *err)
{
    const fsh_models models = {.search = "models, ../shared/models"};
    char name[FSH_ARG_TEXT_BYTES];
    fsh_card card;
    fsh_err why = {""};
    fsh_status status;

    if (options->embed.model[0])
        snprintf(name, sizeof name, "%s", options->embed.model);
    else
        snprintf(name, sizeof name, "%.*s", (int)strcspn(e->model ? e->model : "", " "),
                 e->model ? e->model : "");
    status = fsh_card_load(&models, name, FSH_TASK_EMBED, &card, &why);
    *threshold = status ? usual_threshold : card.distance_threshold;
    if (!status)
        return FSH_OK;
    if (options->embed.model[0]) {
        *err = why;
        return status;
    }
    fprintf(stderr, "clean: without the card of the embedder the threshold is %.2f: %s\n",
            usual_threshold, why.text);
    return FSH_OK;
}

static fsh_status
settle_options(const clean_options *options, const fsh_embeddings *e, fsh_cleaning_options *out,
               fsh_err *err)
{
    double threshold = usual_threshold;
    fsh_status status = FSH_OK;

    if (isnan(options->threshold) || isnan(options->near))
        status = find_threshold(options, e, &threshold, err);
    out->method = options->method;
    out->threshold = isnan(options->threshold) ? threshold : options->threshold;
    out->near = isnan(options->near) ? near_share * threshold : options->near;
    return status;
}

static fsh_status
tell(const clean_options *options, const fsh_cleaning *found, fsh_err *err)
{
    fsh_text table = {0}, json = {0};
    fsh_status status;

    fsh_cleaning_print(found, &table);
    fsh_cleaning_print_json(found, &json);
    status =
        fsh_outcome_tell(fsh_outcome_mode(options->embed.log), &table, &json, options->json, err);
    fsh_text_fini(&table);
    fsh_text_fini(&json);
    return status;
}

static fsh_status
clean(const clean_options *options, const fsh_embeddings *e, const fsh_embeddings *against,
      fsh_err *err)
{
    fsh_cleaning_options settled = {0};
    fsh_cleaning found;
    fsh_status status = settle_options(options, e, &settled, err);

    if (!status)
        status = fsh_cleaning_run(e, options->against[0] ? against : NULL, &settled, &found, err);
    if (status)
        return status;
    status = tell(options, &found, err);
    fsh_cleaning_fini(&found);
    return status;
}

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    const clean_options *options = invocation->options;
    fsh_embeddings e = {0}, against = {0};
    fsh_status status = fsh_embedded_get(invocation->words[0], &options->embed, &e, err);

    if (!status && options->against[0])
        status = fsh_embedded_get(options->against, &options->embed, &against, err);
    if (!status && e.n == 0)
        status = fsh_fail(err, FSH_USAGE, "%s: holds no embedding", invocation->words[0]);
    if (!status)
        status = clean(options, &e, &against, err);
    fsh_embeddings_fini(&e);
    fsh_embeddings_fini(&against);
    return status;
}

const fsh_command fsh_command_clean = {
    "clean",
    "INPUT",
    1,
    1,
    "find mislabels, duplicates and people who are there twice",
    "INPUT is a folder, an embeddings file, a shard or index.h5. Changes nothing. Tells how many "
    "pictures are\n"
    "probably not their identity's person (remove), may not be (unsure), and why; near-duplicates; "
    "identities that\n"
    "are one person; identities that are two; with --against, people and pictures that are in "
    "another set as well.\n"
    "docs/cleaning.md has the method and the fields of the JSON. Example:\n\n"
    "  faceshard clean out/index.h5 --against lfw.h5 --json found.json\n",
    rows,
    sizeof(clean_options),
    false,
    run};

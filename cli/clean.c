/* `faceshard clean`: what is wrong with the labels of a data set; changes nothing. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "cli/command.h"
#include "cli/embedded.h"
#include "cli/outcome.h"
#include "evaluate/cleaning_report.h"
#include "stages/models.h"
#include "stages/vision/decode.h"

enum { SIDE = 192 }; /* of the report's pictures, px: twice what they are shown in */

typedef struct clean_options {
    int32_t method;
    double threshold, near;
    char against[FSH_ARG_TEXT_BYTES], json[FSH_ARG_TEXT_BYTES];
    fsh_embedded_options embedded;
    char report[FSH_ARG_TEXT_BYTES], images[FSH_ARG_TEXT_BYTES], against_images[FSH_ARG_TEXT_BYTES];
    char embeddings[FSH_ARG_TEXT_BYTES];
    int64_t rows;
} clean_options;

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
    FSH_ARG_TEXT(clean_options, report, "",
                 "write a page with every finding and its pictures to this file: HTML, all in one"),
    FSH_ARG_INT(clean_options, rows, 0, 1000000, "200", "rows of each table of the report"),
    FSH_ARG_TEXT(
        clean_options, images, "",
        "folder of the pictures, for --report where INPUT is a file of embeddings or a list"),
    FSH_ARG_TEXT(clean_options, against_images, "", "the same of --against"),
    FSH_ARG_TEXT(clean_options, embeddings, "",
                 "keep the embeddings of INPUT in this file: cleaned again, it takes seconds"),
    FSH_EMBEDDED_ROWS(clean_options),
    {"log", FSH_ARG_TYPE_CHOICE, offsetof(clean_options, embedded.log), 0, 0, FSH_LOG_MODES, "auto",
     "how progress is told"},
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

    if (options->embedded.model[0])
        snprintf(name, sizeof name, "%s", options->embedded.model);
    else
        snprintf(name, sizeof name, "%.*s", (int)strcspn(e->model ? e->model : "", " "),
                 e->model ? e->model : "");
    status = fsh_card_load(&models, name, FSH_TASK_EMBED, &card, &why);
    *threshold = status ? usual_threshold : card.distance_threshold;
    if (!status)
        return FSH_OK;
    if (options->embedded.model[0]) {
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
tell(const clean_options *options, const fsh_cleaning *found, fsh_progress *progress, fsh_err *err)
{
    fsh_text table = {0}, json = {0};
    fsh_status status;

    fsh_cleaning_print(found, &table);
    fsh_cleaning_print_json(found, &json);
    fsh_progress_clear(progress);
    status = fsh_outcome_tell(fsh_outcome_mode(options->embedded.log), &table, &json, options->json,
                              err);
    fsh_text_fini(&table);
    fsh_text_fini(&json);
    return status;
}

/* Where the pictures of a set are: the folder that was said, or the set itself where that is a
 * folder, a shard or index.h5 with pictures. A file of embeddings and a list hold none: *thumbs
 * stays NULL. */
static fsh_status
open_thumbs(const char *images, const char *input, fsh_thumbs **thumbs, fsh_err *err)
{
    fsh_status status = fsh_thumbs_open(images[0] ? images : input, SIDE, thumbs, err);

    return images[0] ? status : FSH_OK;
}

static fsh_status
write_report(const clean_options *options, const char *input, const fsh_cleaning *found,
             fsh_err *err)
{
    fsh_cleaning_report report = {.title = input, .rows_most = (uint32_t)options->rows};
    fsh_text page = {0};
    fsh_status status = open_thumbs(options->images, input, &report.thumbs, err);

    if (!status && options->against[0])
        status = open_thumbs(options->against_images, options->against, &report.against, err);
    if (!status) {
        fsh_vision_init();
        fsh_cleaning_write_report(found, &report, &page);
        status = fsh_text_ok(&page)
                     ? fsh_file_write(options->report, page.data, page.bytes, err)
                     : fsh_fail(err, FSH_MEMORY, "%s: out of memory", options->report);
    }
    if (!status && fsh_thumbs_missing(report.thumbs) + fsh_thumbs_missing(report.against))
        fprintf(stderr, "%s: %u pictures could not be had\n", options->report,
                fsh_thumbs_missing(report.thumbs) + fsh_thumbs_missing(report.against));
    fsh_thumbs_close(report.thumbs);
    fsh_thumbs_close(report.against);
    fsh_text_fini(&page);
    return status;
}

static fsh_status
clean(const clean_options *options, const char *input, const fsh_embeddings *e,
      const fsh_embeddings *against, fsh_err *err)
{
    fsh_progress progress;
    fsh_listener steps = fsh_progress_listener(&progress);
    fsh_cleaning_options settled = {.steps = &steps};
    fsh_cleaning found;
    fsh_status status = settle_options(options, e, &settled, err);

    fsh_progress_start(&progress, fsh_outcome_mode(options->embedded.log));
    if (!status)
        status = fsh_cleaning_run(e, options->against[0] ? against : NULL, &settled, &found, err);
    if (status) {
        fsh_progress_clear(&progress);
        return status;
    }
    fsh_progress_step(&progress, "writing down what was found");
    if (options->report[0])
        status = write_report(options, input, &found, err);
    if (!status)
        status = tell(options, &found, &progress, err);
    fsh_progress_clear(&progress);
    fsh_cleaning_fini(&found);
    return status;
}

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    const clean_options *options = invocation->options;
    const char *input = invocation->words[0];
    fsh_embedded_options ours = options->embedded, theirs = options->embedded;
    fsh_embeddings e = {0}, against = {0};
    fsh_status status;

    snprintf(ours.output, sizeof ours.output, "%s", options->embeddings);
    ours.sets = theirs.sets = invocation->sets;
    ours.sets_n = theirs.sets_n = invocation->sets_n;
    status = fsh_embedded_get(input, &ours, &e, err);
    if (!status && e.n == 0)
        status = fsh_fail(err, FSH_USAGE, "%s: holds no embedding", input);
    if (!status && options->against[0])
        status = fsh_embedded_get(options->against, &theirs, &against, err);
    if (!status)
        status = clean(options, input, &e, &against, err);
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
    "  faceshard clean out/index.h5 --against lfw.h5 --json found.json --report found.html\n",
    rows,
    sizeof(clean_options),
    false,
    run};

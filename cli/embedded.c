#include "cli/embedded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "cli/embed_make.h"
#include "cli/outcome.h"
#include "stages/models.h"

/* The name of a card: "models/ssd.yaml" and "ssd" are the same. */
static size_t
card_name(const char *card, const char **name)
{
    size_t n;

    *name = fsh_path_name(card);
    n = strlen(*name);
    return n > 5 && strcmp(*name + n - 5, ".yaml") == 0 ? n - 5 : n;
}

/* The model with this card as a file of embeddings names it; "" where its file is not here. */
static void
name_with_hash(const char *card, char *text, size_t room)
{
    static const fsh_models here = {.search = "models"};
    fsh_card *loaded = calloc(1, sizeof *loaded);
    char hex[FSH_HASH_HEX];

    text[0] = 0;
    if (loaded && !fsh_card_load(&here, card, FSH_TASK_EMBED, loaded, NULL)) {
        fsh_hash_hex(&loaded->file_hash, hex);
        snprintf(text, room, "%s %s", loaded->name, hex);
    }
    free(loaded);
}

/* Where the model is not here its name is all that can be compared. */
bool
fsh_embedded_is_of(const fsh_embeddings *e, const char *card)
{
    char expected[FSH_ARG_TEXT_BYTES + FSH_HASH_HEX + 1];
    const char *name;
    size_t n = card_name(card, &name);

    if (!card[0])
        return true;
    name_with_hash(card, expected, sizeof expected);
    if (expected[0])
        return strcmp(e->model, expected) == 0;
    return strncmp(e->model, name, n) == 0 && e->model[n] == ' ';
}

/* Embeddings of two models are not comparable. */
static fsh_status
read_embedded(const char *input, const fsh_embedded_options *options, fsh_embeddings *out,
              fsh_err *err)
{
    fsh_embeddings found = {0};
    fsh_progress progress;
    fsh_status status;

    fsh_progress_start(&progress, fsh_outcome_mode(options->log));
    if (progress.mode == FSH_LOG_BAR)
        fsh_progress_step(&progress, "reading the embeddings");
    status = fsh_embeddings_read(input, &found, err);
    fsh_progress_clear(&progress);

    if (!status && !fsh_embedded_is_of(&found, options->model))
        status = fsh_fail(
            err, FSH_FORMAT,
            "%s: its embeddings are those of the model '%s', not of %s as its card and file "
            "are here: embed its pictures again",
            input, found.model, options->model);
    if (!status && options->output[0])
        status = fsh_embeddings_write(options->output, &found, err);
    if (status)
        fsh_embeddings_fini(&found);
    else
        *out = found;
    return status;
}

static fsh_status
make_embedded(const char *input, const fsh_embedded_options *options, const char *output,
              fsh_embeddings *out, fsh_err *err)
{
    fsh_embed_result result;
    fsh_status status = fsh_embed_make(input, options, output, &result, err);

    return status ? status : fsh_embeddings_read(output, out, err);
}

static fsh_status
make_in_passing(const char *input, const fsh_embedded_options *options, fsh_embeddings *out,
                fsh_err *err)
{
    char folder[FSH_PATH_BYTES], output[FSH_PATH_BYTES];
    fsh_status status = fsh_folder_make_temporary(folder, err);

    if (status)
        return status;
    status = fsh_path_join(output, folder, "embeddings.h5", err);
    if (!status)
        status = make_embedded(input, options, output, out, err);
    fsh_folder_remove(folder, NULL);
    return status;
}

fsh_status
fsh_embedded_get(const char *input, const fsh_embedded_options *options, fsh_embeddings *out,
                 fsh_err *err)
{
    if (fsh_embed_is_store(input))
        return read_embedded(input, options, out, err);
    return options->output[0] ? make_embedded(input, options, options->output, out, err)
                              : make_in_passing(input, options, out, err);
}

#include "cli/embedded.h"

#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "cli/embed_make.h"

/* The name of a card: "models/ssd.yaml" and "ssd" are the same. */
static size_t
card_name(const char *card, const char **name)
{
    size_t n;

    *name = fsh_path_name(card);
    n = strlen(*name);
    return n > 5 && strcmp(*name + n - 5, ".yaml") == 0 ? n - 5 : n;
}

bool
fsh_embedded_is_of(const fsh_embeddings *e, const char *card)
{
    const char *name;
    size_t n = card_name(card, &name);

    return !card[0] || (strncmp(e->model, name, n) == 0 && e->model[n] == ' ');
}

/* Embeddings of two models are not comparable. */
static fsh_status
read_embedded(const char *input, const fsh_embedded_options *options, fsh_embeddings *out,
              fsh_err *err)
{
    fsh_embeddings found = {0};
    fsh_status status = fsh_embeddings_read(input, &found, err);

    if (!status && !fsh_embedded_is_of(&found, options->model))
        status = fsh_fail(err, FSH_FORMAT,
                          "%s: its embeddings are those of the model '%s', not of %s: embed its "
                          "pictures again",
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

#include "cli/embedded.h"

#include <string.h>

#include "base/files.h"

/* The name of a card: "models/ssd.yaml" and "ssd" are the same. */
static size_t
card_name(const char *card, const char **name)
{
    size_t n;

    *name = fsh_path_name(card);
    n = strlen(*name);
    return n > 5 && strcmp(*name + n - 5, ".yaml") == 0 ? n - 5 : n;
}

/* Embeddings of two models are not comparable. */
static fsh_status
check_model(const char *input, const fsh_embeddings *e, const char *card, fsh_err *err)
{
    const char *name;
    size_t n = card_name(card, &name);

    if (!card[0] || (strncmp(e->model, name, n) == 0 && e->model[n] == ' '))
        return FSH_OK;
    return fsh_fail(
        err, FSH_FORMAT,
        "%s: its embeddings are those of the model '%s', not of %.*s: embed its pictures "
        "again",
        input, e->model, (int)n, name);
}

fsh_status
fsh_embedded_get(const char *input, const fsh_embedded_options *options, fsh_embeddings *out,
                 fsh_err *err)
{
    fsh_embeddings found = {0};
    fsh_status status = fsh_embeddings_read(input, &found, err);

    if (!status)
        status = check_model(input, &found, options->model, err);
    if (!status && options->output[0])
        status = fsh_embeddings_write(options->output, &found, err);
    if (status)
        fsh_embeddings_fini(&found);
    else
        *out = found;
    return status;
}

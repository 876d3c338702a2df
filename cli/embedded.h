/* Embeddings of whatever a command is given: read where they are there, made where they are not.
 *
 *     fsh_embedded_options options = {.model = "mobilefacenet_y1"};
 *     fsh_embeddings gallery = {0};
 *     fsh_embedded_get("people.h5", &options, &gallery, &err);
 *     fsh_embeddings_fini(&gallery); */
#ifndef FSH_CLI_EMBEDDED_H
#define FSH_CLI_EMBEDDED_H

#include "base/args.h"
#include "cli/progress.h"
#include "shards/embeddings.h"

typedef struct fsh_embedded_options {
    char model[FSH_ARG_TEXT_BYTES]; /* card of the embedder; "": what is read is taken as it is */
    char detector[FSH_ARG_TEXT_BYTES]; /* card; "": the one that the embedder's card recommends */
    bool flip;                         /* the mirrored picture goes into each embedding too */
    int64_t workers;                   /* processes; 0: one for every processor */
    int32_t log;                       /* fsh_log_mode */
    char output[FSH_ARG_TEXT_BYTES];   /* embeddings file to keep; "": none */
    const char *const *sets;           /* "stages.detect.margin=40" */
    uint32_t sets_n;
} fsh_embedded_options;

/* Reads the embeddings of input (an embeddings file, a shard, index.h5) into *out, which the caller
 * frees with fsh_embeddings_fini. Embeddings of another model than the options name are FORMAT. */
fsh_status fsh_embedded_get(const char *input, const fsh_embedded_options *options,
                            fsh_embeddings *out, fsh_err *err);

#endif

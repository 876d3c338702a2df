/* Embeddings of whatever a command is given: read where they are there, made where they are not.
 *
 *     fsh_embedded_options options = {.model = "mobilefacenet_y1"};
 *     fsh_embeddings gallery = {0};
 *     fsh_embedded_get("people", &options, &gallery, &err);
 *     fsh_embeddings_fini(&gallery); */
#ifndef FSH_CLI_EMBEDDED_H
#define FSH_CLI_EMBEDDED_H

#include "base/args.h"
#include "cli/progress.h"
#include "shards/embeddings.h"

typedef struct fsh_embedded_options {
    char model[FSH_ARG_TEXT_BYTES]; /* card of the embedder; "": what is read is taken as it is,
                                       pictures are embedded by the default of models.embedder */
    char detector[FSH_ARG_TEXT_BYTES]; /* card; "": the one that the embedder's card recommends */
    char format[FSH_ARG_TEXT_BYTES]; /* of the input, as in input.format; "" or "auto": told from it
                                      */
    char device[FSH_ARG_TEXT_BYTES]; /* where networks run, as models.device of a job file; "": cpu */
    bool flip;                       /* the mirrored picture goes into each embedding too */
    int64_t workers;                 /* processes; 0: one for every processor */
    int32_t log;                     /* fsh_log_mode */
    char output[FSH_ARG_TEXT_BYTES]; /* embeddings file to keep; "": none */
    const char *const *sets;         /* "stages.detect.margin=40" */
    uint32_t sets_n;
} fsh_embedded_options;

/* Rows for the options of a command whose struct has the fsh_embedded_options `embedded`. */
#define FSH_EMBEDDED_ROWS(type)                                                                    \
    {"model",                                                                                      \
     FSH_ARG_TYPE_TEXT,                                                                            \
     offsetof(type, embedded.model),                                                               \
     0,                                                                                            \
     0,                                                                                            \
     NULL,                                                                                         \
     "",                                                                                           \
     "name or path of the embedder's card (models/README.md); by default faceshard_mobile embeds " \
     "pictures, and embeddings are taken as they are"},                                            \
        {"detector",                                                                               \
         FSH_ARG_TYPE_TEXT,                                                                        \
         offsetof(type, embedded.detector),                                                        \
         0,                                                                                        \
         0,                                                                                        \
         NULL,                                                                                     \
         "",                                                                                       \
         "card of the face detector; the one that the embedder's card recommends by default"},     \
        {"device",                                                                                 \
         FSH_ARG_TYPE_TEXT,                                                                        \
         offsetof(type, embedded.device),                                                          \
         0,                                                                                        \
         0,                                                                                        \
         NULL,                                                                                     \
         "cpu",                                                                                    \
         "where networks run: cpu; cuda or cuda:N for cards of backend torch"},                    \
        {"flip",                                                                                   \
         FSH_ARG_TYPE_BOOL,                                                                        \
         offsetof(type, embedded.flip),                                                            \
         0,                                                                                        \
         0,                                                                                        \
         NULL,                                                                                     \
         "false",                                                                                  \
         "add the embedding of the mirror image to each"},                                         \
    {                                                                                              \
        "workers", FSH_ARG_TYPE_INT, offsetof(type, embedded.workers), 0, 1024, NULL, "0",         \
            "worker processes; 0: one for every processor"                                         \
    }

/* Fills *out, which the caller frees with fsh_embeddings_fini, with the embeddings of input. Those
 * of an embeddings file, a shard or index.h5 are read: of another model than the options name they
 * are FORMAT. Those of pictures are made by a job as `faceshard embed` does: with an output they
 * are kept there, and only read by the next call; without one in a temporary folder below $TMPDIR
 * that is gone afterwards. Fails with what fsh_run fails with. */
fsh_status fsh_embedded_get(const char *input, const fsh_embedded_options *options,
                            fsh_embeddings *out, fsh_err *err);

/* Whether the embeddings are those of the model with this card: of its name, and of its weights and settings where
 * they are here. "" is every model. */
bool fsh_embedded_is_of(const fsh_embeddings *e, const char *card);

#endif

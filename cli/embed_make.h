/* Makes an embeddings file of pictures: a job in a work folder beside it, OUTPUT.work, which is
 * kept while it is unfinished and goes when the file is there. */
#ifndef FSH_CLI_EMBED_MAKE_H
#define FSH_CLI_EMBED_MAKE_H

#include "cli/embedded.h"
#include "cli/job_run.h"
#include "job/job.h"

typedef struct fsh_embed_result {
    fsh_embeddings_totals totals;
    double max_rejected; /* share of pictures without an embedding that is still a success: limits.max_rejected */
    fsh_run_result run; /* zeroed where the file was there before */
    bool made_before; /* the file was there, of this job and of these pictures: nothing was done */
} fsh_embed_result;

/* Whether the input is an HDF5 file: one that has embeddings or pictures itself. */
bool fsh_embed_is_store(const char *input);

/* The job that embeds input, with its hash; its output is the work folder of `output`. Where no
 * model is named it has the default of models.embedder. Free with fsh_job_free. */
fsh_status fsh_embed_job(const char *input, const fsh_embedded_options *options, const char *output,
                         fsh_job **job, fsh_err *err);

/* Makes the file. Embeddings that the input has itself, of the model that is named, are copied.
 * Interrupted at any moment, the same call continues, and gives the same bytes. A file that is
 * there already stays where it is of the same job and has a row for each picture of the input; one
 * that is no embeddings file is refused with USAGE. */
fsh_status fsh_embed_make(const char *input, const fsh_embedded_options *options,
                          const char *output, fsh_embed_result *result, fsh_err *err);

#endif

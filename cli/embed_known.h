/* Whether an embeddings file is the one that a job would make. */
#ifndef FSH_CLI_EMBED_KNOWN_H
#define FSH_CLI_EMBED_KNOWN_H

#include "job/job.h"
#include "shards/embeddings.h"

/* *known: the file was made by this job and has a row for each picture that the input has now, and
 * no other. Pictures are told by their names, as when a job is run again. *totals is what the file
 * holds where there is one. A file that is no embeddings file is USAGE. */
fsh_status fsh_embed_is_known(const fsh_job *job, const char *output, bool *known,
                              fsh_embeddings_totals *totals, fsh_err *err);

#endif

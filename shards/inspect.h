/* The table of contents of a shard or of index.h5, for `faceshard inspect`. */
#ifndef FSH_SHARDS_INSPECT_H
#define FSH_SHARDS_INSPECT_H

#include <stdbool.h>

#include "base/status.h"
#include "base/text.h"

/* Appends what the file holds: pictures, variants, classes by size, rejected by reason, datasets
 * and attributes; as lines for a terminal, or as one JSON object. */
fsh_status fsh_inspect_print(const char *path, bool json, fsh_text *out, fsh_err *err);

/* The same of an embeddings file: pictures, people, rejected by reason, and what they were made by. */
fsh_status fsh_inspect_print_embeddings(const char *path, bool json, fsh_text *out, fsh_err *err);

#endif

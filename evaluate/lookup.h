/* Finds the embedding of a picture by the end of its path: "NAME/NAME_0001" is the row whose
 * source, without the ending of the file, is that or ends with it behind a slash. A source without
 * folders is found by its name alone, so that flat folders do as well. */
#ifndef FSH_EVALUATE_LOOKUP_H
#define FSH_EVALUATE_LOOKUP_H

#include <stdint.h>

#include "base/status.h"
#include "shards/embeddings.h"

typedef struct fsh_lookup fsh_lookup;

/* parts: how many components the pictures that will be asked for have. Borrows e. Free with
 * fsh_lookup_free. */
fsh_status fsh_lookup_new(const fsh_embeddings *e, uint32_t parts, fsh_lookup **lookup,
                          fsh_err *err);
void fsh_lookup_free(fsh_lookup *lookup);

/* Sets *row and returns NULL; or returns why there is none: the code of a rejected picture's
 * reason, "missing" where no source has this name, "ambiguous" where several have. */
const char *fsh_lookup_find(const fsh_lookup *lookup, const char *picture, uint64_t *row);

#endif

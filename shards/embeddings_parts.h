/* What the files embeddings*.c share. */
#ifndef FSH_SHARDS_EMBEDDINGS_PARTS_H
#define FSH_SHARDS_EMBEDDINGS_PARTS_H

#include "base/store.h"
#include "shards/embeddings.h"

typedef enum fsh_embeddings_column {
#define COLUMN(name, dataset, cell, table, rank, first) FSH_EMBEDDINGS_##name,
#include "shards/embeddings.def"
#undef COLUMN
    FSH_EMBEDDINGS_COLUMN_N
} fsh_embeddings_column;

/* The column of files whose vectors have this dimension. */
fsh_column_spec fsh_embeddings_column_spec(fsh_embeddings_column column, uint32_t dimension);

/* Whether the column belongs to the rejected pictures. */
bool fsh_embeddings_column_is_rejected(fsh_embeddings_column column);

/* Takes some rows of a file, in their order, in a struct that is valid for the call. Every part has
 * what holds for the whole file; a file without rows has one part without rows. */
typedef fsh_status fsh_embeddings_taker(void *self, const fsh_embeddings *part, fsh_err *err);

/* Calls take for the rows of a file, whichever of the three kinds it is. */
fsh_status fsh_embeddings_each(const char *path, fsh_embeddings_taker *take, void *self,
                               fsh_err *err);

/* Calls take for the rows of a shard, or of each shard of index.h5. */
fsh_status fsh_embeddings_each_in_shards(const char *path, fsh_embeddings_taker *take, void *self,
                                         fsh_err *err);

/* What a shard or index.h5 says of all its rows; *e is zeroed. */
fsh_status fsh_embeddings_shard_facts(const char *path, fsh_embeddings *e, fsh_err *err);

/* Copies what holds for the whole file, not the rows. */
fsh_status fsh_embeddings_copy_facts(fsh_embeddings *to, const fsh_embeddings *from, fsh_err *err);

/* fsh_embeddings_reject by code, as it stands in the file of that path: an unknown one is FORMAT.
 */
fsh_status fsh_embeddings_reject_code(fsh_embeddings *e, const char *path, const char *name,
                                      const char *source, const char *code, float value,
                                      fsh_err *err);

#endif

/* The layout of a shard as a table: which columns there are, what they hold, which table they
 * belong to. Writer, reader, index and inspect all go by it. */
#ifndef FSH_SHARDS_LAYOUT_H
#define FSH_SHARDS_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/store.h"
#include "shards/shard.h"

/* Columns of one table have the same number of rows. */
typedef enum fsh_shard_table {
    FSH_TABLE_ROWS,       /* a delivered picture a row */
    FSH_TABLE_REJECTED,   /* a sample, or one of its variants, that is left out */
    FSH_TABLE_IDENTITIES, /* an identity of the unit; in index.h5, of the job */
    FSH_TABLE_REASONS,    /* why samples are left out, and how many */
    FSH_TABLE_SHARDS,     /* the files that index.h5 joins, in the order of their rows */
    FSH_TABLE_N
} fsh_shard_table;

typedef enum fsh_shard_column {
#define COLUMN(name, dataset, cell, table, files, rank, first, second, third) FSH_COLUMN_##name,
#include "shards/columns.def"
#undef COLUMN
    FSH_COLUMN_N
} fsh_shard_column;

/* How index.h5 has a column; columns.def says why. */
typedef enum fsh_shard_place {
    FSH_PLACE_JOINED, /* virtual, over the shards */
    FSH_PLACE_COPIED, /* the rows of all shards again */
    FSH_PLACE_TABLE,  /* its own rows */
    FSH_PLACE_INDEX   /* the same, and shards do not have it */
} fsh_shard_place;

fsh_shard_place fsh_shard_column_place(fsh_shard_column column);

fsh_shard_table fsh_shard_column_table(fsh_shard_column column);

/* Whether a shard, or index.h5, with this encoding and embeddings of this dimension has the column. */
bool fsh_shard_column_used(fsh_shard_column column, bool index, fsh_encoding encoding,
                           uint32_t dimension);

/* The column of shards with this picture size, encoding and dimension. */
fsh_column_spec fsh_shard_column_spec(fsh_shard_column column, uint32_t size, fsh_encoding encoding,
                                      uint32_t dimension);

/* Writes what meta says as attributes of the file. index: of index.h5, where `unit` is the number
 * of units and is called so. */
fsh_status fsh_shard_write_meta(fsh_store *store, const fsh_shard_meta *meta, bool index,
                                fsh_err *err);

/* "raw", "jpeg", "png", "none"; and back, or -1 where there is no such encoding. */
const char *fsh_encoding_name(fsh_encoding encoding);
int fsh_encoding_from_name(const char *name);

#endif

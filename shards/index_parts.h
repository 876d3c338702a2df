/* What index.c gathers from the shards and index_json.c writes down. */
#ifndef FSH_SHARDS_INDEX_PARTS_H
#define FSH_SHARDS_INDEX_PARTS_H

#include "base/files.h"
#include "base/text.h"
#include "shards/counts.h"
#include "shards/index.h"
#include "shards/read.h"

/* One file as it was found. */
typedef struct fsh_index_part {
    char file[64]; /* below the output folder */
    fsh_hash hash;
    uint64_t rows[FSH_TABLE_N];
    fsh_index_totals totals;
} fsh_index_part;

typedef struct fsh_index_builder {
    const fsh_index_plan *plan;
    fsh_shard_file *first; /* shard of unit 0, open until the end: the others must agree with it */
    fsh_index_part *parts; /* plan->units */
    fsh_store *store;      /* index.h5 under its temporary name */
    fsh_column *copies[FSH_COLUMN_N]; /* columns of it that shards are copied to */
    fsh_class_count *classes;
    uint64_t classes_n, classes_room;
    fsh_index_totals totals;
    fsh_index_part index; /* the file that is made */
} fsh_index_builder;

/* Opens the shard of a unit, checks it, copies and counts what it holds. Units come in order, from
 * 0. */
fsh_status fsh_index_gather(fsh_index_builder *build, uint32_t unit, fsh_err *err);

/* Appends manifest.json. */
void fsh_index_print_manifest(const fsh_index_builder *build, fsh_text *out);

#endif

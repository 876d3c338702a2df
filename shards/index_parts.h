/* What index_gather.c finds in the shards, and index.c and index_json.c write down. */
#ifndef FSH_SHARDS_INDEX_PARTS_H
#define FSH_SHARDS_INDEX_PARTS_H

#include "base/files.h"
#include "base/text.h"
#include "shards/index.h"
#include "shards/read.h"

/* One shard as it was found. */
typedef struct fsh_index_part {
    char file[64]; /* below the output folder */
    fsh_hash hash;
    fsh_index_totals totals;
} fsh_index_part;

/* One row of the class table. */
typedef struct fsh_index_class {
    char *name; /* owned */
    uint64_t images, samples, rejected;
} fsh_index_class;

typedef struct fsh_index_builder {
    const fsh_index_plan *plan;
    fsh_shard_file *first; /* shard of unit 0, open until the end: the others must agree with it */
    fsh_shard_file *shard; /* that is being read */
    char path[FSH_PATH_BYTES];     /* of that shard */
    fsh_index_part *parts;         /* plan->units */
    uint64_t (*rows)[FSH_TABLE_N]; /* of each unit's tables */
    fsh_index_class *identities;
    uint64_t identities_n, identities_room;
    uint64_t shard_first_label; /* of the shard that is being read */
    fsh_index_totals totals;
    fsh_index_part index; /* the file that is made */
} fsh_index_builder;

/* Opens the shard of a unit, checks it and adds what it holds. Units come in order, from 0. */
fsh_status fsh_index_gather(fsh_index_builder *build, uint32_t unit, fsh_err *err);

/* Frees what was gathered. */
void fsh_index_fini(fsh_index_builder *build);

fsh_status fsh_index_no_memory(const fsh_index_builder *build, fsh_err *err);

/* Appends manifest.json. */
void fsh_index_print_manifest(const fsh_index_builder *build, fsh_text *out);

#endif

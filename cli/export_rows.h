/* The pictures of a job, shard after shard, for `faceshard export`: rows in their order, and a name for
 * each. Of one shard a few hundred rows are in memory at a time. */
#ifndef FSH_CLI_EXPORT_ROWS_H
#define FSH_CLI_EXPORT_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/files.h"
#include "base/text.h"
#include "shards/read.h"

/* What is exported: an output folder's index.h5, an index.h5, or one shard. */
typedef struct fsh_export_input {
    char path[FSH_PATH_BYTES]; /* of the file */
    bool index;
    uint32_t size, variants_n; /* px; variants that are exported */
    fsh_encoding encoding;
    char **files; /* that index.h5 joins; of one shard: itself */
    uint64_t files_n, rows_n;
    char **names; /* of identities, in the order of the file */
    int64_t *labels;
    uint64_t identities_n;
    bool chosen[256]; /* by variant: whether it is exported */
} fsh_export_input;

/* Opens and reads what holds for all rows. variants: "all", or numbers with commas between them. */
fsh_status fsh_export_open(const char *input, const char *variants, fsh_export_input *in,
                           fsh_err *err);
void fsh_export_close(fsh_export_input *in);

/* Whose a label is; NULL where no identity has it. */
const char *fsh_export_identity(const fsh_export_input *in, int64_t label);

/* A picture's row. Borrowed for the call. */
typedef struct fsh_export_row {
    fsh_shard_file *file; /* to read the picture from */
    uint64_t row;         /* in it */
    int64_t label;
    uint8_t variant;
    uint64_t sample_id;
    const char *source, *worn, *identity;
} fsh_export_row;

typedef fsh_status fsh_export_taker(void *self, const fsh_export_row *row, fsh_err *err);

/* Calls take for every chosen row. */
fsh_status fsh_export_each(const fsh_export_input *in, fsh_export_taker *take, void *self,
                           fsh_err *err);

/* Names of pictures within their identity: that of the photograph, with -vN where there are several
 * variants and -xN for its further faces. */
typedef struct fsh_export_naming {
    bool keyed;     /* no dots */
    bool numbered;  /* and a number before it: where names alone would not keep the order */
    bool several;   /* variants */
    int64_t label;  /* of the last row */
    uint64_t place; /* of it in its identity, and which face of the photograph */
    uint64_t face, sample_id;
    fsh_text source, name; /* of it */
} fsh_export_naming;

/* The name of the next row, borrowed until the next call; NULL where memory has run out. */
const char *fsh_export_name(fsh_export_naming *naming, const fsh_export_row *row);
void fsh_export_naming_fini(fsh_export_naming *naming);

#endif

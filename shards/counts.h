/* What a shard or index.h5 holds, counted: by class and by reason. */
#ifndef FSH_SHARDS_COUNTS_H
#define FSH_SHARDS_COUNTS_H

#include <stdint.h>

#include "base/text.h"
#include "shards/index.h"
#include "shards/read.h"

/* One identity. */
typedef struct fsh_class_count {
    char *name;        /* owned */
    uint64_t images;   /* pictures */
    uint64_t samples;  /* delivered */
    uint64_t rejected; /* samples */
} fsh_class_count;

typedef struct fsh_counts {
    fsh_class_count *classes; /* of consecutive labels */
    int64_t first_label;      /* of classes[0] */
    uint64_t classes_n;
    fsh_index_totals totals; /* without bytes */
} fsh_counts;

/* Counts a file, whose path stands in errors; *counts is freed with fsh_counts_fini. In a shard the
 * rows are counted, in index.h5 its own tables are read. Labels that are not the file's own, or
 * reasons that are unknown, are FORMAT. */
fsh_status fsh_counts_read(fsh_shard_file *file, const char *path, fsh_counts *counts,
                           fsh_err *err);

/* Frees; a zeroed struct is fine. */
void fsh_counts_fini(fsh_counts *counts);

/* Appends {"no_face": 3, ...}: the reasons that occur. */
void fsh_counts_print_rejected(const uint64_t *rejected, fsh_text *out);

#endif

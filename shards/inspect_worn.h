/* What was put on the faces of a shard or index, by template and by how it is worn. */
#ifndef FSH_SHARDS_INSPECT_WORN_H
#define FSH_SHARDS_INSPECT_WORN_H

#include "base/text.h"
#include "shards/read.h"

typedef struct fsh_worn_count {
    char *what;       /* masks/n95:under_nose */
    uint64_t images;  /* pictures that show it */
    uint64_t missing; /* variants that could not be made because of it */
} fsh_worn_count;

typedef struct fsh_worn_counts {
    fsh_worn_count *items; /* in byte order */
    size_t n, room;
} fsh_worn_counts;

/* Counts; what was there is freed by fini also after a failure. */
fsh_status fsh_worn_counts_read(fsh_shard_file *file, fsh_worn_counts *counts, fsh_err *err);
void fsh_worn_counts_fini(fsh_worn_counts *counts);

void fsh_worn_counts_print(const fsh_worn_counts *counts, fsh_text *out);
void fsh_worn_counts_print_json(const fsh_worn_counts *counts, fsh_text *out);

#endif

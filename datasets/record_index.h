/* train.idx of RecordIO: a line for each record, its key, a tab, and its place in the .rec. */
#ifndef FSH_DATASETS_RECORD_INDEX_H
#define FSH_DATASETS_RECORD_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define FSH_RECORD_KEY_MAX UINT64_C(9999999999) /* ten digits: names of one width */

typedef struct fsh_record_entry {
    uint64_t key, at;
} fsh_record_entry;

typedef struct fsh_record_index {
    fsh_record_entry *at; /* caller frees, also after an error */
    size_t n, room;
} fsh_record_index;

/* Entries in the order of the .rec, added to a zeroed index; a wrong line is FORMAT and told by
 * number. */
fsh_status fsh_record_index_read(const char *path, fsh_record_index *index, fsh_err *err);

#endif

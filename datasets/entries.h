/* Pictures with their identities, in the order in which they were found, put into the order of a
 * scan. For readers whose input does not lie in that order. Memory: all names. */
#ifndef FSH_DATASETS_ENTRIES_H
#define FSH_DATASETS_ENTRIES_H

#include "datasets/reader.h"

typedef struct fsh_entry {
    const char *identity, *sample; /* borrowed */
} fsh_entry;

typedef struct fsh_entries {
    fsh_entry *at;
    size_t n, room;
} fsh_entries;

fsh_status fsh_entries_add(fsh_entries *entries, const char *identity, const char *sample,
                           fsh_err *err);

/* Sorts by identity, then by sample, and gives them to the sink. */
fsh_status fsh_entries_give(fsh_entries *entries, const fsh_scan_sink *sink, fsh_err *err);

/* Frees the list, not what it borrows; a zeroed struct is fine. */
void fsh_entries_fini(fsh_entries *entries);

#endif

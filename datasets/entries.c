#include "datasets/entries.h"

#include <stdlib.h>
#include <string.h>

fsh_status
fsh_entries_add(fsh_entries *entries, const char *identity, const char *sample, fsh_err *err)
{
    size_t room = entries->room ? 2 * entries->room : 64;
    fsh_entry *grown;

    if (entries->n == entries->room) {
        if (!(grown = reallocarray(entries->at, room, sizeof *grown)))
            return fsh_fail(err, FSH_MEMORY, "out of memory for %zu names", entries->n);
        entries->at = grown;
        entries->room = room;
    }
    entries->at[entries->n++] = (fsh_entry){identity, sample};
    return FSH_OK;
}

static int
compare(const void *a, const void *b)
{
    const fsh_entry *x = a, *y = b;
    int order = strcmp(x->identity, y->identity);

    return order ? order : strcmp(x->sample, y->sample);
}

fsh_status
fsh_entries_give(fsh_entries *entries, const fsh_scan_sink *sink, fsh_err *err)
{
    fsh_status status = FSH_OK;
    size_t i;

    if (entries->n)
        qsort(entries->at, entries->n, sizeof *entries->at, compare);
    for (i = 0; i < entries->n && !status; i++) {
        const fsh_entry *entry = &entries->at[i];

        if (i == 0 || strcmp(entry[-1].identity, entry->identity) != 0)
            status = sink->identity(sink->self, entry->identity, err);
        if (!status)
            status = sink->sample(sink->self, entry->sample, err);
    }
    return status;
}

void
fsh_entries_fini(fsh_entries *entries)
{
    free(entries->at);
    memset(entries, 0, sizeof *entries);
}

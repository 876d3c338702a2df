#include "evaluate/lookup.h"

#include <stdlib.h>
#include <string.h>

/* Entries point into the embeddings' own strings. */
typedef struct entry {
    const char *key;
    size_t bytes;
    uint64_t place; /* below the number of rows: that row; then the rejected ones */
} entry;

struct fsh_lookup {
    const fsh_embeddings *e;
    uint64_t n;
    entry entries[];
};

static int
compare_bytes(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    int order = memcmp(a, b, a_bytes < b_bytes ? a_bytes : b_bytes);

    return order ? order : (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

static int
compare_entries(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    int order = compare_bytes(x->key, x->bytes, y->key, y->bytes);

    return order ? order : (x->place > y->place) - (x->place < y->place);
}

/* The last `parts` components of a path, without the ending of its file. */
static entry
key_of(const char *source, uint32_t parts, uint64_t place)
{
    const char *at = source + strlen(source), *dot = NULL, *end = at;
    uint32_t slashes = 0;

    while (at > source && (slashes += at[-1] == '/') < parts) {
        at--;
        if (*at == '.' && !dot && !slashes && at > source && at[-1] != '/')
            dot = at;
    }
    return (entry){at, (size_t)((dot ? dot : end) - at), place};
}

fsh_status
fsh_lookup_new(const fsh_embeddings *e, uint32_t parts, fsh_lookup **out, fsh_err *err)
{
    uint64_t n = e->n + e->rejected_n, i;
    fsh_lookup *lookup = malloc(sizeof *lookup + n * sizeof lookup->entries[0]);

    if (!lookup)
        return fsh_fail(err, FSH_MEMORY, "out of memory for %llu pictures", (unsigned long long)n);
    lookup->e = e;
    lookup->n = n;
    for (i = 0; i < n; i++)
        lookup->entries[i] =
            key_of(i < e->n ? e->sources[i] : e->rejected_sources[i - e->n], parts, i);
    qsort(lookup->entries, n, sizeof lookup->entries[0], compare_entries);
    *out = lookup;
    return FSH_OK;
}

void
fsh_lookup_free(fsh_lookup *lookup)
{
    free(lookup);
}

/* The first entry that is not before the key. */
static uint64_t
first_of(const fsh_lookup *lookup, const char *key, size_t bytes)
{
    uint64_t low = 0, high = lookup->n;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        const entry *at = &lookup->entries[middle];

        if (compare_bytes(at->key, at->bytes, key, bytes) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Entries of one key stand in the order of places, so rows come before what was rejected. */
static const char *
find(const fsh_lookup *lookup, const char *key, uint64_t *row)
{
    const fsh_embeddings *e = lookup->e;
    size_t bytes = strlen(key);
    uint64_t i = first_of(lookup, key, bytes), end = i;

    while (end < lookup->n &&
           compare_bytes(lookup->entries[end].key, lookup->entries[end].bytes, key, bytes) == 0)
        end++;
    if (i == end)
        return "missing";
    if (lookup->entries[i].place >= e->n)
        return fsh_reason_code(e->rejected_reasons[lookup->entries[i].place - e->n]);
    if (i + 1 < end && lookup->entries[i + 1].place < e->n)
        return "ambiguous";
    *row = lookup->entries[i].place;
    return NULL;
}

const char *
fsh_lookup_find(const fsh_lookup *lookup, const char *picture, uint64_t *row)
{
    const char *why = find(lookup, picture, row), *slash = strrchr(picture, '/');

    if (why && strcmp(why, "missing") == 0 && slash)
        why = find(lookup, slash + 1, row);
    return why;
}

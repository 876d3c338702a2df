#include "shards/inspect_worn.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_ROWS = 4096 };

void
fsh_worn_counts_fini(fsh_worn_counts *counts)
{
    size_t i;

    for (i = 0; i < counts->n; i++)
        free(counts->items[i].what);
    free(counts->items);
    *counts = (fsh_worn_counts){0};
}

/* Where what is, or is to be. */
static size_t
place_of(const fsh_worn_counts *counts, const char *what, bool *there)
{
    size_t low = 0, high = counts->n;

    *there = false;
    while (low < high && !*there) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(what, counts->items[middle].what);

        *there = order == 0;
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return *there ? high : low;
}

/* The count of what, which is added where it is missing; NULL when out of memory. */
static fsh_worn_count *
count_of(fsh_worn_counts *counts, const char *what)
{
    bool there;
    size_t at = place_of(counts, what, &there);
    char *copy;

    if (there)
        return &counts->items[at];
    if (counts->n == counts->room) {
        size_t room = counts->room ? 2 * counts->room : 64;
        fsh_worn_count *grown = reallocarray(counts->items, room, sizeof *grown);

        if (!grown)
            return NULL;
        counts->items = grown;
        counts->room = room;
    }
    if (!(copy = strdup(what)))
        return NULL;
    memmove(counts->items + at + 1, counts->items + at, (counts->n - at) * sizeof *counts->items);
    counts->n++;
    counts->items[at] = (fsh_worn_count){.what = copy};
    return &counts->items[at];
}

/* Counts the parts of a text that is taken apart. A variant is missing because of what was put on
 * last. */
static fsh_status
add_text(fsh_worn_counts *counts, char *text, bool missing)
{
    char *rest = missing && strrchr(text, '+') ? strrchr(text, '+') + 1 : text, *part;

    while ((part = strsep(&rest, "+")))
        if (*part) {
            fsh_worn_count *count = count_of(counts, part);

            if (!count)
                return FSH_MEMORY;
            count->images += !missing;
            count->missing += missing;
        }
    return FSH_OK;
}

static fsh_status
read_column(fsh_shard_file *file, fsh_shard_column column, uint64_t rows, fsh_worn_counts *counts,
            fsh_err *err)
{
    fsh_status status = FSH_OK;
    uint64_t first;
    size_t i, n;

    for (first = 0; first < rows && !status; first += n) {
        char **texts = NULL;

        n = rows - first < BATCH_ROWS ? (size_t)(rows - first) : BATCH_ROWS;
        status = fsh_shard_read_texts(file, column, first, n, &texts, err);
        for (i = 0; i < n && !status; i++)
            if (add_text(counts, texts[i], column == FSH_COLUMN_REJECTED_WORN))
                status = fsh_fail(err, FSH_MEMORY, "out of memory");
        free(texts);
    }
    return status;
}

fsh_status
fsh_worn_counts_read(fsh_shard_file *file, fsh_worn_counts *counts, fsh_err *err)
{
    const fsh_shard_info *info = fsh_shard_get_info(file);
    fsh_status status = read_column(file, FSH_COLUMN_WORN, info->rows[FSH_TABLE_ROWS], counts, err);

    return status ? status
                  : read_column(file, FSH_COLUMN_REJECTED_WORN, info->rows[FSH_TABLE_REJECTED],
                                counts, err);
}

void
fsh_worn_counts_print(const fsh_worn_counts *counts, fsh_text *out)
{
    size_t i;

    if (counts->n)
        fsh_text_add(out, "worn                                 pictures  could not be put on\n");
    for (i = 0; i < counts->n; i++) {
        fsh_text_add(out, "  ");
        fsh_text_add_visible(out, counts->items[i].what);
        fsh_text_addf(
            out, "%*s %10" PRIu64 " %10" PRIu64 "\n",
            (int)(strlen(counts->items[i].what) < 32 ? 32 - strlen(counts->items[i].what) : 0), "",
            counts->items[i].images, counts->items[i].missing);
    }
}

void
fsh_worn_counts_print_json(const fsh_worn_counts *counts, fsh_text *out)
{
    size_t i;

    fsh_text_add(out, "[");
    for (i = 0; i < counts->n; i++) {
        fsh_text_add(out, i ? ", {\"what\": " : "{\"what\": ");
        fsh_text_add_json(out, counts->items[i].what);
        fsh_text_addf(out, ", \"images\": %" PRIu64 ", \"missing\": %" PRIu64 "}",
                      counts->items[i].images, counts->items[i].missing);
    }
    fsh_text_add(out, "]");
}

#include "datasets/record_index.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static fsh_status
keep_entry(fsh_record_index *index, fsh_record_entry e, const char *path, fsh_err *err)
{
    size_t room = index->room ? index->room + index->room / 2 : 1024;
    fsh_record_entry *grown;

    if (index->n == index->room) {
        if (!(grown = reallocarray(index->at, room, sizeof *grown)))
            return fsh_fail(err, FSH_MEMORY, "%s: out of memory for %zu records", path, index->n);
        index->at = grown;
        index->room = room;
    }
    index->at[index->n++] = e;
    return FSH_OK;
}

/* "key<tab>offset". */
static bool
parse_entry(const char *line, fsh_record_entry *e)
{
    char *end, *rest;

    if (line[0] < '0' || line[0] > '9')
        return false;
    errno = 0;
    e->key = strtoull(line, &end, 10);
    if (end == line || *end != '\t' || end[1] < '0' || end[1] > '9')
        return false;
    e->at = strtoull(end + 1, &rest, 10);
    return errno == 0 && e->key <= FSH_RECORD_KEY_MAX && rest[strspn(rest, "\r\n")] == '\0';
}

static fsh_status
read_entries(FILE *file, const char *path, fsh_record_index *index, fsh_err *err)
{
    char *line = NULL;
    size_t room = 0;
    uint64_t number = 0;
    fsh_record_entry e;
    fsh_status status = FSH_OK;

    while (!status && getline(&line, &room, file) >= 0) {
        number++;
        if (line[strspn(line, "\r\n")] == '\0')
            continue;
        status = parse_entry(line, &e)
                     ? keep_entry(index, e, path, err)
                     : fsh_fail(err, FSH_FORMAT,
                                "%s:%" PRIu64 ": expected the key of a record, a tab and its "
                                "place in the .rec; without this file the .rec itself is gone "
                                "through: move it away",
                                path, number);
    }
    if (!status && ferror(file))
        status = fsh_fail_errno(err, errno, "%s: cannot be read", path);
    free(line);
    return status;
}

static int
compare_entries(const void *a, const void *b)
{
    const fsh_record_entry *x = a, *y = b;

    return (x->at > y->at) - (x->at < y->at);
}

/* In the order of the .rec, which most of them are in already. */
static void
sort_entries(fsh_record_index *index)
{
    size_t i;

    for (i = 1; i < index->n && index->at[i - 1].at <= index->at[i].at; i++)
        ;
    if (i < index->n)
        qsort(index->at, index->n, sizeof *index->at, compare_entries);
}

fsh_status
fsh_record_index_read(const char *path, fsh_record_index *index, fsh_err *err)
{
    FILE *file = fopen(path, "re");
    fsh_status status;

    if (!file)
        return fsh_fail_errno(err, errno, "%s: cannot be opened", path);
    status = read_entries(file, path, index, err);
    fclose(file);
    sort_entries(index);
    return status;
}

#include "datasets/keep.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "datasets/pictures.h"

/* Names as sums of 64 bits: among millions of names two are the same once in a million of lists. */
typedef struct list {
    uint64_t *at;
    size_t n, room;
} list;

static fsh_status
keep_name(list *names, uint64_t name, fsh_err *err)
{
    size_t room = names->room ? names->room + names->room / 2 : 1024;
    uint64_t *grown;

    if (names->n == names->room) {
        if (!(grown = reallocarray(names->at, room, sizeof *grown)))
            return fsh_fail(err, FSH_MEMORY, "out of memory for %zu names", names->n);
        names->at = grown;
        names->room = room;
    }
    names->at[names->n++] = name;
    return FSH_OK;
}

/* Bytes of a name without the ending of a picture. */
static size_t
stem_of(const char *name)
{
    return fsh_picture_has_name(name) ? (size_t)(strrchr(name, '.') - name) : strlen(name);
}

/* The column of a line that is a source, in place. */
static const char *
find_source(char *line)
{
    const char *separators = strchr(line, '\t') ? "\t" : " ";
    char *rest = line, *column, *first = line;

    while ((column = strsep(&rest, separators)))
        if (strchr(column, '/'))
            return column;
    return first;
}

static int
compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static fsh_status
read_list(const char *path, list *names, fsh_err *err)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    fsh_status status = FSH_OK;

    if (!file)
        return fsh_fail_errno(err, errno, "%s: the list of what to keep cannot be opened", path);
    while (!status && getline(&line, &room, file) >= 0) {
        const char *source;

        line[strcspn(line, "\r\n")] = '\0';
        source = find_source(line);
        if (*source)
            status = keep_name(names, fsh_hash_key(source, stem_of(source)), err);
    }
    if (!status && ferror(file))
        status = fsh_fail_errno(err, errno, "%s: cannot be read", path);
    free(line);
    fclose(file);
    if (names->n)
        qsort(names->at, names->n, sizeof *names->at, compare);
    return status;
}

/* ---- while the input is scanned ---- */

typedef struct keeping {
    const fsh_reader *reader;
    const fsh_scan_sink *sink;
    list names;
    char *identity; /* the last one */
    bool given;     /* to the sink */
    uint64_t kept;
} keeping;

static bool
has(const keeping *k, const char *source, size_t bytes)
{
    uint64_t name = fsh_hash_key(source, bytes);

    return k->names.n && bsearch(&name, k->names.at, k->names.n, sizeof name, compare);
}

static bool
is_named(const keeping *k, const char *source)
{
    static const char mark[] = "-FaceId-";
    const char *face = strstr(fsh_path_name(source), mark);

    return has(k, source, stem_of(source)) || (face && has(k, source, (size_t)(face - source)));
}

static fsh_status
take_identity(void *self, const char *name, fsh_err *err)
{
    keeping *k = self;

    free(k->identity);
    k->given = false;
    k->identity = strdup(name);
    return k->identity ? FSH_OK : fsh_fail(err, FSH_MEMORY, "out of memory");
}

static fsh_status
take_sample(void *self, const char *name, fsh_err *err)
{
    keeping *k = self;
    char source[FSH_PATH_BYTES];
    fsh_status status = fsh_reader_source(k->reader, k->identity, name, source, err);

    if (status)
        return status;
    if (!is_named(k, source)) {
        k->sink->ignored(k->sink->self, source, "not named by the list of what to keep");
        return FSH_OK;
    }
    if (!k->given)
        status = k->sink->identity(k->sink->self, k->identity, err);
    k->given = true;
    k->kept++;
    return status ? status : k->sink->sample(k->sink->self, name, err);
}

static void
pass_ignored(void *self, const char *path, const char *why)
{
    const fsh_scan_sink *sink = ((keeping *)self)->sink;

    sink->ignored(sink->self, path, why);
}

static void
pass_found(void *self, uint64_t samples, uint64_t identities)
{
    const fsh_scan_sink *sink = ((keeping *)self)->sink;

    if (sink->found)
        sink->found(sink->self, samples, identities);
}

fsh_status
fsh_scan_kept(const fsh_reader *reader, const char *input, const char *keep,
              const fsh_scan_sink *sink, fsh_err *err)
{
    keeping k = {.reader = reader, .sink = sink};
    const fsh_scan_sink filter = {&k, take_identity, take_sample, pass_ignored, pass_found};
    fsh_status status;

    if (!keep[0])
        return reader->scan(input, sink, err);
    status = read_list(keep, &k.names, err);
    if (!status)
        status = reader->scan(input, &filter, err);
    if (!status && k.kept == 0)
        status = fsh_fail(err, FSH_USAGE,
                          "%s: none of its %zu lines names a sample of %s; a line should hold a "
                          "source as it stands in shards, such as m.0107_f/12-FaceId-0.jpg",
                          keep, k.names.n, input);
    free(k.identity);
    free(k.names.at);
    return status;
}

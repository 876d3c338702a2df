/* Reader `list`: a text file with a line for each picture: its path, a tab, the name of its person.
 * In a file that ends in .csv a comma instead of the tab, quotes where they are needed, and a first
 * line "path,label" that is passed over. Paths are relative to the folder of the list. Without a
 * tab and a name the person is the folder that the picture lies in or, where the path has none, its
 * file name without its ending. Lines may end with CR LF; empty ones are skipped. The list is gone
 * through once; then the lines of one person at a time are read again. Memory: 24 bytes a line, the
 * names of people, the paths of one. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/hash.h"
#include "datasets/pictures.h"
#include "datasets/places.h"
#include "datasets/readers.h"
#include "datasets/window.h"

enum {
    LINE_BYTES_MAX = 3 * FSH_PATH_BYTES,
    LOOK_BYTES = 4096,
    PART_LINES = 1 << 20,
    AGAIN_BYTES = 1024 /* read at once when lines are read again, which may lie anywhere */
};

/* A list, and the line of it that is looked at. fsh_place.name is the hash of the path, more are
 * the bytes of the line. */
typedef struct listing {
    const char *input;
    fsh_places places;
    fsh_window window;
    bool csv;
    size_t wanted; /* bytes that a line may have with its end */
    char line[LINE_BYTES_MAX + 1];
    char made[LINE_BYTES_MAX + 1]; /* the name, where the line has none */
    const char *name;              /* of the person; "" while the line is none; the path is line */
} listing;

/* ---- a line ---- */

/* The folder that a path ends in, as n bytes; NULL where it names none. */
static const char *
folder_of_path(const char *path, size_t *n)
{
    const char *end = strrchr(path, '/'), *start = end;

    while (start && start > path && start[-1] != '/')
        start--;
    *n = start ? (size_t)(end - start) : 0;
    return *n == 0 || strncmp(start, "..", *n) == 0 ? NULL : start;
}

/* The name that a path stands for. */
static void
make_name(const char *path, char name[LINE_BYTES_MAX + 1])
{
    size_t n;
    const char *folder = folder_of_path(path, &n), *file = fsh_path_name(path), *dot;

    if (!folder) {
        folder = file;
        dot = strrchr(file, '.');
        n = dot && dot != file ? (size_t)(dot - file) : strlen(file);
    }
    memcpy(name, folder, n);
    name[n] = '\0';
}

/* Makes a line of CSV one with tabs, in place; false where its quotes do not end. */
static bool
csv_to_tabs(char *line)
{
    char *from = line, *to = line;
    bool quoted = false;

    for (; *from; from++) {
        if (*from == '"' && quoted && from[1] == '"')
            *to++ = *from++; /* two stand for one */
        else if (*from == '"' && (quoted || from == line || from[-1] == ','))
            quoted = !quoted;
        else
            *to++ = (char)(*from == ',' && !quoted ? '\t' : *from);
    }
    *to = '\0';
    return !quoted;
}

/* "path,label", and what else the first column of a list of pictures is called. */
static bool
is_heading(const char *line)
{
    static const char *const words[] = {"path\t", "file\t", "filename\t", "image\t"};
    size_t i;

    for (i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strncasecmp(line, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

/* What does not say whose picture it is is an error that tells the number of the line. */
static fsh_status
split_line(listing *list, uint64_t number, fsh_err *err)
{
    char *tab;

    list->name = "";
    if (list->csv && !csv_to_tabs(list->line))
        return fsh_fail(err, FSH_USAGE, "%s:%" PRIu64 ": a quote does not end", list->input, number);
    if (!list->line[0] || (list->csv && number == 1 && is_heading(list->line)))
        return FSH_OK;
    tab = strchr(list->line, '\t');
    list->name = tab ? tab + 1 : list->made;
    if (tab)
        *tab = '\0';
    else
        make_name(list->line, list->made);
    if (!list->line[0] || !list->name[0] || strchr(list->name, '\t'))
        return fsh_fail(err, FSH_USAGE,
                        "%s:%" PRIu64 ": expected the path of a picture, a %s, and the name of its person",
                        list->input, number, list->csv ? "comma" : "tab");
    return FSH_OK;
}

/* Takes the line that begins at a byte apart; *bytes are its own. */
static fsh_status
read_line(listing *list, uint64_t at, uint64_t number, size_t *bytes, fsh_err *err)
{
    const uint8_t *text, *newline;
    size_t n;
    fsh_status status = fsh_window_get(&list->window, at, list->wanted, &text, &n, err);

    if (status)
        return status;
    if (n == 0)
        return fsh_fail(err, FSH_IO, "%s: has changed while it was read", list->input);
    newline = memchr(text, '\n', n);
    *bytes = n = newline ? (size_t)(newline - text) : n;
    if (memchr(text, '\0', n))
        return fsh_fail(err, FSH_USAGE, "%s:%" PRIu64 ": is no text file: it holds a zero byte",
                        list->input, number);
    if (n > LINE_BYTES_MAX)
        return fsh_fail(err, FSH_USAGE, "%s:%" PRIu64 ": the line is longer than %d bytes", list->input,
                        number, LINE_BYTES_MAX);
    memcpy(list->line, text, n);
    list->line[n && text[n - 1] == '\r' ? n - 1 : n] = '\0';
    return split_line(list, number, err);
}

/* ---- all lines ---- */

static fsh_status
add_place(listing *list, uint64_t at, size_t bytes, fsh_err *err)
{
    fsh_place place = {.at = at,
                       .name = fsh_hash_key(list->line, strlen(list->line)),
                       .more = (uint32_t)bytes};
    fsh_status status = fsh_places_identity(&list->places, list->name, strlen(list->name),
                                            &place.identity, err);

    return status ? status : fsh_places_add(&list->places, place, err);
}

static fsh_status
find_lines(listing *list, fsh_err *err)
{
    uint64_t at = 0, number = 1;
    size_t bytes, longest = 0;
    fsh_status status = FSH_OK;

    list->wanted = LINE_BYTES_MAX + 1;
    for (; at < list->window.size && !status; at += bytes + 1, number++) {
        status = read_line(list, at, number, &bytes, err);
        if (!status && list->name[0])
            status = add_place(list, at, bytes, err);
        longest = bytes > longest ? bytes : longest;
    }
    list->wanted = longest + 1;
    return status;
}

/* ---- a path is what tells a picture from all others ---- */

/* The first of the lines with this hash of their path, which have the same path unless two
 * different paths have the same hash. */
static fsh_status
check_path(listing *list, uint64_t hash, fsh_err *err)
{
    char path[LINE_BYTES_MAX + 1] = "", name[LINE_BYTES_MAX + 1];
    const fsh_place *place = list->places.at, *end = place + list->places.n;
    size_t bytes;
    fsh_status status = FSH_OK;

    for (; place < end && !status; place++) {
        if (place->name != hash || (status = read_line(list, place->at, 0, &bytes, err)))
            continue;
        if (!path[0]) {
            strcpy(path, list->line);
            strcpy(name, list->name);
        } else if (strcmp(path, list->line) == 0) {
            status = fsh_fail(err, FSH_USAGE, "%s: %s stands there twice, under the names %s and %s",
                              list->input, path, name, list->name);
        }
    }
    return status;
}

static int
compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static fsh_status
check_part(listing *list, uint64_t part, uint64_t parts, uint64_t *hashes, fsh_err *err)
{
    uint64_t n = 0, i;
    fsh_status status = FSH_OK;

    for (i = 0; i < list->places.n; i++)
        if (list->places.at[i].name % parts == part)
            hashes[n++] = list->places.at[i].name;
    if (n)
        qsort(hashes, n, sizeof *hashes, compare_hashes);
    for (i = 1; i < n && !status; i++)
        if (hashes[i - 1] == hashes[i])
            status = check_path(list, hashes[i], err);
    return status;
}

/* A part of the hashes at a time, because sorting all would take as much memory again. */
static fsh_status
check_paths(listing *list, fsh_err *err)
{
    uint64_t parts = list->places.n / PART_LINES + 1, most = 0, i;
    uint64_t *sizes = calloc(parts, sizeof *sizes), *hashes;
    fsh_status status = FSH_OK;

    for (i = 0; sizes && i < list->places.n; i++) {
        uint64_t size = ++sizes[list->places.at[i].name % parts];

        most = size > most ? size : most;
    }
    free(sizes);
    if (!sizes || !(hashes = malloc((most + 1) * sizeof *hashes)))
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", list->input);
    for (i = 0; i < parts && !status; i++)
        status = check_part(list, i, parts, hashes, err);
    free(hashes);
    return status;
}

/* ---- the paths of a person, in order ---- */

static int
compare_places(const void *a, const void *b)
{
    const fsh_place *x = a, *y = b;

    return (x->at > y->at) - (x->at < y->at);
}

static int
compare_paths(const void *a, const void *b, void *self)
{
    const char *paths = self;

    return strcmp(paths + *(const size_t *)a, paths + *(const size_t *)b);
}

static fsh_status
read_path(listing *list, const fsh_place *place, fsh_text *paths, fsh_err *err)
{
    size_t bytes, n;
    fsh_status status = read_line(list, place->at, 0, &bytes, err);

    n = strlen(list->line);
    if (status || bytes != place->more || fsh_hash_key(list->line, n) != place->name)
        return fsh_fail(err, FSH_IO, "%s: has changed while it was read", list->input);
    fsh_text_add_bytes(paths, list->line, n + 1);
    return fsh_text_ok(paths) ? FSH_OK : fsh_fail(err, FSH_MEMORY, "%s: out of memory", list->input);
}

static fsh_status
give_paths(void *self, fsh_place *places, uint64_t n, const fsh_scan_sink *sink, fsh_err *err)
{
    listing *list = self;
    fsh_text paths = {0};
    size_t *starts = malloc(n * sizeof *starts);
    fsh_status status = starts ? FSH_OK : fsh_fail(err, FSH_MEMORY, "%s: out of memory", list->input);
    uint64_t i;

    qsort(places, n, sizeof *places, compare_places);
    for (i = 0; i < n && !status; i++) {
        starts[i] = paths.bytes;
        status = read_path(list, &places[i], &paths, err);
    }
    if (!status)
        qsort_r(starts, n, sizeof *starts, compare_paths, paths.data);
    for (i = 0; i < n && !status; i++)
        status = sink->sample(sink->self, paths.data + starts[i], err);
    fsh_text_fini(&paths);
    free(starts);
    return status;
}

static fsh_status
scan_all(listing *list, const fsh_scan_sink *sink, fsh_err *err)
{
    static const fsh_place_kind kind = {.give = give_paths};
    fsh_status status = fsh_window_open(&list->window, list->input, FSH_WINDOW_SCAN, err);
    size_t again;

    if (!status)
        status = find_lines(list, err);
    fsh_window_close(&list->window);
    again = list->wanted > AGAIN_BYTES ? list->wanted : AGAIN_BYTES;
    if (!status)
        status = fsh_window_open(&list->window, list->input, again, err);
    if (!status)
        status = check_paths(list, err);
    if (!status)
        status = fsh_places_give(&list->places, &kind, list, sink, err);
    fsh_window_close(&list->window);
    return status;
}

static fsh_status
list_scan(const char *input, const fsh_scan_sink *sink, fsh_err *err)
{
    const char *dot = strrchr(input, '.');
    listing *list = calloc(1, sizeof *list);
    fsh_status status;

    if (!list)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", input);
    list->input = input;
    list->places.sink = sink;
    list->csv = dot && strcasecmp(dot, ".csv") == 0;
    status = scan_all(list, sink, err);
    fsh_places_fini(&list->places);
    free(list);
    return status;
}

/* ---- reading ---- */

static fsh_status
list_load(const char *input, const char *identity, const char *sample, uint8_t **data,
          size_t *bytes, fsh_reason *reason, fsh_err *err)
{
    char folder[FSH_PATH_BYTES], path[FSH_PATH_BYTES];
    int n = (int)(fsh_path_name(input) - input);
    fsh_status status;

    (void)identity;
    if (snprintf(folder, sizeof folder, "%.*s", n, input) >= (int)sizeof folder)
        return fsh_fail(err, FSH_USAGE, "%.80s...: path too long", input);
    status = fsh_path_join(path, sample[0] == '/' ? "" : folder, sample, err);
    return status ? status : fsh_picture_load(input, path, data, bytes, reason, err);
}

static fsh_status
list_source(const char *identity, const char *sample, char path[FSH_PATH_BYTES], fsh_err *err)
{
    (void)identity;
    return fsh_path_join(path, "", sample, err);
}

/* train.idx of RecordIO is such a text too. */
static bool
is_record_index(const char *input)
{
    const char *dot = strrchr(input, '.');

    return dot && strcmp(dot, ".idx") == 0;
}

/* A text by its beginning, with at most one tab in its first line; a picture, or an HDF5 file, has
 * zero bytes there. */
static bool
list_fits(const char *input)
{
    char bytes[LOOK_BYTES + 1];
    int fd = open(input, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, LOOK_BYTES);
    char *tab;

    if (fd >= 0)
        close(fd);
    if (n <= 0 || memchr(bytes, '\0', (size_t)n) || is_record_index(input))
        return false;
    bytes[n] = '\0';
    bytes[strcspn(bytes, "\n")] = '\0';
    tab = strchr(bytes, '\t');
    return !tab || !strchr(tab + 1, '\t');
}

const fsh_reader fsh_reader_list = {
    .format = "list",
    .summary = "a text file: on each line the path of a picture, relative to the list, a tab (in a "
               ".csv a comma), the name of its person",
    .fits = list_fits,
    .scan = list_scan,
    .load = list_load,
    .source = list_source,
};

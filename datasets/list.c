/* Reader `list`: a text file with a line for each picture: its path, a tab, the name of its person.
 * In a file that ends in .csv a comma instead of the tab, quotes where they are needed, and a first
 * line "path,label" that is passed over. Paths are relative to the folder of the list. Without a
 * tab and a name the person is the folder that the picture lies in or, where the path has none, its
 * file name without its ending. Lines may end with CR LF; empty ones are skipped. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "datasets/entries.h"
#include "datasets/pictures.h"
#include "datasets/readers.h"

enum { LIST_BYTES_MAX = 1 << 30, LOOK_BYTES = 4096 };

/* A list while it is taken apart, in place. */
typedef struct parsing {
    const char *input;
    fsh_entries entries;
    char *names; /* of pictures whose line has none */
    size_t names_used;
    bool csv;
} parsing;

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

/* The name that a path stands for, in names, which has room for it. */
static const char *
name_of_path(parsing *p, const char *path)
{
    char *name = p->names + p->names_used;
    size_t n;
    const char *folder = folder_of_path(path, &n), *file = fsh_path_name(path), *dot;

    if (!folder) {
        folder = file;
        dot = strrchr(file, '.');
        n = dot && dot != file ? (size_t)(dot - file) : strlen(file);
    }
    memcpy(name, folder, n);
    name[n] = '\0';
    p->names_used += n + 1;
    return name;
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

static fsh_status
take_line(parsing *p, char *line, size_t number, fsh_err *err)
{
    char *tab = strchr(line, '\t');
    const char *name = tab ? tab + 1 : name_of_path(p, line);

    if (tab)
        *tab = '\0';
    if (!line[0] || !name[0] || strchr(name, '\t'))
        return fsh_fail(err, FSH_USAGE,
                        "%s:%zu: expected the path of a picture, a %s, and the name of its person",
                        p->input, number, p->csv ? "comma" : "tab");
    return fsh_entries_add(&p->entries, name, line, err);
}

static fsh_status
take_lines(parsing *p, char *text, size_t bytes, fsh_err *err)
{
    char *end = text + bytes, *next;
    size_t number = 1;
    fsh_status status = FSH_OK;

    if (memchr(text, '\0', bytes))
        return fsh_fail(err, FSH_USAGE, "%s: is no text file: it holds a zero byte", p->input);
    for (; text < end && !status; text = next, number++) {
        size_t n = strcspn(text, "\n");

        next = text + n + 1;
        text[n] = '\0';
        if (n && text[n - 1] == '\r')
            text[n - 1] = '\0';
        if (p->csv && !csv_to_tabs(text))
            status = fsh_fail(err, FSH_USAGE, "%s:%zu: a quote does not end", p->input, number);
        else if (text[0] && !(p->csv && number == 1 && is_heading(text)))
            status = take_line(p, text, number, err);
    }
    return status;
}

static int
compare_paths(const void *a, const void *b)
{
    return strcmp(((const fsh_entry *)a)->sample, ((const fsh_entry *)b)->sample);
}

/* A path is what tells a picture from all others. */
static fsh_status
check_paths(const parsing *p, fsh_err *err)
{
    const fsh_entry *at = p->entries.at;
    size_t i;

    if (p->entries.n)
        qsort(p->entries.at, p->entries.n, sizeof *at, compare_paths);
    for (i = 1; i < p->entries.n; i++)
        if (strcmp(at[i - 1].sample, at[i].sample) == 0)
            return fsh_fail(err, FSH_USAGE, "%s: %s stands there twice, under the names %s and %s",
                            p->input, at[i].sample, at[i - 1].identity, at[i].identity);
    return FSH_OK;
}

static fsh_status
list_scan(const char *input, const fsh_scan_sink *sink, fsh_err *err)
{
    const char *dot = strrchr(input, '.');
    parsing p = {.input = input, .csv = dot && strcasecmp(dot, ".csv") == 0};
    uint8_t *text = NULL;
    size_t bytes;
    fsh_status status = fsh_file_read(input, LIST_BYTES_MAX, &text, &bytes, err);

    if (status)
        return status;
    p.names = malloc(bytes + 2); /* a name is no longer than its path, and each has a line end */
    status = p.names ? take_lines(&p, (char *)text, bytes, err)
                     : fsh_fail(err, FSH_MEMORY, "%s: out of memory", input);
    if (!status)
        status = check_paths(&p, err);
    if (!status)
        status = fsh_entries_give(&p.entries, sink, err);
    fsh_entries_fini(&p.entries);
    free(p.names);
    free(text);
    return status;
}

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

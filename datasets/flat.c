/* Reader `pictures`: one folder with a picture per person in it, named by the file name without its
 * ending: a gallery. Several endings of one name are one person. Anything with the name of a
 * picture is a sample, whatever it turns out to be when it is loaded; folders are not entered. A
 * list in the folder, names.tsv, says instead which pictures there are and whose they are
 * (datasets/list.c). */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/entries.h"
#include "datasets/pictures.h"
#include "datasets/readers.h"

/* The names that a folder holds. */
typedef struct listing {
    const fsh_scan_sink *sink;
    fsh_entries entries;
    char **names; /* of each entry: the file name, and behind its zero byte the same without its
                     ending */
    size_t names_n, names_room;
} listing;

static fsh_status
keep(listing *list, const char *file, fsh_err *err)
{
    size_t bytes = strlen(file) + 1, stem = (size_t)(strrchr(file, '.') - file);
    size_t room = list->names_room ? 2 * list->names_room : 64;
    char *name = malloc(bytes + stem + 1), **grown = list->names;

    if (name && list->names_n == list->names_room)
        grown = reallocarray(list->names, room, sizeof *grown);
    if (!name || !grown) {
        free(name);
        return fsh_fail(err, FSH_MEMORY, "out of memory for %zu names", list->names_n);
    }
    if (list->names_n == list->names_room)
        list->names_room = room;
    list->names = grown;
    list->names[list->names_n++] = name;
    memcpy(name, file, bytes);
    memcpy(name + bytes, file, stem);
    name[bytes + stem] = '\0';
    return fsh_entries_add(&list->entries, name + bytes, name, err);
}

static fsh_status
sort_in(listing *list, const char *name, fsh_err *err)
{
    if (name[0] != '.' && fsh_picture_has_name(name))
        return keep(list, name, err);
    list->sink->ignored(list->sink->self, name,
                        name[0] == '.' ? "hidden" : "no picture by its name");
    return FSH_OK;
}

static fsh_status
read_folder(listing *list, const char *input, DIR *dir, fsh_err *err)
{
    struct dirent *entry;
    fsh_status status = FSH_OK;

    while (!status && (errno = 0, entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = sort_in(list, entry->d_name, err);
    /* Half a list would be another dataset: better none. */
    if (!status && errno)
        status = fsh_fail_errno(err, errno, "%s: folder cannot be listed", input);
    return status;
}

static fsh_status
flat_scan(const char *input, const fsh_scan_sink *sink, fsh_err *err)
{
    listing list = {.sink = sink};
    char names[FSH_PATH_BYTES];
    DIR *dir;
    fsh_status status = fsh_path_join(names, input, FSH_PICTURE_NAMES, err);

    if (status)
        return status;
    if (fsh_file_exists(names))
        return fsh_reader_list.scan(names, sink, err);
    dir = opendir(input);
    if (!dir)
        return fsh_fail_errno(err, errno, "%s: input folder cannot be opened", input);
    status = read_folder(&list, input, dir, err);
    closedir(dir);
    if (!status)
        status = fsh_entries_give(&list.entries, sink, err);
    while (list.names_n)
        free(list.names[--list.names_n]);
    free(list.names);
    fsh_entries_fini(&list.entries);
    return status;
}

static fsh_status
flat_load(const char *input, const char *identity, const char *sample, uint8_t **data,
          size_t *bytes, fsh_reason *reason, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(path, input, sample, err);

    (void)identity;
    return status ? status : fsh_picture_load(input, path, data, bytes, reason, err);
}

static fsh_status
flat_source(const char *identity, const char *sample, char path[FSH_PATH_BYTES], fsh_err *err)
{
    (void)identity;
    return fsh_path_join(path, "", sample, err);
}

static bool
flat_fits(const char *input)
{
    fsh_picture_census census = fsh_picture_count(input);

    return census.pictures && !census.folders;
}

const fsh_reader fsh_reader_pictures = {
    .format = "pictures",
    .summary = "a folder of pictures, each named after its person (NAME.jpg), or with names.tsv, a "
               "list of them",
    .in_place = true,
    .fits = flat_fits,
    .scan = flat_scan,
    .load = flat_load,
    .source = flat_source,
};

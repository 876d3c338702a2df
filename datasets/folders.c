/* Reader `folders`: a folder per identity, nested once or twice or not.
 *
 * An identity is a folder that directly holds picture names, or an empty folder; its name is its
 * path below the input. Any entry of a folder that has a picture name is a sample, whatever it
 * turns out to be when it is loaded: so nothing is opened or looked at while scanning, and nothing
 * disappears untold. A linked folder can be an identity, but its subfolders are not entered, so
 * that a loop of links ends.
 *
 * Names are compared as whole strings of bytes: "a" < "a-b" < "a/b". A walk folder by folder would
 * not give that order; taking the least of all folders that are known but not yet read does,
 * because whatever lies in a folder comes after the folder itself. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "datasets/pictures.h"
#include "datasets/readers.h"

enum { DEPTH_MAX = 3 };

/* A folder that is known but not yet read. */
typedef struct waiting {
    char *name; /* path below the input, "" for the input itself */
    bool linked;
} waiting;

typedef struct folder_walk {
    const fsh_scan_sink *sink;
    int input;     /* descriptor of the input folder */
    waiting *heap; /* the least name first */
    size_t heap_n, heap_room;
    char **pictures; /* of the folder that is being read */
    size_t pictures_n, pictures_room;
    size_t folders_n, strays_n; /* in that folder: how much else there is */
} folder_walk;

static fsh_status
out_of_memory(fsh_err *err)
{
    return fsh_fail(err, FSH_MEMORY, "out of memory while listing folders");
}

/* Makes room for one more; NULL when out of memory, and the old array stays. */
static void *
grow(void *array, size_t n, size_t *room, size_t bytes)
{
    size_t wanted = *room ? *room * 2 : 64;
    void *grown;

    if (n < *room)
        return array;
    grown = reallocarray(array, wanted, bytes);
    if (grown)
        *room = wanted;
    return grown;
}

static void
swap(waiting *a, waiting *b)
{
    waiting kept = *a;

    *a = *b;
    *b = kept;
}

static fsh_status
push_folder(folder_walk *walk, const char *parent, const char *name, bool linked, fsh_err *err)
{
    waiting *heap = grow(walk->heap, walk->heap_n, &walk->heap_room, sizeof *heap);
    size_t i = walk->heap_n;
    char *path = NULL;

    if (heap)
        walk->heap = heap;
    if (!heap || asprintf(&path, "%s%s%s", parent, *parent ? "/" : "", name) < 0)
        return out_of_memory(err);
    heap[walk->heap_n++] = (waiting){path, linked};
    for (; i > 0 && strcmp(heap[i].name, heap[(i - 1) / 2].name) < 0; i = (i - 1) / 2)
        swap(&heap[i], &heap[(i - 1) / 2]);
    return FSH_OK;
}

/* Takes the folder with the least name; the caller frees the name. */
static waiting
pop_folder(folder_walk *walk)
{
    waiting *heap = walk->heap, least = heap[0];
    size_t i = 0, n = --walk->heap_n;

    heap[0] = heap[n];
    for (;;) {
        size_t child = 2 * i + 1;

        if (child + 1 < n && strcmp(heap[child + 1].name, heap[child].name) < 0)
            child++;
        if (child >= n || strcmp(heap[i].name, heap[child].name) <= 0)
            return least;
        swap(&heap[i], &heap[child]);
        i = child;
    }
}

static fsh_status
add_picture(folder_walk *walk, const char *name, fsh_err *err)
{
    char **pictures =
        grow(walk->pictures, walk->pictures_n, &walk->pictures_room, sizeof *pictures);

    if (pictures)
        walk->pictures = pictures;
    if (!pictures || !(pictures[walk->pictures_n] = strdup(name)))
        return out_of_memory(err);
    walk->pictures_n++;
    return FSH_OK;
}

static void
clear_pictures(folder_walk *walk)
{
    while (walk->pictures_n)
        free(walk->pictures[--walk->pictures_n]);
}

/* Tells the sink of something that is no sample. */
static void
tell(const folder_walk *walk, const char *folder, const char *name, const char *why)
{
    char path[FSH_PATH_BYTES];

    snprintf(path, sizeof path, "%s%s%s", folder, *folder && *name ? "/" : "", name);
    walk->sink->ignored(walk->sink->self, path, why);
}

/* Whether an entry is a folder; asks the file system only where the listing does not say. */
static bool
is_folder(int dir, const struct dirent *entry, bool *linked)
{
    struct stat info;

    *linked = entry->d_type == DT_LNK;
    if (entry->d_type == DT_UNKNOWN && fstatat(dir, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0)
        *linked = S_ISLNK(info.st_mode);
    if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(dir, entry->d_name, &info, 0) == 0 && S_ISDIR(info.st_mode);
}

static uint32_t
depth_of(const char *name)
{
    uint32_t depth = *name != '\0';

    for (; *name; name++)
        depth += *name == '/';
    return depth;
}

static fsh_status
sort_in(folder_walk *walk, const waiting *folder, int dir, const struct dirent *entry, fsh_err *err)
{
    bool picture = fsh_picture_has_name(entry->d_name), top = !*folder->name, linked;
    const char *why = "neither a picture nor a folder";

    if (entry->d_name[0] == '.') {
        tell(walk, folder->name, entry->d_name, "hidden");
        return FSH_OK;
    }
    if (picture && !top)
        return add_picture(walk, entry->d_name, err);
    if (is_folder(dir, entry, &linked)) {
        walk->folders_n++;
        if (!folder->linked && depth_of(folder->name) < DEPTH_MAX)
            return push_folder(walk, folder->name, entry->d_name, linked, err);
        why = folder->linked ? "a folder in a linked folder" : "a folder nested too deep";
    } else if (picture) {
        why = "a picture outside of the folders of identities";
    }
    walk->strays_n++;
    tell(walk, folder->name, entry->d_name, why);
    return FSH_OK;
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static fsh_status
give_identity(folder_walk *walk, const char *name, fsh_err *err)
{
    const fsh_scan_sink *sink = walk->sink;
    fsh_status status = sink->identity(sink->self, name, err);
    size_t i;

    if (walk->pictures_n)
        qsort(walk->pictures, walk->pictures_n, sizeof *walk->pictures, compare_names);
    for (i = 0; i < walk->pictures_n && !status; i++)
        status = sink->sample(sink->self, walk->pictures[i], err);
    return status;
}

static fsh_status
list_folder(folder_walk *walk, const waiting *folder, DIR *dir, fsh_err *err)
{
    struct dirent *entry;
    fsh_status status = FSH_OK;

    while (!status && (errno = 0, entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = sort_in(walk, folder, dirfd(dir), entry, err);
    /* Half a list would be another dataset: better none. */
    if (!status && errno)
        status = fsh_fail_errno(err, errno, "%s: folder cannot be listed", folder->name);
    return status;
}

static fsh_status
read_folder(folder_walk *walk, const waiting *folder, fsh_err *err)
{
    int fd =
        openat(walk->input, *folder->name ? folder->name : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    fsh_status status;

    if (!dir && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
        return fsh_fail_errno(err, errno, "%s: folder cannot be opened", folder->name);
    if (!dir) {
        tell(walk, folder->name, "", "a folder that cannot be opened");
        return FSH_OK;
    }
    walk->folders_n = walk->strays_n = 0;
    status = list_folder(walk, folder, dir, err);
    closedir(dir);
    if (!status && *folder->name) {
        if (walk->pictures_n || (!walk->folders_n && !walk->strays_n))
            status = give_identity(walk, folder->name, err);
        else if (!walk->folders_n)
            tell(walk, folder->name, "", "a folder without pictures");
    }
    clear_pictures(walk);
    return status;
}

static fsh_status
folders_scan(const char *input, const fsh_scan_sink *sink, fsh_err *err)
{
    folder_walk walk = {.sink = sink, .input = open(input, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    fsh_status status;

    if (walk.input < 0)
        return fsh_fail_errno(err, errno, "%s: input folder cannot be opened", input);
    status = push_folder(&walk, "", "", false, err);
    while (!status && walk.heap_n) {
        waiting folder = pop_folder(&walk);

        status = read_folder(&walk, &folder, err);
        free(folder.name);
    }
    while (walk.heap_n)
        free(walk.heap[--walk.heap_n].name);
    free(walk.heap);
    free(walk.pictures);
    close(walk.input);
    return status;
}

static fsh_status
folders_load(const char *input, const char *identity, const char *sample, uint8_t **data,
             size_t *bytes, fsh_reason *reason, fsh_err *err)
{
    char folder[FSH_PATH_BYTES], path[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(folder, input, identity, err);

    if (!status)
        status = fsh_path_join(path, folder, sample, err);
    return status ? status : fsh_picture_load(input, path, data, bytes, reason, err);
}

/* Pictures beside the folders would be ignored: who has both must say so. */
static bool
folders_fits(const char *input)
{
    fsh_picture_census census = fsh_picture_count(input);

    return census.folders && !census.pictures;
}

const fsh_reader fsh_reader_folders = {
    .format = "folders",
    .summary =
        "a folder per identity with its pictures in it (jpg, jpeg, png, bmp, webp, tif, tiff), "
        "nested at most twice",
    .in_place = true,
    .fits = folders_fits,
    .scan = folders_scan,
    .load = folders_load,
};

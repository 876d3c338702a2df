/* Reader `tar`: tar files as WebDataset has them, or tars of a folder per identity; one file, or a
 * folder of *.tar, which are read in byte order of their names. Members that follow each other and
 * have the same key (the path up to the first dot of its last part) belong together: a picture, and
 * what it is. Whose it is says, where they are there,
 *     KEY.json   a name under "identity" or "name", or a class under "class" or "label",
 *     KEY.cls    a class: a number, or a name,
 *     KEY.txt    a name: the first line,
 * and otherwise the folder that it lies in. A class by number is named by eight digits, so that byte
 * order is that of the numbers. A folder with nothing below it is an identity without samples. A
 * member is found again by its place, so compressed tars are refused. */
#include <archive.h>
#include <archive_entry.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/pictures.h"
#include "datasets/places.h"
#include "datasets/readers.h"
#include "datasets/tars.h"
#include "datasets/window.h"

enum { LABEL_BYTES_MAX = 1 << 16, GROUP_MAX = 64 };

/* ---- groups: members of one key ---- */

/* A member that is a picture by its name. */
typedef struct picture {
    char *path;
    uint64_t at;
    bool plain; /* KEY.jpg, not KEY.more.jpg */
} picture;

typedef struct scanning {
    const fsh_scan_sink *sink;
    fsh_places places;
    fsh_tars tars;
    uint32_t tar;   /* that is read */
    fsh_places folders; /* as a set of names: members of their own */
    fsh_places parents; /* and those that something lies in */
    fsh_text names; /* of samples, each with its zero byte; fsh_place.name is where */
    char *key;      /* of the group; NULL: none yet */
    picture pictures[GROUP_MAX];
    uint32_t pictures_n;
    fsh_tar_label label; /* what the group says of its identity */
} scanning;

static void
drop_group(scanning *s)
{
    while (s->pictures_n)
        free(s->pictures[--s->pictures_n].path);
    free(s->key);
    s->key = NULL;
    s->label = (fsh_tar_label){.rank = 0};
}

/* Bytes of a path up to the first dot of its last part; a dot at the beginning is part of the name.
 */
static size_t
key_of(const char *path)
{
    const char *name = fsh_path_name(path), *dot = strchr(name + (name[0] == '.'), '.');

    return dot ? (size_t)(dot - path) : strlen(path);
}

static fsh_status
add_sample(scanning *s, const char *identity, size_t identity_n, const char *name, uint64_t at,
           fsh_err *err)
{
    fsh_place place = {.at = at, .name = s->names.bytes, .more = s->tar};
    fsh_status status = fsh_places_identity(&s->places, identity, identity_n, &place.identity, err);

    fsh_text_add_bytes(&s->names, name, strlen(name) + 1);
    if (!status && !fsh_text_ok(&s->names))
        status = fsh_fail(err, FSH_MEMORY, "out of memory for the names of samples");
    return status ? status : fsh_places_add(&s->places, place, err);
}

/* Below its identity a sample is named by its path, without a folder that says the identity again.
 */
static fsh_status
add_picture(scanning *s, const picture *p, fsh_err *err)
{
    const char *name = fsh_path_name(p->path), *identity = s->label.text;
    size_t folder = (size_t)(name - p->path), n;

    if (s->label.rank == 0 && folder == 0) {
        s->sink->ignored(s->sink->self, p->path, "lies in no folder and has no label beside it");
        return FSH_OK;
    }
    if (s->label.rank == 0)
        return add_sample(s, p->path, folder - 1, name, p->at, err);
    n = strlen(identity);
    if (strncmp(p->path, identity, n) != 0 || p->path[n] != '/')
        name = p->path;
    else
        name = p->path + n + 1;
    return add_sample(s, identity, n, name, p->at, err);
}

/* With a label a group is one sample: its plain picture, or else its first. */
static uint32_t
choose(const scanning *s)
{
    uint32_t i;

    for (i = 0; i < s->pictures_n && !s->pictures[i].plain; i++)
        ;
    return i < s->pictures_n ? i : 0;
}

static fsh_status
end_group(scanning *s, fsh_err *err)
{
    bool labelled = s->label.rank > 0;
    uint32_t chosen = choose(s), i;
    fsh_status status = FSH_OK;

    if (labelled && !s->pictures_n)
        s->sink->ignored(s->sink->self, s->key, "a label without a picture");
    for (i = 0; i < s->pictures_n && !status; i++) {
        if (!labelled || i == chosen)
            status = add_picture(s, &s->pictures[i], err);
        else
            s->sink->ignored(s->sink->self, s->pictures[i].path, "another picture of its key");
    }
    drop_group(s);
    return status;
}

static fsh_status
begin_group(scanning *s, const char *path, fsh_err *err)
{
    fsh_status status = s->key ? end_group(s, err) : FSH_OK;

    if (!status && !(s->key = strndup(path, key_of(path))))
        status = fsh_fail(err, FSH_MEMORY, "out of memory");
    return status;
}

static fsh_status
keep_picture(scanning *s, const char *path, uint64_t at, fsh_err *err)
{
    picture p = {strdup(path), at, strchr(path + key_of(path) + 1, '.') == NULL};

    if (!p.path)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    s->pictures[s->pictures_n++] = p;
    return FSH_OK;
}

static bool
same_group(const scanning *s, const char *path)
{
    size_t n = key_of(path);

    return s->key && strlen(s->key) == n && memcmp(s->key, path, n) == 0 &&
           s->pictures_n < GROUP_MAX;
}

/* ---- members ---- */

/* Reads a member that says whose its group is; one too large says nothing that can be read. */
static void
read_label(scanning *s, struct archive *tar, struct archive_entry *entry, const char *ending)
{
    char text[LABEL_BYTES_MAX + 1];
    la_ssize_t n = archive_entry_size(entry) > LABEL_BYTES_MAX
                       ? 0
                       : archive_read_data(tar, text, LABEL_BYTES_MAX);

    text[n > 0 ? n : 0] = '\0';
    fsh_tar_label_read(&s->label, ending, text, n > 0 ? (size_t)n : 0);
}

/* The folders that a path lies in. */
static fsh_status
note_parents(scanning *s, const char *path, size_t n, fsh_err *err)
{
    uint32_t number, before = 0;
    fsh_status status = FSH_OK;

    while (!status && n > 0) {
        while (n > 0 && path[--n] != '/')
            ;
        if (n > 0)
            status = fsh_places_identity(&s->parents, path, n, &number, err);
        if (n > 0 && s->parents.identities_n == before) /* known, and so are those above */
            break;
        before = s->parents.identities_n;
    }
    return status;
}

static fsh_status
take_folder(scanning *s, const char *path, fsh_err *err)
{
    size_t n = strlen(path);
    uint32_t number;
    fsh_status status;

    while (n && path[n - 1] == '/')
        n--;
    if (n == 0)
        return FSH_OK;
    status = fsh_places_identity(&s->folders, path, n, &number, err);
    return status ? status : note_parents(s, path, n, err);
}

/* Folders with nothing below them. */
static fsh_status
add_empty_folders(scanning *s, fsh_err *err)
{
    uint32_t number, i;
    fsh_status status = FSH_OK;

    for (i = 0; i < s->folders.identities_n && !status; i++) {
        const char *name = s->folders.names.data + s->folders.starts[i];
        uint32_t before = s->parents.identities_n;

        status = fsh_places_identity(&s->parents, name, strlen(name), &number, err);
        if (!status && s->parents.identities_n > before)
            status = fsh_places_identity(&s->places, name, strlen(name), &number, err);
    }
    return status;
}

static fsh_status
take_member(scanning *s, struct archive *tar, struct archive_entry *entry, uint64_t at,
            fsh_err *err)
{
    const char *path = fsh_tar_path(entry), *ending;
    fsh_status status = FSH_OK;

    if (!path || !*path)
        return FSH_OK;
    if (archive_entry_filetype(entry) == AE_IFDIR)
        return take_folder(s, path, err);
    if ((status = note_parents(s, path, strlen(path), err)))
        return status;
    ending = path + key_of(path);
    if (fsh_path_name(path)[0] == '.' ||
        (!fsh_picture_has_name(path) && !fsh_tar_label_ending(ending))) {
        s->sink->ignored(s->sink->self, path, "no picture and no label by its name");
        return FSH_OK;
    }
    if (!same_group(s, path))
        status = begin_group(s, path, err);
    if (!status && fsh_tar_label_ending(ending))
        read_label(s, tar, entry, ending);
    else if (!status)
        status = keep_picture(s, path, at, err);
    return status;
}

/* Reads members from a place on. *next: where what cannot be read begins, or the size. A member
 * that the file ends in is one of them: loading it tells. */
static fsh_status
read_members(scanning *s, const char *path, uint64_t from, uint64_t size, uint64_t *next,
             fsh_err *err)
{
    struct archive_entry *entry;
    struct archive *tar;
    uint64_t at, last = UINT64_MAX;
    int file, code;
    fsh_status status = fsh_tar_open(path, from, &tar, &file, err);

    *next = status == FSH_FORMAT ? from : size;
    if (status)
        return status == FSH_FORMAT ? FSH_OK : status;
    while (!status &&
           ((code = archive_read_next_header(tar, &entry)) == ARCHIVE_OK || code == ARCHIVE_WARN)) {
        last = from + (uint64_t)archive_read_header_position(tar);
        status = take_member(s, tar, entry, last, err);
    }
    at = from + (uint64_t)archive_read_header_position(tar);
    if (!status && code != ARCHIVE_EOF && at != last)
        *next = at;
    fsh_tar_close(&tar, file);
    return status;
}

/* What is damaged is a sample of nobody's, and reading goes on behind it. */
static fsh_status
pass_damage(scanning *s, fsh_window *window, uint64_t *at, fsh_err *err)
{
    char name[32];
    fsh_status status = s->key ? end_group(s, err) : FSH_OK;

    snprintf(name, sizeof name, "at-%012" PRIu64, *at);
    if (!status)
        status = add_sample(s, FSH_UNLABELLED, strlen(FSH_UNLABELLED), name, *at, err);
    return status ? status : fsh_tar_resume(window, *at, at, err);
}

static fsh_status
scan_tar(scanning *s, const char *path, fsh_err *err)
{
    fsh_window window;
    uint64_t at = 0;
    fsh_status status = fsh_window_open(&window, path, FSH_WINDOW_LOAD, err);

    if (!status)
        status = fsh_tar_check(&window, err);
    while (!status && at < window.size) {
        status = read_members(s, path, at, window.size, &at, err);
        if (!status && at < window.size)
            status = pass_damage(s, &window, &at, err);
    }
    if (!status && s->key)
        status = end_group(s, err);
    fsh_window_close(&window);
    return status;
}

/* ---- the order of a scan ---- */

static int
compare(const void *a, const void *b, void *self)
{
    const scanning *s = self;
    const fsh_place *x = a, *y = b;
    int order = strcmp(s->names.data + x->name, s->names.data + y->name);

    if (!order)
        order = (x->more > y->more) - (x->more < y->more);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static void
name(void *self, const fsh_place *place, fsh_text *out)
{
    fsh_text_add(out, ((scanning *)self)->names.data + place->name);
}

static void
tar_name(void *self, const fsh_place *place, fsh_text *out)
{
    const scanning *s = self;

    if (s->tars.folder)
        fsh_text_add(out, s->tars.names[place->more]);
}

static fsh_status
tar_scan(const char *input, const fsh_scan_sink *sink, fsh_err *err)
{
    static const fsh_place_kind kind = {.compare = compare, .name = name, .more = tar_name};
    scanning s = {.sink = sink, .places = {.sink = sink}};
    char path[FSH_PATH_BYTES];
    fsh_status status = fsh_tars_find(input, &s.tars, err);

    for (s.tar = 0; s.tar < s.tars.n && !status; s.tar++) {
        status = fsh_tars_path(input, s.tars.folder ? s.tars.names[s.tar] : "", path, err);
        if (!status)
            status = scan_tar(&s, path, err);
    }
    if (!status)
        status = add_empty_folders(&s, err);
    if (!status)
        status = fsh_places_give(&s.places, &kind, &s, sink, err);
    drop_group(&s);
    fsh_places_fini(&s.folders);
    fsh_places_fini(&s.parents);
    fsh_places_fini(&s.places);
    fsh_text_fini(&s.names);
    fsh_tars_fini(&s.tars);
    return status;
}

const fsh_reader fsh_reader_tar = {
    .format = "tar",
    .summary =
        "tar files of WebDataset (KEY.jpg with KEY.cls, KEY.json or KEY.txt), or of a folder "
        "per identity; one, or a folder of them",
    .fits = fsh_tars_fit,
    .scan = tar_scan,
    .load = fsh_tar_load,
    .source = fsh_place_source,
};

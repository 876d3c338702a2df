#include "datasets/tars.h"

#include <archive.h>
#include <archive_entry.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tree.h"
#include "datasets/pictures.h"
#include "datasets/places.h"

enum { BLOCK = 512, MAGIC_AT = 257, SUM_AT = 148, SUM_BYTES = 8, READ_BYTES = 1 << 16 };

/* ---- which tars ---- */

static bool
ends_in(const char *name, const char *ending)
{
    size_t n = strlen(name), e = strlen(ending);

    return n > e && strcmp(name + n - e, ending) == 0;
}

/* Names of tars, also of compressed ones: those are refused with a hint instead of being passed
 * over. */
static bool
is_tar_name(const char *name)
{
    static const char *const endings[] = {".tar",    ".tar.gz",  ".tgz",    ".tar.bz2",
                                          ".tar.xz", ".tar.zst", ".tar.lz4"};
    size_t i;

    for (i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (name[0] != '.' && ends_in(name, endings[i]))
            return true;
    return false;
}

static fsh_status
take_name(void *self, const char *folder, const char *name, fsh_err *err)
{
    fsh_tars *tars = self;
    uint32_t room = tars->room ? 2 * tars->room : 64;
    char **grown;

    if (!is_tar_name(name))
        return FSH_OK;
    if (tars->n == tars->room) {
        if (!(grown = reallocarray(tars->names, room, sizeof *grown)))
            return fsh_fail(err, FSH_MEMORY, "%s: out of memory", folder);
        tars->names = grown;
        tars->room = room;
    }
    if (!(tars->names[tars->n] = strdup(name)))
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", folder);
    tars->n++;
    return FSH_OK;
}

fsh_status
fsh_tars_find(const char *input, fsh_tars *tars, fsh_err *err)
{
    struct stat info;

    *tars = (fsh_tars){.n = 1};
    if (stat(input, &info) != 0)
        return fsh_fail_errno(err, errno, "%s: cannot be opened", input);
    if (!S_ISDIR(info.st_mode))
        return FSH_OK;
    *tars = (fsh_tars){.folder = true};
    return fsh_folder_each(input, take_name, tars, err);
}

void
fsh_tars_fini(fsh_tars *tars)
{
    while (tars->names && tars->n)
        free(tars->names[--tars->n]);
    free(tars->names);
    memset(tars, 0, sizeof *tars);
}

fsh_status
fsh_tars_path(const char *input, const char *name, char path[FSH_PATH_BYTES], fsh_err *err)
{
    if (*name)
        return fsh_path_join(path, input, name, err);
    if (snprintf(path, FSH_PATH_BYTES, "%s", input) >= FSH_PATH_BYTES)
        return fsh_fail(err, FSH_USAGE, "%.80s...: path too long", input);
    return FSH_OK;
}

/* ---- blocks ---- */

/* Whether a block is the head of a member: the sum of its bytes, with blanks for the sum itself. */
static bool
is_head(const uint8_t *block)
{
    char text[SUM_BYTES + 1] = {0};
    unsigned long sum = 0, stored;
    char *end;
    int i;

    memcpy(text, block + SUM_AT, SUM_BYTES);
    stored = strtoul(text, &end, 8);
    for (i = 0; i < BLOCK; i++)
        sum += i >= SUM_AT && i < SUM_AT + SUM_BYTES ? ' ' : block[i];
    return end != text && sum == stored && block[0] != '\0';
}

static bool
begins_with_head(fsh_window *window)
{
    const uint8_t *block;
    size_t n;

    return fsh_window_get(window, 0, BLOCK, &block, &n, NULL) == FSH_OK && n == BLOCK &&
           is_head(block);
}

bool
fsh_tars_fit(const char *input)
{
    fsh_window window;
    fsh_tars tars;
    bool fits = fsh_tars_find(input, &tars, NULL) == FSH_OK && tars.folder && tars.n > 0;

    if (fits)
        fits = !fsh_picture_count(input).pictures;
    else if (!tars.folder && fsh_window_open(&window, input, FSH_WINDOW_LOAD, NULL) == FSH_OK) {
        fits = is_tar_name(fsh_path_name(input)) || begins_with_head(&window);
        fsh_window_close(&window);
    }
    fsh_tars_fini(&tars);
    return fits;
}

fsh_status
fsh_tar_check(fsh_window *window, fsh_err *err)
{
    static const struct {
        const char *magic;
        size_t n;
        const char *unpack;
    } packed[] = {{"\x1f\x8b", 2, "gzip -d"},
                  {"BZh", 3, "bzip2 -d"},
                  {"\xfd"
                   "7zXZ",
                   5, "xz -d"},
                  {"\x28\xb5\x2f\xfd", 4, "zstd -d"},
                  {"\x04\x22\x4d\x18", 4, "lz4 -d"}};
    static const uint8_t nothing[BLOCK] = {0};
    const uint8_t *data;
    size_t n, i;
    fsh_status status = fsh_window_get(window, 0, BLOCK, &data, &n, err);

    if (status)
        return status;
    for (i = 0; i < sizeof packed / sizeof packed[0]; i++)
        if (n > packed[i].n && memcmp(data, packed[i].magic, packed[i].n) == 0)
            return fsh_fail(err, FSH_USAGE,
                            "%s: is compressed, so that no picture in it can be found without "
                            "unpacking all before it: unpack it once (%s %s); JPEG files hardly "
                            "get smaller by it",
                            window->path, packed[i].unpack, window->path);
    if (n < BLOCK || (!is_head(data) && memcmp(data, nothing, BLOCK) != 0))
        return fsh_fail(err, FSH_FORMAT, "%s: is no tar file", window->path);
    return FSH_OK;
}

fsh_status
fsh_tar_resume(fsh_window *window, uint64_t at, uint64_t *next, fsh_err *err)
{
    const uint8_t *block;
    size_t n = BLOCK;
    fsh_status status = FSH_OK;

    for (at += BLOCK; at < window->size && !status; at += BLOCK) {
        status = fsh_window_get(window, at, BLOCK, &block, &n, err);
        if (!status && (n < BLOCK || is_head(block)))
            break;
    }
    *next = n == BLOCK && at < window->size ? at : window->size;
    return status;
}

/* ---- members ---- */

static fsh_status
open_archive(const char *path, int file, struct archive **tar, fsh_err *err)
{
    *tar = archive_read_new();
    if (!*tar || archive_read_support_format_tar(*tar) != ARCHIVE_OK)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", path);
    if (archive_read_open_fd(*tar, file, READ_BYTES) == ARCHIVE_OK)
        return FSH_OK;
    return fsh_fail(err, archive_errno(*tar) == EIO ? FSH_IO : FSH_FORMAT, "%s: cannot be read: %s",
                    path, archive_error_string(*tar));
}

fsh_status
fsh_tar_open(const char *path, uint64_t at, struct archive **tar, int *file, fsh_err *err)
{
    fsh_status status = FSH_OK;

    *tar = NULL;
    *file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*file < 0 || lseek(*file, (off_t)at, SEEK_SET) < 0)
        status = fsh_fail_errno(err, errno, "%s: cannot be opened", path);
    if (!status)
        status = open_archive(path, *file, tar, err);
    if (status)
        fsh_tar_close(tar, *file);
    return status;
}

void
fsh_tar_close(struct archive **tar, int file)
{
    if (*tar)
        archive_read_free(*tar);
    *tar = NULL;
    if (file >= 0)
        close(file);
}

const char *
fsh_tar_path(struct archive_entry *entry)
{
    const char *path = archive_entry_pathname(entry);

    if (!path) /* of a pax header, where the locale is not UTF-8 */
        path = archive_entry_pathname_utf8(entry);
    while (path && (path[0] == '/' || (path[0] == '.' && path[1] == '/')))
        path += path[0] == '/' ? 1 : 2;
    return path;
}

/* ---- labels ---- */

enum { RANK_UNREADABLE = 1, RANK_TXT, RANK_CLS, RANK_JSON };

bool
fsh_tar_label_ending(const char *ending)
{
    return strcmp(ending, ".json") == 0 || strcmp(ending, ".cls") == 0 ||
           strcmp(ending, ".txt") == 0;
}

/* A text is a name as it is, up to its line end; the number of a class gets eight digits. */
static void
set_label(fsh_tar_label *label, int rank, const char *text, bool class)
{
    size_t n = strcspn(text, "\r\n"), digits;

    while (n && isspace((unsigned char)*text)) {
        text++;
        n--;
    }
    while (n && isspace((unsigned char)text[n - 1]))
        n--;
    if (n == 0 || n >= sizeof label->text || rank <= label->rank)
        return;
    label->rank = rank;
    digits = strspn(text, "0123456789");
    if (class && digits == n && n <= 18)
        snprintf(label->text, sizeof label->text, "%08llu", strtoull(text, NULL, 10));
    else
        snprintf(label->text, sizeof label->text, "%.*s", (int)n, text);
}

/* JSON is YAML, nearly: a name may be any, and what is wrong with the rest does not matter. */
static void
read_json(fsh_tar_label *label, const char *text, size_t bytes)
{
    static const char *const keys[] = {"identity", "name", "class", "label"};
    enum { NAMES_N = 2 };
    fsh_tree *tree = NULL;
    size_t i;

    if (fsh_tree_parse("json", text, bytes, &tree, NULL) != FSH_OK)
        return;
    for (i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const fsh_node *node = fsh_node_get(fsh_tree_root(tree), keys[i]);

        if (node && node->kind == FSH_NODE_SCALAR && node->text)
            set_label(label, RANK_JSON, node->text, i >= NAMES_N);
    }
    fsh_tree_free(tree);
}

void
fsh_tar_label_read(fsh_tar_label *label, const char *ending, const char *text, size_t bytes)
{
    bool class = strcmp(ending, ".cls") == 0;

    if (label->rank == 0) {
        label->rank = RANK_UNREADABLE;
        snprintf(label->text, sizeof label->text, "%s", FSH_UNLABELLED);
    }
    if (strcmp(ending, ".json") == 0)
        read_json(label, text, bytes);
    else
        set_label(label, class ? RANK_CLS : RANK_TXT, text, class);
}

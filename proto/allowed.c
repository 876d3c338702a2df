#include "proto/allowed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zmq.h>

#include "base/files.h"

enum { LIST_BYTES_MAX = 4 << 20, OTHERS_WRITE = 022 };

struct fsh_allowed {
    char path[FSH_PATH_BYTES];
    fsh_key *keys; /* sorted */
    uint32_t n;
    struct stat read; /* the file as it was read; zero: never */
    bool broken;
};

bool
fsh_key_is_valid(const char *text)
{
    uint8_t key[FSH_KEY_LETTERS / 5 * 4];

    return strlen(text) == FSH_KEY_LETTERS && zmq_z85_decode(key, text) != NULL;
}

static int
compare(const void *a, const void *b)
{
    return strcmp(((const fsh_key *)a)->letters, ((const fsh_key *)b)->letters);
}

/* ---- reading ---- */

/* The key of a line, which ends with a zero byte. False: the line is none. */
static bool
take_line(const char *line, fsh_key *key)
{
    size_t n = strcspn(line, " \t\r");

    if (n != FSH_KEY_LETTERS)
        return false;
    memcpy(key->letters, line, n);
    key->letters[n] = '\0';
    return fsh_key_is_valid(key->letters);
}

/* No key begins with #, the last letter of the alphabet: that would be a number of more than 32 bits. */
static bool
says_nothing(const char *line)
{
    return line[strspn(line, " \t\r")] == '\0' || line[0] == '#';
}

static fsh_status
take_lines(const char *path, char *text, fsh_key *keys, uint32_t *n, fsh_err *err)
{
    uint32_t number = 0;
    char *line;

    while ((line = strsep(&text, "\n"))) {
        number++;
        if (says_nothing(line))
            continue;
        if (!take_line(line, &keys[*n]))
            return fsh_fail(err, FSH_FORMAT,
                            "%s, line %u: expected the 40 letters of a key and a name, or a comment "
                            "that begins with #",
                            path, number);
        ++*n;
    }
    return FSH_OK;
}

static fsh_status
parse(fsh_allowed *allowed, char *text, size_t bytes, fsh_err *err)
{
    fsh_key *keys = calloc(bytes / FSH_KEY_LETTERS + 1, sizeof *keys);
    uint32_t n = 0;
    fsh_status status = keys ? FSH_OK : fsh_fail(err, FSH_MEMORY, "%s: no memory", allowed->path);

    if (!status && strlen(text) != bytes)
        status = fsh_fail(err, FSH_FORMAT, "%s: not a text file", allowed->path);
    if (!status)
        status = take_lines(allowed->path, text, keys, &n, err);
    if (status) {
        free(keys);
        return status;
    }
    qsort(keys, n, sizeof *keys, compare);
    free(allowed->keys);
    allowed->keys = keys;
    allowed->n = n;
    return FSH_OK;
}

static fsh_status
read_list(fsh_allowed *allowed, fsh_err *err)
{
    uint8_t *data;
    size_t bytes;
    fsh_status status = fsh_file_read(allowed->path, LIST_BYTES_MAX, &data, &bytes, err);

    if (status)
        return status;
    status = parse(allowed, (char *)data, bytes, err);
    free(data);
    return status;
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mode == b->st_mode &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static fsh_status
refresh(fsh_allowed *allowed, fsh_err *err)
{
    struct stat now;

    if (stat(allowed->path, &now) != 0)
        return fsh_fail_errno(err, errno, "%s: cannot be read", allowed->path);
    if (now.st_mode & OTHERS_WRITE)
        return fsh_fail(err, FSH_USAGE,
                        "%s: others may write into it, and so let in whom they like; run: chmod "
                        "go-w '%s'",
                        allowed->path, allowed->path);
    if (is_same(&now, &allowed->read))
        return allowed->broken ? fsh_fail(err, FSH_FORMAT, "%s: not yet mended", allowed->path)
                               : FSH_OK;
    allowed->read = now;
    return read_list(allowed, err);
}

fsh_status
fsh_allowed_refresh(fsh_allowed *allowed, fsh_err *err)
{
    fsh_status status = refresh(allowed, err);

    allowed->broken = status != FSH_OK;
    return status;
}

fsh_status
fsh_allowed_open(const char *path, fsh_allowed **allowed, fsh_err *err)
{
    fsh_allowed *opened = calloc(1, sizeof *opened);
    fsh_status status;

    if (!opened)
        return fsh_fail(err, FSH_MEMORY, "%s: no memory", path);
    status = fsh_path_join(opened->path, "", path, err);
    if (!status)
        status = fsh_allowed_refresh(opened, err);
    if (status)
        fsh_allowed_close(&opened);
    else
        *allowed = opened;
    return status;
}

void
fsh_allowed_close(fsh_allowed **allowed)
{
    if (*allowed)
        free((*allowed)->keys);
    free(*allowed);
    *allowed = NULL;
}

/* ---- asking ---- */

bool
fsh_allowed_has(const fsh_allowed *allowed, const char *key)
{
    fsh_key wanted = {""};

    if (strlen(key) != FSH_KEY_LETTERS)
        return false;
    strcpy(wanted.letters, key);
    return allowed->n && bsearch(&wanted, allowed->keys, allowed->n, sizeof wanted, compare);
}

bool
fsh_allowed_has_new(const fsh_allowed *allowed, const char *key)
{
    return !allowed->broken && fsh_allowed_has(allowed, key);
}

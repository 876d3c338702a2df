#include "base/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

fsh_status
fsh_path_join(char out[FSH_PATH_BYTES], const char *folder, const char *name, fsh_err *err)
{
    size_t n = strlen(folder);
    const char *slash = n && folder[n - 1] == '/' ? "" : "/";
    int bytes = snprintf(out, FSH_PATH_BYTES, "%s%s%s", folder, n ? slash : "", name);

    if (bytes < 0 || bytes >= FSH_PATH_BYTES)
        return fsh_fail(err, FSH_USAGE, "%.80s.../%.80s: path longer than %d bytes", folder, name,
                        FSH_PATH_BYTES - 1);
    return FSH_OK;
}

const char *
fsh_path_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

bool
fsh_file_exists(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0;
}

/* Where a signal comes in between, opening and flushing are begun again; a close that says so has
 * closed. */
static int
open_again(const char *path, int flags, mode_t mode)
{
    int fd;

    do
        fd = open(path, flags, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

fsh_status
fsh_file_open(const char *path, int *fd, fsh_err *err)
{
    int opened = open_again(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    if (opened < 0)
        return fsh_fail_errno(err, errno, "%s: cannot be opened", path);
    *fd = opened;
    return FSH_OK;
}

static int
sync_again(int fd)
{
    int failed;

    do
        failed = fsync(fd) != 0 ? errno : 0;
    while (failed == EINTR);
    return failed;
}

static fsh_status
make_one_folder(const char *path, fsh_err *err)
{
    struct stat info;

    if (mkdir(path, 0777) == 0)
        return FSH_OK;
    if (errno == EEXIST && stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return FSH_OK;
    return fsh_fail_errno(err, errno == EEXIST ? ENOTDIR : errno, "%s: folder cannot be made", path);
}

fsh_status
fsh_folder_make(const char *path, fsh_err *err)
{
    char prefix[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(prefix, "", path, err);
    char *slash = prefix;

    while (!status && (slash = strchr(slash + 1, '/'))) {
        *slash = '\0';
        status = make_one_folder(prefix, err);
        *slash = '/';
    }
    return status ? status : make_one_folder(prefix, err);
}

fsh_status
fsh_folder_make_temporary(char folder[FSH_PATH_BYTES], fsh_err *err)
{
    const char *base = getenv("TMPDIR");
    fsh_status status = fsh_path_join(folder, base && base[0] ? base : "/tmp", "faceshard-XXXXXX", err);

    if (!status && !mkdtemp(folder))
        status = fsh_fail_errno(err, errno, "%s: no temporary folder can be made: set TMPDIR", folder);
    if (status)
        folder[0] = '\0';
    return status;
}

static int
remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

fsh_status
fsh_folder_remove(const char *path, fsh_err *err)
{
    enum { FOLDERS_OPEN = 16 };

    if (nftw(path, remove_entry, FOLDERS_OPEN, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        return fsh_fail_errno(err, errno, "%s: cannot be removed", path);
    return FSH_OK;
}

/* Reads until the end, not until a told size: files in /proc have none, and others may grow. */
static fsh_status
read_all(int fd, const char *path, size_t limit, uint8_t **data, size_t *bytes, fsh_err *err)
{
    size_t used = 0, capacity = 1 << 16;
    uint8_t *buffer = malloc(capacity);
    ssize_t got = 1;

    while (buffer && got > 0) {
        uint8_t *grown = buffer;

        if (used + 1 == capacity)
            grown = realloc(buffer, capacity *= 2);
        if (!grown) {
            free(buffer);
            buffer = NULL;
            break;
        }
        buffer = grown;
        got = read(fd, buffer + used, capacity - used - 1);
        if (got > 0 && (used += (size_t)got) > limit) {
            free(buffer);
            return fsh_fail(err, FSH_FORMAT, "%s: larger than %zu bytes", path, limit);
        }
    }
    if (!buffer)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", path);
    if (got < 0) {
        free(buffer);
        return fsh_fail_errno(err, errno, "%s: cannot be read", path);
    }
    buffer[used] = 0;
    *data = buffer;
    *bytes = used;
    return FSH_OK;
}

fsh_status
fsh_file_read(const char *path, size_t limit, uint8_t **data, size_t *bytes, fsh_err *err)
{
    fsh_status status;
    int fd = open_again(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);

    if (fd < 0)
        return fsh_fail_errno(err, errno, "%s: cannot be opened", path);
    status = read_all(fd, path, limit, data, bytes, err);
    close(fd);
    return status;
}

static fsh_status
write_all(int fd, const char *path, const uint8_t *data, size_t bytes, fsh_err *err)
{
    while (bytes > 0) {
        ssize_t put = write(fd, data, bytes);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return fsh_fail_errno(err, errno, "%s: cannot be written", path);
        data += put;
        bytes -= (size_t)put;
    }
    return FSH_OK;
}

static fsh_status
write_file(const char *path, const void *data, size_t bytes, mode_t mode, fsh_err *err)
{
    char temporary[FSH_PATH_BYTES];
    int length = snprintf(temporary, sizeof temporary, "%s.%ld.tmp", path, (long)getpid());
    fsh_status status;
    int fd;

    if (length < 0 || length >= (int)sizeof temporary)
        return fsh_fail(err, FSH_USAGE, "%.80s...: path too long", path);
    fd = open_again(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return fsh_fail_errno(err, errno, "%s: cannot be made", temporary);
    status = write_all(fd, path, data, bytes, err);
    if (close(fd) != 0 && errno != EINTR && !status)
        status = fsh_fail_errno(err, errno, "%s: cannot be written", path);
    if (!status)
        status = fsh_file_commit(temporary, path, err);
    if (status)
        unlink(temporary);
    return status;
}

fsh_status
fsh_file_write(const char *path, const void *data, size_t bytes, fsh_err *err)
{
    return write_file(path, data, bytes, 0666, err);
}

fsh_status
fsh_file_write_private(const char *path, const void *data, size_t bytes, fsh_err *err)
{
    return write_file(path, data, bytes, 0600, err);
}

fsh_status
fsh_file_write_text(const char *folder, const char *name, const fsh_text *text, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(path, folder, name, err);

    if (!status && !fsh_text_ok(text))
        status = fsh_fail(err, FSH_MEMORY, "out of memory");
    return status ? status : fsh_file_write(path, fsh_text_get(text), text->bytes, err);
}

fsh_status
fsh_file_sync(const char *path, fsh_err *err)
{
    int fd = open_again(path, O_RDONLY | O_CLOEXEC, 0), failed;

    if (fd < 0)
        return fsh_fail_errno(err, errno, "%s: cannot be opened", path);
    failed = sync_again(fd);
    close(fd);
    /* Some file systems refuse to flush a folder; the rename is then as safe as they make it. */
    if (failed && failed != EINVAL)
        return fsh_fail_errno(err, failed, "%s: cannot be flushed to disk", path);
    return FSH_OK;
}

static fsh_status
sync_folder_of(const char *path, fsh_err *err)
{
    char folder[FSH_PATH_BYTES];
    size_t n = (size_t)(fsh_path_name(path) - path);

    snprintf(folder, sizeof folder, "%.*s", n ? (int)n : 1, n ? path : ".");
    return fsh_file_sync(folder, err);
}

fsh_status
fsh_file_commit(const char *temporary, const char *final, fsh_err *err)
{
    fsh_status status = fsh_file_sync(temporary, err);

    if (status)
        return status;
    if (rename(temporary, final) != 0)
        return fsh_fail_errno(err, errno, "%s: cannot be renamed to %s", temporary, final);
    return sync_folder_of(final, err);
}

static bool
begins_and_ends(const char *name, const char *prefix, const char *suffix)
{
    size_t n = strlen(name), p = strlen(prefix), s = strlen(suffix);

    return n >= p + s && memcmp(name, prefix, p) == 0 && memcmp(name + n - s, suffix, s) == 0;
}

/* What time it is where the folder lies, whose clock may differ from ours; ours where it cannot be written to. */
static time_t
folder_now(int folder)
{
    static const char name[] = ".clock.tmp";
    struct stat info;
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    time_t now = time(NULL);

    if (fd >= 0) {
        if (futimens(fd, NULL) == 0 && fstat(fd, &info) == 0)
            now = info.st_mtime;
        close(fd);
        unlinkat(folder, name, 0);
    }
    return now;
}

static bool
is_idle(int folder, const char *name, time_t before)
{
    struct stat info;

    return fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && info.st_mtime <= before;
}

fsh_status
fsh_folder_sweep_idle(const char *folder, const char *prefix, const char *suffix, uint32_t idle_s,
                      uint32_t *removed, fsh_err *err)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    time_t before = 0;
    uint32_t n = 0;

    if (!dir)
        return fsh_fail_errno(err, errno, "%s: cannot be listed", folder);
    while ((entry = readdir(dir))) {
        if (!begins_and_ends(entry->d_name, prefix, suffix))
            continue;
        if (idle_s && !before)
            before = folder_now(dirfd(dir)) - (time_t)idle_s;
        if (!idle_s || is_idle(dirfd(dir), entry->d_name, before))
            n += unlinkat(dirfd(dir), entry->d_name, 0) == 0;
    }
    closedir(dir);
    if (removed)
        *removed = n;
    return FSH_OK;
}

fsh_status
fsh_folder_sweep(const char *folder, const char *prefix, const char *suffix, uint32_t *removed, fsh_err *err)
{
    return fsh_folder_sweep_idle(folder, prefix, suffix, 0, removed, err);
}

static int
not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Byte order, whatever the locale. */
static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

fsh_status
fsh_folder_each(const char *folder, fsh_folder_visitor *each, void *self, fsh_err *err)
{
    struct dirent **entries = NULL;
    fsh_status status = FSH_OK;
    int i, n = scandir(folder, &entries, not_hidden, by_bytes);

    if (n < 0 && errno == ENOENT)
        return FSH_OK;
    if (n < 0)
        return fsh_fail_errno(err, errno, "%s: cannot be listed", folder);
    for (i = 0; i < n; i++) {
        if (!status)
            status = each(self, folder, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    return status;
}

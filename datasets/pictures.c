/* Files that hold pictures: which names they have, and how their bytes are had. */
#include "datasets/pictures.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

bool
fsh_picture_has_name(const char *name)
{
    static const char *const endings[] = {"jpg", "jpeg", "png", "bmp", "webp", "tif", "tiff"};
    const char *dot = strrchr(name, '.');
    size_t i;

    for (i = 0; dot && i < sizeof endings / sizeof endings[0]; i++)
        if (strcasecmp(dot + 1, endings[i]) == 0)
            return true;
    return false;
}

static bool
is_folder(DIR *dir, const struct dirent *entry)
{
    struct stat info;

    if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(dirfd(dir), entry->d_name, &info, 0) == 0 && S_ISDIR(info.st_mode);
}

fsh_picture_census
fsh_picture_count(const char *folder)
{
    fsh_picture_census census = {false, false};
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir && (entry = readdir(dir)) && !(census.pictures && census.folders)) {
        if (entry->d_name[0] == '.')
            continue;
        if (is_folder(dir, entry))
            census.folders = true;
        else if (fsh_picture_has_name(entry->d_name))
            census.pictures = true;
    }
    if (dir)
        closedir(dir);
    return census;
}

/* Why a file cannot be had, from the errno value of stat or open. The file system itself failing
 * (the whole input gone, no descriptors) is not the sample's fault. */
static fsh_status
reason_of_errno(const char *input, const char *path, int errno_value, fsh_reason *reason,
                fsh_err *err)
{
    struct stat info;

    switch (errno_value) {
    case EMFILE:
    case ENFILE:
    case ENOMEM: return fsh_fail_errno(err, errno_value, "%s: cannot be opened", path);
    case ENOENT:
    case ENOTDIR:
    case ESTALE:
        if (stat(input, &info) != 0)
            return fsh_fail_errno(err, errno, "%s: input folder is gone", input);
        /* A link without a target is still there itself. */
        *reason = lstat(path, &info) == 0 ? FSH_REASON_UNREADABLE : FSH_REASON_VANISHED;
        return FSH_OK;
    default: *reason = FSH_REASON_UNREADABLE; return FSH_OK;
    }
}

/* Reads an open regular file; bytes that come after its size was asked are left. */
static fsh_status
read_file(int fd, const char *path, size_t size, uint8_t **data, size_t *bytes, fsh_reason *reason,
          fsh_err *err)
{
    uint8_t *buffer = malloc(size + 1);
    size_t used = 0;
    ssize_t got = 1;

    if (!buffer)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", path);
    while (used < size && got != 0) {
        got = read(fd, buffer + used, size - used);
        if (got < 0 && errno != EINTR)
            break;
        used += got > 0 ? (size_t)got : 0;
    }
    *reason = got < 0 && errno != EINTR ? FSH_REASON_UNREADABLE
              : used == 0               ? FSH_REASON_EMPTY
                                        : FSH_REASON_NONE;
    if (*reason) {
        free(buffer);
        return FSH_OK;
    }
    *data = buffer;
    *bytes = used;
    return FSH_OK;
}

/* A pipe or device is never opened: stat says what it is before. The file may change in between, so
 * the open one is asked again. */
fsh_status
fsh_picture_load(const char *input, const char *path, uint8_t **data, size_t *bytes,
                 fsh_reason *reason, fsh_err *err)
{
    struct stat info;
    int fd = -1;
    fsh_status status = FSH_OK;

    if (stat(path, &info) != 0)
        return reason_of_errno(input, path, errno, reason, err);
    if (S_ISREG(info.st_mode)) {
        fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &info) != 0)
            status = reason_of_errno(input, path, errno, reason, err);
    }
    if (!S_ISREG(info.st_mode))
        *reason = FSH_REASON_NOT_A_FILE;
    else if (fd >= 0 && info.st_size > FSH_PICTURE_BYTES_MAX)
        *reason = FSH_REASON_TOO_LARGE;
    else if (fd >= 0)
        status = read_file(fd, path, (size_t)info.st_size, data, bytes, reason, err);
    if (fd >= 0)
        close(fd);
    return status;
}

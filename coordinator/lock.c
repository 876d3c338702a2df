#include "coordinator/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "job/paths.h"

enum { HOST_BYTES = 256 };

struct fsh_lock {
    int file;
};

static fsh_status
tell_holder(int file, const char *path, fsh_err *err)
{
    char holder[HOST_BYTES + 64] = "";
    ssize_t n = pread(file, holder, sizeof holder - 1, 0);

    holder[n > 0 ? n : 0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
    return fsh_fail(err, FSH_BUSY,
                    "%s: another coordinator works on this output (%s); wait for it, or stop it",
                    path, holder[0] ? holder : "unknown process");
}

static fsh_status
write_holder(int file, const char *path, fsh_err *err)
{
    char host[HOST_BYTES] = "";
    int n;

    gethostname(host, sizeof host - 1);
    n = ftruncate(file, 0) == 0 ? dprintf(file, "process %ld on %s\n", (long)getpid(), host) : -1;
    return n > 0 ? FSH_OK : fsh_fail_errno(err, errno, "%s: cannot be written", path);
}

/* A POSIX lock: gone with the process however it ends, and it works over NFS. */
static fsh_status
lock_file(int *file, const char *path, fsh_err *err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    fsh_status status = fsh_file_open(path, file, err);

    if (status)
        return status;
    if (fcntl(*file, F_SETLK, &whole) == 0)
        return write_holder(*file, path, err);
    if (errno == EACCES || errno == EAGAIN)
        return tell_holder(*file, path, err);
    return fsh_fail_errno(err, errno, "%s: cannot be locked", path);
}

fsh_status
fsh_lock_take(const char *output, fsh_lock **lock, fsh_err *err)
{
    char folder[FSH_PATH_BYTES], path[FSH_PATH_BYTES];
    fsh_lock taken = {-1}, *made = malloc(sizeof *made);
    fsh_status status = made ? FSH_OK : fsh_fail(err, FSH_MEMORY, "no memory for a lock");

    if (!status)
        status = fsh_path_join(folder, output, FSH_PATH_STATE, err);
    if (!status)
        status = fsh_folder_make(folder, err);
    if (!status)
        status = fsh_path_join(path, output, FSH_PATH_LOCK, err);
    if (!status)
        status = lock_file(&taken.file, path, err);
    if (status) {
        if (taken.file >= 0)
            close(taken.file);
        free(made);
        return status;
    }
    *made = taken;
    *lock = made;
    return FSH_OK;
}

bool
fsh_lock_is_held(const char *output)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char path[FSH_PATH_BYTES];
    int file = fsh_path_join(path, output, FSH_PATH_LOCK, NULL) ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    bool held = file >= 0 && fcntl(file, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;

    if (file >= 0)
        close(file);
    return held;
}

void
fsh_lock_release(fsh_lock **lock)
{
    if (!*lock)
        return;
    close((*lock)->file);
    free(*lock);
    *lock = NULL;
}

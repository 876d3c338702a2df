/* Put before libc with LD_PRELOAD by tests/faults_test.py: counts the system calls that change
 * files below one folder, over all processes of a command, and lets one of them fail.
 *
 *     FAULT_FOLDER   where calls count
 *     FAULT_COUNT    file of 8 bytes that holds the count
 *     FAULT_AT       the call that fails, from 1; 0: none, only count
 *     FAULT_ERRNO    with what; 0: the process is killed instead
 *     FAULT_LOG      file that gets a line with the call that failed */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FILES_MAX = 1024 };

static char names[FILES_MAX][256]; /* of open files below the folder; "" for others */
static char written[FILES_MAX]; /* may be written to: closing a file that was read loses nothing */

static void *
real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static _Atomic unsigned long long *
shared_count(void)
{
    static _Atomic unsigned long long *count;
    const char *path = getenv("FAULT_COUNT");
    int (*open_)(const char *, int, ...) = real("open");
    int file = path && !count ? open_(path, O_RDWR | O_CLOEXEC) : -1;

    if (file >= 0) {
        void *found = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

        count = found == MAP_FAILED ? NULL : found;
        ((int (*)(int))real("close"))(file);
    }
    return count;
}

static void
write_log(const char *call, const char *path, unsigned long long number)
{
    int (*open_)(const char *, int, ...) = real("open");
    const char *log = getenv("FAULT_LOG");
    int file = log ? open_(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;

    if (file < 0)
        return;
    dprintf(file, "%llu %s %s\n", number, call, path);
    ((int (*)(int))real("close"))(file);
}

/* True: this call is the one, and errno is set. */
static int
strikes(const char *call, const char *path)
{
    const char *at = getenv("FAULT_AT"), *with = getenv("FAULT_ERRNO");
    _Atomic unsigned long long *count = shared_count();
    unsigned long long number = count ? atomic_fetch_add(count, 1) + 1 : 0;

    if (!count || !at || number != strtoull(at, NULL, 10))
        return 0;
    write_log(call, path, number);
    if (!with || atoi(with) == 0)
        kill(getpid(), SIGKILL);
    errno = with ? atoi(with) : EIO;
    return 1;
}

static int
counts(const char *path)
{
    const char *folder = getenv("FAULT_FOLDER");

    return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static void
remember(int file, const char *path, int flags)
{
    if (file < 0 || file >= FILES_MAX)
        return;
    snprintf(names[file], sizeof names[file], "%s", counts(path) ? path : "");
    written[file] = (flags & (O_WRONLY | O_RDWR)) != 0;
}

static const char *
name_of(int file)
{
    return file >= 0 && file < FILES_MAX && names[file][0] ? names[file] : NULL;
}

static int
open_one(const char *as, const char *path, int flags, mode_t mode)
{
    int (*open_)(const char *, int, ...) = real(as);
    int file;

    if (counts(path) && (flags & (O_WRONLY | O_RDWR | O_CREAT | O_DIRECTORY)) &&
        strikes("open", path))
        return -1;
    file = open_(path, flags, mode);
    remember(file, path, flags);
    return file;
}

#define OPENER(name)                                                                               \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list more;                                                                              \
        mode_t mode;                                                                               \
                                                                                                   \
        va_start(more, flags);                                                                     \
        mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;                           \
        va_end(more);                                                                              \
        return open_one(#name, path, flags, mode);                                                 \
    }
OPENER(open)
OPENER(open64)

#define ON_FILE(type, name, parameters, arguments)                                                 \
    type name parameters                                                                           \
    {                                                                                              \
        const char *path = name_of(file);                                                          \
                                                                                                   \
        if (path && strikes(#name, path))                                                          \
            return -1;                                                                             \
        return ((type(*) parameters)real(#name))arguments;                                         \
    }
ON_FILE(ssize_t, write, (int file, const void *data, size_t bytes), (file, data, bytes))
ON_FILE(ssize_t, pwrite, (int file, const void *data, size_t bytes, off_t at),
        (file, data, bytes, at))
ON_FILE(ssize_t, pwrite64, (int file, const void *data, size_t bytes, off64_t at),
        (file, data, bytes, at))
ON_FILE(int, fsync, (int file), (file))
ON_FILE(int, fdatasync, (int file), (file))
ON_FILE(int, ftruncate, (int file, off_t bytes), (file, bytes))
ON_FILE(int, ftruncate64, (int file, off64_t bytes), (file, bytes))

/* A close that fails has closed. */
int
close(int file)
{
    const char *path = name_of(file);
    char kept[256];
    int failed, counted = path && written[file];

    snprintf(kept, sizeof kept, "%s", path ? path : "");
    remember(file, NULL, 0);
    failed = counted && strikes("close", kept) ? errno : 0;
    if (((int (*)(int))real("close"))(file) != 0)
        return -1;
    if (failed)
        errno = failed;
    return failed ? -1 : 0;
}

int
rename(const char *from, const char *to)
{
    if (counts(to) && strikes("rename", to))
        return -1;
    return ((int (*)(const char *, const char *))real("rename"))(from, to);
}

int
mkdir(const char *path, mode_t mode)
{
    struct stat there;

    if (counts(path) && stat(path, &there) != 0 && strikes("mkdir", path))
        return -1;
    return ((int (*)(const char *, mode_t))real("mkdir"))(path, mode);
}

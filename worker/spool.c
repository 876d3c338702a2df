/* A lock on the folder itself tells that its worker lives; it goes with the process, however that
 * ends. */
#include "worker/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/paths.h"

#define NAME "faceshard-spool-"

enum {
    FOLDER_BYTES = 480, /* the output of a job, which it stands for, is no longer */
    TRIES = 20,
    PAUSE_US = 10000
};

struct fsh_spool {
    char folder[FOLDER_BYTES];
    int lock;
};

static int
remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info, (void)kind, (void)where;
    return remove(path) != 0 && errno != ENOENT;
}

static bool
remove_tree(const char *folder)
{
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0;
}

/* The lock of a folder that nobody holds and that is still there; -1 otherwise. */
static int
lock_folder(const char *folder)
{
    struct stat info;
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (file < 0)
        return -1;
    if (flock(file, LOCK_EX | LOCK_NB) == 0 && fstat(file, &info) == 0 && info.st_nlink > 0 &&
        info.st_uid == geteuid())
        return file;
    close(file);
    return -1;
}

static void
sweep(const char *place)
{
    DIR *dir = opendir(place);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        char folder[FSH_PATH_BYTES];
        int lock;

        if (strncmp(entry->d_name, NAME, strlen(NAME)) != 0 ||
            fsh_path_join(folder, place, entry->d_name, NULL))
            continue;
        lock = lock_folder(folder);
        if (lock < 0)
            continue;
        remove_tree(folder);
        close(lock);
    }
    if (dir)
        closedir(dir);
}

/* Another worker that sweeps may see the folder before it is locked, and take it for a left-over:
 * then there is a next one. */
static fsh_status
make_folder(fsh_spool *spool, const char *place, fsh_err *err)
{
    char shards[FSH_PATH_BYTES];
    int i;

    for (i = 0; i < TRIES; i++) {
        snprintf(spool->folder, sizeof spool->folder, "%s/" NAME "XXXXXX", place);
        if (!mkdtemp(spool->folder))
            return fsh_fail_errno(
                err, errno,
                "%s: no folder for this worker's spool can be made there; --spool "
                "names another place",
                place);
        spool->lock = lock_folder(spool->folder);
        if (spool->lock >= 0) {
            fsh_status status = fsh_path_join(shards, spool->folder, FSH_PATH_SHARDS, err);

            return status ? status : fsh_folder_make(shards, err);
        }
    }
    return fsh_fail(err, FSH_IO, "%s: folders cannot be locked there; --spool names another place",
                    place);
}

fsh_status
fsh_spool_open(const char *place, fsh_spool **spool, fsh_err *err)
{
    const char *base = place ? place : getenv("TMPDIR");
    fsh_spool *opened;
    fsh_status status;

    if (!base || !base[0])
        base = "/tmp";
    if (strlen(base) + sizeof "/" NAME "XXXXXX" > FOLDER_BYTES)
        return fsh_fail(err, FSH_USAGE, "%.80s...: path too long for a spool", base);
    opened = calloc(1, sizeof *opened);
    if (!opened)
        return fsh_fail(err, FSH_MEMORY, "no memory for a spool");
    opened->lock = -1;
    sweep(base);
    status = make_folder(opened, base, err);
    if (status)
        fsh_spool_close(&opened);
    else
        *spool = opened;
    return status;
}

/* A compute child that was just killed may be at its last write. */
void
fsh_spool_close(fsh_spool **spool)
{
    fsh_spool *closing = *spool;
    int i;

    *spool = NULL;
    if (!closing)
        return;
    for (i = 0; closing->lock >= 0 && i < TRIES && !remove_tree(closing->folder); i++)
        usleep(PAUSE_US);
    if (closing->lock >= 0)
        close(closing->lock);
    free(closing);
}

const char *
fsh_spool_folder(const fsh_spool *spool)
{
    return spool->folder;
}

void
fsh_spool_parcel(const fsh_spool *spool, uint32_t unit, uint64_t token, char path[FSH_PATH_BYTES])
{
    char hex[24];

    snprintf(hex, sizeof hex, "%" PRIx64, token);
    snprintf(path, FSH_PATH_BYTES, "%s/" FSH_PATH_PARCEL, spool->folder, unit, hex);
}

void
fsh_spool_shard(const fsh_spool *spool, uint32_t unit, char path[FSH_PATH_BYTES])
{
    snprintf(path, FSH_PATH_BYTES, "%s/" FSH_PATH_SHARD, spool->folder, unit);
}

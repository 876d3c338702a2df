#include "base/store_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

typedef struct disk_file {
    H5FD_t base; /* HDF5 wants it first */
    int fd;
    haddr_t allocated; /* bytes that HDF5 has given out */
    haddr_t end;       /* bytes that the file has */
    int *write_errno;
} disk_file;

typedef struct disk_info {
    int *write_errno;
} disk_info;

static void
remember(disk_file *file)
{
    if (!*file->write_errno)
        *file->write_errno = errno ? errno : EIO;
}

static H5FD_t *
disk_open(const char *name, unsigned flags, hid_t access, haddr_t limit)
{
    const disk_info *info = H5Pget_driver_info(access);
    disk_file *file = calloc(1, sizeof *file);
    int how = O_RDWR | O_CLOEXEC | (flags & H5F_ACC_TRUNC ? O_TRUNC : 0) |
              (flags & H5F_ACC_CREAT ? O_CREAT : 0);

    (void)limit;
    if (!file || !info)
        goto failed;
    file->write_errno = info->write_errno;
    do
        file->fd = open(name, how, 0666);
    while (file->fd < 0 && errno == EINTR);
    /* HDF5 tries first whether the file is there: only the last try counts. */
    *file->write_errno = file->fd < 0 ? errno : 0;
    if (file->fd >= 0)
        return &file->base;
failed:
    free(file);
    return NULL;
}

static herr_t
disk_close(H5FD_t *base)
{
    disk_file *file = (disk_file *)base;

    if (close(file->fd) != 0 && errno != EINTR) /* then it is closed all the same */
        remember(file);
    free(file);
    return 0;
}

static int
disk_compare(const H5FD_t *a, const H5FD_t *b)
{
    int fd_a = ((const disk_file *)a)->fd, fd_b = ((const disk_file *)b)->fd;

    return (fd_a > fd_b) - (fd_a < fd_b);
}

static herr_t
disk_query(const H5FD_t *base, unsigned long *flags)
{
    (void)base;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t
disk_get_allocated(const H5FD_t *base, H5FD_mem_t type)
{
    (void)type;
    return ((const disk_file *)base)->allocated;
}

static herr_t
disk_set_allocated(H5FD_t *base, H5FD_mem_t type, haddr_t allocated)
{
    (void)type;
    ((disk_file *)base)->allocated = allocated;
    return 0;
}

static haddr_t
disk_get_end(const H5FD_t *base, H5FD_mem_t type)
{
    (void)type;
    return ((const disk_file *)base)->end;
}

/* What was never written reads as zeros. */
static herr_t
disk_read(H5FD_t *base, H5FD_mem_t type, hid_t list, haddr_t at, size_t bytes, void *to)
{
    disk_file *file = (disk_file *)base;
    size_t done = 0;

    (void)type;
    (void)list;
    while (done < bytes) {
        ssize_t got = pread(file->fd, (char *)to + done, bytes - done, (off_t)(at + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    memset((char *)to + done, 0, bytes - done);
    return 0;
}

static herr_t
disk_write(H5FD_t *base, H5FD_mem_t type, hid_t list, haddr_t at, size_t bytes, const void *from)
{
    disk_file *file = (disk_file *)base;
    size_t done = 0;

    (void)type;
    (void)list;
    while (done < bytes && !*file->write_errno) {
        ssize_t put = pwrite(file->fd, (const char *)from + done, bytes - done, (off_t)(at + done));

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            remember(file);
        else
            done += (size_t)put;
    }
    if (at + bytes > file->end)
        file->end = at + bytes;
    return 0;
}

static herr_t
disk_truncate(H5FD_t *base, hid_t list, hbool_t closing)
{
    disk_file *file = (disk_file *)base;

    (void)list;
    (void)closing;
    if (file->end == file->allocated)
        return 0;
    while (!*file->write_errno && ftruncate(file->fd, (off_t)file->allocated) != 0)
        if (errno != EINTR)
            remember(file);
    file->end = file->allocated;
    return 0;
}

static const H5FD_class_t disk_driver = {
    .name = "faceshard",
    .maxaddr = ((haddr_t)1 << 62) - 1,
    .fc_degree = H5F_CLOSE_WEAK,
    .fapl_size = sizeof(disk_info),
    .open = disk_open,
    .close = disk_close,
    .cmp = disk_compare,
    .query = disk_query,
    .get_eoa = disk_get_allocated,
    .set_eoa = disk_set_allocated,
    .get_eof = disk_get_end,
    .read = disk_read,
    .write = disk_write,
    .truncate = disk_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

hid_t
fsh_store_disk_use(hid_t access, int *write_errno)
{
    disk_info info = {write_errno};
    hid_t driver = H5FDregister(&disk_driver);

    if (driver >= 0 && H5Pset_driver(access, driver, &info) < 0) {
        H5FDunregister(driver);
        return H5I_INVALID_HID;
    }
    return driver;
}

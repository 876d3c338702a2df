#include "datasets/window.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

fsh_status
fsh_window_open(fsh_window *window, const char *path, size_t room, fsh_err *err)
{
    struct stat info;

    *window = (fsh_window){.path = path, .room = room, .file = -1};
    if (stat(path, &info) != 0)
        return fsh_fail_errno(err, errno, "%s: cannot be opened", path);
    if (!S_ISREG(info.st_mode)) /* a pipe is not even opened */
        return fsh_fail(err, FSH_IO, "%s: is no regular file", path);
    window->file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (window->file < 0 || fstat(window->file, &info) != 0)
        return fsh_fail_errno(err, errno, "%s: cannot be opened", path);
    window->size = (uint64_t)info.st_size;
    if (room >= FSH_WINDOW_SCAN) /* the system reads further ahead */
        posix_fadvise(window->file, 0, 0, POSIX_FADV_SEQUENTIAL);
    window->room =
        window->size < room ? (size_t)window->size + 1 : room; /* a small file needs no more */
    if (!(window->data = malloc(window->room)))
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", path);
    return FSH_OK;
}

void
fsh_window_close(fsh_window *window)
{
    if (window->data || window->file > 0)
        close(window->file);
    free(window->data);
    *window = (fsh_window){.file = -1};
}

/* Fills the window from its place on. */
static fsh_status
fill(fsh_window *w, fsh_err *err)
{
    ssize_t got = 1;

    w->n = 0;
    while (w->n < w->room && got != 0) {
        got = pread(w->file, w->data + w->n, w->room - w->n, (off_t)(w->at + w->n));
        if (got < 0 && errno != EINTR)
            return fsh_fail_errno(err, errno, "%s: cannot be read at byte %llu", w->path,
                                  (unsigned long long)(w->at + w->n));
        w->n += got > 0 ? (size_t)got : 0;
    }
    return FSH_OK;
}

fsh_status
fsh_window_get(fsh_window *w, uint64_t at, size_t wanted, const uint8_t **data, size_t *n,
               fsh_err *err)
{
    uint64_t left = at < w->size ? w->size - at : 0;
    fsh_status status = FSH_OK;

    *data = w->data;
    *n = 0;
    wanted = left < wanted ? (size_t)left : wanted;
    if (wanted == 0)
        return FSH_OK;
    if (at < w->at || at + wanted > w->at + w->n) {
        w->at = at;
        if ((status = fill(w, err)))
            return status;
    }
    *data = w->data + (at - w->at);
    *n = w->n - (size_t)(at - w->at);
    *n = *n < wanted ? *n : wanted; /* less where the file has shrunk meanwhile */
    return FSH_OK;
}

fsh_status
fsh_window_find(fsh_window *w, uint64_t at, uint8_t byte, uint64_t *found, fsh_err *err)
{
    const uint8_t *data, *hit;
    size_t n = 0;
    fsh_status status = FSH_OK;

    for (; at < w->size; at += n) {
        /* what is left of the window, or a new one */
        size_t here = at >= w->at && at < w->at + w->n ? (size_t)(w->at + w->n - at) : w->room;

        if ((status = fsh_window_get(w, at, here, &data, &n, err)))
            return status;
        hit = n ? memchr(data, byte, n) : NULL;
        if (hit || n == 0) {
            *found = hit ? at + (uint64_t)(hit - data) : w->size;
            return FSH_OK;
        }
    }
    *found = w->size;
    return FSH_OK;
}

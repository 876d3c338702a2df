#include "door/tape.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/files.h"
#include "door/video.h"
#include "stages/vision/decode.h"

/* Left on the disk for what is more important than pictures; looked at so often. */
enum { SPARE_BYTES = 16 << 20, LOOK_EVERY = 25 };

/* Frames a second of the tape of a live source; a pause of it is not longer than this on tape. */
static const double live_rate = 10, longest_gap_s = 10;

struct fsh_tape {
    char path[FSH_PATH_BYTES];
    const fsh_video_backend *backend;
    void *writer; /* NULL before the first frame */
    double rate, began_s;
    bool live;
    int32_t width, height;
    uint64_t written;
    fsh_image fitted;
};

static bool
is_writable(const char *path)
{
    const char *dot = strrchr(fsh_path_name(path), '.');

    return dot && (!strcmp(dot, ".avi") || !strcmp(dot, ".mp4") || !strcmp(dot, ".mkv"));
}

fsh_status
fsh_tape_open(const char *path, double rate, bool live, fsh_tape **tape, fsh_err *err)
{
    fsh_tape *made = calloc(1, sizeof *made);
    fsh_status status = made ? FSH_OK : fsh_fail(err, FSH_MEMORY, "out of memory");
    int fd;

    if (!status && !is_writable(path))
        status =
            fsh_fail(err, FSH_USAGE, "--out %s: videos are written as .avi, .mp4 or .mkv", path);
    if (!status)
        status = fsh_path_join(made->path, "", path, err);
    if (!status)
        status = fsh_video_need(&made->backend, err);
    if (!status && (fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0)
        status = fsh_fail_errno(err, errno, "%s: cannot be made", path);
    else if (!status)
        close(fd);
    if (status) {
        free(made);
        return status;
    }
    made->rate = live ? live_rate : rate;
    made->live = live;
    *tape = made;
    return FSH_OK;
}

static fsh_status
begin(fsh_tape *tape, const fsh_image *image, double seconds, fsh_err *err)
{
    char text[200];

    tape->width = image->width;
    tape->height = image->height;
    tape->began_s = seconds;
    if (tape->backend->create(tape->path, tape->rate, image->width, image->height, &tape->writer,
                              text, sizeof text))
        return fsh_fail(err, FSH_IO, "%s: %s", tape->path, text);
    return FSH_OK;
}

static fsh_status
check_room(const fsh_tape *tape, fsh_err *err)
{
    struct statvfs disk;

    if (tape->written % LOOK_EVERY != 0 || statvfs(tape->path, &disk) != 0)
        return FSH_OK;
    if ((uint64_t)disk.f_bavail * disk.f_frsize >= SPARE_BYTES)
        return FSH_OK;
    return fsh_fail(
        err, FSH_FULL,
        "%s: there are less than %d MiB left on its disk; make room, or leave --out out",
        tape->path, SPARE_BYTES >> 20);
}

/* How often this frame is written, so that the tape keeps step with the clock. */
static uint64_t
copies(fsh_tape *tape, double seconds)
{
    double due = floor((seconds - tape->began_s) * tape->rate) + 1 - (double)tape->written;

    if (!tape->live)
        return 1;
    if (due > longest_gap_s * tape->rate) {
        tape->began_s += due / tape->rate - longest_gap_s;
        due = longest_gap_s * tape->rate;
    }
    return due > 0 ? (uint64_t)due : 0;
}

fsh_status
fsh_tape_add(fsh_tape *tape, const fsh_image *image, double seconds, fsh_err *err)
{
    fsh_status status = tape->writer ? FSH_OK : begin(tape, image, seconds, err);
    uint64_t n = copies(tape, seconds), i;
    char text[200];

    if (!status && (image->width != tape->width || image->height != tape->height)) {
        status = fsh_image_resize(image, tape->width, tape->height, &tape->fitted);
        if (status)
            return fsh_fail(err, status, "%s: a frame of another size cannot be fitted",
                            tape->path);
        image = &tape->fitted;
    }
    for (i = 0; i < n && !status; i++) {
        status = check_room(tape, err);
        if (!status && tape->backend->write(tape->writer, image, text, sizeof text))
            status = fsh_fail(err, FSH_IO, "%s: %s", tape->path, text);
        tape->written++;
    }
    return status;
}

void
fsh_tape_close(fsh_tape **tape)
{
    fsh_tape *of = *tape;

    if (!of)
        return;
    if (of->writer)
        of->backend->finish(of->writer);
    fsh_image_fini(&of->fitted);
    free(of);
    *tape = NULL;
}

#include "door/source.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/files.h"
#include "datasets/pictures.h"
#include "door/picture.h"
#include "door/video.h"

enum { NAP_MS = 50 };

static const double rate_unknown = 25;

struct fsh_source {
    fsh_source_options options;
    const fsh_video_backend *backend;
    void *video; /* NULL: a folder, or lost */
    fsh_video_facts facts;
    bool live;
    char **names; /* of the pictures of a folder, in order */
    uint32_t names_n, names_room, next;
    double last; /* seconds of the last frame */
    uint64_t number;
    atomic_ullong read, damaged, lost;
};

double
fsh_source_rate(const fsh_source *source)
{
    return source->facts.rate > 0 ? source->facts.rate : rate_unknown;
}

bool
fsh_source_is_live(const fsh_source *source)
{
    return source->live;
}

fsh_source_counts
fsh_source_counted(const fsh_source *source)
{
    return (fsh_source_counts){source->read, source->damaged, source->lost};
}

static bool
is_camera(const char *name)
{
    return name[0] && !name[strspn(name, "0123456789")] && strlen(name) < 6;
}

static bool
is_address(const char *name)
{
    return strstr(name, "://") != NULL;
}

static fsh_status
open_video(fsh_source *source, fsh_err *err)
{
    const char *name = source->options.name;
    bool camera = is_camera(name);
    char text[200];

    if (source->backend->open(camera ? NULL : name, camera ? atoi(name) : 0,
                              source->options.wait_ms, &source->video, &source->facts, text,
                              sizeof text) == 0)
        return FSH_OK;
    source->video = NULL;
    if (camera)
        return fsh_fail(err, FSH_IO,
                        "camera %s %s: is there a /dev/video%s, may you read it (group video), and "
                        "does nobody else use it?",
                        name, text, name);
    if (is_address(name))
        return fsh_fail(err, FSH_IO, "%s %s: is the address right, and does it answer?", name,
                        text);
    return fsh_fail(err, FSH_FORMAT, "%s is no video that FFmpeg can read", name);
}

static fsh_status
add_name(void *self, const char *folder, const char *name, fsh_err *err)
{
    fsh_source *source = self;
    char path[FSH_PATH_BYTES];
    fsh_status status =
        fsh_picture_has_name(name) ? fsh_path_join(path, folder, name, err) : FSH_OK;

    if (status || !fsh_picture_has_name(name))
        return status;
    if (source->names_n == source->names_room) {
        uint32_t room = source->names_room ? 2 * source->names_room : 64;
        char **grown = realloc(source->names, room * sizeof *grown);

        if (!grown)
            return fsh_fail(err, FSH_MEMORY, "out of memory");
        source->names = grown;
        source->names_room = room;
    }
    source->names[source->names_n] = strdup(path);
    if (!source->names[source->names_n])
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    source->names_n++;
    return FSH_OK;
}

/* frame9 before frame10. */
static int
by_number(const void *a, const void *b)
{
    return strverscmp(*(char *const *)a, *(char *const *)b);
}

static fsh_status
open_folder(fsh_source *source, fsh_err *err)
{
    fsh_status status = fsh_folder_each(source->options.name, add_name, source, err);

    if (status)
        return status;
    if (!source->names_n)
        return fsh_fail(err, FSH_FORMAT,
                        "%s has no pictures (.jpg, .png, ...): a folder is taken for the frames of "
                        "a video",
                        source->options.name);
    qsort(source->names, source->names_n, sizeof *source->names, by_number);
    source->facts.rate = source->options.rate;
    source->facts.frames = source->names_n;
    return FSH_OK;
}

static fsh_status
open_any(fsh_source *source, fsh_err *err)
{
    const char *name = source->options.name;
    struct stat info;
    fsh_status status;

    if (!is_camera(name) && !is_address(name)) {
        if (stat(name, &info) != 0)
            return fsh_fail_errno(err, errno,
                                  "%s: no camera number, no address with ://, and no file", name);
        if (S_ISDIR(info.st_mode))
            return open_folder(source, err);
    }
    status = fsh_video_need(&source->backend, err);
    if (!status)
        status = open_video(source, err);
    source->live = is_camera(name) || (is_address(name) && source->facts.frames == 0);
    return status;
}

fsh_status
fsh_source_open(const fsh_source_options *options, fsh_source **source, fsh_err *err)
{
    fsh_source *made = calloc(1, sizeof *made);
    fsh_status status;

    if (!made)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    made->options = *options;
    status = open_any(made, err);
    if (status)
        fsh_source_close(&made);
    else
        *source = made;
    return status;
}

void
fsh_source_close(fsh_source **source)
{
    fsh_source *of = *source;
    uint32_t i;

    if (!of)
        return;
    if (of->video)
        of->backend->close(of->video);
    for (i = 0; i < of->names_n; i++)
        free(of->names[i]);
    free(of->names);
    free(of);
    *source = NULL;
}

static void
tell(const fsh_source *source, const char *text)
{
    if (source->options.tell)
        source->options.tell(source->options.self, text);
}

/* False: stop. */
static bool
nap(const fsh_source *source, uint32_t ms)
{
    const struct timespec step = {0, NAP_MS * 1000000};
    uint32_t slept;

    for (slept = 0; slept < ms && !atomic_load(source->options.stop); slept += NAP_MS)
        nanosleep(&step, NULL);
    return !atomic_load(source->options.stop);
}

static double
clock_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The clock may be set back; the time of frames is not. */
static double
never_before(fsh_source *source, double seconds)
{
    if (seconds > source->last)
        source->last = seconds;
    return source->last;
}

/* Tries until the source is there again. */
static fsh_status
have_back(fsh_source *source, fsh_err *err)
{
    double since = clock_s();
    char text[FSH_PATH_BYTES + 100];

    source->backend->close(source->video);
    source->video = NULL;
    source->lost++;
    snprintf(text, sizeof text, "%s is lost: trying to have it back", source->options.name);
    tell(source, text);
    while (open_video(source, NULL))
        if (!nap(source, source->options.retry_ms))
            return fsh_fail(err, FSH_INTERRUPTED, "stopped");
    snprintf(text, sizeof text, "%s is back after %.0f s", source->options.name, clock_s() - since);
    tell(source, text);
    return FSH_OK;
}

/* A source that answers and has no frame is as good as lost: it is waited for between two tries. */
static fsh_status
read_live(fsh_source *source, fsh_image *image, double *seconds, fsh_err *err)
{
    fsh_status status = FSH_OK;
    bool again = false;

    while (!status && !atomic_load(source->options.stop)) {
        if (source->backend->read(source->video, image, seconds) == 0) {
            *seconds = never_before(source, clock_s());
            source->read++;
            return FSH_OK;
        }
        if (atomic_load(source->options.stop) || (again && !nap(source, source->options.retry_ms)))
            break;
        status = have_back(source, err);
        again = true;
    }
    return status ? status : fsh_fail(err, FSH_INTERRUPTED, "stopped");
}

/* Videos whose frames have no time of their own have that of their number. How many there are is an
 * estimate in some files. */
static fsh_status
read_video(fsh_source *source, fsh_image *image, double *seconds, fsh_err *err)
{
    char text[FSH_PATH_BYTES + 160];
    double own;

    if (source->backend->read(source->video, image, &own) == 0) {
        double counted = (double)source->number++ / fsh_source_rate(source);

        *seconds = never_before(source, own > 0 || source->number == 1 ? own : counted);
        source->read++;
        return FSH_OK;
    }
    if (source->facts.frames > (int64_t)source->number + 1 + source->facts.frames / 50) {
        source->damaged = (uint64_t)source->facts.frames - source->number;
        snprintf(text, sizeof text, "%s: %llu of the %lld frames that it promises cannot be read",
                 source->options.name, (unsigned long long)source->damaged,
                 (long long)source->facts.frames);
        tell(source, text);
    }
    return fsh_fail(err, FSH_INTERRUPTED, "no more frames");
}

/* A picture that cannot be read leaves its place in time empty. */
static fsh_status
read_folder(fsh_source *source, fsh_image *image, double *seconds, fsh_err *err)
{
    char text[FSH_PATH_BYTES + 1100];
    fsh_err why;

    while (source->next < source->names_n && !atomic_load(source->options.stop)) {
        const char *path = source->names[source->next];
        fsh_status status;

        *seconds = (double)source->next++ / fsh_source_rate(source);
        status = fsh_picture_read(path, image, &why);
        if (!status) {
            source->read++;
            return FSH_OK;
        }
        source->damaged++;
        snprintf(text, sizeof text, "left out: %s", why.text);
        tell(source, text);
    }
    return fsh_fail(err, FSH_INTERRUPTED, "no more frames");
}

fsh_status
fsh_source_read(fsh_source *source, fsh_image *image, double *seconds, fsh_err *err)
{
    if (atomic_load(source->options.stop))
        return fsh_fail(err, FSH_INTERRUPTED, "stopped");
    if (source->names)
        return read_folder(source, image, seconds, err);
    return source->live ? read_live(source, image, seconds, err)
                        : read_video(source, image, seconds, err);
}

/* Where frames come from: a camera (a number), a stream (an address with ://), a video file, or a
 * folder of pictures.
 *
 *     fsh_source_open(&options, &source, &err);
 *     while (!(status = fsh_source_read(source, &image, &seconds, &err))) ...
 *     fsh_source_close(&source);
 *
 * A camera or an endless stream is live: its frames have the time of the clock, and one that is
 * lost is tried again until it is back. A file or a folder ends; its frames have their own time.
 * One thread at a time, except for fsh_source_counts. */
#ifndef FSH_DOOR_SOURCE_H
#define FSH_DOOR_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/image.h"
#include "base/status.h"

typedef struct fsh_source_options {
    const char *name;
    double rate;             /* frames a second of a folder */
    uint32_t wait_ms;        /* for a frame, after which a live source is lost */
    uint32_t retry_ms;       /* between two tries to have it back */
    const atomic_bool *stop; /* ends waiting and reading */
    void *self;
    /* The source is lost, or is back, or a picture cannot be read; from the reading thread. */
    void (*tell)(void *self, const char *text);
} fsh_source_options;

typedef struct fsh_source_counts {
    uint64_t read;    /* frames */
    uint64_t damaged; /* that could not be decoded, or that the file promised and did not have */
    uint64_t lost;    /* how often a live source was */
} fsh_source_counts;

typedef struct fsh_source fsh_source;

/* IO where there is no such thing, or it cannot be read; FORMAT where a folder has no pictures. */
fsh_status fsh_source_open(const fsh_source_options *options, fsh_source **source, fsh_err *err);
void fsh_source_close(fsh_source **source); /* NULL is fine */

bool fsh_source_is_live(const fsh_source *source);

/* Frames a second that it says it has; 25 where it does not say. */
double fsh_source_rate(const fsh_source *source);

/* The next frame, into *image, whose memory is used again. seconds: since 1970 for live sources,
 * since its beginning otherwise; never less than before. INTERRUPTED: there are no more, or stop.
 */
fsh_status fsh_source_read(fsh_source *source, fsh_image *image, double *seconds, fsh_err *err);

fsh_source_counts fsh_source_counted(const fsh_source *source);

#endif

/* The pictures of a folder as they were when they were embedded: by size and time of change, so
 * that one which is replaced under its name is noticed. Inside cli/ only.
 *
 *     fsh_seen_scan(job, &now, &err);
 *     fsh_seen_read("staff.gallery.h5.seen", &before);
 *     fsh_seen_is_same(&before, &now.pictures[i])
 *     fsh_seen_write("staff.gallery.h5.seen", &now, &err);
 *     fsh_seen_fini(&now);
 */
#ifndef FSH_CLI_GALLERY_SEEN_H
#define FSH_CLI_GALLERY_SEEN_H

#include "job/job.h"

typedef struct fsh_seen_picture {
    char *name, *source; /* identity, and path below the input; name is NULL where it was read */
    int64_t bytes, changed_ns; /* -1: it cannot be looked at */
    bool fresh;                /* for the caller: it has to be embedded */
} fsh_seen_picture;

typedef struct fsh_seen {
    fsh_seen_picture *pictures;
    size_t n, room;
} fsh_seen;

/* The pictures of the job's input, in the order of its reader, whose samples are files. */
fsh_status fsh_seen_scan(const fsh_job *job, fsh_seen *seen, fsh_err *err);

/* What was written, ordered by source; nothing where the file is not there or no whole one. */
fsh_status fsh_seen_read(const char *path, fsh_seen *seen, fsh_err *err);

/* Readable by its owner only. */
fsh_status fsh_seen_write(const char *path, const fsh_seen *seen, fsh_err *err);
void fsh_seen_fini(fsh_seen *seen); /* a zeroed struct is fine */

/* Whether the picture was like that before, in what was read. */
bool fsh_seen_is_same(const fsh_seen *before, const fsh_seen_picture *picture);

#endif

/* Frames on their way: read, looked at and embedded at the same time, each step in a thread of its
 * own, with room for one frame between two of them.
 *
 *     fsh_lookout_start(source, eyes, known, &stop, &lookout, &err);
 *     while (fsh_lookout_next(lookout, 500, &frame)) { if (frame) ...; fsh_lookout_done(lookout,
 * frame); } status = fsh_lookout_end(&lookout, &counts, &err);
 *
 * A live source is never waited for: a frame that nobody has taken when the next one comes is
 * dropped and counted. A file is never dropped from. */
#ifndef FSH_DOOR_LOOKOUT_H
#define FSH_DOOR_LOOKOUT_H

#include "door/eyes.h"
#include "door/known.h"
#include "door/source.h"

enum { FSH_LOOKOUT_STEPS = 5 };

/* Names of the steps, in their order: read, detect, masks, embed, search. */
extern const char *const fsh_lookout_steps[FSH_LOOKOUT_STEPS];

typedef struct fsh_frame {
    fsh_image image; /* RGB */
    double seconds;  /* as fsh_source_read gives it */
    uint64_t number;
    fsh_photo photo;
    fsh_sighting *sightings; /* one for each face of the photo */
} fsh_frame;

typedef struct fsh_lookout_counts {
    uint64_t dropped;                 /* frames */
    double step_s[FSH_LOOKOUT_STEPS]; /* processor time of each step */
} fsh_lookout_counts;

typedef struct fsh_lookout fsh_lookout;

/* Borrows all of them until fsh_lookout_end. A face that was looked at for a mask is looked at
 * again after masks_every_s seconds (door/masks.h). *stop set from anywhere ends it. */
fsh_status fsh_lookout_start(fsh_source *source, fsh_eyes *eyes, fsh_known *known,
                             double masks_every_s, atomic_bool *stop, fsh_lookout **lookout,
                             fsh_err *err);

/* The next frame, to be given back by fsh_lookout_done; *frame is NULL where none has come within
 * wait_ms. False: there are no more. */
bool fsh_lookout_next(fsh_lookout *lookout, uint32_t wait_ms, fsh_frame **frame);
void fsh_lookout_done(fsh_lookout *lookout, fsh_frame *frame); /* NULL is fine */

fsh_lookout_counts fsh_lookout_counted(const fsh_lookout *lookout);

/* Waits for the threads, and gives what one of them has failed with. */
fsh_status fsh_lookout_end(fsh_lookout **lookout, fsh_lookout_counts *counts, fsh_err *err);

#endif

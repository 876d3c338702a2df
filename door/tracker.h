/* Ties the faces of a frame to those of the frames before: by how far their boxes overlap, where
 * they do not contradict that by looking unlike each other; then, also after some seconds out of
 * sight, by their embeddings.
 *
 *     fsh_tracker_new(&options, &tracker, &err);
 *     fsh_tracker_see(tracker, seconds, sightings, n, tracks, &err);    tracks[i]: of face i
 *     fsh_tracker_free(tracker);
 *
 * Pure: time is what the caller says. A track is a number that is never used again. */
#ifndef FSH_DOOR_TRACKER_H
#define FSH_DOOR_TRACKER_H

#include "base/status.h"
#include "door/sighting.h"

typedef struct fsh_tracker_options {
    uint32_t dimension; /* of the embeddings */
    double threshold;   /* distance under which two faces are one person's */
    double keep_s;      /* for how long a face that is out of sight is remembered */
} fsh_tracker_options;

typedef struct fsh_tracker fsh_tracker;

fsh_status fsh_tracker_new(const fsh_tracker_options *options, fsh_tracker **tracker, fsh_err *err);
void fsh_tracker_free(fsh_tracker *tracker); /* NULL is fine */

/* The faces of the next frame, n of any number, seen at `seconds`, which never goes back. Two faces
 * of a frame have two tracks. */
fsh_status fsh_tracker_see(fsh_tracker *tracker, double seconds, const fsh_sighting *sightings,
                           uint32_t n, uint64_t *tracks, fsh_err *err);

#endif

/* From tracks to visits: who came, from when to when. A track is named when several of its last
 * frames agree on one person of the gallery; a track that has no name after a while is an unknown
 * person, with a number, by which the same unknown face is known again. A person who is out of
 * sight for long enough has gone: the visit has ended.
 *
 *     fsh_visits_new(&options, &visits, &err);
 *     fsh_visits_see(visits, seconds, sightings, tracks, n, called, &err);
 *     for (i = 0; i < fsh_visits_count(visits); i++) fsh_visits_get(visits, i, &visit);
 *     fsh_visits_drop_ended(visits);
 *     fsh_visits_end(visits, &err);             the source has ended: all visits have
 *
 * Pure: time is what the caller says. Faces of unknown people are kept in memory only, as
 * embeddings of at most FSH_STRANGERS_MAX of them. */
#ifndef FSH_DOOR_VISITS_H
#define FSH_DOOR_VISITS_H

#include <stdbool.h>

#include "base/status.h"
#include "door/sighting.h"

enum { FSH_STRANGERS_MAX = 1000, FSH_AGREE_WINDOW = 10 };

typedef struct fsh_visits_options {
    uint32_t dimension;
    double threshold; /* distance under which a face is that person's */
    uint32_t agree;   /* of the last FSH_AGREE_WINDOW frames of a track, for a name */
    double settle_s;  /* a track without a name for so long is an unknown person */
    double pause_s;   /* out of sight for so long: the visit has ended */
} fsh_visits_options;

typedef struct fsh_visit {
    uint64_t number;           /* never used again */
    uint32_t person;           /* of the gallery; FSH_NOBODY: an unknown person */
    uint32_t stranger;         /* number of an unknown person, from 1; otherwise 0 */
    double first_s, last_s;    /* when the person was seen */
    uint64_t frames;           /* in which */
    double distance;           /* the shortest to the person; of an unknown one to anybody;
                                  INFINITY where the gallery is empty */
    uint64_t masked, unmasked; /* frames in which the detector said so */
    bool ended;
} fsh_visit;

/* What a face is called while it is looked at. */
typedef struct fsh_called {
    uint32_t person;   /* FSH_NOBODY: unknown, or not decided yet */
    uint32_t stranger; /* 0: a known person, or not decided yet */
} fsh_called;

typedef struct fsh_visits fsh_visits;

fsh_status fsh_visits_new(const fsh_visits_options *options, fsh_visits **visits, fsh_err *err);
void fsh_visits_free(fsh_visits *visits); /* NULL is fine */

/* The faces of the next frame with their tracks; called[i] is what face i is called from now on. Of
 * two faces that are nearest to one person only the nearer can be that person. */
fsh_status fsh_visits_see(fsh_visits *visits, double seconds, const fsh_sighting *sightings,
                          const uint64_t *tracks, uint32_t n, fsh_called *called, fsh_err *err);

/* Nothing more will be seen. */
fsh_status fsh_visits_end(fsh_visits *visits, fsh_err *err);

/* Those under way and those that have ended since the last drop, in the order of their beginning.
 */
uint32_t fsh_visits_count(const fsh_visits *visits);
void fsh_visits_get(const fsh_visits *visits, uint32_t i, fsh_visit *visit);
void fsh_visits_drop_ended(fsh_visits *visits);

/* Tracks of fewer than `agree` frames, for which there is no visit. */
uint64_t fsh_visits_glimpses(const fsh_visits *visits);

/* Whether a mask was worn: in most of the frames where the detector could tell; -1: it never could.
 */
int fsh_visit_masked(const fsh_visit *visit);

#endif

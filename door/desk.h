/* The desk at the door: what is seen becomes visits, and visits rows of attendance.csv.
 *
 *     fsh_desk_open(&options, known, &desk, &found, &err);
 *     fsh_desk_see(desk, seconds, sightings, n, called, &err);     every frame, also one without
 * faces fsh_desk_end(desk, &err);                                    the source has ended
 *     fsh_desk_close(&desk); */
#ifndef FSH_DOOR_DESK_H
#define FSH_DOOR_DESK_H

#include "base/text.h"
#include "door/attendance.h"
#include "door/known.h"
#include "door/visits.h"

enum { FSH_CALL_BYTES = 600 };

typedef enum fsh_desk_event { FSH_DESK_CAME, FSH_DESK_RENAMED, FSH_DESK_WENT } fsh_desk_event;

typedef struct fsh_desk_options {
    uint32_t dimension;
    double threshold;
    uint32_t agree;
    double settle_s, pause_s;
    bool clock; /* seconds are since 1970; otherwise since the beginning of the source */
    const char *attendance; /* file; "": none */
    bool add;               /* rows that are there already are added to */
    void *self;
    /* A visit has begun, got another name, or ended. */
    void (*tell)(void *self, fsh_desk_event event, const fsh_attendance_entry *entry);
} fsh_desk_options;

typedef struct fsh_desk fsh_desk;

typedef struct fsh_desk_counts {
    uint64_t visits, of_unknown; /* that have begun; of_unknown: of people without a name */
    uint64_t glimpses;           /* faces of too few frames */
} fsh_desk_counts;

fsh_status fsh_desk_open(const fsh_desk_options *options, const fsh_known *known, fsh_desk **desk,
                         fsh_attendance_found *found, fsh_err *err);
void fsh_desk_close(fsh_desk **desk); /* NULL is fine */

/* A frame. called has room for n. A file that cannot be written fails as fsh_attendance_write. */
fsh_status fsh_desk_see(fsh_desk *desk, double seconds, const fsh_sighting *sightings, uint32_t n,
                        fsh_called *called, fsh_err *err);

/* No frame has come, and it is so late: who is out of sight for long enough has gone. */
fsh_status fsh_desk_wait(fsh_desk *desk, double seconds, fsh_err *err);

/* All visits have ended. */
fsh_status fsh_desk_end(fsh_desk *desk, fsh_err *err);

fsh_desk_counts fsh_desk_counted(const fsh_desk *desk);

/* What somebody is called in words: a name, "unknown 3", or "" where that is not decided yet. */
void fsh_desk_call(const fsh_desk *desk, const fsh_called *called, char words[FSH_CALL_BYTES]);

/* Appends a time: of the clock with its zone (ISO 8601), or 00:01:23.456 since the beginning. */
void fsh_desk_time(bool clock, double seconds, fsh_text *out);

#endif

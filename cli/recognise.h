/* `faceshard recognise`, inside cli/ only: recognise.c is the command, recognise_open.c opens what
 * it needs, recognise_run.c goes through the frames, recognise_text.c tells. */
#ifndef FSH_CLI_RECOGNISE_H
#define FSH_CLI_RECOGNISE_H

#include "cli/embedded.h"
#include "door/desk.h"
#include "door/lookout.h"
#include "door/tape.h"

typedef struct fsh_recognise_options {
    char gallery[FSH_ARG_TEXT_BYTES], out[FSH_ARG_TEXT_BYTES], attendance[FSH_ARG_TEXT_BYTES];
    char masks[FSH_ARG_TEXT_BYTES];
    double threshold; /* NaN: the card's */
    double pause, settle, rate, seconds, masks_every;
    int64_t agree, min_face;
    bool add, show, no_frames;
    fsh_embedded_options embedded;
} fsh_recognise_options;

/* One run. */
typedef struct fsh_recognise {
    const fsh_recognise_options *options;
    const char *source_name;
    fsh_embeddings gallery;
    fsh_known *known;
    fsh_eyes *eyes;
    fsh_source *source;
    fsh_desk *desk;
    fsh_tape *tape; /* NULL: none */
    double threshold;
    fsh_attendance_found found;
    fsh_progress progress;
    atomic_bool stop;
    bool content;     /* it was stopped by what the user had said */
    bool interrupted; /* it was stopped before the source had ended */

    uint64_t frames, faces; /* that were looked at */
    double started_s, next_told_s;
    double rate, last_frame_s; /* frames a second, smoothed */
    fsh_source_counts source_counts;
    fsh_lookout_counts watch_counts;
    double late_s; /* how old the last frame of a camera was when it came out: others may be on their way */
} fsh_recognise;

/* Opens everything, and closes what is open. */
fsh_status fsh_recognise_open(fsh_recognise *run, fsh_err *err);
void fsh_recognise_close(fsh_recognise *run);

/* Goes through the frames until the source ends, or run->stop. */
fsh_status fsh_recognise_run(fsh_recognise *run, fsh_err *err);

/* What is told: at the start, while it runs, at the end. */
void fsh_recognise_tell_start(const fsh_recognise *run);
void fsh_recognise_tell_event(void *run, fsh_desk_event event, const fsh_attendance_entry *entry);
void fsh_recognise_tell_source(void *run, const char *text);
void fsh_recognise_tell_progress(fsh_recognise *run);
void fsh_recognise_tell_end(fsh_recognise *run);

/* Seconds of a clock that is never set back. */
double fsh_recognise_now(void);

#endif

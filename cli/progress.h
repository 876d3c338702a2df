/* What is told while a job runs: a bar on a terminal, a line of JSON per event for programs, or nothing. */
#ifndef FSH_CLI_PROGRESS_H
#define FSH_CLI_PROGRESS_H

#include "coordinator/coordinator.h"

typedef enum fsh_log_mode { FSH_LOG_AUTO, FSH_LOG_BAR, FSH_LOG_JSON, FSH_LOG_QUIET } fsh_log_mode;

/* For the choice row of --log, in the order of fsh_log_mode. */
#define FSH_LOG_MODES "auto|bar|json|quiet"

typedef struct fsh_progress {
    fsh_log_mode mode;    /* AUTO is replaced: BAR where standard error is a terminal, JSON elsewhere */
    uint64_t started_ms;
    uint64_t samples_before; /* done by an earlier run: no part of the rate */
    bool begun;
    char step[64];          /* the single step that is told of, */
    uint64_t step_began_ms; /* and since when */
    bool line_open;       /* a bar stands on the terminal */
    uint64_t next_ms;     /* when the next line of progress is due */
} fsh_progress;

void fsh_progress_start(fsh_progress *progress, fsh_log_mode mode);

/* The input is going to be scanned, as what it was given for or taken for. */
void fsh_progress_input(fsh_progress *progress, const char *format);

/* While the input is scanned; a fsh_manifest_progress. */
void fsh_progress_scan(void *self, uint64_t samples, uint64_t identities);

/* While pictures are generated: so many of all. */
void fsh_progress_images(fsh_progress *progress, uint64_t images, uint64_t of);

/* Where the page of the job is; "": nowhere, and nothing is told. */
void fsh_progress_page(const fsh_progress *progress, const char *address);

/* A single step that takes a while begins: plain words. On a terminal they stand until the line is drawn over or cleared. */
void fsh_progress_step(fsh_progress *progress, const char *text);

/* How far a single step is; of 0: it is not known how many there are. The first time it is told at once, then now and then.
 * `told` of fsh_listener, self is the fsh_progress; fsh_progress_listener makes these. */
void fsh_progress_at(void *self, const char *text, uint64_t done, uint64_t of);
fsh_listener fsh_progress_listener(fsh_progress *progress);

/* Something beside the job has gone wrong. */
void fsh_progress_warn(fsh_progress *progress, const char *text);

/* The scan is done, or was done before. */
void fsh_progress_planned(fsh_progress *progress, uint64_t samples, uint64_t identities, uint64_t units,
                          bool again);

/* An event of the coordinator; self is the fsh_progress. */
void fsh_progress_told(void *self, const fsh_coordinator_event *event);

/* Takes the bar off the terminal, so that other text can be printed. */
void fsh_progress_clear(fsh_progress *progress);

/* Seconds since the start. */
double fsh_progress_seconds(const fsh_progress *progress);

#endif

/* One unit while it is worked on. Inside worker/ only: unit.c opens and closes, analyse.c, select.c and
 * render.c are the three phases, work.c what they share. */
#ifndef FSH_WORKER_WORK_H
#define FSH_WORKER_WORK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "datasets/manifest.h"
#include "datasets/parcel.h"
#include "worker/unit.h"

/* Where time goes besides the stages. */
enum { FSH_TIME_LOAD, FSH_TIME_DECODE, FSH_TIME_CUT, FSH_TIME_ENCODE, FSH_TIME_SHARD, FSH_TIME_STAGES };

/* A stage that is open. Steps with the same stage and parameters share one. */
typedef struct fsh_opened {
    const fsh_step *step; /* borrowed from the job */
    void *state;
    uint32_t time; /* its place in the times */
} fsh_opened;

struct fsh_runner {
    const fsh_job *job;
    fsh_manifest *manifest; /* NULL where units come as parcels */
    fsh_stage_env env;
    char facts[FSH_PATH_BYTES]; /* folder of the job's key in the store; "": none are kept */
    fsh_hash facts_key;
    bool analysis_open; /* the ANALYSE stages are, and what they say of env is known from them */
    fsh_opened opened[FSH_STEPS_MAX * 2];
    uint32_t opened_n;
    const fsh_opened *stages[FSH_STEPS_MAX];
    const fsh_opened *variants[FSH_VARIANTS_MAX][FSH_STEPS_MAX];
};

/* The facts about one sample: what is left of its photograph. */
typedef struct fsh_facts {
    fsh_reason reason; /* why no face of it is delivered, or NONE */
    float value;
    fsh_face *faces;
    uint32_t faces_n;
    uint32_t pictures; /* rows that it has in the shard */
    char worn[FSH_WORN_BYTES]; /* what its first variant should have worn, where none could be drawn */
    bool alone;        /* nothing else may be executing while it is: it is under suspicion */
    bool condemned;    /* it ended a process before: its reason stands */
    bool recalled;     /* from an earlier run, and not found to be of other bytes */
    bool has_bytes;    /* false where the file could not be read */
    fsh_hash bytes;    /* SHA-256 of the file that they were found in */
} fsh_facts;

typedef struct fsh_work {
    fsh_runner *runner;
    fsh_unit unit;
    fsh_parcel *parcel; /* where its photographs are; NULL: in the job's input */
    fsh_facts *facts; /* unit.samples_n */
    fsh_shard *shard;
    uint64_t (*times_ns)[FSH_REPORT_TIMES_MAX]; /* one row a thread */
    uint64_t images;
    const fsh_unit_order *order;
    uint32_t steps_done;
    atomic_bool stopped; /* set by the first failure of any thread, which stops all */
    fsh_status status;   /* that failure: read when the threads have joined */
    fsh_err *err;
} fsh_work;

/* Fills work->facts with what an earlier run found out about these samples, and env with what its ANALYSE stages
 * said where they are not open. It stands until analyse has seen the bytes of their files. Facts that cannot be
 * read, are damaged or of another format are left, and *found is false. */
fsh_status fsh_work_recall(fsh_work *work, bool *found, fsh_err *err);

/* Opens the ANALYSE stages where they are not: any thread. */
fsh_status fsh_runner_open_analysis(fsh_runner *runner, fsh_err *err);

/* Keeps the facts for later runs, where there are others than those recalled. Call before select. */
fsh_status fsh_work_keep(fsh_work *work, fsh_err *err);

/* Frees the faces of one sample; the facts are then as new. */
void fsh_facts_clear(fsh_facts *facts);

/* Fills work->facts, as far as they are not recalled. */
fsh_status fsh_work_analyse(fsh_work *work);

/* Sets the reasons of faces that `clean`, `sample` and the like leave out. */
fsh_status fsh_work_select(fsh_work *work);

/* Adds the rows of every delivered face to the shard, in the order of samples and variants. */
fsh_status fsh_work_render(fsh_work *work);

/* The file of one sample as it was read. */
typedef struct fsh_original {
    uint8_t *data; /* NULL where it could not be read; caller frees */
    size_t n;
    fsh_hash hash;
} fsh_original;

/* Reads one sample, which is then `doing`, and decodes it; *image is zeroed or used again. Not OK only where the
 * system fails; what is wrong with the file is a reason. */
fsh_status fsh_work_load(fsh_work *work, uint32_t sample, uint32_t thread, fsh_doing doing,
                         fsh_original *bytes, fsh_reason *reason, fsh_err *err);
fsh_status fsh_work_decode(fsh_work *work, uint32_t thread, const fsh_original *bytes, fsh_image *image,
                           fsh_reason *reason, fsh_err *err);

/* The path of a sample below the input: "identity/name". */
fsh_status fsh_work_source(const fsh_work *work, uint32_t sample, char path[FSH_PATH_BYTES],
                           fsh_err *err);

/* The identity of a sample, as a place in the unit. */
uint32_t fsh_work_identity(const fsh_work *work, uint32_t sample);

/* How many photographs a thread finishes together: as many as any stage likes to, and no more than can be told as
 * suspects with all threads at work. */
uint32_t fsh_work_together(const fsh_work *work);

/* A thread takes up a sample, or changes what it does with it; and has done with it. */
void fsh_work_begin(fsh_work *work, uint32_t thread, uint32_t sample, fsh_doing doing);
void fsh_work_end(fsh_work *work, uint32_t thread);

/* Says that one more step is done, or that one failed with status; all from any thread. A thread that
 * fails over a sample, by a fault that a picture can bring about, leaves it under suspicion. */
void fsh_work_tick(fsh_work *work);
void fsh_work_fail(fsh_work *work, uint32_t thread, fsh_status status, const fsh_err *err);
void fsh_work_stop(fsh_work *work, fsh_status status, const fsh_err *err);

/* True when a thread has failed: loops then run out without doing anything. */
bool fsh_work_stopped(fsh_work *work);

/* Thread of this loop body, 0 without OpenMP; and a clock for stage times, ns. */
uint32_t fsh_work_thread(void);
uint64_t fsh_work_now_ns(void);

/* Adds the time since *since to a place of the thread's times, and sets *since to now. */
void fsh_work_spent(fsh_work *work, uint32_t thread, uint32_t time, uint64_t *since);

#endif

/* A job: what a job file says, checked and with all defaults filled in. */
#ifndef FSH_JOB_JOB_H
#define FSH_JOB_JOB_H

#include <stdint.h>

#include "base/args.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/status.h"
#include "datasets/reader.h"
#include "shards/shard.h"
#include "stages/models.h"
#include "stages/stage.h"

enum { FSH_STEPS_MAX = 32, FSH_VARIANTS_MAX = 32 };

/* One stage with its parameters. */
typedef struct fsh_step {
    const fsh_stage *stage;
    void *params; /* owned by the job */
} fsh_step;

/* A chain of synthesis stages: one output picture. */
typedef struct fsh_chain {
    char name[FSH_ARG_TEXT_BYTES]; /* "original", "mask+augment" */
    fsh_step steps[FSH_STEPS_MAX];
    uint32_t steps_n;
} fsh_chain;

typedef struct fsh_job {
    const fsh_reader *reader;
    char input[FSH_ARG_TEXT_BYTES];  /* absolute */
    char output[FSH_ARG_TEXT_BYTES]; /* absolute */
    char templates[FSH_ARG_TEXT_BYTES]; /* absolute; the project's own by default */
    int64_t size;          /* px */
    int32_t encoding;      /* fsh_encoding */
    int64_t seed;
    int64_t unit_images;   /* bound of a unit */
    int64_t max_pixels;    /* of an input picture */
    double max_rejected;   /* share of samples over which the exit code is 1 */
    fsh_models models;
    fsh_step steps[FSH_STEPS_MAX]; /* ANALYSE and SELECT, in order */
    uint32_t steps_n;
    fsh_chain variants[FSH_VARIANTS_MAX];
    uint32_t variants_n;
    char hash[FSH_HASH_HEX]; /* of all that the result depends on: stages, versions, models, seed, size, input digest excluded */
} fsh_job;

/* Reads a job file, applies sets ("stages.detect.margin=40", n of them) and checks it. Errors are USAGE and name
 * file, line, key, what was found and what is allowed. Free with fsh_job_free. */
fsh_status fsh_job_read(const char *path, const char *const *sets, uint32_t n, fsh_job **job,
                        fsh_err *err);

/* The same from text, as fsh_job_print made it. */
fsh_status fsh_job_parse(const char *name, const char *text, fsh_job **job, fsh_err *err);

void fsh_job_free(fsh_job *job);

/* Appends the resolved job as YAML: reading it gives the same job and the same hash. */
void fsh_job_print(const fsh_job *job, fsh_text *out);

#endif

/* A job: what a job file says, checked and with all defaults filled in.
 *
 *     fsh_job *job;
 *     fsh_job_read("job.yaml", &overrides, &job, &err);
 *     fsh_job_hash(job, &err);
 *     fsh_job_print(job, &text);
 *     fsh_job_free(job);
 */
#ifndef FSH_JOB_JOB_H
#define FSH_JOB_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/args.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/status.h"
#include "datasets/reader.h"
#include "shards/shard.h"
#include "stages/models.h"
#include "stages/stage.h"

/* How workers come to photographs and hand in shards. */
typedef enum fsh_transport {
    FSH_TRANSPORT_SHARED, /* a common file system: everybody sees input and output */
    FSH_TRANSPORT_STREAM  /* over the wire */
} fsh_transport;

enum { FSH_STEPS_MAX = 32, FSH_VARIANTS_MAX = 32 };

/* One stage with its parameters. */
typedef struct fsh_step {
    const fsh_stage *stage;
    void *params; /* owned by the job */
} fsh_step;

/* Stages in the order in which they run. In `variants` one chain makes one output picture. */
typedef struct fsh_chain {
    fsh_step steps[FSH_STEPS_MAX];
    uint32_t steps_n;
} fsh_chain;

typedef struct fsh_job {
    const fsh_reader *reader;
    char format[FSH_ARG_TEXT_BYTES];
    char input[FSH_ARG_TEXT_BYTES];     /* absolute */
    char keep[FSH_ARG_TEXT_BYTES];      /* list of what is kept of it, absolute; "": everything */
    char output[FSH_ARG_TEXT_BYTES];    /* absolute */
    char templates[FSH_ARG_TEXT_BYTES]; /* absolute; the project's own by default */
    char store[FSH_ARG_TEXT_BYTES];     /* of facts, absolute; "": in the output folder */
    int64_t size;        /* of the stored pictures, px */
    int32_t encoding;    /* fsh_encoding */
    int64_t quality;     /* of encoding jpeg, 1 to 100 */
    int64_t seed;
    int64_t unit_images; /* bound of a unit */
    int64_t max_pixels;  /* of an input picture */
    double image_seconds;  /* that one image may take at most */
    int64_t thread_memory; /* MB that a compute process may take for each thread, and once more */
    double max_rejected; /* share of the samples over which the exit code is 1 */
    int32_t transport;   /* fsh_transport */
    bool spooled;        /* set by a worker that sees neither input nor output: `output` is its spool, where
                            units lie as parcels */
    fsh_models models;
    fsh_chain stages;    /* ANALYSE and SELECT, in order, with what was missing put in */
    fsh_chain variants[FSH_VARIANTS_MAX]; /* SYNTHESISE */
    uint32_t variants_n;
    char hash[FSH_HASH_HEX]; /* filled by fsh_job_hash, "" before */
    fsh_text model_list;     /* of the same: "detector ssd SHA256", a line each */
    fsh_text recipe;         /* of the same: all that was hashed */
} fsh_job;

/* What a command line says instead of the job file. */
typedef struct fsh_job_overrides {
    const char *input, *output; /* paths; NULL leaves what the file says */
    const char *const *sets;    /* "stages.detect.margin=40" */
    uint32_t sets_n;
} fsh_job_overrides;

/* Reads a job file, applies the overrides (NULL: none) and checks it. Errors are USAGE and name file, line,
 * key, what was found and what is allowed. Free with fsh_job_free. */
fsh_status fsh_job_read(const char *path, const fsh_job_overrides *overrides, fsh_job **job,
                        fsh_err *err);

/* The same from text, as fsh_job_print made it; name stands in error texts. */
fsh_status fsh_job_parse(const char *name, const char *text, fsh_job **job, fsh_err *err);

/* The same with overrides (NULL: none): for commands that make a job of their own. */
fsh_status fsh_job_compose(const char *name, const char *text, const fsh_job_overrides *overrides,
                           fsh_job **job, fsh_err *err);

void fsh_job_free(fsh_job *job);

/* Where a machine that got its job over the wire has what the job names; each may be NULL. */
typedef struct fsh_job_places {
    const char *spool;     /* folder with the units' parcels and for their shards; NULL: input and output are seen */
    const char *models;    /* folders, separated by commas */
    const char *templates; /* folder */
} fsh_job_places;

/* Puts this machine's places into a job that another one has written. With a spool its paths mean nothing
 * here: a model card that it names by a path and that is not there is looked for by name, and templates that
 * are not there are the project's own. That they are the same files is for the hash to tell. */
void fsh_job_adapt(fsh_job *job, const fsh_job_places *places);

/* The project's own templates. */
const char *fsh_job_own_templates(void);

/* Appends the resolved job as YAML: reading it gives the same job and the same hash. */
void fsh_job_print(const fsh_job *job, fsh_text *out);

/* Fills job->hash: SHA-256 over all that the bytes of the shards depend on besides the input: stages with
 * versions and parameters, seed, size, encoding, units, and the files of models and templates. Paths do not
 * count. Fails with MODEL or IO where one of those files is missing. */
fsh_status fsh_job_hash(fsh_job *job, fsh_err *err);

/* Appends the first line of here that is not in there, and the one of there that is not in here: what makes
 * two hashes differ. */
void fsh_recipe_diff(const char *here, const char *there, fsh_text *out);

/* Appends the name of a variant: "original", "mask+augment". */
void fsh_chain_name(const fsh_chain *chain, fsh_text *out);

/* Appends "[{mask: {style: fitted, ...}}, ...]". */
void fsh_chain_print(const fsh_chain *chain, fsh_text *out);

/* The sections of a job file and their rows, for help texts; ended by a row of NULL. */
typedef struct fsh_section {
    const char *name;
    const fsh_arg *args;
} fsh_section;
extern const fsh_section fsh_sections[];

/* The presets of `variants`, for help texts: name and meaning, ended by a row of NULL. */
typedef struct fsh_preset {
    const char *name, *chains;
} fsh_preset;
extern const fsh_preset fsh_presets[];

#endif

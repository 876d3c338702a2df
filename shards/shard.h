/* A shard: one HDF5 file, the output of one unit. docs/shard-format.md describes it. HDF5 is called
 * from one thread at a time. The file is made under the name that is given (the caller's temporary
 * name) and holds no time stamps, host names or absolute paths: the same rows give the same bytes.
 *
 *     fsh_shard *shard;
 *     fsh_shard_create(".unit-000007.tmp", &meta, &shard, &err);
 *     fsh_shard_add_identity(shard, label, "n000123", &err);
 *     fsh_shard_add(shard, &row, &err);          // as often as there are rows, in their order
 *     fsh_shard_add_rejected(shard, &rejected, &err);
 *     fsh_shard_finish(&shard, &err);            // closes; then fsh_file_commit to the final name
 */
#ifndef FSH_SHARDS_SHARD_H
#define FSH_SHARDS_SHARD_H

#include <stdint.h>

#include "base/geometry.h"
#include "base/image.h"
#include "base/reason.h"
#include "base/status.h"

enum { FSH_SHARD_FORMAT = 1, FSH_SHARD_LANDMARKS_N = 68 };

typedef enum fsh_encoding {
    FSH_ENCODING_RAW,
    FSH_ENCODING_JPEG,
    FSH_ENCODING_PNG,
    FSH_ENCODING_NONE /* no pictures: there is no column for them */
} fsh_encoding;

/* What holds for the whole file. Strings are borrowed until finish. */
typedef struct fsh_shard_meta {
    const char *job_hash; /* hex */
    uint64_t seed;
    const char *stages;   /* the resolved stage chain with all parameters */
    const char *models;   /* names with SHA-256, a line each; "" where none */
    const char *variants; /* name of each variant's chain, a line each: "mask+augment" */
    const char *version;  /* of the program */
    uint32_t unit;        /* number of the unit */
    uint32_t size;        /* of the pictures, px */
    fsh_encoding encoding;
    uint32_t dimension; /* of the embeddings; 0: none are stored */
} fsh_shard_meta;

/* One delivered picture. Borrowed for the call. */
typedef struct fsh_shard_row {
    const uint8_t *bytes; /* size * size * 3 RGB bytes, or the encoded file; not read with NONE */
    size_t bytes_n;
    int64_t label;
    uint8_t variant;
    uint64_t sample_id;
    const char *source;         /* path below the input folder, '/' between its parts */
    fsh_box box;                /* in the source, px */
    const fsh_point *landmarks; /* 68 in the stored picture; NULL: stored as NaN */
    int8_t mask_class;
    const float *embedding; /* dimension values; NULL: stored as NaN */
    float mean_distance;    /* NaN where not computed */
    uint8_t flagged;        /* 1: found by `clean`, and delivered: the action is flag, or it was not sure */
    const char *worn;       /* masks and glasses that were put on, as in docs/shard-format.md; NULL: none */
} fsh_shard_row;

typedef struct fsh_shard_rejected {
    const char *source;
    int64_t label;
    fsh_reason reason;
    float value;     /* a distance, a size, a signal number; NaN where none */
    uint8_t variant; /* which output is missing, or one of the values below */
    const char *worn; /* what would have been put on; NULL: nothing */
    fsh_box box;      /* of the face in the source, px; zeros where none was found */
} fsh_shard_rejected;

enum {
    FSH_SHARD_ONE_FACE = 254, /* one of several faces of a sample that is delivered */
    FSH_SHARD_WHOLE_SAMPLE =
        255 /* the sample has no picture in the shard; these rows make up the counts */
};

typedef struct fsh_shard fsh_shard;

fsh_status fsh_shard_create(const char *path, const fsh_shard_meta *meta, fsh_shard **shard,
                            fsh_err *err);
fsh_status fsh_shard_add_identity(fsh_shard *shard, int64_t label, const char *name, fsh_err *err);
fsh_status fsh_shard_add(fsh_shard *shard, const fsh_shard_row *row, fsh_err *err);
fsh_status fsh_shard_add_rejected(fsh_shard *shard, const fsh_shard_rejected *rejected,
                                  fsh_err *err);

/* Writes what is left and closes the file; frees the shard and sets it to NULL, also on failure. */
fsh_status fsh_shard_finish(fsh_shard **shard, fsh_err *err);

/* Closes and frees without finishing; the caller removes the file. NULL is fine. */
void fsh_shard_abandon(fsh_shard **shard);

#endif

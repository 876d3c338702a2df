/* Embeddings of a gallery or of probes: who, from which picture, which vector; and what could not
 * be embedded, with the reason. They come from an embeddings file, from a shard or from index.h5.
 *
 *     fsh_embeddings e = {0};
 *     fsh_embeddings_read("lfw.h5", &e, &err);
 *     e.vectors[i * e.dimension + k], e.names[i], e.sources[i]
 *     fsh_embeddings_fini(&e);
 *
 * One thread at a time. docs/embeddings-format.md describes the file. */
#ifndef FSH_SHARDS_EMBEDDINGS_H
#define FSH_SHARDS_EMBEDDINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/status.h"
#include "base/listener.h"

enum { FSH_EMBEDDINGS_FORMAT = 1, FSH_EMBEDDINGS_ALIGNMENT = 64 };

typedef struct fsh_embeddings {
    uint64_t n;         /* rows: pictures (faces, where a job delivers several of one) */
    uint32_t dimension; /* of the vectors */
    float *vectors;     /* n x dimension, row after row, each of length 1, 64-byte aligned;
                         * NULL where there are none */
    char **names;       /* identity of each row; rows of one identity may share the string */
    char **sources;     /* path below the input, of each row */
    uint64_t rejected_n;
    char **rejected_names, **rejected_sources;
    fsh_reason *rejected_reasons;
    float *rejected_values; /* that go with the reasons; NaN where none */
    char *model;    /* of the embedder: "mobilefacenet_y1 SHA256", as in the models of a shard */
    char *detector; /* the same of the detector */
    char *job_hash; /* of the job that made them, hex */
    char *version;  /* of the program that did */
    bool flip;      /* the mirrored picture went into each vector too */

    uint64_t room, rejected_room;       /* rows that there is memory for */
    struct fsh_embeddings_texts *texts; /* what the strings live in */
} fsh_embeddings;

/* Whether the file is an embeddings file, and no shard or index.h5. */
bool fsh_embeddings_is_file(const char *path);

/* Reads an embeddings file, a shard or index.h5 into *out, which the caller frees with
 * fsh_embeddings_fini. Of shards: a row for each face, whatever the number of its variants; and the
 * samples that have no picture. A file of another kind, one without embeddings, a vector that is
 * not of length 1, and a shard of index.h5 that is missing or another job's are FORMAT or IO, named
 * with the remedy. */
fsh_status fsh_embeddings_read(const char *path, fsh_embeddings *out, fsh_err *err);

/* The same without rows: what holds for all of them. A shard without embeddings has dimension 0. */
fsh_status fsh_embeddings_read_facts(const char *path, fsh_embeddings *out, fsh_err *err);

/* Frees; a zeroed struct is fine. */
void fsh_embeddings_fini(fsh_embeddings *e);

/* Appends a row to e, whose dimension is set; what is given is copied. FORMAT where the vector is
 * not finite or its length is not 1 (to a thousandth). */
fsh_status fsh_embeddings_add(fsh_embeddings *e, const char *name, const char *source,
                              const float *vector, fsh_err *err);

/* Appends a picture that has no embedding. */
fsh_status fsh_embeddings_reject(fsh_embeddings *e, const char *name, const char *source,
                                 fsh_reason reason, float value, fsh_err *err);

/* Counts and attributes of what was written. */
typedef struct fsh_embeddings_totals {
    uint64_t n, rejected_n;
    uint64_t rejected[FSH_REASON_N]; /* by reason */
    uint32_t dimension;
} fsh_embeddings_totals;

/* Writes an embeddings file under a temporary name beside path, flushes it to disk, renames it. The
 * same embeddings give the same bytes. */
fsh_status fsh_embeddings_write(const char *path, const fsh_embeddings *e, fsh_err *err);

/* The same from a file that fsh_embeddings_read reads, a shard at a time, so that memory does not
 * grow with index.h5. step, which is told of rows, and totals may be NULL. */
fsh_status fsh_embeddings_convert(const char *from, const char *path, const fsh_listener *step,
                                  fsh_embeddings_totals *totals, fsh_err *err);

#endif

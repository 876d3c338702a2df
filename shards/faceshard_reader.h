/* Reads the files that faceshard leaves: shards and index.h5. A library of its own,
 * libfaceshard-reader, that needs HDF5 and nothing else of faceshard. docs/shard-format.md says
 * what the columns mean.
 *
 *     faceshard_reader *reader;
 *     faceshard_why why;
 *     if (faceshard_reader_open("out/index.h5", &reader, &why))
 *         fprintf(stderr, "%s\n", why.text);
 *     faceshard_reader_picture(reader, 0, &data, &bytes, &why);      // free(data)
 *     faceshard_reader_close(reader);
 *
 * Calls return 0 or say why not. A reader, and HDF5 with it, is for one thread at a time, and
 * nothing of it survives a fork: open the file again in each process. */
#ifndef FACESHARD_READER_H
#define FACESHARD_READER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) && !defined(FACESHARD_READER_STATIC)
#define FACESHARD_READER_API __attribute__((visibility("default")))
#else
#define FACESHARD_READER_API
#endif

enum faceshard_result {
    FACESHARD_OK = 0,
    FACESHARD_IO,     /* the file, or a shard that index.h5 names, is missing or cannot be read */
    FACESHARD_FORMAT, /* it is no shard or index.h5, or damaged */
    FACESHARD_RANGE,  /* no such row, or the file has none of what was asked for */
    FACESHARD_MEMORY
};

/* Why a call has failed: names the file. NULL may be given everywhere. */
typedef struct faceshard_why {
    char text[1024];
} faceshard_why;

enum faceshard_encoding {
    FACESHARD_RAW,  /* size x size x 3 bytes, RGB, row after row */
    FACESHARD_JPEG, /* a JPEG file each, */
    FACESHARD_PNG,  /* a PNG file each, */
    FACESHARD_NONE  /* no pictures: rows are faces with what was found out about them */
};

enum { FACESHARD_LANDMARKS = 68 };

typedef struct faceshard_reader faceshard_reader;

/* What holds for the whole file. Strings live until close. */
typedef struct faceshard_facts {
    int is_index;      /* index.h5, and not a shard of it */
    uint64_t pictures; /* rows */
    uint64_t rejected; /* rows of what was left out */
    uint64_t identities;
    uint32_t size;      /* of a picture, px */
    uint32_t dimension; /* of an embedding; 0: there are none */
    uint64_t seed;
    int encoding;         /* enum faceshard_encoding */
    const char *variants; /* name of each variant, a line each */
    const char *stages, *models, *job_hash, *version;
} faceshard_facts;

/* One picture. Strings live until the next call with this reader. */
typedef struct faceshard_row {
    int64_t label;       /* identity: its place among all names of the job */
    uint64_t sample_id;  /* equal in all variants of a face */
    const char *source;  /* photograph, below the input folder */
    const char *worn;    /* masks and glasses that were put on; "" where none */
    int32_t box[4];      /* x, y, width, height of the crop in the photograph, px */
    float mean_distance; /* NaN where it was not computed */
    uint8_t variant, flagged;
    int8_t mask_class; /* 0 mask, 1 no mask, -1 not known */
} faceshard_row;

typedef struct faceshard_rejected {
    int64_t label;
    const char *source, *reason, *worn;
    int32_t box[4]; /* of the face in the photograph, px; zeros where none was found */
    float value;    /* NaN where nothing goes with the reason */
    uint8_t variant;
} faceshard_rejected;

/* On failure *reader is NULL. Of index.h5 every shard that it names must be there. */
FACESHARD_READER_API int faceshard_reader_open(const char *path, faceshard_reader **reader,
                                               faceshard_why *why);
FACESHARD_READER_API void faceshard_reader_close(faceshard_reader *reader); /* NULL is fine */

FACESHARD_READER_API const faceshard_facts *faceshard_reader_facts(const faceshard_reader *reader);

/* Rows are read some hundred at a time: going through a file in order is fast. */
FACESHARD_READER_API int faceshard_reader_row(faceshard_reader *reader, uint64_t row,
                                              faceshard_row *out, faceshard_why *why);
FACESHARD_READER_API int faceshard_reader_rejected(faceshard_reader *reader, uint64_t row,
                                                   faceshard_rejected *out, faceshard_why *why);

/* Name of an identity of this file; NULL where it has no such label. */
FACESHARD_READER_API const char *faceshard_reader_name(const faceshard_reader *reader,
                                                       int64_t label);

/* Raw bytes or the encoded file; the caller frees *data with free(). */
FACESHARD_READER_API int faceshard_reader_picture(faceshard_reader *reader, uint64_t row,
                                                  uint8_t **data, size_t *bytes,
                                                  faceshard_why *why);

/* x, y in the stored picture, px, in iBUG's order; NaN where there are none. */
FACESHARD_READER_API int faceshard_reader_landmarks(faceshard_reader *reader, uint64_t row,
                                                    float points[FACESHARD_LANDMARKS][2],
                                                    faceshard_why *why);

/* facts.dimension numbers; NaN where the face has none. */
FACESHARD_READER_API int faceshard_reader_embedding(faceshard_reader *reader, uint64_t row,
                                                    float *embedding, faceshard_why *why);

#ifdef __cplusplus
}
#endif
#endif

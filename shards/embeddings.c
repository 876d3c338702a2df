/* Embeddings in memory: rows that grow. */
#include "shards/embeddings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shards/embeddings_parts.h"

enum { TEXTS_BYTES = 1 << 20, ROOM_LEAST = 64, CHUNK_ROWS = 1024 };

/* Stands in the table for the length of the vectors. */
enum { DIMENSION = UINT16_MAX };

/* Strings of all rows in a few large pieces of memory. */
struct fsh_embeddings_texts {
    struct fsh_embeddings_texts *before;
    size_t used, room;
    char bytes[];
};

enum { ROWS, REJECTED };

static const struct {
    fsh_column_spec spec;
    int table;
} rows[] = {
#define COLUMN(name, dataset, cell, table, rank, first)                                            \
    {{dataset, FSH_CELL_##cell, rank, {first}, CHUNK_ROWS}, table},
#include "shards/embeddings.def"
#undef COLUMN
};

fsh_column_spec
fsh_embeddings_column_spec(fsh_embeddings_column column, uint32_t dimension)
{
    fsh_column_spec spec = rows[column].spec;

    if (spec.rank && spec.dims[0] == DIMENSION)
        spec.dims[0] = dimension;
    return spec;
}

bool
fsh_embeddings_column_is_rejected(fsh_embeddings_column column)
{
    return rows[column].table == REJECTED;
}

static fsh_status
out_of_memory(const fsh_embeddings *e, fsh_err *err)
{
    return fsh_fail(err, FSH_MEMORY, "out of memory for %llu embeddings of %u numbers",
                    (unsigned long long)e->n, e->dimension);
}

/* A copy of text that lives as long as e; NULL when out of memory. */
static char *
keep_text(fsh_embeddings *e, const char *text)
{
    struct fsh_embeddings_texts *texts = e->texts;
    size_t bytes = strlen(text) + 1, room = bytes > TEXTS_BYTES ? bytes : TEXTS_BYTES;
    char *kept;

    if (!texts || texts->room - texts->used < bytes) {
        if (!(texts = malloc(sizeof *texts + room)))
            return NULL;
        *texts = (struct fsh_embeddings_texts){.before = e->texts, .room = room};
        e->texts = texts;
    }
    kept = memcpy(&texts->bytes[texts->used], text, bytes);
    texts->used += bytes;
    return kept;
}

/* The name of the row before where it is the same. */
static char *
keep_name(fsh_embeddings *e, const char *name, char *const *names, uint64_t n)
{
    return n && strcmp(names[n - 1], name) == 0 ? names[n - 1] : keep_text(e, name);
}

static uint64_t
more_room(uint64_t room)
{
    return room ? 2 * room : ROOM_LEAST;
}

/* The array with this room; where there is no memory the old one, and *failed. */
static void *
grown(void *array, uint64_t room, size_t bytes, bool *failed)
{
    void *more = reallocarray(array, room, bytes);

    *failed |= !more;
    return more ? more : array;
}

/* Room is a multiple of 64 rows, so that the bytes are one of the alignment. */
static bool
grow_vectors(fsh_embeddings *e, uint64_t room)
{
    size_t row = e->dimension * sizeof *e->vectors;
    float *more =
        room < SIZE_MAX / (row + 1) ? aligned_alloc(FSH_EMBEDDINGS_ALIGNMENT, room * row) : NULL;

    if (!more)
        return false;
    if (e->n)
        memcpy(more, e->vectors, e->n * row);
    free(e->vectors);
    e->vectors = more;
    return true;
}

static fsh_status
make_room(fsh_embeddings *e, fsh_err *err)
{
    uint64_t room = more_room(e->room);
    bool failed = false;

    if (e->n < e->room)
        return FSH_OK;
    e->names = grown(e->names, room, sizeof *e->names, &failed);
    e->sources = grown(e->sources, room, sizeof *e->sources, &failed);
    if (failed || !grow_vectors(e, room))
        return out_of_memory(e, err);
    e->room = room;
    return FSH_OK;
}

static fsh_status
make_rejected_room(fsh_embeddings *e, fsh_err *err)
{
    uint64_t room = more_room(e->rejected_room);
    bool failed = false;

    if (e->rejected_n < e->rejected_room)
        return FSH_OK;
    e->rejected_names = grown(e->rejected_names, room, sizeof *e->rejected_names, &failed);
    e->rejected_sources = grown(e->rejected_sources, room, sizeof *e->rejected_sources, &failed);
    e->rejected_reasons = grown(e->rejected_reasons, room, sizeof *e->rejected_reasons, &failed);
    e->rejected_values = grown(e->rejected_values, room, sizeof *e->rejected_values, &failed);
    if (failed)
        return out_of_memory(e, err);
    e->rejected_room = room;
    return FSH_OK;
}

static bool
has_length_one(const float *vector, uint32_t n)
{
    double sum = 0;
    uint32_t i;

    for (i = 0; i < n; i++)
        sum += (double)vector[i] * vector[i];
    return fabs(sqrt(sum) - 1) < 1e-3; /* false for NaN */
}

fsh_status
fsh_embeddings_add(fsh_embeddings *e, const char *name, const char *source, const float *vector,
                   fsh_err *err)
{
    fsh_status status;

    if (!has_length_one(vector, e->dimension))
        return fsh_fail(err, FSH_FORMAT, "%s: its embedding is not finite or not of length 1",
                        source);
    if ((status = make_room(e, err)))
        return status;
    e->names[e->n] = keep_name(e, name, e->names, e->n);
    e->sources[e->n] = keep_text(e, source);
    if (!e->names[e->n] || !e->sources[e->n])
        return out_of_memory(e, err);
    memcpy(&e->vectors[e->n * e->dimension], vector, e->dimension * sizeof *vector);
    e->n++;
    return FSH_OK;
}

fsh_status
fsh_embeddings_reject(fsh_embeddings *e, const char *name, const char *source, fsh_reason reason,
                      float value, fsh_err *err)
{
    fsh_status status = make_rejected_room(e, err);
    uint64_t n = e->rejected_n;

    if (status)
        return status;
    e->rejected_names[n] = keep_name(e, name, e->rejected_names, n);
    e->rejected_sources[n] = keep_text(e, source);
    if (!e->rejected_names[n] || !e->rejected_sources[n])
        return out_of_memory(e, err);
    e->rejected_reasons[n] = reason;
    e->rejected_values[n] = value;
    e->rejected_n++;
    return FSH_OK;
}

fsh_status
fsh_embeddings_reject_code(fsh_embeddings *e, const char *path, const char *name,
                           const char *source, const char *code, float value, fsh_err *err)
{
    fsh_reason reason = fsh_reason_from_code(code);

    if (reason == FSH_REASON_N || reason == FSH_REASON_NONE)
        return fsh_fail(err, FSH_FORMAT, "%s: /rejected/reason has the unknown code '%.40s'", path,
                        code);
    return fsh_embeddings_reject(e, name, source, reason, value, err);
}

fsh_status
fsh_embeddings_copy_facts(fsh_embeddings *to, const fsh_embeddings *from, fsh_err *err)
{
    to->dimension = from->dimension;
    to->flip = from->flip;
    to->model = keep_text(to, from->model);
    to->detector = keep_text(to, from->detector);
    to->job_hash = keep_text(to, from->job_hash);
    to->version = keep_text(to, from->version);
    return to->model && to->detector && to->job_hash && to->version ? FSH_OK
                                                                    : out_of_memory(to, err);
}

void
fsh_embeddings_fini(fsh_embeddings *e)
{
    while (e->texts) {
        struct fsh_embeddings_texts *texts = e->texts;

        e->texts = texts->before;
        free(texts);
    }
    free(e->vectors);
    free(e->names);
    free(e->sources);
    free(e->rejected_names);
    free(e->rejected_sources);
    free(e->rejected_reasons);
    free(e->rejected_values);
    memset(e, 0, sizeof *e);
}

/* What an earlier run found out about a unit's photographs, in one file: STORE/KEY/UNIT.facts.
 *
 *     heading    magic, format, number of samples, what the stages said of env, key, names of the samples (hash)
 *     a sample   SHA-256 of its file, reason, value, number of faces
 *     a face     the fields of `fields`, its landmarks and its embedding where it has them
 *     sum        SHA-256 of all before it
 *
 * Numbers lie as they do in memory (little endian, IEEE 754), so that they come back bit by bit. A file that
 * is not exactly this is not trusted, and made again: facts are found out once more and nothing is lost. */
#include <stdlib.h>
#include <string.h>

#include "job/facts.h"
#include "worker/work.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "facts are kept as they lie in memory");

enum { FILE_MAX_BYTES = 1 << 30, UNIT_DIGITS = 16 };

typedef struct heading {
    char magic[8];
    uint32_t format, samples_n;
    double clean_threshold;
    uint32_t dimension, zero;
    fsh_hash key, names;
} heading;

/* One sample. Reasons keep their numbers: base/reason.def only grows. */
typedef struct record {
    fsh_hash bytes;
    uint8_t has_bytes, zero[3];
    uint32_t reason;
    float value;
    uint32_t faces_n;
} record;

enum { HAS_FIVE = 1, HAS_LANDMARKS = 2, ALIGNED = 4, HAS_EMBEDDING = 8 };

/* The fields of a face that ANALYSE stages set, besides flags, landmarks and embedding. */
#define FIELD(name) {offsetof(fsh_face, name), sizeof(((fsh_face *)0)->name)}
static const struct field {
    size_t offset, bytes;
} fields[] = {FIELD(reason),       FIELD(value), FIELD(face),  FIELD(crop),
              FIELD(landmark_box), FIELD(five),  FIELD(score), FIELD(mask_class)};
enum { FIELDS_N = sizeof fields / sizeof fields[0] };

/* ---- where, and about what ---- */

/* The names of the unit's samples in their order: the same unit of the same input, wherever it is. */
static fsh_status
hash_names(const fsh_unit *unit, fsh_hash *hash)
{
    fsh_hasher *hasher = NULL;
    uint32_t i, k;

    if (fsh_hasher_new(&hasher))
        return FSH_MEMORY;
    for (i = 0; i < unit->identities_n; i++) {
        uint32_t n = unit->identity_starts[i + 1] - unit->identity_starts[i];

        fsh_hasher_add(hasher, unit->identity_names[i], strlen(unit->identity_names[i]) + 1);
        fsh_hasher_add(hasher, &n, sizeof n);
        for (k = unit->identity_starts[i]; k < unit->identity_starts[i + 1]; k++)
            fsh_hasher_add(hasher, unit->sample_names[k], strlen(unit->sample_names[k]) + 1);
    }
    fsh_hasher_take(&hasher, hash);
    return FSH_OK;
}

static fsh_status
place_of(const fsh_work *work, heading *head, char path[FSH_PATH_BYTES], fsh_err *err)
{
    const fsh_runner *runner = work->runner;
    char hex[FSH_HASH_HEX];

    *head = (heading){"fshfacts",
                      FSH_FACTS_FORMAT,
                      work->unit.samples_n,
                      runner->env.clean_threshold,
                      runner->env.dimension,
                      0,
                      runner->facts_key,
                      {{0}}};
    if (hash_names(&work->unit, &head->names))
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    fsh_hash_hex(&head->names, hex);
    strcpy(hex + UNIT_DIGITS, FSH_FACTS_SUFFIX);
    return fsh_path_join(path, runner->facts, hex, err);
}

/* ---- reading ---- */

typedef struct cursor {
    const uint8_t *at;
    size_t left;
} cursor;

static bool
take(cursor *from, void *to, size_t bytes)
{
    if (from->left < bytes)
        return false;
    memcpy(to, from->at, bytes);
    from->at += bytes;
    from->left -= bytes;
    return true;
}

static bool
take_face(cursor *from, uint32_t dimension, fsh_face *face)
{
    uint8_t flags;
    int i;

    for (i = 0; i < FIELDS_N; i++)
        if (!take(from, (char *)face + fields[i].offset, fields[i].bytes))
            return false;
    if (!take(from, &flags, sizeof flags) || (unsigned)face->reason >= FSH_REASON_N)
        return false;
    face->has_five = flags & HAS_FIVE;
    face->has_landmarks = flags & HAS_LANDMARKS;
    face->aligned = flags & ALIGNED;
    if (face->has_landmarks && !take(from, face->landmarks, sizeof face->landmarks))
        return false;
    if (!(flags & HAS_EMBEDDING))
        return true;
    face->embedding = calloc(dimension ? dimension : 1, sizeof *face->embedding);
    return face->embedding && take(from, face->embedding, dimension * sizeof *face->embedding);
}

/* Faces are made as `detect` makes them, which gives them their keys. */
static bool
take_faces(cursor *from, uint32_t dimension, uint32_t faces_n, fsh_photo *photo)
{
    uint32_t i;

    for (i = 0; i < faces_n; i++) {
        fsh_face *face = fsh_photo_add_face(photo);

        if (!face || !take_face(from, dimension, face))
            return false;
    }
    return true;
}

static bool
take_sample(cursor *from, fsh_work *work, uint32_t sample)
{
    fsh_facts *facts = &work->facts[sample];
    char source[FSH_PATH_BYTES];
    fsh_photo photo = {.sample = sample};
    record of;
    bool whole;

    if (!take(from, &of, sizeof of) || of.reason >= FSH_REASON_N ||
        fsh_work_source(work, sample, source, NULL))
        return false;
    photo.key = fsh_hash_key(source, strlen(source));
    whole = take_faces(from, work->runner->env.dimension, of.faces_n, &photo);
    *facts = (fsh_facts){.reason = (fsh_reason)of.reason,
                         .value = of.value,
                         .faces = photo.faces,
                         .faces_n = photo.faces_n,
                         .bytes = of.bytes,
                         .has_bytes = of.has_bytes != 0,
                         .recalled = of.has_bytes != 0};
    return whole;
}

/* The key decides what the stages say of env, so they are not asked where they are not open. */
static bool
take_heading(cursor *from, fsh_runner *runner, heading *expected)
{
    heading head;

    if (!take(from, &head, sizeof head) || head.dimension > FSH_EMBEDDING_MAX)
        return false;
    if (!runner->analysis_open) {
        expected->clean_threshold = head.clean_threshold;
        expected->dimension = head.dimension;
    }
    if (memcmp(&head, expected, sizeof head) != 0)
        return false;
    runner->env.clean_threshold = head.clean_threshold;
    runner->env.dimension = head.dimension;
    return true;
}

static bool
take_all(fsh_work *work, heading *expected, const uint8_t *data, size_t bytes)
{
    cursor from = {data, bytes};
    fsh_hash sum;
    uint32_t i;

    if (bytes < sizeof sum)
        return false;
    from.left -= sizeof sum;
    sum = fsh_hash_of(data, from.left);
    if (memcmp(&sum, data + from.left, sizeof sum) != 0 || !take_heading(&from, work->runner, expected))
        return false;
    for (i = 0; i < work->unit.samples_n; i++)
        if (!take_sample(&from, work, i))
            return false;
    return from.left == 0;
}

fsh_status
fsh_work_recall(fsh_work *work, bool *found, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    uint8_t *data;
    size_t bytes;
    heading expected;
    uint32_t i;
    fsh_status status;

    if (!work->runner->facts[0])
        return FSH_OK;
    status = place_of(work, &expected, path, err);
    if (status || fsh_file_read(path, FILE_MAX_BYTES, &data, &bytes, NULL) != FSH_OK)
        return status;
    *found = take_all(work, &expected, data, bytes);
    for (i = 0; !*found && i < work->unit.samples_n; i++)
        fsh_facts_clear(&work->facts[i]);
    free(data);
    return FSH_OK;
}

/* ---- writing ---- */

static void
put_face(fsh_text *to, uint32_t dimension, const fsh_face *face)
{
    uint8_t flags = (uint8_t)((face->has_five ? HAS_FIVE : 0) | (face->has_landmarks ? HAS_LANDMARKS : 0) |
                              (face->aligned ? ALIGNED : 0) | (face->embedding ? HAS_EMBEDDING : 0));
    int i;

    for (i = 0; i < FIELDS_N; i++)
        fsh_text_add_bytes(to, (const char *)face + fields[i].offset, fields[i].bytes);
    fsh_text_add_bytes(to, &flags, sizeof flags);
    if (face->has_landmarks)
        fsh_text_add_bytes(to, face->landmarks, sizeof face->landmarks);
    if (face->embedding)
        fsh_text_add_bytes(to, face->embedding, dimension * sizeof *face->embedding);
}

static void
put_sample(fsh_text *to, uint32_t dimension, const fsh_facts *facts)
{
    record of = {facts->bytes, facts->has_bytes, {0}, (uint32_t)facts->reason, facts->value, facts->faces_n};
    uint32_t i;

    fsh_text_add_bytes(to, &of, sizeof of);
    for (i = 0; i < facts->faces_n; i++)
        put_face(to, dimension, &facts->faces[i]);
}

/* What could not be read is looked at again each time, and no news. */
static bool
anything_new(const fsh_work *work)
{
    uint32_t i;

    for (i = 0; i < work->unit.samples_n; i++)
        if (work->facts[i].has_bytes && !work->facts[i].recalled)
            return true;
    return false;
}

fsh_status
fsh_work_keep(fsh_work *work, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_text all = {0};
    heading head;
    fsh_hash sum;
    uint32_t i;
    fsh_status status = FSH_OK;

    if (!work->runner->facts[0] || !anything_new(work))
        return FSH_OK;
    status = place_of(work, &head, path, err);
    if (!status)
        status = fsh_folder_make(work->runner->facts, err);
    fsh_text_add_bytes(&all, &head, sizeof head);
    for (i = 0; i < work->unit.samples_n; i++)
        put_sample(&all, work->runner->env.dimension, &work->facts[i]);
    sum = fsh_hash_of(fsh_text_get(&all), all.bytes);
    fsh_text_add_bytes(&all, &sum, sizeof sum);
    if (!status && !fsh_text_ok(&all))
        status = fsh_fail(err, FSH_MEMORY, "out of memory for the facts of a unit");
    if (!status)
        status = fsh_file_write(path, fsh_text_get(&all), all.bytes, err);
    fsh_text_fini(&all);
    return status;
}

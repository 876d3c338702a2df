/* Reader `shards`: the pictures of a shard or of index.h5, as photographs of their own: the first
 * variant of each sample. What the job of the shards rejected stays rejected, for the same reason.
 * Virtual datasets are not used: where a shard is missing HDF5 would give black pictures.
 *
 * The name of a sample says where its picture lies: "SOURCE<tab>ROW<tab>FILE", with the row in the
 * shard and the file beside the input; or "SOURCE<tab>REASON<tab>" for a rejected one. HDF5 is
 * called by one thread at a time: loading waits for that. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/store.h"
#include "datasets/readers.h"
#include "datasets/shard_pictures.h"

enum { WHOLE_SAMPLE = 255 };

/* Columns as docs/shard-format.md has them. */
static const fsh_column_spec label_spec = {"label", FSH_CELL_I64, 0, {0}, 1};
static const fsh_column_spec id_spec = {"sample_id", FSH_CELL_U64, 0, {0}, 1};
static const fsh_column_spec source_spec = {"source", FSH_CELL_TEXT, 0, {0}, 1};
static const fsh_column_spec out_label_spec = {"rejected/label", FSH_CELL_I64, 0, {0}, 1};
static const fsh_column_spec out_variant_spec = {"rejected/variant", FSH_CELL_U8, 0, {0}, 1};
static const fsh_column_spec out_source_spec = {"rejected/source", FSH_CELL_TEXT, 0, {0}, 1};
static const fsh_column_spec out_reason_spec = {"rejected/reason", FSH_CELL_TEXT, 0, {0}, 1};
static const fsh_column_spec name_spec = {"identities/name", FSH_CELL_TEXT, 0, {0}, 1};
static const fsh_column_spec first_spec = {"identities/label", FSH_CELL_I64, 0, {0}, 1};
static const fsh_column_spec file_spec = {"shards/file", FSH_CELL_TEXT, 0, {0}, 1};
static const fsh_column_spec images_spec = {"shards/images", FSH_CELL_U64, 0, {0}, 1};

/* Reads a whole column of numbers; *rows (caller frees) has *n cells. */
static fsh_status
read_numbers(fsh_store *store, const fsh_column_spec *spec, size_t cell_bytes, void **rows,
             uint64_t *n, fsh_err *err)
{
    fsh_column *column = NULL;
    void *read = NULL;
    fsh_status status = fsh_column_open(store, spec, &column, err);

    if (!status) {
        *n = fsh_column_rows(column);
        read = calloc(*n + 1, cell_bytes);
        status = read ? fsh_column_read(column, 0, (size_t)*n, read, err)
                      : fsh_fail(err, FSH_MEMORY, "%s: out of memory", fsh_store_path(store));
    }
    fsh_column_abandon(&column);
    if (status)
        free(read);
    else
        *rows = read;
    return status;
}

/* The same of texts; both pieces are the caller's to free. */
static fsh_status
read_texts(fsh_store *store, const fsh_column_spec *spec, char ***texts, uint64_t *n, fsh_err *err)
{
    fsh_column *column = NULL;
    fsh_status status = fsh_column_open(store, spec, &column, err);

    if (!status) {
        *n = fsh_column_rows(column);
        status = fsh_column_read_texts(column, 0, (size_t)*n, texts, err);
    }
    fsh_column_abandon(&column);
    return status;
}

/* ---- scanning ---- */

/* What a shard or index.h5 says of its samples. */
typedef struct contents {
    const char *path;
    char **names, **sources, **out_sources, **out_reasons, **files;
    int64_t *labels, *out_labels, *identity_labels;
    uint64_t *ids, *images;
    uint8_t *out_variants;
    uint64_t identities_n, rows_n, out_n, files_n;
    uint64_t row, out; /* that come next */
    uint64_t file, at; /* of row: which file, and the row in it */
} contents;

static void
contents_fini(contents *c)
{
    free(c->names);
    free(c->sources);
    free(c->out_sources);
    free(c->out_reasons);
    free(c->files);
    free(c->labels);
    free(c->out_labels);
    free(c->identity_labels);
    free(c->ids);
    free(c->images);
    free(c->out_variants);
}

static fsh_status
damaged(const contents *c, fsh_err *err)
{
    return fsh_fail(
        err, FSH_FORMAT,
        "%s: its columns do not belong together; `faceshard verify-output` says what is damaged",
        c->path);
}

static fsh_status
read_columns(fsh_store *store, contents *c, fsh_err *err)
{
    uint64_t n[6] = {0};
    fsh_status status = read_texts(store, &name_spec, &c->names, &c->identities_n, err);

    if (!status)
        status = read_numbers(store, &first_spec, 8, (void **)&c->identity_labels, &n[0], err);
    if (!status)
        status = read_texts(store, &source_spec, &c->sources, &c->rows_n, err);
    if (!status)
        status = read_numbers(store, &label_spec, 8, (void **)&c->labels, &n[1], err);
    if (!status)
        status = read_numbers(store, &id_spec, 8, (void **)&c->ids, &n[2], err);
    if (!status)
        status = read_texts(store, &out_source_spec, &c->out_sources, &c->out_n, err);
    if (!status)
        status = read_texts(store, &out_reason_spec, &c->out_reasons, &n[3], err);
    if (!status)
        status = read_numbers(store, &out_label_spec, 8, (void **)&c->out_labels, &n[4], err);
    if (!status)
        status = read_numbers(store, &out_variant_spec, 1, (void **)&c->out_variants, &n[5], err);
    if (!status && (n[0] != c->identities_n || n[1] != c->rows_n || n[2] != c->rows_n ||
                    n[3] != c->out_n || n[4] != c->out_n || n[5] != c->out_n))
        status = damaged(c, err);
    return status;
}

/* The path of a file beside the input. */
static fsh_status
path_beside(const char *input, const char *file, char path[FSH_PATH_BYTES], fsh_err *err)
{
    int folder = (int)(fsh_path_name(input) - input);

    if (snprintf(path, FSH_PATH_BYTES, "%.*s%s", folder, input, file) >= FSH_PATH_BYTES)
        return fsh_fail(err, FSH_USAGE, "%.80s...: path too long", input);
    return FSH_OK;
}

static fsh_status
check_there(const char *input, const char *file, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_status status = path_beside(input, file, path, err);

    if (!status && (!fsh_file_exists(path) || strchr(file, '\t')))
        status =
            fsh_fail(err, FSH_IO,
                     "%s: is missing, and %s joins it; `faceshard verify-output` on its folder, "
                     "then its job again",
                     path, input);
    return status;
}

/* A shard is its own only file. */
static fsh_status
read_files(fsh_store *store, const char *input, contents *c, fsh_err *err)
{
    uint64_t i, n, sum = 0;
    fsh_status status;

    if (!fsh_store_has(store, file_spec.name)) {
        c->files_n = 1;
        c->files = calloc(1, sizeof *c->files);
        c->images = calloc(1, sizeof *c->images);
        if (!c->files || !c->images)
            return fsh_fail(err, FSH_MEMORY, "%s: out of memory", input);
        c->files[0] = (char *)fsh_path_name(input);
        c->images[0] = c->rows_n;
        return FSH_OK;
    }
    status = read_texts(store, &file_spec, &c->files, &c->files_n, err);
    if (!status)
        status = read_numbers(store, &images_spec, 8, (void **)&c->images, &n, err);
    for (i = 0; i < c->files_n && !status; i++) {
        sum += c->images[i];
        status = check_there(input, c->files[i], err);
    }
    return status || (n == c->files_n && sum == c->rows_n) ? status : damaged(c, err);
}

/* Goes on to the file that has the row. */
static void
find_file(contents *c)
{
    while (c->file < c->files_n && c->at >= c->images[c->file]) {
        c->at -= c->images[c->file];
        c->file++;
    }
}

static fsh_status
give(const fsh_scan_sink *sink, const char *source, const char *place, const char *file,
     fsh_err *err)
{
    char *name = NULL;
    fsh_status status;

    if (asprintf(&name, "%s\t%s\t%s", source, place, file) < 0)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    status = sink->sample(sink->self, name, err);
    free(name);
    return status;
}

/* Gives the next picture, and passes over its other variants and other faces of the same
 * photograph. */
static fsh_status
give_row(contents *c, const fsh_scan_sink *sink, fsh_err *err)
{
    const char *source = c->sources[c->row];
    char place[32];
    fsh_status status;

    find_file(c);
    snprintf(place, sizeof place, "%llu", (unsigned long long)c->at);
    status = give(sink, source, place, c->files[c->file], err);
    for (; c->row < c->rows_n && strcmp(c->sources[c->row], source) == 0; c->row++)
        c->at++;
    return status;
}

static fsh_status
give_identity(contents *c, uint64_t i, const fsh_scan_sink *sink, fsh_err *err)
{
    int64_t label = c->identity_labels[i];
    fsh_status status = sink->identity(sink->self, c->names[i], err);

    while (!status) {
        bool row = c->row < c->rows_n && c->labels[c->row] == label;
        bool out = c->out < c->out_n && c->out_labels[c->out] == label;

        if (out && c->out_variants[c->out] != WHOLE_SAMPLE) {
            c->out++;
            continue;
        }
        if (!row && !out)
            break;
        if (row && (!out || strcmp(c->sources[c->row], c->out_sources[c->out]) < 0)) {
            status = give_row(c, sink, err);
            continue;
        }
        status = give(sink, c->out_sources[c->out], c->out_reasons[c->out], "", err);
        c->out++;
    }
    return status;
}

static fsh_status
scan_store(fsh_store *store, const char *input, const fsh_scan_sink *sink, fsh_err *err)
{
    contents c = {.path = input};
    uint64_t i;
    fsh_status status = read_columns(store, &c, err);

    if (!status)
        status = read_files(store, input, &c, err);
    for (i = 0; i < c.identities_n && !status; i++)
        status = give_identity(&c, i, sink, err);
    if (!status && (c.row < c.rows_n || c.out < c.out_n))
        status = damaged(&c, err);
    contents_fini(&c);
    return status;
}

/* "shard" or "index"; "" for everything else. */
static void
read_kind(fsh_store *store, fsh_text *kind)
{
    if (fsh_store_get_text(store, "kind", kind, NULL))
        fsh_text_clear(kind);
    if (strcmp(fsh_text_get(kind), "shard") != 0 && strcmp(fsh_text_get(kind), "index") != 0)
        fsh_text_clear(kind);
}

static fsh_status
shards_scan(const char *input, const fsh_scan_sink *sink, fsh_err *err)
{
    fsh_store *store = NULL;
    fsh_text kind = {0};
    fsh_status status = fsh_store_open(input, &store, err);

    if (status)
        return status;
    read_kind(store, &kind);
    if (!kind.bytes)
        status = fsh_fail(err, FSH_FORMAT, "%s: neither a shard nor an index", input);
    else if (!fsh_store_has(store, "images"))
        status = fsh_fail(err, FSH_FORMAT, "%s: holds no pictures (encoding none)", input);
    else
        status = scan_store(store, input, sink, err);
    fsh_text_fini(&kind);
    fsh_store_close(&store, NULL);
    return status;
}

/* ---- loading ---- */

/* The two parts of a sample's name behind its source: "ROW<tab>FILE". NULL where it has none. */
static const char *
place_of(const char *sample)
{
    const char *last = strrchr(sample, '\t'), *at = last;

    while (at && at > sample && *--at != '\t')
        ;
    return at && at > sample ? at + 1 : NULL;
}

static fsh_status
shards_load(const char *input, const char *identity, const char *sample, uint8_t **data,
            size_t *bytes, fsh_reason *reason, fsh_err *err)
{
    const char *place = place_of(sample), *file = place ? strchr(place, '\t') + 1 : NULL;
    char path[FSH_PATH_BYTES], code[32];
    fsh_status status = FSH_OK;

    (void)identity;
    if (!place)
        return fsh_fail(err, FSH_FORMAT, "%s: names no picture of a shard", sample);
    if (!*file) {
        snprintf(code, sizeof code, "%.*s", (int)strcspn(place, "\t"), place);
        *reason = fsh_reason_from_code(code);
        return *reason < FSH_REASON_N ? FSH_OK
                                      : fsh_fail(err, FSH_FORMAT, "%s: unknown reason", sample);
    }
    if ((status = path_beside(input, file, path, err)))
        return status;
#pragma omp critical(fsh_shards)
    status = fsh_shard_picture(path, strtoull(place, NULL, 10), data, bytes, err);
    if (!status)
        *reason = *bytes ? FSH_REASON_NONE : FSH_REASON_EMPTY;
    return status;
}

static fsh_status
shards_source(const char *identity, const char *sample, char path[FSH_PATH_BYTES], fsh_err *err)
{
    const char *place = place_of(sample);
    int n = (int)(place ? place - 1 - sample : (ptrdiff_t)strlen(sample));

    (void)identity;
    if (snprintf(path, FSH_PATH_BYTES, "%.*s", n, sample) >= FSH_PATH_BYTES)
        return fsh_fail(err, FSH_USAGE, "%.80s...: path too long", sample);
    return FSH_OK;
}

static bool
shards_fits(const char *input)
{
    fsh_store *store = NULL;
    fsh_text kind = {0};
    bool fits;

    if (fsh_store_open(input, &store, NULL))
        return false;
    read_kind(store, &kind);
    fits = kind.bytes > 0;
    fsh_text_fini(&kind);
    fsh_store_close(&store, NULL);
    return fits;
}

const fsh_reader fsh_reader_shards = {
    .format = "shards",
    .summary = "a shard or index.h5 of a job of ours: the pictures in it, as photographs",
    .local = true,
    .fits = shards_fits,
    .scan = shards_scan,
    .load = shards_load,
    .source = shards_source,
};

/* Embeddings from shards and index.h5. The virtual datasets of index.h5 are not used: where
 * a shard is missing, or may not be opened because too many files are open, HDF5 gives them as NaN
 * without an error. Its shards are opened themselves, one after the other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/tree.h"
#include "shards/embeddings_parts.h"
#include "shards/read.h"

enum { BATCH_ROWS = 1024 };

static size_t
batch_of(uint64_t first, uint64_t rows)
{
    return rows - first < BATCH_ROWS ? (size_t)(rows - first) : BATCH_ROWS;
}

static fsh_status
out_of_memory(const char *path, fsh_err *err)
{
    return fsh_fail(err, FSH_MEMORY, "%s: out of memory", path);
}

/* ---- what the attributes of a shard say ---- */

/* "embedder NAME SHA256" of the models of a shard becomes "NAME SHA256". */
static void
add_model(const char *models, const char *role, fsh_text *out)
{
    size_t n = strlen(role);

    for (; *models; models += strcspn(models, "\n"), models += *models == '\n')
        if (strncmp(models, role, n) == 0 && models[n] == ' ') {
            fsh_text_add_bytes(out, models + n + 1, strcspn(models + n + 1, "\n"));
            return;
        }
}

/* A parameter of a stage, as it stands in the attribute `stages`; "" where there is none. */
static void
add_parameter(const char *stages, const char *stage, const char *name, fsh_text *out)
{
    fsh_tree *tree = NULL;
    const fsh_node *list, *step, *value;

    if (fsh_tree_parse("stages", stages, strlen(stages), &tree, NULL))
        return;
    list = fsh_node_get(fsh_tree_root(tree), "stages");
    for (step = list ? list->child : NULL; step; step = step->next)
        if ((value = fsh_node_get(fsh_node_get(step, stage), name)) && value->text)
            fsh_text_add(out, value->text);
    fsh_tree_free(tree);
}

static fsh_status
take_facts(const fsh_shard_meta *meta, fsh_embeddings *e, fsh_err *err)
{
    fsh_text model = {0}, detector = {0}, flip = {0};
    fsh_embeddings facts = {.dimension = meta->dimension,
                            .job_hash = (char *)meta->job_hash,
                            .version = (char *)meta->version};
    fsh_status status;

    add_model(meta->models, "embedder", &model);
    add_model(meta->models, "detector", &detector);
    add_parameter(meta->stages, "embed", "flip", &flip);
    facts.model = (char *)fsh_text_get(&model);
    facts.detector = (char *)fsh_text_get(&detector);
    facts.flip = strcmp(fsh_text_get(&flip), "true") == 0;
    status = fsh_embeddings_copy_facts(e, &facts, err);
    fsh_text_fini(&model);
    fsh_text_fini(&detector);
    fsh_text_fini(&flip);
    return status;
}

/* ---- the rows of a shard ---- */

/* A shard while its rows are read: a batch of each column. */
typedef struct shard_reading {
    fsh_shard_file *file;
    const char *path;
    fsh_embeddings *e;
    char **identities; /* of the shard, whose labels follow each other; one piece of memory */
    uint64_t identities_n;
    int64_t first_label;
    uint64_t last_id; /* sample_id of the row before */
    bool any;
    int64_t labels[BATCH_ROWS];
    uint64_t ids[BATCH_ROWS];
    float values[BATCH_ROWS];
    uint8_t variants[BATCH_ROWS];
    float *vectors;
} shard_reading;

static fsh_status
read_identities(shard_reading *r, fsh_err *err)
{
    uint64_t n = fsh_shard_get_info(r->file)->rows[FSH_TABLE_IDENTITIES];
    fsh_status status = FSH_OK;

    r->identities_n = n;
    if (n)
        status = fsh_shard_read(r->file, FSH_COLUMN_IDENTITY_LABEL, 0, 1, &r->first_label, err);
    return status ? status
                  : fsh_shard_read_texts(r->file, FSH_COLUMN_IDENTITY_NAME, 0, (size_t)n,
                                         &r->identities, err);
}

/* The name of the identity with this label, or NULL after a failure. */
static const char *
name_of(const shard_reading *r, int64_t label, fsh_err *err)
{
    uint64_t place = (uint64_t)label - (uint64_t)r->first_label;

    if (place < r->identities_n)
        return r->identities[place];
    fsh_fail(err, FSH_FORMAT, "%s: a row has label %lld, which is none of the file's own", r->path,
             (long long)label);
    return NULL;
}

/* All variants of a face follow each other and have its vector: the first of them is taken. */
static fsh_status
add_rows(shard_reading *r, char **sources, size_t n, fsh_err *err)
{
    fsh_status status = FSH_OK;
    size_t i;

    for (i = 0; i < n && !status; i++) {
        const char *name = name_of(r, r->labels[i], err);
        bool another = !r->any || r->ids[i] != r->last_id;

        if (!name)
            return FSH_FORMAT;
        if (another)
            status =
                fsh_embeddings_add(r->e, name, sources[i], &r->vectors[i * r->e->dimension], err);
        r->last_id = r->ids[i];
        r->any = true;
    }
    return status ? fsh_fail_within(err, status, "%s", r->path) : FSH_OK;
}

static fsh_status
read_rows(shard_reading *r, fsh_err *err)
{
    uint64_t first, rows = fsh_shard_get_info(r->file)->rows[FSH_TABLE_ROWS];
    fsh_status status = FSH_OK;
    size_t n;

    for (first = 0; first < rows && !status; first += n) {
        char **sources = NULL;

        n = batch_of(first, rows);
        status = fsh_shard_read(r->file, FSH_COLUMN_LABEL, first, n, r->labels, err);
        if (!status)
            status = fsh_shard_read(r->file, FSH_COLUMN_SAMPLE_ID, first, n, r->ids, err);
        if (!status)
            status = fsh_shard_read(r->file, FSH_COLUMN_EMBEDDING, first, n, r->vectors, err);
        if (!status)
            status = fsh_shard_read_texts(r->file, FSH_COLUMN_SOURCE, first, n, &sources, err);
        if (!status)
            status = add_rows(r, sources, n, err);
        free(sources);
    }
    return status;
}

static fsh_status
add_rejected(shard_reading *r, char **sources, char **codes, size_t n, fsh_err *err)
{
    fsh_status status = FSH_OK;
    size_t i;

    for (i = 0; i < n && !status; i++) {
        const char *name = name_of(r, r->labels[i], err);

        if (!name)
            return FSH_FORMAT;
        if (r->variants[i] == FSH_SHARD_WHOLE_SAMPLE)
            status = fsh_embeddings_reject_code(r->e, r->path, name, sources[i], codes[i],
                                                r->values[i], err);
    }
    return status;
}

static fsh_status
read_rejected_batch(shard_reading *r, uint64_t first, size_t n, fsh_err *err)
{
    char **sources = NULL, **codes = NULL;
    fsh_status status =
        fsh_shard_read(r->file, FSH_COLUMN_REJECTED_LABEL, first, n, r->labels, err);

    if (!status)
        status = fsh_shard_read(r->file, FSH_COLUMN_REJECTED_VALUE, first, n, r->values, err);
    if (!status)
        status = fsh_shard_read(r->file, FSH_COLUMN_REJECTED_VARIANT, first, n, r->variants, err);
    if (!status)
        status = fsh_shard_read_texts(r->file, FSH_COLUMN_REJECTED_SOURCE, first, n, &sources, err);
    if (!status)
        status = fsh_shard_read_texts(r->file, FSH_COLUMN_REJECTED_REASON, first, n, &codes, err);
    if (!status)
        status = add_rejected(r, sources, codes, n, err);
    free(sources);
    free(codes);
    return status;
}

static fsh_status
read_rejected(shard_reading *r, fsh_err *err)
{
    uint64_t first, rows = fsh_shard_get_info(r->file)->rows[FSH_TABLE_REJECTED];
    fsh_status status = FSH_OK;
    size_t n;

    for (first = 0; first < rows && !status; first += n) {
        n = batch_of(first, rows);
        status = read_rejected_batch(r, first, n, err);
    }
    return status;
}

static fsh_status
check_dimension(const fsh_shard_meta *meta, const char *path, fsh_err *err)
{
    if (meta->dimension > 0)
        return FSH_OK;
    return fsh_fail(err, FSH_FORMAT,
                    "%s: has no embeddings: its job has no stage `embed`; `faceshard embed` makes "
                    "them from its pictures",
                    path);
}

static fsh_status
read_open_shard(fsh_shard_file *file, const char *path, fsh_embeddings *e, fsh_err *err)
{
    const fsh_shard_meta *meta = &fsh_shard_get_info(file)->meta;
    shard_reading *r = calloc(1, sizeof *r);
    fsh_status status;

    if (!r)
        return out_of_memory(path, err);
    *r = (shard_reading){.file = file, .path = path, .e = e};
    status = check_dimension(meta, path, err);
    if (!status)
        status = take_facts(meta, e, err);
    if (!status && !(r->vectors = calloc(BATCH_ROWS, meta->dimension * sizeof *r->vectors)))
        status = out_of_memory(path, err);
    if (!status)
        status = read_identities(r, err);
    if (!status)
        status = read_rows(r, err);
    if (!status)
        status = read_rejected(r, err);
    free(r->vectors);
    free(r->identities);
    free(r);
    return status;
}

/* ---- the shards of index.h5 ---- */

/* What index.h5 says of its shards. */
typedef struct joined {
    const char *path; /* of index.h5 */
    const fsh_shard_info *info;
    char **files; /* relative to its folder */
    uint64_t *images;
} joined;

static fsh_status
check_joined(const joined *index, const fsh_shard_info *info, uint64_t unit, const char *path,
             fsh_err *err)
{
    if (info->index || info->meta.unit != unit ||
        strcmp(info->meta.job_hash, index->info->meta.job_hash) != 0 ||
        info->meta.dimension != index->info->meta.dimension ||
        info->rows[FSH_TABLE_ROWS] != index->images[unit])
        return fsh_fail(err, FSH_FORMAT, "%s: is not the shard that the index joined", path);
    return FSH_OK;
}

/* Path of a file that lies beside another. */
static fsh_status
path_beside(char out[FSH_PATH_BYTES], const char *path, const char *name, fsh_err *err)
{
    char folder[FSH_PATH_BYTES];
    const char *last = fsh_path_name(path);

    if (last == path)
        return fsh_path_join(out, ".", name, err);
    if (snprintf(folder, sizeof folder, "%.*s", (int)(last - path), path) >= (int)sizeof folder)
        return fsh_fail(err, FSH_USAGE, "%.80s...: path too long", path);
    return fsh_path_join(out, folder, name, err);
}

static fsh_status
take_joined(const joined *index, uint64_t unit, fsh_embeddings_taker *take, void *self,
            fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_embeddings part = {0};
    fsh_shard_file *file = NULL;
    fsh_status status = path_beside(path, index->path, index->files[unit], err);

    if (!status)
        status = fsh_shard_open(path, &file, err);
    if (!status)
        status = check_joined(index, fsh_shard_get_info(file), unit, path, err);
    if (status)
        status = fsh_fail_within(err, status,
                                 "%s joins a shard that cannot be had; `faceshard "
                                 "verify-output` on its folder, then the same job again",
                                 index->path);
    if (!status)
        status = read_open_shard(file, path, &part, err);
    if (!status)
        status = take(self, &part, err);
    fsh_shard_close(&file);
    fsh_embeddings_fini(&part);
    return status;
}

static fsh_status
each_joined(fsh_shard_file *file, const char *path, fsh_embeddings_taker *take, void *self,
            fsh_err *err)
{
    joined index = {.path = path, .info = fsh_shard_get_info(file)};
    uint64_t unit, n = index.info->rows[FSH_TABLE_SHARDS];
    fsh_status status;

    if (n == 0)
        return fsh_fail(err, FSH_FORMAT, "%s: joins no shards", path);
    if (!(index.images = calloc(n, sizeof *index.images)))
        return out_of_memory(path, err);
    status = fsh_shard_read(file, FSH_COLUMN_SHARD_IMAGES, 0, (size_t)n, index.images, err);
    if (!status)
        status = fsh_shard_read_texts(file, FSH_COLUMN_SHARD_FILE, 0, (size_t)n, &index.files, err);
    for (unit = 0; unit < n && !status; unit++)
        status = take_joined(&index, unit, take, self, err);
    free(index.files);
    free(index.images);
    return status;
}

fsh_status
fsh_embeddings_each_in_shards(const char *path, fsh_embeddings_taker *take, void *self,
                              fsh_err *err)
{
    fsh_embeddings part = {0};
    fsh_shard_file *file = NULL;
    fsh_status status = fsh_shard_open(path, &file, err);

    if (status)
        return status;
    if (fsh_shard_get_info(file)->index) {
        status = each_joined(file, path, take, self, err);
    } else {
        status = read_open_shard(file, path, &part, err);
        if (!status)
            status = take(self, &part, err);
    }
    fsh_embeddings_fini(&part);
    fsh_shard_close(&file);
    return status;
}

fsh_status
fsh_embeddings_shard_facts(const char *path, fsh_embeddings *e, fsh_err *err)
{
    fsh_shard_file *file = NULL;
    fsh_status status = fsh_shard_open(path, &file, err);

    if (!status)
        status = take_facts(&fsh_shard_get_info(file)->meta, e, err);
    fsh_shard_close(&file);
    return status;
}

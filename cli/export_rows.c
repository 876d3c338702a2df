#include "cli/export_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "datasets/pictures.h"
#include "job/paths.h"

enum { BLOCK_ROWS = 512 };

/* ---- what is exported ---- */

static fsh_status
find_file(const char *input, char path[FSH_PATH_BYTES], fsh_err *err)
{
    struct stat info;
    fsh_status status;

    if (stat(input, &info) != 0 || !S_ISDIR(info.st_mode))
        return snprintf(path, FSH_PATH_BYTES, "%s", input) < FSH_PATH_BYTES
                   ? FSH_OK
                   : fsh_fail(err, FSH_USAGE, "%.80s...: path too long", input);
    status = fsh_path_join(path, input, FSH_PATH_INDEX, err);
    if (!status && !fsh_file_exists(path))
        status = fsh_fail(err, FSH_IO,
                          "%s: holds no index.h5: it is no output folder, or its job has not ended "
                          "(`faceshard status %s`)",
                          input, input);
    return status;
}

/* A line each, the last with or without its end. */
static uint32_t
count_lines(const char *text)
{
    uint32_t n = 0;

    for (; *text; text++)
        n += *text != '\n' && (text[1] == '\n' || !text[1]);
    return n;
}

static fsh_status
choose_variants(const char *variants, fsh_export_input *in, fsh_err *err)
{
    const char *at = variants;
    char *end;
    uint32_t n = 0;

    memset(in->chosen, strcmp(variants, "all") == 0, sizeof in->chosen);
    if (in->chosen[0])
        return FSH_OK;
    do {
        unsigned long number = strtoul(at, &end, 10);

        if (end == at || (*end && *end != ',') || number >= in->variants_n || number > UINT8_MAX)
            return fsh_fail(err, FSH_USAGE,
                            "--variants %s: expected all, or numbers from 0 to %u with commas "
                            "between them (`faceshard inspect %s` lists them)",
                            variants, in->variants_n ? in->variants_n - 1 : 0, in->path);
        n += !in->chosen[number];
        in->chosen[number] = true;
        at = end + 1;
    } while (*end);
    in->variants_n = n;
    return FSH_OK;
}

static fsh_status
read_identities(fsh_shard_file *file, fsh_export_input *in, fsh_err *err)
{
    uint64_t n = fsh_shard_get_info(file)->rows[FSH_TABLE_IDENTITIES];
    fsh_status status = fsh_shard_read_texts(file, FSH_COLUMN_IDENTITY_NAME, 0, n, &in->names, err);

    in->identities_n = n;
    if (!status && !(in->labels = calloc(n + 1, sizeof *in->labels)))
        status = fsh_fail(err, FSH_MEMORY, "out of memory");
    return status ? status : fsh_shard_read(file, FSH_COLUMN_IDENTITY_LABEL, 0, n, in->labels, err);
}

static fsh_status
read_files(fsh_shard_file *file, fsh_export_input *in, fsh_err *err)
{
    const fsh_shard_info *info = fsh_shard_get_info(file);

    if (in->index) {
        in->files_n = info->rows[FSH_TABLE_SHARDS];
        return fsh_shard_read_texts(file, FSH_COLUMN_SHARD_FILE, 0, in->files_n, &in->files, err);
    }
    in->files_n = 1;
    in->files = calloc(1, sizeof *in->files);
    if (!in->files)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    in->files[0] = (char *)fsh_path_name(in->path);
    return FSH_OK;
}

static fsh_status
read_all(fsh_shard_file *file, const char *variants, fsh_export_input *in, fsh_err *err)
{
    const fsh_shard_info *info = fsh_shard_get_info(file);
    fsh_status status;

    in->index = info->index;
    in->size = info->meta.size;
    in->encoding = info->meta.encoding;
    in->rows_n = info->rows[FSH_TABLE_ROWS];
    in->variants_n = count_lines(info->meta.variants);
    if (in->encoding == FSH_ENCODING_NONE)
        return fsh_fail(err, FSH_USAGE,
                        "%s: holds no pictures (output.encoding: none): there is nothing to export",
                        in->path);
    status = choose_variants(variants, in, err);
    if (!status)
        status = read_identities(file, in, err);
    return status ? status : read_files(file, in, err);
}

fsh_status
fsh_export_open(const char *input, const char *variants, fsh_export_input *in, fsh_err *err)
{
    fsh_shard_file *file = NULL;
    fsh_status status;

    memset(in, 0, sizeof *in);
    status = find_file(input, in->path, err);
    if (!status)
        status = fsh_shard_open(in->path, &file, err);
    if (!status)
        status = read_all(file, variants, in, err);
    fsh_shard_close(&file);
    if (status)
        fsh_export_close(in);
    return status;
}

void
fsh_export_close(fsh_export_input *in)
{
    free(in->files);
    free(in->names);
    free(in->labels);
    memset(in, 0, sizeof *in);
}

/* Labels ascend. */
const char *
fsh_export_identity(const fsh_export_input *in, int64_t label)
{
    uint64_t low = 0, high = in->identities_n;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (in->labels[middle] == label)
            return in->names[middle];
        if (in->labels[middle] < label)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ---- rows ---- */

typedef struct block {
    int64_t labels[BLOCK_ROWS];
    uint8_t variants[BLOCK_ROWS];
    uint64_t ids[BLOCK_ROWS];
    char **sources, **worn;
} block;

static fsh_status
read_block(fsh_shard_file *file, uint64_t first, size_t n, block *b, fsh_err *err)
{
    fsh_status status = fsh_shard_read(file, FSH_COLUMN_LABEL, first, n, b->labels, err);

    b->sources = b->worn = NULL;
    if (!status)
        status = fsh_shard_read(file, FSH_COLUMN_VARIANT, first, n, b->variants, err);
    if (!status)
        status = fsh_shard_read(file, FSH_COLUMN_SAMPLE_ID, first, n, b->ids, err);
    if (!status)
        status = fsh_shard_read_texts(file, FSH_COLUMN_SOURCE, first, n, &b->sources, err);
    if (!status && fsh_shard_read_texts(file, FSH_COLUMN_WORN, first, n, &b->worn, NULL))
        b->worn = NULL; /* older shards do not have it */
    return status;
}

static fsh_status
give_block(const fsh_export_input *in, fsh_shard_file *file, uint64_t first, size_t n,
           const block *b, fsh_export_taker *take, void *self, fsh_err *err)
{
    fsh_status status = FSH_OK;
    size_t i;

    for (i = 0; i < n && !status; i++) {
        fsh_export_row row = {file, first + i, b->labels[i], b->variants[i], b->ids[i],
                              b->sources[i], b->worn ? b->worn[i] : "",
                              fsh_export_identity(in, b->labels[i])};

        if (!in->chosen[row.variant])
            continue;
        status = row.identity ? take(self, &row, err)
                              : fsh_fail(err, FSH_FORMAT, "%s: row %llu has a label of no identity; "
                                         "`faceshard verify-output` says what is damaged", in->path,
                                         (unsigned long long)row.row);
    }
    return status;
}

static fsh_status
give_file(const fsh_export_input *in, const char *path, fsh_export_taker *take, void *self,
          fsh_err *err)
{
    fsh_shard_file *file = NULL;
    fsh_status status = fsh_shard_open(path, &file, err);
    uint64_t n = status ? 0 : fsh_shard_get_info(file)->rows[FSH_TABLE_ROWS], at;
    block b;

    for (at = 0; at < n && !status; at += BLOCK_ROWS) {
        size_t part = n - at < BLOCK_ROWS ? (size_t)(n - at) : BLOCK_ROWS;

        status = read_block(file, at, part, &b, err);
        if (!status)
            status = give_block(in, file, at, part, &b, take, self, err);
        free(b.sources);
        free(b.worn);
    }
    fsh_shard_close(&file);
    return status;
}

fsh_status
fsh_export_each(const fsh_export_input *in, fsh_export_taker *take, void *self, fsh_err *err)
{
    int folder = (int)(fsh_path_name(in->path) - in->path);
    char path[FSH_PATH_BYTES];
    fsh_status status = FSH_OK;
    uint64_t i;

    for (i = 0; i < in->files_n && !status; i++) {
        if (snprintf(path, sizeof path, "%.*s%s", folder, in->path, in->files[i]) >=
            (int)sizeof path)
            return fsh_fail(err, FSH_USAGE, "%.80s...: path too long", path);
        status = give_file(in, path, take, self, err);
    }
    return status;
}

/* ---- names ---- */

/* The source without its identity and without the ending of a picture, as one part of a path. */
static void
add_stem(const fsh_export_naming *naming, const fsh_export_row *row, fsh_text *out)
{
    size_t identity = strlen(row->identity), from = out->bytes, i;
    const char *source = row->source;
    bool below = strncmp(source, row->identity, identity) == 0 && source[identity] == '/';
    const char *dot;

    source += below ? identity + 1 : 0;
    dot = fsh_picture_has_name(source) ? strrchr(source, '.') : NULL;
    fsh_text_add_bytes(out, source, dot ? (size_t)(dot - source) : strlen(source));
    if (out->bytes == from)
        fsh_text_add(out, "picture");
    for (i = from; i < out->bytes; i++)
        if (out->data[i] == '/' || (out->data[i] == '.' && (naming->keyed || i == from)))
            out->data[i] = '-';
}

static void
step(fsh_export_naming *n, const fsh_export_row *row)
{
    bool first = !n->source.data || n->label != row->label;
    bool same = !first && strcmp(fsh_text_get(&n->source), row->source) == 0;

    n->place = first ? 0 : n->place + 1;
    n->face = !same ? 0 : n->face + (n->sample_id != row->sample_id);
    n->label = row->label;
    n->sample_id = row->sample_id;
    fsh_text_clear(&n->source);
    fsh_text_add(&n->source, row->source);
}

const char *
fsh_export_name(fsh_export_naming *naming, const fsh_export_row *row)
{
    fsh_text *name = &naming->name;

    step(naming, row);
    fsh_text_clear(name);
    if (naming->numbered)
        fsh_text_addf(name, "%06llu-", (unsigned long long)naming->place);
    add_stem(naming, row, name);
    if (naming->face)
        fsh_text_addf(name, "-x%llu", (unsigned long long)naming->face);
    if (naming->several)
        fsh_text_addf(name, "-v%02u", row->variant);
    return fsh_text_ok(name) && fsh_text_ok(&naming->source) ? fsh_text_get(name) : NULL;
}

void
fsh_export_naming_fini(fsh_export_naming *naming)
{
    fsh_text_fini(&naming->source);
    fsh_text_fini(&naming->name);
}

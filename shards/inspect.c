#include "shards/inspect.h"

#include <inttypes.h>
#include <string.h>

#include "shards/counts.h"
#include "shards/inspect_worn.h"
#include "shards/read.h"

enum { BATCH_ROWS = 4096, VARIANTS_MAX = 256 };

/* Classes by the number of their delivered samples. */
enum { UNDER_10, FROM_10_TO_100, OVER_100, STRATA_N };

static const char *const strata_names[STRATA_N] = {"under_10", "from_10_to_100", "over_100"};
static const char *const strata_texts[STRATA_N] = {"under 10", "10 to 100", "over 100"};
static const char *const cell_names[] = {
    [FSH_CELL_U8] = "uint8",   [FSH_CELL_I8] = "int8",    [FSH_CELL_I32] = "int32",
    [FSH_CELL_I64] = "int64",  [FSH_CELL_U64] = "uint64", [FSH_CELL_F32] = "float32",
    [FSH_CELL_TEXT] = "UTF-8", [FSH_CELL_BYTES] = "bytes"};

typedef struct contents {
    const char *path;
    const fsh_shard_info *info;
    fsh_counts counts;
    uint64_t strata[STRATA_N];
    uint64_t variants[VARIANTS_MAX]; /* pictures of each */
    fsh_worn_counts worn;
} contents;

static fsh_status
count_variants(fsh_shard_file *file, contents *found, fsh_err *err)
{
    uint64_t rows = found->info->rows[FSH_TABLE_ROWS], first;
    uint8_t variants[BATCH_ROWS];
    fsh_status status = FSH_OK;
    size_t i, n;

    for (first = 0; first < rows && !status; first += n) {
        n = rows - first < BATCH_ROWS ? (size_t)(rows - first) : BATCH_ROWS;
        status = fsh_shard_read(file, FSH_COLUMN_VARIANT, first, n, variants, err);
        for (i = 0; i < n && !status; i++)
            found->variants[variants[i]]++;
    }
    return status;
}

static void
count_strata(contents *found)
{
    uint64_t i;

    for (i = 0; i < found->counts.classes_n; i++) {
        uint64_t n = found->counts.classes[i].samples;

        found->strata[n < 10 ? UNDER_10 : n <= 100 ? FROM_10_TO_100 : OVER_100]++;
    }
}

/* Calls print for every dataset of the file. */
static void
each_dataset(const contents *found,
             void (*print)(const fsh_column_spec *, uint64_t, bool, fsh_text *), fsh_text *out)
{
    const fsh_shard_meta *meta = &found->info->meta;
    bool first = true;
    int i;

    for (i = 0; i < FSH_COLUMN_N; i++) {
        fsh_shard_column column = (fsh_shard_column)i;
        fsh_column_spec spec =
            fsh_shard_column_spec(column, meta->size, meta->encoding, meta->dimension);

        if (fsh_shard_column_used(column, found->info->index, meta->encoding, meta->dimension))
            {
            print(&spec, found->info->rows[fsh_shard_column_table(column)], first, out);
            first = false;
        }
    }
}

static void
print_shape(const fsh_column_spec *spec, uint64_t rows, fsh_text *out)
{
    uint32_t i;

    fsh_text_addf(out, "[%" PRIu64, rows);
    for (i = 0; i < spec->rank; i++)
        fsh_text_addf(out, ", %u", spec->dims[i]);
    fsh_text_add(out, "]");
}

static void
print_dataset(const fsh_column_spec *spec, uint64_t rows, bool first, fsh_text *out)
{
    (void)first;
    fsh_text_addf(out, "  /%-21s %-8s ", spec->name, cell_names[spec->cell]);
    print_shape(spec, rows, out);
    fsh_text_add(out, "\n");
}

static void
print_dataset_json(const fsh_column_spec *spec, uint64_t rows, bool first, fsh_text *out)
{
    fsh_text_addf(out, "%s{\"name\": \"%s\", \"type\": \"%s\", \"shape\": ", first ? "" : ", ",
                  spec->name, cell_names[spec->cell]);
    print_shape(spec, rows, out);
    fsh_text_add(out, "}");
}

/* The next line of *text, without its end; NULL when there is none. *text moves on. */
static const char *
next_line(const char **text, size_t *bytes)
{
    const char *line = *text;

    *bytes = strcspn(line, "\n");
    if (!*line)
        return NULL;
    *text = line + *bytes + (line[*bytes] == '\n');
    return line;
}

/* Appends every line of text, indented. */
static void
print_block(const char *title, const char *text, fsh_text *out)
{
    const char *line;
    size_t bytes;

    if (!*text)
        return;
    fsh_text_addf(out, "%s\n", title);
    while ((line = next_line(&text, &bytes)))
        fsh_text_addf(out, "  %.*s\n", (int)bytes, line);
}

static void
print_variants(const contents *found, fsh_text *out)
{
    const char *names = found->info->meta.variants, *line;
    size_t bytes;
    int i;

    fsh_text_add(out, "variants\n");
    for (i = 0; (line = next_line(&names, &bytes)) && i < VARIANTS_MAX; i++)
        fsh_text_addf(out, "  %-3d %10" PRIu64 "  %.*s\n", i, found->variants[i], (int)bytes, line);
}

static void
print_rejected(const fsh_counts *counts, fsh_text *out)
{
    int i;

    fsh_text_add(out, "rejected samples\n");
    for (i = 0; i < FSH_REASON_N; i++)
        if (counts->totals.rejected[i])
            fsh_text_addf(out, "  %-15s %10" PRIu64 "  %s\n", fsh_reason_code((fsh_reason)i),
                          counts->totals.rejected[i], fsh_reason_text((fsh_reason)i));
}

static void
print_lines(const contents *found, fsh_text *out)
{
    const fsh_shard_meta *meta = &found->info->meta;
    const fsh_index_totals *totals = &found->counts.totals;
    int i;

    fsh_text_add_visible(out, found->path);
    fsh_text_addf(out, found->info->index ? ": index over %u shards\n" : ": shard of unit %u\n",
                  meta->unit);
    fsh_text_addf(out, "  made by     faceshard %s, format %d\n", meta->version, FSH_SHARD_FORMAT);
    fsh_text_addf(out, "  job         %s\n  seed        %" PRIu64 "\n", meta->job_hash, meta->seed);
    if (meta->encoding == FSH_ENCODING_NONE)
        fsh_text_addf(out, "  faces       %" PRIu64 ", without pictures\n", totals->images);
    else
        fsh_text_addf(out, "  pictures    %" PRIu64 " of %u x %u px, %s, RGB\n", totals->images,
                      meta->size, meta->size, fsh_encoding_name(meta->encoding));
    fsh_text_addf(out, "  samples     %" PRIu64 " = %" PRIu64 " delivered + %" PRIu64 " rejected\n",
                  totals->samples, totals->delivered, totals->samples - totals->delivered);
    fsh_text_addf(out, "  identities  %" PRIu64 "\n", totals->identities);
    fsh_text_add(out, "identities by delivered samples\n");
    for (i = 0; i < STRATA_N; i++)
        fsh_text_addf(out, "  %-15s %10" PRIu64 "\n", strata_texts[i], found->strata[i]);
    print_variants(found, out);
    print_rejected(&found->counts, out);
    fsh_worn_counts_print(&found->worn, out);
    fsh_text_add(out, "datasets\n");
    each_dataset(found, print_dataset, out);
    print_block("stages", meta->stages, out);
    print_block("models", meta->models, out);
}

static void
print_variants_json(const contents *found, fsh_text *out)
{
    const char *names = found->info->meta.variants, *line;
    fsh_text name = {0};
    size_t bytes;
    int i;

    for (i = 0; (line = next_line(&names, &bytes)) && i < VARIANTS_MAX; i++) {
        fsh_text_clear(&name);
        fsh_text_add_bytes(&name, line, bytes);
        fsh_text_addf(out, "%s{\"name\": ", i ? ", " : "");
        fsh_text_add_json(out, fsh_text_get(&name));
        fsh_text_addf(out, ", \"images\": %" PRIu64 "}", found->variants[i]);
    }
    fsh_text_fini(&name);
}

static void
print_attributes_json(const contents *found, fsh_text *out)
{
    const fsh_shard_meta *meta = &found->info->meta;
    const struct {
        const char *name, *text;
    } texts[] = {{"file", found->path},
                 {"kind", found->info->index ? "index" : "shard"},
                 {"version", meta->version},
                 {"job_hash", meta->job_hash},
                 {"encoding", fsh_encoding_name(meta->encoding)},
                 {"stages", meta->stages},
                 {"models", meta->models}};
    size_t i;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        fsh_text_addf(out, "\"%s\": ", texts[i].name);
        fsh_text_add_json(out, texts[i].text);
        fsh_text_add(out, ", ");
    }
    fsh_text_addf(
        out, "\"format\": %d, \"seed\": %" PRIu64 ", \"size\": %u, \"dimension\": %u, \"%s\": %u",
        FSH_SHARD_FORMAT, meta->seed, meta->size, meta->dimension,
        found->info->index ? "units" : "unit", meta->unit);
}

static void
print_json(const contents *found, fsh_text *out)
{
    const fsh_index_totals *totals = &found->counts.totals;
    int i;

    fsh_text_add(out, "{");
    print_attributes_json(found, out);
    fsh_text_addf(out,
                  ", \"samples\": %" PRIu64 ", \"delivered\": %" PRIu64 ", \"images\": %" PRIu64
                  ", \"identities\": %" PRIu64 ", \"rejected\": ",
                  totals->samples, totals->delivered, totals->images, totals->identities);
    fsh_counts_print_rejected(totals->rejected, out);
    fsh_text_add(out, ", \"strata\": {");
    for (i = 0; i < STRATA_N; i++)
        fsh_text_addf(out, "%s\"%s\": %" PRIu64, i ? ", " : "", strata_names[i], found->strata[i]);
    fsh_text_add(out, "}, \"variants\": [");
    print_variants_json(found, out);
    fsh_text_add(out, "], \"worn\": ");
    fsh_worn_counts_print_json(&found->worn, out);
    fsh_text_add(out, ", \"datasets\": [");
    each_dataset(found, print_dataset_json, out);
    fsh_text_add(out, "]}\n");
}

fsh_status
fsh_inspect_print(const char *path, bool json, fsh_text *out, fsh_err *err)
{
    contents found = {.path = path};
    fsh_shard_file *file = NULL;
    fsh_status status = fsh_shard_open(path, &file, err);

    if (status)
        return status;
    found.info = fsh_shard_get_info(file);
    status = fsh_counts_read(file, path, &found.counts, err);
    if (!status)
        status = count_variants(file, &found, err);
    if (!status)
        status = fsh_worn_counts_read(file, &found.worn, err);
    if (!status) {
        count_strata(&found);
        (json ? print_json : print_lines)(&found, out);
        status = fsh_text_ok(out) ? FSH_OK : fsh_fail(err, FSH_MEMORY, "%s: out of memory", path);
    }
    fsh_worn_counts_fini(&found.worn);
    fsh_counts_fini(&found.counts);
    fsh_shard_close(&file);
    return status;
}

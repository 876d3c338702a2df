#include "shards/counts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_ROWS = 4096 };

/* Rows of one table: who they belong to, and what stands in their other columns. */
typedef struct batch {
    size_t n;
    int64_t labels[BATCH_ROWS];
    uint8_t variants[BATCH_ROWS];    /* of rejected rows */
    uint64_t numbers[3][BATCH_ROWS]; /* of classes in index.h5: images, samples, rejected */
    char **texts;                    /* names, sources or reasons; one piece of memory */
} batch;

typedef struct counting {
    fsh_shard_file *file;
    const char *path;
    fsh_counts *counts;
    char *source; /* of the last row of the batch before */
    batch rows;
} counting;

static fsh_status
out_of_memory(const counting *work, fsh_err *err)
{
    return fsh_fail(err, FSH_MEMORY, "%s: out of memory", work->path);
}

/* The class of a row, or NULL after a failure that says that the label is none of the file's. */
static fsh_class_count *
find_class(const counting *work, size_t row, fsh_err *err)
{
    const fsh_counts *counts = work->counts;
    uint64_t place = (uint64_t)work->rows.labels[row] - (uint64_t)counts->first_label;

    if (place < counts->classes_n)
        return &counts->classes[place];
    fsh_fail(err, FSH_FORMAT, "%s: a row has label %lld, which is none of the file's own",
             work->path, (long long)work->rows.labels[row]);
    return NULL;
}

static fsh_status
take_classes(counting *work, uint64_t first, fsh_err *err)
{
    fsh_counts *counts = work->counts;
    size_t i;

    if (first == 0)
        counts->first_label = work->rows.labels[0];
    for (i = 0; i < work->rows.n; i++) {
        uint64_t place = first + i;

        if ((uint64_t)work->rows.labels[i] != (uint64_t)counts->first_label + place)
            return fsh_fail(err, FSH_FORMAT,
                            "%s: the labels of /identities do not follow each other", work->path);
        counts->classes[place] =
            (fsh_class_count){strdup(work->rows.texts[i]), work->rows.numbers[0][i],
                              work->rows.numbers[1][i], work->rows.numbers[2][i]};
        if (!counts->classes[place].name)
            return out_of_memory(work, err);
        counts->classes_n++;
    }
    return FSH_OK;
}

/* All pictures of one sample follow each other: a new source is a new sample. */
static fsh_status
take_pictures(counting *work, uint64_t first, fsh_err *err)
{
    size_t i, last = work->rows.n - 1;

    (void)first;
    for (i = 0; i < work->rows.n; i++) {
        const char *before = i ? work->rows.texts[i - 1] : work->source;
        bool another = !before || strcmp(before, work->rows.texts[i]) != 0;
        fsh_class_count *class = find_class(work, i, err);

        if (!class)
            return FSH_FORMAT;
        class->images++;
        class->samples += another;
    }
    free(work->source);
    work->source = strdup(work->rows.texts[last]);
    return work->source ? FSH_OK : out_of_memory(work, err);
}

static fsh_status
take_rejected(counting *work, uint64_t first, fsh_err *err)
{
    size_t i;

    (void)first;
    for (i = 0; i < work->rows.n; i++) {
        fsh_reason reason = fsh_reason_from_code(work->rows.texts[i]);
        fsh_class_count *class = find_class(work, i, err);

        if (!class)
            return FSH_FORMAT;
        if (reason == FSH_REASON_N || reason == FSH_REASON_NONE)
            return fsh_fail(err, FSH_FORMAT, "%s: /rejected/reason has the unknown code '%.40s'",
                            work->path, work->rows.texts[i]);
        if (work->rows.variants[i] != FSH_SHARD_WHOLE_SAMPLE)
            continue;
        class->rejected++;
        work->counts->totals.rejected[reason]++;
    }
    return FSH_OK;
}

/* Which columns of a table are read, and who takes them. */
typedef struct table_pass {
    fsh_shard_column labels, texts;
    bool has_variants, has_numbers;
    fsh_status (*take)(counting *work, uint64_t first, fsh_err *err);
} table_pass;

static fsh_status
read_batch(counting *work, const table_pass *pass, uint64_t first, fsh_err *err)
{
    static const fsh_shard_column numbers[] = {
        FSH_COLUMN_IDENTITY_IMAGES, FSH_COLUMN_IDENTITY_SAMPLES, FSH_COLUMN_IDENTITY_REJECTED};
    batch *rows = &work->rows;
    fsh_status status = fsh_shard_read(work->file, pass->labels, first, rows->n, rows->labels, err);
    int i;

    if (!status && pass->has_variants)
        status = fsh_shard_read(work->file, FSH_COLUMN_REJECTED_VARIANT, first, rows->n,
                                rows->variants, err);
    for (i = 0; i < 3 && !status && pass->has_numbers; i++)
        status = fsh_shard_read(work->file, numbers[i], first, rows->n, rows->numbers[i], err);
    if (!status)
        status = fsh_shard_read_texts(work->file, pass->texts, first, rows->n, &rows->texts, err);
    return status;
}

static fsh_status
run_pass(counting *work, const table_pass *pass, fsh_err *err)
{
    uint64_t first, n = fsh_shard_get_info(work->file)->rows[fsh_shard_column_table(pass->labels)];
    fsh_status status = FSH_OK;

    for (first = 0; first < n && !status; first += work->rows.n) {
        work->rows.n = n - first < BATCH_ROWS ? (size_t)(n - first) : BATCH_ROWS;
        status = read_batch(work, pass, first, err);
        if (!status)
            status = pass->take(work, first, err);
        free(work->rows.texts);
        work->rows.texts = NULL;
    }
    return status;
}

/* In a shard the reasons are counted from its rows; index.h5 has them as a table. */
static fsh_status
read_reasons(counting *work, fsh_err *err)
{
    size_t i, n = (size_t)fsh_shard_get_info(work->file)->rows[FSH_TABLE_REASONS];
    uint64_t samples[FSH_REASON_N];
    char **codes = NULL;
    fsh_status status = FSH_OK;

    if (n > FSH_REASON_N)
        return fsh_fail(err, FSH_FORMAT, "%s: /reasons has more rows than there are reasons",
                        work->path);
    status = fsh_shard_read(work->file, FSH_COLUMN_REASON_SAMPLES, 0, n, samples, err);
    if (!status)
        status = fsh_shard_read_texts(work->file, FSH_COLUMN_REASON_CODE, 0, n, &codes, err);
    for (i = 0; i < n && !status; i++) {
        fsh_reason reason = fsh_reason_from_code(codes[i]);

        if (reason == FSH_REASON_N)
            status = fsh_fail(err, FSH_FORMAT, "%s: /reasons/code has the unknown code '%.40s'",
                              work->path, codes[i]);
        else
            work->counts->totals.rejected[reason] = samples[i];
    }
    free(codes);
    return status;
}

static fsh_status
count_all(counting *work, fsh_err *err)
{
    static const table_pass classes = {FSH_COLUMN_IDENTITY_LABEL, FSH_COLUMN_IDENTITY_NAME, false,
                                       false, take_classes},
                            counted = {FSH_COLUMN_IDENTITY_LABEL, FSH_COLUMN_IDENTITY_NAME, false,
                                       true, take_classes},
                            pictures = {FSH_COLUMN_LABEL, FSH_COLUMN_SOURCE, false, false,
                                        take_pictures},
                            rejected = {FSH_COLUMN_REJECTED_LABEL, FSH_COLUMN_REJECTED_REASON, true,
                                        false, take_rejected};
    bool index = fsh_shard_get_info(work->file)->index;
    fsh_status status = run_pass(work, index ? &counted : &classes, err);

    if (status || index)
        return status ? status : read_reasons(work, err);
    status = run_pass(work, &pictures, err);
    return status ? status : run_pass(work, &rejected, err);
}

static void
add_up(fsh_counts *counts)
{
    fsh_index_totals *totals = &counts->totals;
    uint64_t i;

    totals->identities = counts->classes_n;
    for (i = 0; i < counts->classes_n; i++) {
        totals->images += counts->classes[i].images;
        totals->delivered += counts->classes[i].samples;
    }
    totals->samples = totals->delivered;
    for (i = 0; i < FSH_REASON_N; i++)
        totals->samples += totals->rejected[i];
}

fsh_status
fsh_counts_read(fsh_shard_file *file, const char *path, fsh_counts *counts, fsh_err *err)
{
    uint64_t n = fsh_shard_get_info(file)->rows[FSH_TABLE_IDENTITIES];
    fsh_counts found = {.classes = n < SIZE_MAX / sizeof *found.classes
                                       ? calloc((size_t)n + 1, sizeof *found.classes)
                                       : NULL};
    counting *work = calloc(1, sizeof *work);
    fsh_status status;

    if (!work || !found.classes) {
        free(work);
        free(found.classes);
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", path);
    }
    work->file = file;
    work->path = path;
    work->counts = &found;
    status = count_all(work, err);
    free(work->source);
    free(work);
    add_up(&found);
    if (status)
        fsh_counts_fini(&found);
    else
        *counts = found;
    return status;
}

void
fsh_counts_fini(fsh_counts *counts)
{
    uint64_t i;

    for (i = 0; i < counts->classes_n; i++)
        free(counts->classes[i].name);
    free(counts->classes);
    memset(counts, 0, sizeof *counts);
}

void
fsh_counts_print_rejected(const uint64_t *rejected, fsh_text *out)
{
    const char *separator = "";
    int i;

    fsh_text_add(out, "{");
    for (i = 0; i < FSH_REASON_N; i++) {
        if (!rejected[i])
            continue;
        fsh_text_addf(out, "%s\"%s\": %" PRIu64, separator, fsh_reason_code((fsh_reason)i),
                      rejected[i]);
        separator = ", ";
    }
    fsh_text_add(out, "}");
}

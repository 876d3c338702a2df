#include "evaluate/contact.h"

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/image.h"
#include "shards/read.h"
#include "stages/vision/decode.h"

enum { GAP = 4, BACKGROUND = 255, MISSING = 224, VARIANTS_MAX = 256 };

static const uint64_t pixels_max = 64 << 20;

typedef struct contact_sheet {
    fsh_shard_file *file;
    const fsh_shard_info *info;
    const char *path;
    const fsh_contact_params *params;
    int32_t cell;        /* side of a picture on the sheet, px */
    uint32_t variants_n; /* pictures of a sample */
    fsh_image page, picture, fitted;
    uint64_t *firsts; /* the first row of each sample; NULL where the sheet is too small for all */
    uint64_t samples_n;
} contact_sheet;

/* Pictures of one sample follow each other: those of the rows first to first + n - 1. */
typedef struct sample {
    uint64_t first;
    size_t n;
    uint8_t variants[VARIANTS_MAX];
} sample;

/* Finds the sample that a row belongs to. One sample has at most VARIANTS_MAX rows, so it is enough
 * to look as far as that in both directions. */
static fsh_status
find_sample(contact_sheet *sheet, uint64_t row, sample *found, fsh_err *err)
{
    uint64_t rows = sheet->info->rows[FSH_TABLE_ROWS], ids[2 * VARIANTS_MAX];
    uint64_t from = row < VARIANTS_MAX ? 0 : row - VARIANTS_MAX;
    size_t n = rows - from < 2 * VARIANTS_MAX ? (size_t)(rows - from) : 2 * VARIANTS_MAX;
    size_t at = (size_t)(row - from), end = at;
    fsh_status status = fsh_shard_read(sheet->file, FSH_COLUMN_SAMPLE_ID, from, n, ids, err);

    if (status)
        return status;
    while (at > 0 && ids[at - 1] == ids[row - from])
        at--;
    while (end < n && ids[end] == ids[row - from] && end - at < VARIANTS_MAX)
        end++;
    found->first = from + at;
    found->n = end - at;
    return fsh_shard_read(sheet->file, FSH_COLUMN_VARIANT, found->first, found->n, found->variants,
                          err);
}

static fsh_status
load_picture(contact_sheet *sheet, uint64_t row, fsh_err *err)
{
    int32_t size = (int32_t)sheet->info->meta.size;
    uint8_t *data = NULL;
    size_t bytes = 0;
    fsh_reason reason;
    fsh_status status = fsh_shard_read_picture(sheet->file, row, &data, &bytes, err);

    if (status)
        return status;
    if (sheet->info->meta.encoding != FSH_ENCODING_RAW) {
        status = fsh_decode(data, bytes, pixels_max, &sheet->picture, &reason, err);
        if (status)
            status = fsh_fail_within(err, status, "%s: picture %llu", sheet->path,
                                     (unsigned long long)row);
    } else if (sheet->picture.width != size &&
               (status = fsh_image_init(&sheet->picture, size, size, 3))) {
        fsh_fail(err, status, "%s: out of memory", sheet->path);
    } else {
        memcpy(sheet->picture.data, data, bytes);
    }
    free(data);
    return status;
}

static void
paste(contact_sheet *sheet, const fsh_image *from, int32_t x, int32_t y)
{
    int32_t line;

    for (line = 0; line < sheet->cell; line++) {
        uint8_t *to = fsh_image_at(&sheet->page, x, y + line);

        if (from)
            memcpy(to, fsh_image_at(from, 0, line), (size_t)sheet->cell * 3);
        else
            memset(to, MISSING, (size_t)sheet->cell * 3);
    }
}

static fsh_status
draw_picture(contact_sheet *sheet, uint64_t row, int32_t x, int32_t y, fsh_err *err)
{
    fsh_status status = load_picture(sheet, row, err);

    if (status)
        return status;
    if (sheet->picture.width == sheet->cell && sheet->picture.height == sheet->cell) {
        paste(sheet, &sheet->picture, x, y);
        return FSH_OK;
    }
    status = fsh_image_resize(&sheet->picture, sheet->cell, sheet->cell, &sheet->fitted);
    if (status)
        return fsh_fail(err, status, "%s: picture cannot be fitted into %d px", sheet->path,
                        sheet->cell);
    paste(sheet, &sheet->fitted, x, y);
    return FSH_OK;
}

/* Draws the variants of a sample, from x to the right. */
static fsh_status
draw_sample(contact_sheet *sheet, const sample *found, int32_t x, int32_t y, fsh_err *err)
{
    int64_t only = sheet->params->variant;
    fsh_status status = FSH_OK;
    uint32_t i;
    size_t k;

    for (i = 0; i < sheet->variants_n && !status; i++, x += sheet->cell + GAP) {
        for (k = 0; k < found->n && found->variants[k] != (only < 0 ? (int64_t)i : only); k++)
            continue;
        if (k < found->n)
            status = draw_picture(sheet, found->first + k, x, y, err);
        else
            paste(sheet, NULL, x, y);
    }
    return status;
}

/* As many as the file names, a line each. */
static uint32_t
count_variants(const char *names)
{
    uint32_t n = 0;

    for (; *names; names++)
        n += names[0] == '\n' || names[1] == '\0';
    return n ? n : 1;
}

static uint64_t
places_of(const contact_sheet *sheet)
{
    return (uint64_t)sheet->params->rows * (uint64_t)sheet->params->columns;
}

/* Where the sheet may have a place for every sample. Rows alone do not tell: a sample of which some
 * variants were rejected has fewer, and would be stepped over. */
static fsh_status
list_samples(contact_sheet *sheet, fsh_err *err)
{
    uint64_t rows = sheet->info->rows[FSH_TABLE_ROWS], n = 0, i, id, before = 0;
    uint64_t variants = count_variants(sheet->info->meta.variants);
    fsh_status status;

    if (rows > places_of(sheet) * variants)
        return FSH_OK;
    sheet->firsts = malloc(rows * sizeof *sheet->firsts);
    if (!sheet->firsts)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", sheet->path);
    status = fsh_shard_read(sheet->file, FSH_COLUMN_SAMPLE_ID, 0, rows, sheet->firsts, err);
    for (i = 0; i < rows && !status; i++, before = id) {
        id = sheet->firsts[i];
        if (i == 0 || id != before)
            sheet->firsts[n++] = i;
    }
    sheet->samples_n = n;
    return status;
}

/* A row of the sample for place i of n. */
static uint64_t
row_for(const contact_sheet *sheet, uint64_t i, uint64_t n)
{
    uint64_t rows = sheet->info->rows[FSH_TABLE_ROWS];

    if (!sheet->firsts)
        return (uint64_t)((double)rows * (double)i / (double)n);
    return sheet->firsts[(uint64_t)((double)sheet->samples_n * (double)i / (double)n)];
}

/* Samples are taken at even distances over the file. Where it has fewer than there are places, all
 * are drawn, each once, and the page ends after the last. */
static fsh_status
draw_all(contact_sheet *sheet, fsh_err *err)
{
    uint64_t n = places_of(sheet), columns = (uint64_t)sheet->params->columns, i, drawn = 0;
    int32_t step = sheet->cell + GAP, wide = (int32_t)sheet->variants_n * step + GAP;
    sample found = {.first = UINT64_MAX};
    fsh_status status = FSH_OK;

    memset(sheet->page.data, BACKGROUND, fsh_image_bytes(&sheet->page));
    for (i = 0; i < n && !status; i++) {
        uint64_t before = found.first, place = drawn;

        status = find_sample(sheet, row_for(sheet, i, n), &found, err);
        if (status || found.first == before)
            continue;
        drawn++;
        status = draw_sample(sheet, &found, GAP + (int32_t)(place % columns) * wide,
                             GAP + (int32_t)(place / columns) * step, err);
    }
    sheet->page.height = GAP + (int32_t)((drawn + columns - 1) / columns) * step;
    return status;
}

static fsh_status
make_page(contact_sheet *sheet, fsh_err *err)
{
    const fsh_contact_params *params = sheet->params;
    int64_t cell = params->cell ? params->cell : sheet->info->meta.size;
    int64_t width, height;

    sheet->variants_n = params->variant < 0 ? count_variants(sheet->info->meta.variants) : 1;
    if (sheet->variants_n > VARIANTS_MAX)
        sheet->variants_n = VARIANTS_MAX;
    sheet->cell = (int32_t)cell;
    width = params->columns * (sheet->variants_n * (cell + GAP) + GAP);
    height = params->rows * (cell + GAP) + GAP;
    if (!sheet->info->rows[FSH_TABLE_ROWS])
        return fsh_fail(err, FSH_USAGE, "%s: holds no picture", sheet->path);
    if ((uint64_t)width * (uint64_t)height > pixels_max)
        return fsh_fail(
            err, FSH_USAGE,
            "%s: a contact sheet of %lld x %lld px is too large: fewer rows or smaller cells",
            sheet->path, (long long)width, (long long)height);
    if (fsh_image_init(&sheet->page, (int32_t)width, (int32_t)height, 3))
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", sheet->path);
    return FSH_OK;
}

static fsh_status
write_page(const contact_sheet *sheet, const char *png, fsh_err *err)
{
    uint8_t *data = NULL;
    size_t bytes = 0;
    fsh_status status = fsh_encode_png(&sheet->page, &data, &bytes, err);

    if (!status)
        status = fsh_file_write(png, data, bytes, err);
    free(data);
    return status;
}

fsh_status
fsh_contact_sheet(const char *path, const char *png, const fsh_contact_params *params, fsh_err *err)
{
    contact_sheet sheet = {.path = path, .params = params};
    fsh_status status = fsh_shard_open(path, &sheet.file, err);

    if (status)
        return status;
    sheet.info = fsh_shard_get_info(sheet.file);
    status = make_page(&sheet, err);
    if (!status)
        status = list_samples(&sheet, err);
    if (!status)
        status = draw_all(&sheet, err);
    if (!status)
        status = write_page(&sheet, png, err);
    free(sheet.firsts);
    fsh_image_fini(&sheet.page);
    fsh_image_fini(&sheet.picture);
    fsh_image_fini(&sheet.fitted);
    fsh_shard_close(&sheet.file);
    return status;
}

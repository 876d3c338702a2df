#include "evaluate/thumbs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/image.h"
#include "shards/read.h"
#include "stages/vision/decode.h"

enum { QUALITY = 82 };

static const uint64_t pixels_max = 64 << 20;
static const size_t file_bytes_max = 256 << 20;

struct fsh_thumbs {
    const char *folder; /* NULL: a shard or index */
    int32_t side;
    uint32_t missing;
    fsh_shard_file *file;
    char **sources;  /* of all rows */
    uint64_t *order; /* rows by source, then by row */
    uint64_t n;
    fsh_image picture, fitted;
};

/* ---- text ---- */

void
fsh_html_add(fsh_text *page, const char *text)
{
    fsh_text visible = {0};
    const char *c;

    fsh_text_add_visible(&visible, text);
    for (c = fsh_text_get(&visible); *c; c++) {
        size_t plain = strcspn(c, "&<>\"'");

        fsh_text_add_bytes(page, c, plain);
        c += plain;
        if (!*c)
            break;
        fsh_text_addf(page, "&#%d;", *c);
    }
    if (!fsh_text_ok(&visible))
        page->broken = true;
    fsh_text_fini(&visible);
}

/* ---- where pictures are ---- */

static int
compare_rows(const void *a, const void *b, void *self)
{
    const fsh_thumbs *of = self;
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    int order = strcmp(of->sources[x], of->sources[y]);

    return order ? order : (x > y) - (x < y);
}

static fsh_status
open_shard(fsh_thumbs *of, const char *path, fsh_err *err)
{
    fsh_status status = fsh_shard_open(path, &of->file, err);

    if (status)
        return status;
    if (fsh_shard_get_info(of->file)->meta.encoding == FSH_ENCODING_NONE)
        return fsh_fail(err, FSH_USAGE, "%s: was made without pictures (output.encoding: none)",
                        path);
    of->n = fsh_shard_get_info(of->file)->rows[FSH_TABLE_ROWS];
    return FSH_OK;
}

/* Once, when the first source is looked for: who asks by row needs none of it. */
static bool
put_in_order(fsh_thumbs *of)
{
    uint64_t i;

    if (of->order)
        return true;
    if (!of->sources &&
        fsh_shard_read_texts(of->file, FSH_COLUMN_SOURCE, 0, (size_t)of->n, &of->sources, NULL))
        return false;
    of->order = malloc((of->n + 1) * sizeof *of->order);
    for (i = 0; of->order && i < of->n; i++)
        of->order[i] = i;
    if (of->order)
        qsort_r(of->order, of->n, sizeof *of->order, compare_rows, of);
    return of->order != NULL;
}

/* The first row with this source, or n. */
static uint64_t
find_row(const fsh_thumbs *of, const char *source)
{
    uint64_t low = 0, high = of->n;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (strcmp(of->sources[of->order[middle]], source) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < of->n && strcmp(of->sources[of->order[low]], source) == 0 ? of->order[low] : of->n;
}

fsh_status
fsh_thumbs_open(const char *path, int32_t side, fsh_thumbs **thumbs, fsh_err *err)
{
    fsh_thumbs *of = calloc(1, sizeof *of);
    struct stat info;
    fsh_status status = FSH_OK;

    if (!of)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", path);
    of->side = side;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        of->folder = path;
    else
        status = open_shard(of, path, err);
    if (status)
        fsh_thumbs_close(of);
    else
        *thumbs = of;
    return status;
}

void
fsh_thumbs_close(fsh_thumbs *thumbs)
{
    if (!thumbs)
        return;
    fsh_shard_close(&thumbs->file);
    free(thumbs->sources);
    free(thumbs->order);
    fsh_image_fini(&thumbs->picture);
    fsh_image_fini(&thumbs->fitted);
    free(thumbs);
}

uint32_t
fsh_thumbs_missing(const fsh_thumbs *thumbs)
{
    return thumbs ? thumbs->missing : 0;
}

/* ---- pictures ---- */

static fsh_status
load_bytes(fsh_thumbs *of, const char *source, uint8_t **data, size_t *bytes)
{
    char path[FSH_PATH_BYTES];
    uint64_t row;

    if (of->folder) {
        fsh_status status = fsh_path_join(path, of->folder, source, NULL);

        return status ? status : fsh_file_read(path, file_bytes_max, data, bytes, NULL);
    }
    if (!put_in_order(of))
        return FSH_MEMORY;
    row = find_row(of, source);
    return row < of->n ? fsh_shard_read_picture(of->file, row, data, bytes, NULL) : FSH_IO;
}

static fsh_status
load(fsh_thumbs *of, uint8_t *data, size_t bytes)
{
    const fsh_shard_meta *meta = of->folder ? NULL : &fsh_shard_get_info(of->file)->meta;
    fsh_reason reason;
    fsh_status status;

    if (meta && meta->encoding == FSH_ENCODING_RAW) {
        fsh_image_fini(&of->picture);
        of->picture = (fsh_image){data, (int32_t)meta->size, (int32_t)meta->size, 3};
        return FSH_OK;
    }
    status = fsh_decode(data, bytes, pixels_max, &of->picture, &reason, NULL);
    free(data);
    return status;
}

/* Leaves only the part of the picture that is in the box, at the beginning of its memory. */
static void
cut(fsh_image *picture, const fsh_box *box)
{
    int32_t left = fsh_clampi(box->x, 0, picture->width - 1),
            top = fsh_clampi(box->y, 0, picture->height - 1),
            width = fsh_clampi(box->width, 1, picture->width - left),
            height = fsh_clampi(box->height, 1, picture->height - top), y;
    size_t line = (size_t)width * (size_t)picture->channels;

    for (y = 0; y < height; y++)
        memmove(picture->data + (size_t)y * line, fsh_image_at(picture, left, top + y), line);
    picture->width = width;
    picture->height = height;
}

static fsh_status
fit(fsh_thumbs *of)
{
    int32_t width = of->picture.width, height = of->picture.height,
            longer = width > height ? width : height;

    width = (int32_t)((int64_t)width * of->side / longer);
    height = (int32_t)((int64_t)height * of->side / longer);
    return fsh_image_resize(&of->picture, width ? width : 1, height ? height : 1, &of->fitted);
}

/* Takes data over. */
static bool
add_uri(fsh_thumbs *thumbs, fsh_status status, uint8_t *data, size_t bytes, const fsh_box *box,
        fsh_text *out)
{
    uint8_t *jpeg = NULL;

    if (!status)
        status = load(thumbs, data, bytes);
    if (!status && box && box->width > 0 && box->height > 0)
        cut(&thumbs->picture, box);
    if (!status)
        status = fit(thumbs);
    if (!status)
        status = fsh_encode_jpeg(&thumbs->fitted, QUALITY, &jpeg, &bytes, NULL);
    if (status) {
        thumbs->missing++;
        return false;
    }
    fsh_text_add(out, "data:image/jpeg;base64,");
    fsh_text_add_base64(out, jpeg, bytes);
    free(jpeg);
    return true;
}

bool
fsh_thumbs_add_uri(fsh_thumbs *thumbs, const char *source, const fsh_box *box, fsh_text *out)
{
    uint8_t *data = NULL;
    size_t bytes = 0;
    fsh_status status = load_bytes(thumbs, source, &data, &bytes);

    return add_uri(thumbs, status, data, bytes, box, out);
}

bool
fsh_thumbs_add_row_uri(fsh_thumbs *thumbs, uint64_t row, fsh_text *out)
{
    uint8_t *data = NULL;
    size_t bytes = 0;
    fsh_status status = thumbs->file ? fsh_shard_read_picture(thumbs->file, row, &data, &bytes, NULL) : FSH_IO;

    return add_uri(thumbs, status, data, bytes, NULL, out);
}

void
fsh_thumbs_add(fsh_thumbs *thumbs, const char *source, fsh_text *page)
{
    fsh_text uri = {0};
    bool there;

    if (!thumbs)
        return;
    there = fsh_thumbs_add_uri(thumbs, source, NULL, &uri);
    fsh_text_add(page, there ? "<img title=\"" : "<span class=gone title=\"");
    fsh_html_add(page, source);
    if (there) {
        fsh_text_add(page, "\" src=\"");
        fsh_text_add_bytes(page, uri.data, uri.bytes);
        fsh_text_add(page, "\">");
    } else {
        fsh_text_add(page, "\">no picture</span>");
    }
    if (!fsh_text_ok(&uri))
        page->broken = true;
    fsh_text_fini(&uri);
}

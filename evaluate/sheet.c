#include "evaluate/sheet.h"

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/image.h"
#include "stages/vision/decode.h"

enum { GAP = 6, WIDE_GAP = 24, FRAME = 4, BACKGROUND = 255, MISSING = 224, CROSS = 176 };

static const uint64_t pixels_max = 64 << 20;
static const size_t file_bytes_max = 256 << 20;

static const uint8_t colours[][3] = {[FSH_FRAME_NONE] = {200, 200, 200},
                                     [FSH_FRAME_RIGHT] = {34, 139, 87},
                                     [FSH_FRAME_WRONG] = {206, 68, 53}};

static void
fill(fsh_image *page, int32_t x, int32_t y, int32_t width, int32_t height, const uint8_t colour[3])
{
    int32_t line, column;

    for (line = y; line < y + height; line++)
        for (column = x; column < x + width; column++)
            memcpy(fsh_image_at(page, column, line), colour, 3);
}

static void
fill_grey(fsh_image *page, int32_t x, int32_t y, int32_t side, uint8_t grey)
{
    const uint8_t colour[3] = {grey, grey, grey};

    fill(page, x, y, side, side, colour);
}

static void
cross_out(fsh_image *page, int32_t x, int32_t y, int32_t side)
{
    int32_t i;

    fill_grey(page, x, y, side, MISSING);
    for (i = 0; i + 1 < side; i++) {
        fill_grey(page, x + i, y + i, 2, CROSS);
        fill_grey(page, x + side - 2 - i, y + i, 2, CROSS);
    }
}

/* Fits a picture into a square of this side, its shape kept. */
static fsh_status
fit(const fsh_image *picture, int32_t side, fsh_image *fitted)
{
    int32_t longer = picture->width > picture->height ? picture->width : picture->height;
    int32_t width = (int32_t)((int64_t)picture->width * side / longer),
            height = (int32_t)((int64_t)picture->height * side / longer);

    return fsh_image_resize(picture, width ? width : 1, height ? height : 1, fitted);
}

static fsh_status
load(const char *path, int32_t side, fsh_image *fitted)
{
    fsh_image picture = {0};
    uint8_t *data = NULL;
    size_t bytes = 0;
    fsh_reason reason;
    fsh_status status = fsh_file_read(path, file_bytes_max, &data, &bytes, NULL);

    if (!status)
        status = fsh_decode(data, bytes, pixels_max, &picture, &reason, NULL);
    if (!status)
        status = fit(&picture, side, fitted);
    fsh_image_fini(&picture);
    free(data);
    return status;
}

/* Draws a cell whose frame begins at x, y; returns whether its picture could be read. */
static int
draw(fsh_image *page, const fsh_sheet_cell *cell, int32_t x, int32_t y, int32_t side)
{
    fsh_image fitted = {0};
    int32_t line, left, top;

    fill(page, x, y, side + 2 * FRAME, side + 2 * FRAME, colours[cell->frame]);
    x += FRAME;
    y += FRAME;
    fill_grey(page, x, y, side, MISSING);
    if (!cell->path)
        return 1;
    if (load(cell->path, side, &fitted)) {
        cross_out(page, x, y, side);
        fsh_image_fini(&fitted);
        return 0;
    }
    left = (side - fitted.width) / 2;
    top = (side - fitted.height) / 2;
    for (line = 0; line < fitted.height; line++)
        memcpy(fsh_image_at(page, x + left, y + top + line), fsh_image_at(&fitted, 0, line),
               (size_t)fitted.width * 3);
    fsh_image_fini(&fitted);
    return 1;
}

static fsh_status
write_page(const fsh_image *page, const char *png, fsh_err *err)
{
    uint8_t *data = NULL;
    size_t bytes = 0;
    fsh_status status = fsh_encode_png(page, &data, &bytes, err);

    if (!status)
        status = fsh_file_write(png, data, bytes, err);
    free(data);
    return status;
}

fsh_status
fsh_sheet_write(const char *png, const fsh_sheet_cell *cells, const fsh_sheet_layout *layout,
                uint32_t *unreadable, fsh_err *err)
{
    uint64_t step = layout->side + 2 * FRAME + GAP, wide = layout->cells * step + WIDE_GAP;
    uint64_t lines = (layout->entries + (uint64_t)layout->across - 1) / layout->across;
    uint64_t width = layout->across * wide - WIDE_GAP + GAP, height = lines * step + GAP;
    fsh_image page = {0};
    uint32_t entry, i, bad = 0;
    fsh_status status;

    if (width > pixels_max || height > pixels_max || width * height > pixels_max)
        return fsh_fail(err, FSH_USAGE, "%s: a sheet of %llu x %llu px is too large", png,
                        (unsigned long long)width, (unsigned long long)height);
    if (fsh_image_init(&page, (int32_t)width, (int32_t)height, 3))
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", png);
    memset(page.data, BACKGROUND, fsh_image_bytes(&page));
    for (entry = 0; entry < layout->entries; entry++)
        for (i = 0; i < layout->cells; i++)
            bad += !draw(&page, &cells[(size_t)entry * layout->cells + i],
                         (int32_t)(GAP + entry % layout->across * wide + i * step),
                         (int32_t)(GAP + entry / layout->across * step), (int32_t)layout->side);
    status = write_page(&page, png, err);
    fsh_image_fini(&page);
    if (!status && unreadable)
        *unreadable = bad;
    return status;
}

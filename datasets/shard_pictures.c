#include "datasets/shard_pictures.h"

#include <stdlib.h>
#include <string.h>

#include "base/store.h"
#include "base/text.h"

enum { SIDE_MAX = 1 << 14 };

static void
put(uint8_t *at, uint32_t value, int bytes)
{
    for (; bytes > 0; bytes--, value >>= 8)
        *at++ = (uint8_t)value;
}

/* Raw pixels as a BMP file, which every decoder reads and which loses nothing: rows from the top,
 * BGR. */
static fsh_status
as_bmp(const uint8_t *rgb, uint32_t side, uint8_t **data, size_t *bytes, fsh_err *err)
{
    enum { HEADING = 54 };
    size_t line = ((size_t)side * 3 + 3) / 4 * 4, all = HEADING + line * side;
    uint8_t *file = calloc(1, all);
    uint32_t x, y;

    if (!file)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    memcpy(file, "BM", 2);
    put(file + 2, (uint32_t)all, 4);
    put(file + 10, HEADING, 4);
    put(file + 14, 40, 4);
    put(file + 18, side, 4);
    put(file + 22, (uint32_t) - (int32_t)side, 4);
    put(file + 26, 1, 2);
    put(file + 28, 24, 2);
    for (y = 0; y < side; y++)
        for (x = 0; x < side; x++) {
            const uint8_t *from = rgb + ((size_t)y * side + x) * 3;
            uint8_t *to = file + HEADING + line * y + (size_t)x * 3;

            to[0] = from[2];
            to[1] = from[1];
            to[2] = from[0];
        }
    *data = file;
    *bytes = all;
    return FSH_OK;
}

static fsh_status
read_raw(fsh_store *store, uint64_t row, uint8_t **data, size_t *bytes, fsh_err *err)
{
    fsh_column_spec spec = {"images", FSH_CELL_U8, 3, {0, 0, 3}, 1};
    fsh_column *column = NULL;
    uint8_t *pixels = NULL;
    uint64_t side = 0;
    fsh_status status = fsh_store_get_number(store, "size", &side, err);

    if (!status && (side < 1 || side > SIDE_MAX))
        status = fsh_fail(err, FSH_FORMAT, "%s: size out of range", fsh_store_path(store));
    spec.dims[0] = spec.dims[1] = (uint32_t)side;
    if (!status)
        status = fsh_column_open(store, &spec, &column, err);
    if (!status && !(pixels = malloc(side * side * 3)))
        status = fsh_fail(err, FSH_MEMORY, "%s: out of memory", fsh_store_path(store));
    if (!status)
        status = fsh_column_read(column, row, 1, pixels, err);
    if (!status)
        status = as_bmp(pixels, (uint32_t)side, data, bytes, err);
    free(pixels);
    fsh_column_abandon(&column);
    return status;
}

static fsh_status
read_encoded(fsh_store *store, uint64_t row, uint8_t **data, size_t *bytes, fsh_err *err)
{
    static const fsh_column_spec spec = {"images", FSH_CELL_BYTES, 0, {0}, 1};
    fsh_column *column = NULL;
    fsh_status status = fsh_column_open(store, &spec, &column, err);

    if (!status)
        status = fsh_column_read_bytes(column, row, data, bytes, err);
    fsh_column_abandon(&column);
    return status;
}

fsh_status
fsh_shard_picture(const char *path, uint64_t row, uint8_t **data, size_t *bytes, fsh_err *err)
{
    fsh_store *store = NULL;
    fsh_text encoding = {0};
    fsh_status status = fsh_store_open(path, &store, err);

    if (!status)
        status = fsh_store_get_text(store, "encoding", &encoding, err);
    if (!status)
        status = strcmp(fsh_text_get(&encoding), "raw") == 0
                     ? read_raw(store, row, data, bytes, err)
                     : read_encoded(store, row, data, bytes, err);
    fsh_text_fini(&encoding);
    fsh_store_close(&store, NULL);
    return status;
}

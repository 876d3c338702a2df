/* The quantisation tables of a JPEG (ITU-T T.81, B.2.2 and B.2.4.1). What is wrong with a file is
 * found out and told where it is decoded; here it only means that nothing is known. */
#include <string.h>

#include "stages/vision/decode.h"

enum { TABLES = 4, COMPONENTS = 3 };

/* The place of the coefficient that is stored as number i. */
static const uint8_t zigzag[64] = {0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,
                                   12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6,  7,  14, 21, 28,
                                   35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
                                   58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

/* What has been read so far. */
typedef struct found {
    uint16_t steps[TABLES][64];
    bool defined[TABLES];
    uint8_t across[COMPONENTS], down[COMPONENTS], table[COMPONENTS];
    uint32_t components;
} found;

/* One segment may define several tables. */
static void
take_tables(const uint8_t *segment, size_t bytes, found *f)
{
    while (bytes > 0) {
        size_t wide = segment[0] >> 4 ? 2 : 1, size = 1 + 64 * wide, i;
        uint32_t table = segment[0] & 15;

        if (bytes < size || table >= TABLES)
            return;
        for (i = 0; i < 64; i++) {
            const uint8_t *at = segment + 1 + i * wide;

            f->steps[table][zigzag[i]] = (uint16_t)(wide == 2 ? at[0] << 8 | at[1] : at[0]);
        }
        f->defined[table] = true;
        segment += size;
        bytes -= size;
    }
}

static void
take_frame(const uint8_t *segment, size_t bytes, found *f)
{
    uint32_t n = bytes > 5 ? segment[5] : 0, i;

    if ((n != 1 && n != COMPONENTS) || bytes < 6 + 3 * (size_t)n)
        return;
    for (i = 0; i < n; i++) {
        const uint8_t *at = segment + 6 + 3 * (size_t)i;

        f->across[i] = at[1] >> 4;
        f->down[i] = at[1] & 15;
        f->table[i] = at[2];
    }
    f->components = n;
}

static bool
is_frame(uint32_t marker)
{
    return marker >= 0xC0 && marker <= 0xC2;
}

/* From marker to marker, until the first scan. */
static bool
walk(const uint8_t *data, size_t bytes, found *f)
{
    size_t at = 2;

    while (at + 4 <= bytes && data[at] == 0xFF) {
        uint32_t marker = data[at + 1];
        size_t length = (size_t)data[at + 2] << 8 | data[at + 3];

        if (marker == 0xFF) { /* fill byte */
            at++;
            continue;
        }
        if (marker == 0xDA)
            return f->components > 0;
        if (length < 2 || length > bytes - at - 2)
            return false;
        if (marker == 0xDB)
            take_tables(data + at + 4, length - 2, f);
        if (is_frame(marker))
            take_frame(data + at + 4, length - 2, f);
        at += 2 + length;
    }
    return false;
}

/* Whether component i has a table without a zero. */
static bool
is_known(const found *f, uint32_t i)
{
    int k;

    if (f->table[i] >= TABLES || !f->defined[f->table[i]])
        return false;
    for (k = 0; k < 64; k++)
        if (!f->steps[f->table[i]][k])
            return false;
    return true;
}

bool
fsh_jpeg_tables_read(const void *data, size_t bytes, fsh_jpeg_tables *tables)
{
    uint32_t colour;
    found f = {0};

    if (bytes < 4 || memcmp(data, "\xFF\xD8\xFF", 3) != 0 || !walk(data, bytes, &f))
        return false;
    colour = f.components > 1 ? 1 : 0;
    if (!is_known(&f, 0) || !is_known(&f, colour) || !f.across[colour] || !f.down[colour])
        return false;
    memcpy(tables->light, f.steps[f.table[0]], sizeof tables->light);
    memcpy(tables->colour, f.steps[f.table[colour]], sizeof tables->colour);
    tables->across = f.across[0] > f.across[colour] ? f.across[0] / f.across[colour] : 1;
    tables->down = f.down[0] > f.down[colour] ? f.down[0] / f.down[colour] : 1;
    return true;
}

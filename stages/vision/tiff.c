#include "stages/vision/tiff.h"

static uint32_t
number(const fsh_tiff *tiff, size_t offset, uint32_t width)
{
    uint32_t value = 0, i;

    for (i = 0; i < width; i++) {
        uint32_t place = tiff->big_endian ? i : width - 1 - i;

        value = value << 8 | tiff->data[offset + place];
    }
    return value;
}

/* Type numbers of TIFF 6.0: 1 BYTE, 3 SHORT, 4 LONG; the others are no unsigned whole numbers. */
static uint32_t
width_of_type(uint32_t type)
{
    return type == 1 ? 1 : type == 3 ? 2 : type == 4 ? 4 : 0;
}

bool
fsh_tiff_open(const uint8_t *data, size_t bytes, fsh_tiff *tiff)
{
    fsh_tiff made = {data, bytes, 0, false};

    if (bytes < 8 || data[0] != data[1] || (data[0] != 'I' && data[0] != 'M'))
        return false;
    made.big_endian = data[0] == 'M';
    made.directory = number(&made, 4, 4);
    if (number(&made, 2, 2) != 42 || made.directory > bytes - 2)
        return false;
    *tiff = made;
    return true;
}

bool
fsh_tiff_find(const fsh_tiff *tiff, uint16_t tag, fsh_tiff_field *field)
{
    uint32_t entries = number(tiff, tiff->directory, 2), i;

    for (i = 0; i < entries; i++) {
        size_t entry = tiff->directory + 2 + 12 * (size_t)i;
        fsh_tiff_field found;

        if (entry + 12 > tiff->bytes)
            return false;
        if (number(tiff, entry, 2) != tag)
            continue;
        found.width = width_of_type(number(tiff, entry + 2, 2));
        found.count = number(tiff, entry + 4, 4);
        found.offset = entry + 8;
        if (!found.width || !found.count)
            return false;
        /* Values of up to four bytes stand in the entry itself. */
        if ((uint64_t)found.count * found.width > 4)
            found.offset = number(tiff, entry + 8, 4);
        if ((uint64_t)found.offset + (uint64_t)found.count * found.width > tiff->bytes)
            return false;
        *field = found;
        return true;
    }
    return false;
}

uint32_t
fsh_tiff_value(const fsh_tiff *tiff, const fsh_tiff_field *field, uint32_t i)
{
    return number(tiff, field->offset + (size_t)i * field->width, field->width);
}

uint32_t
fsh_tiff_number(const fsh_tiff *tiff, uint16_t tag, uint32_t fallback)
{
    fsh_tiff_field field;

    return fsh_tiff_find(tiff, tag, &field) ? fsh_tiff_value(tiff, &field, 0) : fallback;
}

int
fsh_tiff_orientation(const uint8_t *data, size_t bytes)
{
    fsh_tiff tiff;
    uint32_t orientation;

    if (!fsh_tiff_open(data, bytes, &tiff))
        return 1;
    orientation = fsh_tiff_number(&tiff, FSH_TIFF_ORIENTATION, 1);
    return orientation >= 1 && orientation <= 8 ? (int)orientation : 1;
}

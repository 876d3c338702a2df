/* The first directory of a TIFF file, which is also what an EXIF block is. Every offset and count
 * is checked against the bytes that are there; nothing is followed twice, so no cycle can hold us
 * up. */
#ifndef FSH_STAGES_VISION_TIFF_H
#define FSH_STAGES_VISION_TIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FSH_TIFF_WIDTH = 256,
    FSH_TIFF_HEIGHT = 257,
    FSH_TIFF_BITS = 258,
    FSH_TIFF_STRIP_OFFSETS = 273,
    FSH_TIFF_ORIENTATION = 274,
    FSH_TIFF_STRIP_BYTES = 279,
    FSH_TIFF_TILE_WIDTH = 322,
    FSH_TIFF_TILE_HEIGHT = 323,
    FSH_TIFF_TILE_OFFSETS = 324,
    FSH_TIFF_TILE_BYTES = 325,
    FSH_TIFF_SAMPLE_FORMAT = 339
};

/* A block of bytes with a directory in it; borrows the bytes. */
typedef struct fsh_tiff {
    const uint8_t *data;
    size_t bytes;
    size_t directory; /* offset of the first directory */
    bool big_endian;
} fsh_tiff;

/* The numbers of one tag: count values of 1, 2 or 4 bytes from an offset that lies inside. */
typedef struct fsh_tiff_field {
    uint32_t count;
    uint32_t width; /* bytes a value */
    size_t offset;
} fsh_tiff_field;

/* False where data does not begin with a TIFF header whose first directory lies inside. */
bool fsh_tiff_open(const uint8_t *data, size_t bytes, fsh_tiff *tiff);

/* Finds a tag of unsigned whole numbers. False where it is missing, of another type or not inside.
 */
bool fsh_tiff_find(const fsh_tiff *tiff, uint16_t tag, fsh_tiff_field *field);

/* Value i of a field that fsh_tiff_find has found, i < count. */
uint32_t fsh_tiff_value(const fsh_tiff *tiff, const fsh_tiff_field *field, uint32_t i);

/* The first value of a tag, or fallback. */
uint32_t fsh_tiff_number(const fsh_tiff *tiff, uint16_t tag, uint32_t fallback);

/* The EXIF orientation, 1 to 8, of the block; 1 where there is none or where it is damaged. */
int fsh_tiff_orientation(const uint8_t *data, size_t bytes);

#endif

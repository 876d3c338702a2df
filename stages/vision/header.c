#include "stages/vision/codec.h"

#include <limits.h>
#include <string.h>

#include "stages/vision/tiff.h"

/* A file while its headers are read. */
typedef struct scan {
    const uint8_t *data;
    size_t bytes;
    fsh_header *header;
    fsh_reason *reason;
    fsh_err *err;
} scan;

static fsh_status
refuse(const scan *s, fsh_reason reason, const char *why)
{
    *s->reason = reason;
    return fsh_fail(s->err, FSH_FORMAT, "%s: %s", s->header->format, why);
}

static uint32_t
big16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t
big32(const uint8_t *at)
{
    return big16(at) << 16 | big16(at + 2);
}

static uint32_t
little16(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t
little32(const uint8_t *at)
{
    return little16(at) | little16(at + 2) << 16;
}

/* JPEG -------------------------------------------------------------------------------------------
 */

/* A start-of-frame marker: C0-CF without C4 (Huffman tables), C8 (reserved) and CC (arithmetic
 * conditioning). The last two bits choose the process, of which 3 (lossless) and those over C2
 * (hierarchical) are not decoded. */
static bool
is_frame(uint32_t marker)
{
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

static fsh_status
jpeg_frame(const scan *s, uint32_t marker, const uint8_t *segment, uint32_t bytes)
{
    fsh_header *header = s->header;

    if (marker != 0xC0 && marker != 0xC1 && marker != 0xC2 && marker != 0xC9 && marker != 0xCA)
        return refuse(s, FSH_REASON_UNSUPPORTED, "lossless or hierarchical");
    if (bytes < 6)
        return refuse(s, FSH_REASON_CORRUPT, "a frame header that is too short");
    if (segment[0] != 8)
        return refuse(s, FSH_REASON_UNSUPPORTED, "not 8 bits a sample");
    header->height = big16(segment + 1);
    header->width = big16(segment + 3);
    header->components = segment[5];
    if (header->components != 1 && header->components != 3 && header->components != 4)
        return refuse(s, FSH_REASON_UNSUPPORTED, "not one, three or four components");
    return FSH_OK;
}

static void
jpeg_application(const scan *s, uint32_t marker, const uint8_t *segment, uint32_t bytes)
{
    if (marker == 0xE1 && bytes > 6 && !memcmp(segment, "Exif\0\0", 6) &&
        s->header->orientation == 1)
        s->header->orientation = fsh_tiff_orientation(segment + 6, bytes - 6);
    if (marker == 0xEE && bytes >= 12 && !memcmp(segment, "Adobe", 5))
        s->header->adobe = true;
}

/* Walks the markers from the start of the file to the first scan. The walk is the one libjpeg
 * makes, so the size found here is the size that will be decoded. */
static fsh_status
jpeg_header(const scan *s)
{
    size_t at = 2;
    bool framed = false;

    while (at + 4 <= s->bytes && s->data[at] == 0xFF) {
        uint32_t marker = s->data[at + 1], length;
        fsh_status status;

        if (marker == 0xFF) { /* fill byte */
            at++;
            continue;
        }
        if (marker == 0xDA)
            return framed ? FSH_OK : refuse(s, FSH_REASON_CORRUPT, "a scan before its frame");
        length = big16(s->data + at + 2);
        if (length < 2 || length > s->bytes - at - 2)
            break;
        if (is_frame(marker)) {
            if (framed)
                return refuse(s, FSH_REASON_CORRUPT, "two frames");
            if ((status = jpeg_frame(s, marker, s->data + at + 4, length - 2)))
                return status;
            framed = true;
        }
        jpeg_application(s, marker, s->data + at + 4, length - 2);
        at += 2 + length;
    }
    return refuse(s, FSH_REASON_CORRUPT, "ends or breaks off before the picture begins");
}

/* PNG --------------------------------------------------------------------------------------------
 */

/* CRC-32 of the PNG specification (annex D), four bits a step. */
static uint32_t
crc32_of(const uint8_t *data, size_t bytes)
{
    static const uint32_t table[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC,
                                       0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
                                       0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                       0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    uint32_t crc = 0xFFFFFFFFu;
    size_t i;

    for (i = 0; i < bytes; i++) {
        crc = table[(crc ^ data[i]) & 15] ^ (crc >> 4);
        crc = table[(crc ^ (uint32_t)(data[i] >> 4)) & 15] ^ (crc >> 4);
    }
    return ~crc;
}

/* Walks all chunks to the end chunk and checks each sum: a file that is cut off anywhere is told
 * here, where libpng would hand over the rows it has. */
static fsh_status
png_header(const scan *s)
{
    size_t at = 8;

    while (s->bytes - at >= 12) {
        const uint8_t *chunk = s->data + at;
        uint32_t length = big32(chunk);

        if (length > s->bytes - at - 12)
            break;
        if (crc32_of(chunk + 4, length + 4u) != big32(chunk + 8 + length))
            return refuse(s, FSH_REASON_CORRUPT, "the check sum of a chunk is wrong");
        if (at == 8) {
            if (length != 13 || memcmp(chunk + 4, "IHDR", 4))
                return refuse(s, FSH_REASON_CORRUPT, "does not begin with its header");
            s->header->width = big32(chunk + 8);
            s->header->height = big32(chunk + 12);
        }
        if (!memcmp(chunk + 4, "eXIf", 4))
            s->header->orientation = fsh_tiff_orientation(chunk + 8, length);
        if (!memcmp(chunk + 4, "IEND", 4))
            return FSH_OK;
        at += 12 + (size_t)length;
    }
    return refuse(s, FSH_REASON_CORRUPT, "ends before its last chunk");
}

/* BMP --------------------------------------------------------------------------------------------
 */

/* Where the pixels stand uncompressed, all rows must be there. The file size in the header is not
 * looked at: many writers leave it zero. */
static fsh_status
bmp_rows(const scan *s, uint32_t bits)
{
    uint64_t row = ((uint64_t)s->header->width * bits + 31) / 32 * 4;
    uint64_t start = little32(s->data + 10);

    if (start > s->bytes || row * s->header->height > s->bytes - start)
        return refuse(s, FSH_REASON_CORRUPT, "ends before its last row");
    return FSH_OK;
}

static fsh_status
bmp_header(const scan *s)
{
    uint32_t size, bits, compression;
    int64_t height;

    s->header->alpha_means_nothing = true;
    if (s->bytes < 26)
        return refuse(s, FSH_REASON_CORRUPT, "ends within its header");
    size = little32(s->data + 14);
    if (size == 12) {
        s->header->width = little16(s->data + 18);
        s->header->height = little16(s->data + 20);
        return bmp_rows(s, little16(s->data + 24));
    }
    if (size < 40 || s->bytes < 54)
        return refuse(s, FSH_REASON_CORRUPT, "ends within its header");
    s->header->width = little32(s->data + 18);
    height = (int32_t)little32(s->data + 22);
    s->header->height = (uint32_t)(height < 0 ? -height : height); /* negative: top row first */
    bits = little16(s->data + 28);
    compression = little32(s->data + 30);
    if (compression > 3)
        return refuse(s, FSH_REASON_UNSUPPORTED, "compressed in an unknown way");
    return compression == 1 || compression == 2 ? FSH_OK : bmp_rows(s, bits);
}

/* WebP -------------------------------------------------------------------------------------------
 */

static uint32_t
little24(const uint8_t *at)
{
    return little16(at) | (uint32_t)at[2] << 16;
}

/* One chunk that says the size: VP8X (extended), VP8L (lossless) or VP8 (lossy; after a 3-byte tag
 * and a 3-byte start code come 14 bits of each size). */
static fsh_status
webp_size(const scan *s, const uint8_t *chunk, uint32_t length)
{
    fsh_header *header = s->header;

    if (length < 10 && memcmp(chunk, "VP8L", 4))
        return refuse(s, FSH_REASON_CORRUPT, "a header that is too short");
    if (!memcmp(chunk, "VP8X", 4)) {
        if (chunk[8] & 0x02)
            return refuse(s, FSH_REASON_UNSUPPORTED, "animated");
        header->width = little24(chunk + 12) + 1;
        header->height = little24(chunk + 15) + 1;
    } else if (!memcmp(chunk, "VP8L", 4)) {
        uint32_t word = length >= 5 ? little32(chunk + 9) : 0;

        header->width = (word & 0x3FFF) + 1;
        header->height = (word >> 14 & 0x3FFF) + 1;
    } else if (!memcmp(chunk, "VP8 ", 4)) {
        header->width = little16(chunk + 14) & 0x3FFF;
        header->height = little16(chunk + 16) & 0x3FFF;
    } else {
        return refuse(s, FSH_REASON_CORRUPT, "does not begin with its picture");
    }
    return FSH_OK;
}

static fsh_status
webp_header(const scan *s)
{
    size_t at = 12, end;

    if (s->bytes < 12 || little32(s->data + 4) > s->bytes - 8)
        return refuse(s, FSH_REASON_CORRUPT, "shorter than it says");
    end = 8 + (size_t)little32(s->data + 4);
    while (at + 8 <= end) {
        const uint8_t *chunk = s->data + at;
        uint32_t length = little32(chunk + 4);
        fsh_status status;

        if (length > end - at - 8)
            return refuse(s, FSH_REASON_CORRUPT, "a chunk that is longer than the file");
        if (at == 12 && (status = webp_size(s, chunk, length)))
            return status;
        if (!memcmp(chunk, "EXIF", 4)) {
            size_t skip = length >= 6 && !memcmp(chunk + 8, "Exif\0\0", 6) ? 6 : 0;

            s->header->orientation = fsh_tiff_orientation(chunk + 8 + skip, length - skip);
        }
        at += 8 + (size_t)length + (length & 1);
    }
    return at > 12 ? FSH_OK : refuse(s, FSH_REASON_CORRUPT, "empty");
}

/* TIFF -------------------------------------------------------------------------------------------
 */

/* All strips (or tiles) must lie inside the file. */
static bool
tiff_pieces_inside(const fsh_tiff *tiff, uint16_t offsets_tag, uint16_t bytes_tag)
{
    fsh_tiff_field offsets, sizes;
    uint32_t i;

    if (!fsh_tiff_find(tiff, offsets_tag, &offsets) || !fsh_tiff_find(tiff, bytes_tag, &sizes) ||
        offsets.count != sizes.count)
        return false;
    for (i = 0; i < offsets.count; i++) {
        uint64_t end =
            (uint64_t)fsh_tiff_value(tiff, &offsets, i) + fsh_tiff_value(tiff, &sizes, i);

        if (end > tiff->bytes)
            return false;
    }
    return true;
}

static fsh_status
tiff_header(const scan *s)
{
    fsh_header *header = s->header;
    fsh_tiff tiff;
    uint32_t bits;

    if (!fsh_tiff_open(s->data, s->bytes, &tiff))
        return refuse(s, FSH_REASON_CORRUPT, "no directory");
    header->width = fsh_tiff_number(&tiff, FSH_TIFF_WIDTH, 0);
    header->height = fsh_tiff_number(&tiff, FSH_TIFF_HEIGHT, 0);
    header->orientation = fsh_tiff_orientation(s->data, s->bytes);
    bits = fsh_tiff_number(&tiff, FSH_TIFF_BITS, 1);
    if ((bits != 1 && bits != 8 && bits != 16) ||
        fsh_tiff_number(&tiff, FSH_TIFF_SAMPLE_FORMAT, 1) != 1)
        return refuse(s, FSH_REASON_UNSUPPORTED, "not 1, 8 or 16 bits of whole numbers");
    /* A tile may be larger than the picture, and is allocated whole: 2^12 squared is far over use.
     */
    if (fsh_tiff_number(&tiff, FSH_TIFF_TILE_WIDTH, 0) > 4096 ||
        fsh_tiff_number(&tiff, FSH_TIFF_TILE_HEIGHT, 0) > 4096)
        return refuse(s, FSH_REASON_UNSUPPORTED, "tiles over 4096 pixels");
    if (!tiff_pieces_inside(&tiff, FSH_TIFF_STRIP_OFFSETS, FSH_TIFF_STRIP_BYTES) &&
        !tiff_pieces_inside(&tiff, FSH_TIFF_TILE_OFFSETS, FSH_TIFF_TILE_BYTES))
        return refuse(s, FSH_REASON_CORRUPT, "a part of the picture lies outside of the file");
    return FSH_OK;
}

/* All formats ------------------------------------------------------------------------------------
 */

static fsh_status
not_read(const scan *s)
{
    return refuse(s, FSH_REASON_UNSUPPORTED, "this format is not read");
}

typedef struct magic {
    const char *format;
    size_t offset, bytes;
    const char *text; /* that stands at offset */
    fsh_codec codec;
    fsh_status (*read)(const scan *s);
} magic;

static const magic magics[] = {
    {"JPEG", 0, 3, "\xFF\xD8\xFF", FSH_CODEC_JPEG, jpeg_header},
    {"PNG", 0, 8, "\x89PNG\r\n\x1A\n", FSH_CODEC_OPENCV, png_header},
    {"WebP", 8, 4, "WEBP", FSH_CODEC_OPENCV, webp_header},
    {"TIFF", 0, 4, "II*\0", FSH_CODEC_OPENCV, tiff_header},
    {"TIFF", 0, 4, "MM\0*", FSH_CODEC_OPENCV, tiff_header},
    {"BMP", 0, 2, "BM", FSH_CODEC_OPENCV, bmp_header},
    {"GIF", 0, 4, "GIF8", FSH_CODEC_OPENCV, not_read},
    {"BigTIFF", 0, 4, "II+\0", FSH_CODEC_OPENCV, not_read},
    {"BigTIFF", 0, 4, "MM\0+", FSH_CODEC_OPENCV, not_read},
    {"HEIF or AVIF", 4, 4, "ftyp", FSH_CODEC_OPENCV, not_read},
    {"JPEG 2000", 4, 8, "jP  \r\n\x87\n", FSH_CODEC_OPENCV, not_read},
    {"JPEG XL", 4, 8, "JXL \r\n\x87\n", FSH_CODEC_OPENCV, not_read},
    {"Photoshop", 0, 4, "8BPS", FSH_CODEC_OPENCV, not_read},
};

static const magic *
magic_of(const uint8_t *data, size_t bytes)
{
    size_t i;

    for (i = 0; i < sizeof magics / sizeof *magics; i++) {
        const magic *m = &magics[i];

        if (bytes >= m->offset + m->bytes && !memcmp(data + m->offset, m->text, m->bytes))
            return m;
    }
    return NULL;
}

/* 2^24 on a side keeps every later product of sizes and channels inside 64 bits and most codecs'
 * own limits; libpng and libjpeg refuse far smaller ones. */
static fsh_status
check_size(const scan *s, uint64_t max_pixels)
{
    uint64_t width = s->header->width, height = s->header->height;

    if (!width || !height)
        return refuse(s, FSH_REASON_CORRUPT, "a side of no pixels");
    if (width > 1 << 24 || height > 1 << 24 || width * height > max_pixels) {
        *s->reason = FSH_REASON_TOO_LARGE;
        return fsh_fail(s->err, FSH_FORMAT, "%s: %llu x %llu is over %llu pixels",
                        s->header->format, (unsigned long long)width, (unsigned long long)height,
                        (unsigned long long)max_pixels);
    }
    return FSH_OK;
}

fsh_status
fsh_header_read(const uint8_t *data, size_t bytes, uint64_t max_pixels, fsh_header *header,
                fsh_reason *reason, fsh_err *err)
{
    scan s = {data, bytes, header, reason, err};
    const magic *m;
    fsh_status status;

    memset(header, 0, sizeof *header);
    header->format = "file";
    header->orientation = 1;
    if (!bytes)
        return refuse(&s, FSH_REASON_EMPTY, "no bytes");
    if (!(m = magic_of(data, bytes)))
        return refuse(&s, FSH_REASON_NOT_AN_IMAGE, "begins like none of the formats that are read");
    header->format = m->format;
    header->codec = m->codec;
    if ((status = m->read(&s)))
        return status;
    return check_size(&s, max_pixels);
}

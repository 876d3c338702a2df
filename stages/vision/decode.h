/* Picture files in memory to pixels and back, and pixels from one grid to another.
 *
 * Formats are told by their first bytes, never by a file name: JPEG, PNG, BMP, WebP, TIFF. The size
 * that a file claims is checked against a bound before anything is allocated, and a file that ends
 * early is refused instead of being filled up with grey. All functions may run on many threads at
 * once. */
#ifndef FSH_STAGES_VISION_DECODE_H
#define FSH_STAGES_VISION_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/geometry.h"
#include "base/image.h"
#include "base/reason.h"
#include "base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Tells OpenCV to use one thread (we are parallel over pictures) and to keep its error texts to
 * itself. Once per process, before any other call to stages/vision. */
void fsh_vision_init(void);

/* OpenCV, dlib and TurboJPEG with their versions, in one line of at most bytes - 1 characters. */
void fsh_vision_about(char *text, size_t bytes);

/* Decodes a picture: RGB, upright (EXIF orientation applied), 8 bits. Grey and palette are spread
 * to RGB, CMYK is converted, 16 bits are scaled down, transparency is laid over black. Of a file
 * with several pictures it gives the first. *out is zeroed or holds a picture, whose memory is used
 * again. OK: *reason is NONE. FORMAT: the bytes are at fault, *reason is one of EMPTY,
 * NOT_AN_IMAGE, CORRUPT, TOO_LARGE (more than max_pixels), UNSUPPORTED, and err says more. MEMORY:
 * *reason is untouched. */
fsh_status fsh_decode(const void *data, size_t bytes, uint64_t max_pixels, fsh_image *out,
                      fsh_reason *reason, fsh_err *err);

/* How a JPEG was compressed: what the coefficients of its blocks of 8 x 8 samples are whole multiples
 * of, by row and column of the coefficient, for brightness and colour, and how many pixels across and
 * down a sample of colour stands for. */
typedef struct fsh_jpeg_tables {
    uint16_t light[64], colour[64];
    int32_t across, down;
} fsh_jpeg_tables;

/* False where the bytes are no JPEG, or one that says too little. */
bool fsh_jpeg_tables_read(const void *data, size_t bytes, fsh_jpeg_tables *tables);

/* Decodes a template: RGBA with straight alpha, which is 255 where the file has none. Like
 * fsh_decode otherwise, with a bound of 64 million pixels. */
fsh_status fsh_decode_rgba(const void *data, size_t bytes, fsh_image *out, fsh_err *err);

/* Encodes a picture of 1 or 3 channels (PNG: also 4). The same pixels give the same bytes. Quality
 * is 1 to 100, colour at full resolution from 90. *data is the caller's to free. */
fsh_status fsh_encode_jpeg(const fsh_image *image, int quality, uint8_t **data, size_t *bytes,
                           fsh_err *err);
fsh_status fsh_encode_png(const fsh_image *image, uint8_t **data, size_t *bytes, fsh_err *err);

/* What lies outside of the source. */
typedef enum fsh_border { FSH_BORDER_BLACK, FSH_BORDER_REPLICATE } fsh_border;

/* Draws src through map (source to target coordinates) into *dst, width x height: bilinear, and
 * where map shrinks by more than two, the source is first averaged down, so that nothing flickers.
 * *dst is zeroed or holds a picture, whose memory is used again; it must not be src. A map without
 * an inverse fails with FORMAT. */
fsh_status fsh_image_warp(const fsh_image *src, const fsh_affine *map, int32_t width,
                          int32_t height, fsh_border border, fsh_image *dst);

/* Stretches src to width x height: averages areas where it shrinks, bilinear where it grows. */
fsh_status fsh_image_resize(const fsh_image *src, int32_t width, int32_t height, fsh_image *dst);

#ifdef __cplusplus
}
#endif
#endif

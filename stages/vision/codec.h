/* Between the parts of decoding: what a file says about itself, and the codecs behind it. Private
 * to stages/vision. */
#ifndef FSH_STAGES_VISION_CODEC_H
#define FSH_STAGES_VISION_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/image.h"
#include "base/reason.h"
#include "base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fsh_codec { FSH_CODEC_JPEG, FSH_CODEC_OPENCV } fsh_codec;

/* What the headers of a picture file say, checked as far as that goes without decoding. */
typedef struct fsh_header {
    fsh_codec codec;
    const char *format;       /* "JPEG"; for error texts */
    uint32_t width, height;   /* as stored, before orientation */
    int orientation;          /* EXIF, 1 to 8 */
    bool alpha_means_nothing; /* the fourth channel is padding (BMP) */
    uint32_t components;      /* JPEG: 1, 3 or 4 */
    bool adobe;               /* JPEG: with Adobe's marker, whose CMYK is stored inverted */
} fsh_header;

/* Reads and checks the headers. FORMAT: *reason and err say what is wrong. */
fsh_status fsh_header_read(const uint8_t *data, size_t bytes, uint64_t max_pixels,
                           fsh_header *header, fsh_reason *reason, fsh_err *err);

/* Decode into *out, not yet turned upright: JPEG to 3 channels, the others to 3 or 4 (straight
 * alpha). FORMAT where the bytes are damaged. */
fsh_status fsh_jpeg_decode(const uint8_t *data, size_t bytes, const fsh_header *header,
                           fsh_image *out, fsh_err *err);
fsh_status fsh_opencv_decode(const uint8_t *data, size_t bytes, const fsh_header *header,
                             fsh_image *out, fsh_err *err);

/* Gives *image this shape, using its memory again where the size is the same; pixels are undefined.
 */
fsh_status fsh_image_shape(fsh_image *image, int32_t width, int32_t height, int32_t channels);

#ifdef __cplusplus
}
#endif
#endif

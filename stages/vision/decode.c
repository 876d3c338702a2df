#include "stages/vision/decode.h"

#include <string.h>

#include "stages/vision/codec.h"

enum { TEMPLATE_PIXELS_MAX = 64 * 1000 * 1000 };

fsh_status
fsh_image_shape(fsh_image *image, int32_t width, int32_t height, int32_t channels)
{
    fsh_image shaped = {image->data, width, height, channels};
    fsh_image fresh;

    if (image->data && fsh_image_bytes(image) == fsh_image_bytes(&shaped)) {
        *image = shaped;
        return FSH_OK;
    }
    if (fsh_image_init(&fresh, width, height, channels))
        return FSH_MEMORY;
    fsh_image_fini(image);
    *image = fresh;
    return FSH_OK;
}

/* How the stored picture is read for each EXIF orientation: whether rows are columns, and which of
 * the stored coordinates run backwards. */
static const struct {
    bool swap, mirror_x, mirror_y;
} turns[9] = {[1] = {false, false, false}, [2] = {false, true, false}, [3] = {false, true, true},
              [4] = {false, false, true},  [5] = {true, false, false}, [6] = {true, false, true},
              [7] = {true, true, true},    [8] = {true, true, false}};

static void
copy_turned(const fsh_image *from, int orientation, fsh_image *to)
{
    size_t channels = (size_t)from->channels;
    int32_t x, y;

    for (y = 0; y < to->height; y++) {
        uint8_t *at = fsh_image_at(to, 0, y);

        for (x = 0; x < to->width; x++, at += channels) {
            int32_t u = turns[orientation].swap ? y : x, v = turns[orientation].swap ? x : y;

            if (turns[orientation].mirror_x)
                u = from->width - 1 - u;
            if (turns[orientation].mirror_y)
                v = from->height - 1 - v;
            memcpy(at, fsh_image_at(from, u, v), channels);
        }
    }
}

static fsh_status
turn_upright(fsh_image *image, int orientation)
{
    bool swap = turns[orientation].swap;
    fsh_image turned;

    if (orientation == 1)
        return FSH_OK;
    if (fsh_image_init(&turned, swap ? image->height : image->width,
                       swap ? image->width : image->height, image->channels))
        return FSH_MEMORY;
    copy_turned(image, orientation, &turned);
    fsh_image_fini(image);
    *image = turned;
    return FSH_OK;
}

/* RGBA to RGB over black, in place of the memory: *image gets a new one. */
static fsh_status
lay_over_black(fsh_image *image)
{
    size_t pixels = (size_t)image->width * (size_t)image->height, i, c;
    fsh_image flat;

    if (image->channels == 3)
        return FSH_OK;
    if (fsh_image_init(&flat, image->width, image->height, 3))
        return FSH_MEMORY;
    for (i = 0; i < pixels; i++) {
        const uint8_t *from = image->data + 4 * i;

        for (c = 0; c < 3; c++)
            flat.data[3 * i + c] = (uint8_t)((from[c] * from[3] + 127) / 255);
    }
    fsh_image_fini(image);
    *image = flat;
    return FSH_OK;
}

static fsh_status
add_alpha(fsh_image *image)
{
    size_t pixels = (size_t)image->width * (size_t)image->height, i;
    fsh_image solid;

    if (image->channels == 4)
        return FSH_OK;
    if (fsh_image_init(&solid, image->width, image->height, 4))
        return FSH_MEMORY;
    for (i = 0; i < pixels; i++) {
        memcpy(solid.data + 4 * i, image->data + 3 * i, 3);
        solid.data[4 * i + 3] = 255;
    }
    fsh_image_fini(image);
    *image = solid;
    return FSH_OK;
}

static fsh_status
decode_upright(const void *data, size_t bytes, uint64_t max_pixels, fsh_image *out,
               fsh_reason *reason, fsh_err *err)
{
    fsh_header header;
    fsh_status status;

    if ((status = fsh_header_read(data, bytes, max_pixels, &header, reason, err)))
        return status;
    if (header.codec == FSH_CODEC_JPEG)
        status = fsh_jpeg_decode(data, bytes, &header, out, err);
    else
        status = fsh_opencv_decode(data, bytes, &header, out, err);
    if (status == FSH_FORMAT)
        *reason = FSH_REASON_CORRUPT;
    return status ? status : turn_upright(out, header.orientation);
}

fsh_status
fsh_decode(const void *data, size_t bytes, uint64_t max_pixels, fsh_image *out, fsh_reason *reason,
           fsh_err *err)
{
    fsh_status status = decode_upright(data, bytes, max_pixels, out, reason, err);

    if (!status)
        status = lay_over_black(out);
    if (!status)
        *reason = FSH_REASON_NONE;
    return status == FSH_MEMORY ? fsh_fail(err, status, "no memory for a picture") : status;
}

fsh_status
fsh_decode_rgba(const void *data, size_t bytes, fsh_image *out, fsh_err *err)
{
    fsh_reason reason;
    fsh_status status = decode_upright(data, bytes, TEMPLATE_PIXELS_MAX, out, &reason, err);

    if (!status)
        status = add_alpha(out);
    return status == FSH_MEMORY ? fsh_fail(err, status, "no memory for a picture") : status;
}

#include "stages/vision/codec.h"

#include <stdlib.h>
#include <turbojpeg.h>

#include "stages/vision/decode.h"

static fsh_status
decode_as(const uint8_t *data, size_t bytes, int format, fsh_image *out, fsh_err *err)
{
    tjhandle handle = tjInitDecompress();
    fsh_status status = FSH_OK;

    if (!handle)
        return fsh_fail(err, FSH_MEMORY, "JPEG: %s", tjGetErrorStr2(NULL));
    /* Warnings are how libjpeg tells that it makes up pixels; a progressive file of thousands of
     * scans is how one keeps it busy for an hour. */
    if (tjDecompress2(handle, data, (unsigned long)bytes, out->data, out->width, 0, out->height,
                      format, TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS))
        status = fsh_fail(err, FSH_FORMAT, "JPEG: %s", tjGetErrorStr2(handle));
    tjDestroy(handle);
    return status;
}

/* Ink to light, (255 - ink) * (255 - black) / 255 a channel. Adobe's programs store 255 - ink. */
static void
cmyk_to_rgb(const fsh_image *cmyk, bool inverted, fsh_image *rgb)
{
    size_t pixels = (size_t)cmyk->width * (size_t)cmyk->height, i;
    const uint8_t flip = inverted ? 0 : 255;
    int c;

    for (i = 0; i < pixels; i++) {
        const uint8_t *from = cmyk->data + 4 * i;
        uint32_t black = from[3] ^ flip;

        for (c = 0; c < 3; c++)
            rgb->data[3 * i + (size_t)c] = (uint8_t)(((from[c] ^ flip) * black + 127) / 255);
    }
}

fsh_status
fsh_jpeg_decode(const uint8_t *data, size_t bytes, const fsh_header *header, fsh_image *out,
                fsh_err *err)
{
    int32_t width = (int32_t)header->width, height = (int32_t)header->height;
    fsh_image cmyk = {0};
    fsh_status status = fsh_image_shape(out, width, height, 3);

    if (status || header->components != 4)
        return status ? status : decode_as(data, bytes, TJPF_RGB, out, err);
    if ((status = fsh_image_shape(&cmyk, width, height, 4)))
        return status;
    if (!(status = decode_as(data, bytes, TJPF_CMYK, &cmyk, err)))
        cmyk_to_rgb(&cmyk, header->adobe, out);
    fsh_image_fini(&cmyk);
    return status;
}

fsh_status
fsh_encode_jpeg(const fsh_image *image, int quality, uint8_t **data, size_t *bytes, fsh_err *err)
{
    int subsampling = image->channels == 1 ? TJSAMP_GRAY : quality >= 90 ? TJSAMP_444 : TJSAMP_420;
    unsigned long size = tjBufSize(image->width, image->height, subsampling);
    tjhandle handle = tjInitCompress();
    unsigned char *buffer = size == (unsigned long)-1 ? NULL : malloc(size);
    fsh_status status = FSH_OK;

    if (!handle || !buffer) {
        status = fsh_fail(err, FSH_MEMORY, "JPEG: %s", tjGetErrorStr2(handle));
    } else if (tjCompress2(handle, image->data, image->width, 0, image->height,
                           image->channels == 1 ? TJPF_GRAY : TJPF_RGB, &buffer, &size, subsampling,
                           quality, TJFLAG_NOREALLOC | TJFLAG_ACCURATEDCT)) {
        status = fsh_fail(err, FSH_INTERNAL, "JPEG: %s", tjGetErrorStr2(handle));
    } else {
        *data = buffer;
        *bytes = size;
        buffer = NULL;
    }
    free(buffer);
    if (handle)
        tjDestroy(handle);
    return status;
}

/* A picture in memory: 8 bits a channel, rows without padding, RGB order where there are three. */
#ifndef FSH_BASE_IMAGE_H
#define FSH_BASE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fsh_image {
    uint8_t *data;    /* height * width * channels bytes, owned */
    int32_t width;    /* px */
    int32_t height;   /* px */
    int32_t channels; /* 1 grey, 3 RGB, 4 RGBA */
} fsh_image;

/* Makes a zeroed picture; *image owns its pixels until fsh_image_fini. Fails with MEMORY. */
fsh_status fsh_image_init(fsh_image *image, int32_t width, int32_t height, int32_t channels);

/* Frees the pixels and zeroes the struct; a zeroed struct is fine. */
void fsh_image_fini(fsh_image *image);

/* Makes to a copy of from; to must hold a picture or be zeroed, and its memory is used again. */
fsh_status fsh_image_copy(fsh_image *to, const fsh_image *from);

static inline size_t
fsh_image_bytes(const fsh_image *image)
{
    return (size_t)image->width * (size_t)image->height * (size_t)image->channels;
}

static inline uint8_t *
fsh_image_at(const fsh_image *image, int32_t x, int32_t y)
{
    return image->data + ((size_t)y * (size_t)image->width + (size_t)x) * (size_t)image->channels;
}

#ifdef __cplusplus
}
#endif
#endif

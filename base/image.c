#include "base/image.h"

#include <stdlib.h>
#include <string.h>

fsh_status
fsh_image_init(fsh_image *image, int32_t width, int32_t height, int32_t channels)
{
    fsh_image made = {NULL, width, height, channels};

    made.data = calloc(fsh_image_bytes(&made) + 1, 1);
    if (!made.data)
        return FSH_MEMORY;
    *image = made;
    return FSH_OK;
}

void
fsh_image_fini(fsh_image *image)
{
    free(image->data);
    memset(image, 0, sizeof *image);
}

fsh_status
fsh_image_copy(fsh_image *to, const fsh_image *from)
{
    if (!to->data || fsh_image_bytes(to) != fsh_image_bytes(from)) {
        fsh_image fresh;
        fsh_status status = fsh_image_init(&fresh, from->width, from->height, from->channels);

        if (status)
            return status;
        fsh_image_fini(to);
        *to = fresh;
    }
    to->width = from->width;
    to->height = from->height;
    to->channels = from->channels;
    memcpy(to->data, from->data, fsh_image_bytes(from));
    return FSH_OK;
}

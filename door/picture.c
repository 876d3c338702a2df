#include "door/picture.h"

#include <stdlib.h>

#include "base/files.h"
#include "stages/vision/decode.h"

enum { FILE_BYTES_MAX = 256 << 20 };

static const uint64_t pixels_max = 64 << 20;

fsh_status
fsh_picture_read(const char *path, fsh_image *image, fsh_err *err)
{
    uint8_t *data = NULL;
    size_t bytes = 0;
    fsh_reason reason;
    fsh_status status = fsh_file_read(path, FILE_BYTES_MAX, &data, &bytes, err);

    if (status)
        return status;
    status = fsh_decode(data, bytes, pixels_max, image, &reason, err);
    if (status)
        fsh_fail_within(err, status, "%s", path);
    free(data);
    return status;
}

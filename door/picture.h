/* Files of pictures. */
#ifndef FSH_DOOR_PICTURE_H
#define FSH_DOOR_PICTURE_H

#include "base/image.h"
#include "base/status.h"

/* Reads and decodes a file, RGB and upright, into *image, whose memory is used again. Errors name
 * the file. */
fsh_status fsh_picture_read(const char *path, fsh_image *image, fsh_err *err);

#endif

/* What the readers of files share: which names are those of pictures, and a file's bytes. */
#ifndef FSH_DATASETS_PICTURES_H
#define FSH_DATASETS_PICTURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/status.h"

/* A list in a flat folder that says who is who: the reader `pictures` goes by it. */
#define FSH_PICTURE_NAMES "names.tsv"

/* What is larger is rejected unread. */
enum { FSH_PICTURE_BYTES_MAX = 256 << 20 };

/* Whether a name ends in jpg, jpeg, png, bmp, webp, tif or tiff, in any case. */
bool fsh_picture_has_name(const char *name);

/* What lies in a folder, by its listing; hidden names do not count. A folder that cannot be listed
 * has none. */
typedef struct fsh_picture_census {
    bool pictures; /* names of pictures, of anything but folders */
    bool folders;
} fsh_picture_census;
fsh_picture_census fsh_picture_count(const char *folder);

/* Reads the file of a picture: fsh_reader.load with the whole path. Where the input is gone as
 * well, that is IO and not the picture's fault. */
fsh_status fsh_picture_load(const char *input, const char *path, uint8_t **data, size_t *bytes,
                            fsh_reason *reason, fsh_err *err);

#endif

/* A picture of a shard as the file of a photograph, whatever its encoding. */
#ifndef FSH_DATASETS_SHARD_PICTURES_H
#define FSH_DATASETS_SHARD_PICTURES_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Encoded bytes as they are stored, raw pixels as a BMP; *data is the caller's to free. One thread
 * at a time: it calls HDF5. */
fsh_status fsh_shard_picture(const char *path, uint64_t row, uint8_t **data, size_t *bytes,
                             fsh_err *err);

#endif

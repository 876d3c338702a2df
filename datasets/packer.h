/* Makes the parcel of a unit (datasets/parcel.h) as a stream, a piece at a time: of the photographs
 * only one is in memory. The input is read when its bytes are asked for; asked for earlier bytes
 * again, it starts anew. Should the input have changed meanwhile, the SHA-256 at the end tells.
 *
 *     fsh_packer_new(reader, input, &unit, &packer, &err);
 *     fsh_packer_read(packer, offset, data, room, &bytes, &err);
 *     fsh_packer_sum(packer, &bytes, &hash);
 *     fsh_packer_free(packer); */
#ifndef FSH_DATASETS_PACKER_H
#define FSH_DATASETS_PACKER_H

#include "datasets/manifest.h"

typedef struct fsh_packer fsh_packer;

/* Takes the unit's names (*unit is zeroed), also on failure; input is copied. */
fsh_status fsh_packer_new(const fsh_reader *reader, const char *input, fsh_unit *unit,
                          fsh_packer **packer, fsh_err *err);
void fsh_packer_free(fsh_packer *packer);

/* Gives up to room bytes of the parcel from offset on; less only at its end, none behind it. Any
 * thread, one at a time. Fails where the reader does. */
fsh_status fsh_packer_read(fsh_packer *packer, uint64_t offset, void *data, size_t room,
                           size_t *bytes, fsh_err *err);

/* After the end was read: size of the parcel and SHA-256 of it, as it was read last. */
void fsh_packer_sum(const fsh_packer *packer, uint64_t *bytes, fsh_hash *hash);

#endif

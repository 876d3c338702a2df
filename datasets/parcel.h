/* A parcel: all that a worker without the input needs of one unit, as one file. Names, and for
 * every sample its encoded bytes or the reader's reason why there are none. datasets/packer.h makes
 * one.
 *
 *     fsh_parcel_open(path, &parcel, &err);
 *     fsh_parcel_take_unit(parcel, &unit);
 *     fsh_parcel_load(parcel, 3, &data, &bytes, &reason, &err);      from any thread
 *     fsh_parcel_close(parcel);
 *
 * Numbers are little endian. The file has
 *     8 bytes      "FSHPARC1"
 *     5 x u64      number of the unit, identities, samples, first label, bytes of all names
 *     u32 ...      for every identity its first sample, and the number of samples
 *     names        of identities, then of samples, each ended by a zero byte
 *     and for every sample: u64 reason (base/reason.def), u64 bytes, the bytes */
#ifndef FSH_DATASETS_PARCEL_H
#define FSH_DATASETS_PARCEL_H

#include "datasets/manifest.h"

#define FSH_PARCEL_MAGIC "FSHPARC1"
enum { FSH_PARCEL_MAGIC_BYTES = 8, FSH_PARCEL_NUMBERS = 5 };

typedef struct fsh_parcel fsh_parcel;

/* Reads names and places of all samples; bytes stay in the file. What is no parcel is FORMAT. */
fsh_status fsh_parcel_open(const char *path, fsh_parcel **parcel, fsh_err *err);
void fsh_parcel_close(fsh_parcel *parcel); /* NULL is fine */

/* Moves the unit out; the caller frees it with fsh_unit_fini. Once. */
void fsh_parcel_take_unit(fsh_parcel *parcel, fsh_unit *unit);

/* Reads the bytes of one sample into *data (caller frees), or sets *reason to why there are none,
 * as the reader's `load` did where the parcel was made. Any thread. */
fsh_status fsh_parcel_load(const fsh_parcel *parcel, uint32_t sample, uint8_t **data, size_t *bytes,
                           fsh_reason *reason, fsh_err *err);

#endif

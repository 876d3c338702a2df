/* SHA-256 (OpenSSL's libcrypto) and the 64-bit keys made from it. */
#ifndef FSH_BASE_HASH_H
#define FSH_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { FSH_HASH_BYTES = 32, FSH_HASH_HEX = 65 /* with the ending zero */ };

typedef struct fsh_hash {
    uint8_t bytes[FSH_HASH_BYTES];
} fsh_hash;

typedef struct fsh_hasher fsh_hasher; /* one running sum */

fsh_status fsh_hasher_new(fsh_hasher **hasher);
void fsh_hasher_add(fsh_hasher *hasher, const void *data, size_t bytes);
void fsh_hasher_take(fsh_hasher **hasher, fsh_hash *hash); /* finishes and frees; *hasher = NULL */

fsh_hash fsh_hash_of(const void *data, size_t bytes);
fsh_status fsh_hash_file(const char *path, fsh_hash *hash, uint64_t *bytes, fsh_err *err);
void fsh_hash_hex(const fsh_hash *hash, char hex[FSH_HASH_HEX]);

/* The first 8 bytes, little endian, of the SHA-256 of data: sample keys. */
uint64_t fsh_hash_key(const void *data, size_t bytes);

#endif

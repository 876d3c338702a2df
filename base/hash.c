#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <unistd.h>

struct fsh_hasher {
    EVP_MD_CTX *context;
};

fsh_status
fsh_hasher_new(fsh_hasher **hasher)
{
    fsh_hasher *made = calloc(1, sizeof *made);

    if (made)
        made->context = EVP_MD_CTX_new();
    if (!made || !made->context || EVP_DigestInit_ex(made->context, EVP_sha256(), NULL) != 1) {
        if (made)
            EVP_MD_CTX_free(made->context);
        free(made);
        return FSH_MEMORY;
    }
    *hasher = made;
    return FSH_OK;
}

void
fsh_hasher_add(fsh_hasher *hasher, const void *data, size_t bytes)
{
    EVP_DigestUpdate(hasher->context, data, bytes);
}

void
fsh_hasher_take(fsh_hasher **hasher, fsh_hash *hash)
{
    if (!*hasher)
        return;
    if (hash)
        EVP_DigestFinal_ex((*hasher)->context, hash->bytes, NULL);
    EVP_MD_CTX_free((*hasher)->context);
    free(*hasher);
    *hasher = NULL;
}

fsh_hash
fsh_hash_of(const void *data, size_t bytes)
{
    fsh_hash hash;

    SHA256(data, bytes, hash.bytes);
    return hash;
}

static fsh_status
add_file(fsh_hasher *hasher, int fd, uint64_t *bytes)
{
    enum { PIECE = 1 << 18 };
    uint8_t *piece = malloc(PIECE);
    ssize_t got;

    if (!piece)
        return FSH_MEMORY;
    *bytes = 0;
    while ((got = read(fd, piece, PIECE)) > 0) {
        fsh_hasher_add(hasher, piece, (size_t)got);
        *bytes += (uint64_t)got;
    }
    free(piece);
    return got < 0 ? FSH_IO : FSH_OK;
}

fsh_status
fsh_hash_file(const char *path, fsh_hash *hash, uint64_t *bytes, fsh_err *err)
{
    fsh_hasher *hasher = NULL;
    uint64_t read_bytes = 0;
    fsh_status status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return fsh_fail_errno(err, errno, "%s: cannot be opened", path);
    status = fsh_hasher_new(&hasher);
    if (!status)
        status = add_file(hasher, fd, &read_bytes);
    if (status)
        fsh_fail_errno(err, errno, "%s: cannot be read", path);
    close(fd);
    fsh_hasher_take(&hasher, status ? NULL : hash);
    if (!status && bytes)
        *bytes = read_bytes;
    return status;
}

void
fsh_hash_hex(const fsh_hash *hash, char hex[FSH_HASH_HEX])
{
    static const char digits[] = "0123456789abcdef";
    int i;

    for (i = 0; i < FSH_HASH_BYTES; i++) {
        hex[2 * i] = digits[hash->bytes[i] >> 4];
        hex[2 * i + 1] = digits[hash->bytes[i] & 15];
    }
    hex[2 * FSH_HASH_BYTES] = '\0';
}

uint64_t
fsh_hash_key(const void *data, size_t bytes)
{
    fsh_hash hash = fsh_hash_of(data, bytes);
    uint64_t key = 0;
    int i;

    for (i = 7; i >= 0; i--)
        key = key << 8 | hash.bytes[i];
    return key;
}

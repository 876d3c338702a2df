/* Base64 to bytes; fsh_text_add_base64 is the other way. */
#ifndef FSH_BASE_BASE64_H
#define FSH_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for what n characters stand for. */
static inline size_t
fsh_base64_bytes(size_t n)
{
    return n / 4 * 3 + 3;
}

/* Decodes n characters into data, which has room for fsh_base64_bytes(n). Padding may be left out.
 * False where a character is none of base64, or where the number of them cannot be. */
bool fsh_base64_decode(const char *text, size_t n, uint8_t *data, size_t *bytes);

#endif

#include "base/base64.h"

/* 0 to 63, or 64 for what is no character of base64. */
static uint32_t
value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint32_t)(c - 'a' + 26);
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0' + 52);
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

bool
fsh_base64_decode(const char *text, size_t n, uint8_t *data, size_t *bytes)
{
    uint32_t word = 0;
    size_t i, out = 0;

    if (n % 4 == 0 && n && text[n - 1] == '=')
        n -= text[n - 2] == '=' ? 2 : 1;
    if (n % 4 == 1)
        return false;
    for (i = 0; i < n; i++) {
        uint32_t value = value_of(text[i]);

        if (value > 63)
            return false;
        word = word << 6 | value;
        if (i % 4 > 0) /* the 6 bits before, and some of these: a byte is whole */
            data[out++] = (uint8_t)(word >> (6 - i % 4 * 2));
    }
    *bytes = out;
    return true;
}

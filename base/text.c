#include "base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
fsh_text_fini(fsh_text *text)
{
    free(text->data);
    memset(text, 0, sizeof *text);
}

void
fsh_text_clear(fsh_text *text)
{
    text->bytes = 0;
    text->broken = false;
    if (text->data)
        text->data[0] = '\0';
}

bool
fsh_text_ok(const fsh_text *text)
{
    return !text->broken;
}

const char *
fsh_text_get(const fsh_text *text)
{
    return text->data ? text->data : "";
}

/* Makes room for more bytes and the ending zero. */
static bool
reserve(fsh_text *text, size_t more)
{
    size_t capacity = text->capacity ? text->capacity : 64;
    char *grown;

    while (capacity < text->bytes + more + 1)
        capacity *= 2;
    if (capacity == text->capacity)
        return true;
    grown = realloc(text->data, capacity);
    if (!grown) {
        text->broken = true;
        return false;
    }
    text->data = grown;
    text->capacity = capacity;
    return true;
}

void
fsh_text_add_bytes(fsh_text *text, const void *data, size_t bytes)
{
    if (!reserve(text, bytes))
        return;
    if (bytes)
        memcpy(text->data + text->bytes, data, bytes);
    text->bytes += bytes;
    text->data[text->bytes] = '\0';
}

void
fsh_text_add(fsh_text *text, const char *string)
{
    fsh_text_add_bytes(text, string, strlen(string));
}

void
fsh_text_addf(fsh_text *text, const char *format, ...)
{
    size_t room = text->data ? text->capacity - text->bytes : 0;
    va_list args, again;
    int bytes;

    va_start(args, format);
    va_copy(again, args);
    bytes = vsnprintf(room ? text->data + text->bytes : NULL, room, format, args);
    if (bytes >= 0 && (size_t)bytes < room) {
        text->bytes += (size_t)bytes;
    } else if (bytes >= 0 && reserve(text, (size_t)bytes)) {
        vsnprintf(text->data + text->bytes, (size_t)bytes + 1, format, again);
        text->bytes += (size_t)bytes;
    } else if (room) {
        text->data[text->bytes] = '\0'; /* nothing of it, rather than its beginning */
    }
    va_end(again);
    va_end(args);
}

/* Bytes of the UTF-8 sequence at s (RFC 3629: no surrogates, nothing over-long), 0 where there is none. */
static size_t
utf8_length(const uint8_t *s)
{
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xC2 && s[0] <= 0xDF)
        return (s[1] & 0xC0) == 0x80 ? 2 : 0;
    if (s[0] >= 0xE0 && s[0] <= 0xEF) {
        uint8_t low = s[0] == 0xE0 ? 0xA0 : 0x80, high = s[0] == 0xED ? 0x9F : 0xBF;

        return s[1] >= low && s[1] <= high && (s[2] & 0xC0) == 0x80 ? 3 : 0;
    }
    if (s[0] >= 0xF0 && s[0] <= 0xF4) {
        uint8_t low = s[0] == 0xF0 ? 0x90 : 0x80, high = s[0] == 0xF4 ? 0x8F : 0xBF;

        return s[1] >= low && s[1] <= high && (s[2] & 0xC0) == 0x80 && (s[3] & 0xC0) == 0x80 ? 4 : 0;
    }
    return 0;
}

static void
add_json_ascii(fsh_text *text, char c)
{
    if (c == '"' || c == '\\')
        fsh_text_addf(text, "\\%c", c);
    else if (c == '\n')
        fsh_text_add(text, "\\n");
    else if (c == '\t')
        fsh_text_add(text, "\\t");
    else if ((uint8_t)c < 0x20 || c == 0x7F)
        fsh_text_addf(text, "\\u%04x", (uint8_t)c);
    else
        fsh_text_add_bytes(text, &c, 1);
}

void
fsh_text_add_json(fsh_text *text, const char *string)
{
    const uint8_t *s = (const uint8_t *)string;

    fsh_text_add(text, "\"");
    while (*s) {
        size_t length = utf8_length(s);

        if (length == 1)
            add_json_ascii(text, (char)*s);
        else if (length)
            fsh_text_add_bytes(text, s, length);
        else
            fsh_text_add(text, "\xEF\xBF\xBD");
        s += length ? length : 1;
    }
    fsh_text_add(text, "\"");
}

void
fsh_text_add_visible(fsh_text *text, const char *string)
{
    const uint8_t *s = (const uint8_t *)string;

    while (*s) {
        size_t length = utf8_length(s);

        if (length == 0 || *s < 0x20 || *s == 0x7F)
            fsh_text_addf(text, "\\x%02x", *s);
        else
            fsh_text_add_bytes(text, s, length);
        s += length ? length : 1;
    }
}

void
fsh_text_add_time(fsh_text *text, double seconds)
{
    unsigned long s = seconds > 0 && seconds < 1e9 ? (unsigned long)(seconds + 0.5) : 0;

    if (s >= 3600)
        fsh_text_addf(text, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    else
        fsh_text_addf(text, "%lu:%02lu", s / 60, s % 60);
}

void
fsh_text_add_shell(fsh_text *text, const char *string)
{
    fsh_text_add(text, "'");
    for (; *string; string++)
        if (*string == '\'')
            fsh_text_add(text, "'\\''");
        else
            fsh_text_add_bytes(text, string, 1);
    fsh_text_add(text, "'");
}

/* RFC 4648, section 4. */
void
fsh_text_add_base64(fsh_text *text, const uint8_t *data, size_t bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t i;

    for (i = 0; i < bytes; i += 3) {
        size_t n = bytes - i < 3 ? bytes - i : 3;
        uint32_t three = (uint32_t)data[i] << 16 | (n > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                         (n > 2 ? data[i + 2] : 0);
        char four[4] = {digits[three >> 18], digits[three >> 12 & 63],
                        n > 1 ? digits[three >> 6 & 63] : '=', n > 2 ? digits[three & 63] : '='};

        fsh_text_add_bytes(text, four, 4);
    }
}

/* A string that grows. Appending never fails visibly: out of memory ends in a text marked as broken,
 * which fsh_text_ok tells. A zeroed struct is an empty text. */
#ifndef FSH_BASE_TEXT_H
#define FSH_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fsh_text {
    char *data; /* ends with a zero byte; NULL while empty */
    size_t bytes, capacity;
    bool broken;
} fsh_text;

void fsh_text_fini(fsh_text *text);
void fsh_text_clear(fsh_text *text); /* keeps the memory */
bool fsh_text_ok(const fsh_text *text);

/* The text as a C string, "" while empty; borrowed until the next change. */
const char *fsh_text_get(const fsh_text *text);

void fsh_text_add(fsh_text *text, const char *string);
void fsh_text_add_bytes(fsh_text *text, const void *data, size_t bytes);
void fsh_text_addf(fsh_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends string as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, so that the
 * JSON is always valid. */
void fsh_text_add_json(fsh_text *text, const char *string);

/* Appends string with control bytes and bytes that are not UTF-8 as \xNN: safe on a terminal. */
void fsh_text_add_visible(fsh_text *text, const char *string);

/* Appends string as one word of a shell's, in single quotes. */
void fsh_text_add_shell(fsh_text *text, const char *string);

/* Appends data in base64, with padding. */
void fsh_text_add_base64(fsh_text *text, const uint8_t *data, size_t bytes);

/* Appends "0:07", "12:34" or "3:25:01". */
void fsh_text_add_time(fsh_text *text, double seconds);

#endif

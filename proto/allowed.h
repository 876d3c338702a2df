/* The list of keys that may join: a text file with a line "KEY NAME" for every worker, KEY being the
 * 40 letters of a public key. Empty lines and lines that begin with # say nothing.
 *
 *     fsh_allowed_open("keys/allowed", &allowed, &err);
 *     fsh_allowed_refresh(allowed);                          when it may have changed
 *     if (fsh_allowed_has(allowed, key)) ...
 *     fsh_allowed_close(&allowed); */
#ifndef FSH_PROTO_ALLOWED_H
#define FSH_PROTO_ALLOWED_H

#include <stdbool.h>

#include "base/status.h"

enum { FSH_KEY_LETTERS = 40 };

/* A key as text, with its ending zero. */
typedef struct fsh_key {
    char letters[FSH_KEY_LETTERS + 1];
} fsh_key;

typedef struct fsh_allowed fsh_allowed;

/* Fails with IO, or with FORMAT naming the line, or with USAGE and the remedy where others may write
 * the file. */
fsh_status fsh_allowed_open(const char *path, fsh_allowed **allowed, fsh_err *err);
void fsh_allowed_close(fsh_allowed **allowed);

/* Reads the file again where it has changed. A file that cannot be read is a failure, and until it
 * is mended nobody is new enough to be let in (fsh_allowed_has_new), while those who are in stay. */
fsh_status fsh_allowed_refresh(fsh_allowed *allowed, fsh_err *err);

/* Whether the key was on the last list that could be read. */
bool fsh_allowed_has(const fsh_allowed *allowed, const char *key);

/* Whether somebody with this key may come in now. */
bool fsh_allowed_has_new(const fsh_allowed *allowed, const char *key);

/* Whether the text is the 40 letters of a key. */
bool fsh_key_is_valid(const char *text);

#endif

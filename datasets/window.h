/* A large file through a window: a few bytes from anywhere, read in pieces that follow each other
 * when places do. What is not asked for and lies beyond the window is not read.
 *
 *     fsh_window_open(&window, "train.rec", FSH_WINDOW_SCAN, &err);
 *     fsh_window_get(&window, at, 32, &data, &n, &err);
 *     fsh_window_close(&window); */
#ifndef FSH_DATASETS_WINDOW_H
#define FSH_DATASETS_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Bytes that are read at once: by a pass over the whole file, and for one record. */
enum { FSH_WINDOW_SCAN = 1 << 20, FSH_WINDOW_LOAD = 1 << 14 };

typedef struct fsh_window {
    const char *path; /* borrowed */
    int file;
    uint64_t size; /* of the file when it was opened */
    uint8_t *data;
    uint64_t at; /* of data in the file */
    size_t n, room;
} fsh_window;

/* Opens a regular file; anything else, such as a folder or pipe, is IO. */
fsh_status fsh_window_open(fsh_window *window, const char *path, size_t room, fsh_err *err);
void fsh_window_close(fsh_window *window); /* a zeroed struct is fine */

/* Points at the bytes from `at` on, wanted (at most room) of them or what is left of the file;
 * valid until the next call. */
fsh_status fsh_window_get(fsh_window *window, uint64_t at, size_t wanted, const uint8_t **data,
                          size_t *n, fsh_err *err);

/* The place of the first `byte` from `at` on, or the size of the file. */
fsh_status fsh_window_find(fsh_window *window, uint64_t at, uint8_t byte, uint64_t *found,
                           fsh_err *err);

#endif

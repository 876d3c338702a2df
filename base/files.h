/* Files and folders: whole reads and atomic writes. Errors name the path. */
#ifndef FSH_BASE_FILES_H
#define FSH_BASE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

enum { FSH_PATH_BYTES = 4096 };

/* Joins folder and name with one slash. Fails with USAGE where the result is too long. */
fsh_status fsh_path_join(char out[FSH_PATH_BYTES], const char *folder, const char *name, fsh_err *err);

/* The last component of a path; borrowed. */
const char *fsh_path_name(const char *path);

bool fsh_file_exists(const char *path);

/* Makes the folder and the ones above it; one that is there already is fine. */
fsh_status fsh_folder_make(const char *path, fsh_err *err);

/* Makes a new empty folder below $TMPDIR, or /tmp; the caller removes it. Where it fails folder is "". */
fsh_status fsh_folder_make_temporary(char folder[FSH_PATH_BYTES], fsh_err *err);

/* Called for an entry of a folder; a status other than OK ends the visit with it. */
typedef fsh_status fsh_folder_visitor(void *self, const char *folder, const char *name, fsh_err *err);

/* Calls each for every entry whose name does not begin with a dot, in byte order of names. A folder that is not
 * there has none. */
fsh_status fsh_folder_each(const char *folder, fsh_folder_visitor *each, void *self, fsh_err *err);

/* Removes a folder with all that is in it; links are removed, not followed. One that is not there is fine. */
fsh_status fsh_folder_remove(const char *path, fsh_err *err);

/* Reads a whole regular file of at most limit bytes; *data (caller frees) ends with a zero byte that is
 * not counted. */
fsh_status fsh_file_read(const char *path, size_t limit, uint8_t **data, size_t *bytes, fsh_err *err);

/* Opens a file to read and write, and makes an empty one where there is none; *fd is the caller's to close. */
fsh_status fsh_file_open(const char *path, int *fd, fsh_err *err);

/* Writes under a temporary name in the same folder, flushes to disk, renames: a reader never sees half
 * a file. */
fsh_status fsh_file_write(const char *path, const void *data, size_t bytes, fsh_err *err);

/* The same for a file that its owner alone may read. */
fsh_status fsh_file_write_private(const char *path, const void *data, size_t bytes, fsh_err *err);

/* The same for a text, as folder/name. MEMORY where the text is broken. */
fsh_status fsh_file_write_text(const char *folder, const char *name, const fsh_text *text, fsh_err *err);

/* Flushes a file or folder to disk. */
fsh_status fsh_file_sync(const char *path, fsh_err *err);

/* Flushes a finished temporary file, renames it to its final name, flushes the folder. */
fsh_status fsh_file_commit(const char *temporary, const char *final, fsh_err *err);

/* Removes every file in folder whose name begins with prefix and ends with suffix; counts into
 * *removed (may be NULL). */
fsh_status fsh_folder_sweep(const char *folder, const char *prefix, const char *suffix,
                            uint32_t *removed, fsh_err *err);

/* The same for files that were last written to more than idle_s seconds ago, by the clock of their file
 * system; 0: all. */
fsh_status fsh_folder_sweep_idle(const char *folder, const char *prefix, const char *suffix, uint32_t idle_s,
                                 uint32_t *removed, fsh_err *err);

#endif

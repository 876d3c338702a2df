/* How calls end. Functions that can fail return fsh_status; results go through pointers and are
 * untouched on failure. The text that explains a failure goes to a caller's fsh_err, which may be
 * NULL, is written only on failure, and is complete enough to print as it is. */
#ifndef FSH_BASE_STATUS_H
#define FSH_BASE_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fsh_status {
#define STATUS(name, exit_code, text) FSH_##name,
#include "base/status.def"
#undef STATUS
    FSH_STATUS_N
} fsh_status;

typedef struct fsh_err {
    char text[1024];
} fsh_err;

/* Name of a status in lower case ("io"), for logs and tests. */
const char *fsh_status_name(fsh_status status);

/* What a status means, one clause. */
const char *fsh_status_text(fsh_status status);

/* Exit code that the program ends with. */
int fsh_status_exit_code(fsh_status status);

/* Writes the text and returns status, so that a failure is one line: return fsh_fail(err, FSH_IO, ...). */
fsh_status fsh_fail(fsh_err *err, fsh_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Like fsh_fail for a failed system call: appends the text of the errno value and chooses FULL for a
 * full disk or quota, MEMORY for ENOMEM, IO otherwise. */
fsh_status fsh_fail_errno(fsh_err *err, int errno_value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the text that a called function has left, and returns status. */
fsh_status fsh_fail_within(fsh_err *err, fsh_status status, const char *prefix, ...)
    __attribute__((format(printf, 3, 4)));

#ifdef __cplusplus
}
#endif
#endif

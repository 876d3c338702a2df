/* What every test program includes: cmocka with its own includes, and a few helpers. */
#ifndef FSH_TESTS_TESTING_H
#define FSH_TESTS_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/status.h"

/* Fails with the text that came with the status. */
#define assert_ok(status, err)                                                                     \
    do {                                                                                           \
        fsh_status assert_ok_status = (status);                                                    \
        if (assert_ok_status)                                                                      \
            fail_msg("%s: %s", fsh_status_name(assert_ok_status), (err).text);                     \
    } while (0)

/* Fails unless text holds part. */
#define assert_text_has(text, part)                                                                \
    do {                                                                                           \
        if (!strstr(text, part))                                                                   \
            fail_msg("'%s' is not in '%s'", part, text);                                           \
    } while (0)

/* A new empty folder below $TMPDIR; removed by fsh_test_remove. */
static inline char *
fsh_test_folder(void)
{
    const char *base = getenv("TMPDIR");
    char *path = malloc(256);

    snprintf(path, 256, "%s/faceshard-test-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(path))
        fail_msg("no temporary folder: %s", path);
    return path;
}

/* Removes the folder with all that is in it and frees the path. */
static inline void
fsh_test_remove(char *path)
{
    char command[320];

    snprintf(command, sizeof command, "rm -rf '%s'", path);
    if (system(command) != 0)
        print_error("cannot remove %s\n", path);
    free(path);
}

#endif

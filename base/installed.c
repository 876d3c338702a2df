#include "base/installed.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Takes the last part of a path off; false where there is none. */
static bool
go_up(char *path)
{
    char *slash = strrchr(path, '/');

    if (slash)
        *slash = '\0';
    return slash != NULL;
}

bool
fsh_installed_find(const char *below, char path[FSH_PATH_BYTES])
{
    char prefix[FSH_PATH_BYTES];
    ssize_t n = readlink("/proc/self/exe", prefix, sizeof prefix - 1);

    if (n <= 0)
        return false;
    prefix[n] = '\0';
    return go_up(prefix) && go_up(prefix) && !fsh_path_join(path, prefix, below, NULL) &&
           fsh_file_exists(path);
}

/* Where the program was installed: PREFIX/bin/faceshard finds PREFIX/share and PREFIX/lib wherever
 * PREFIX was unpacked. */
#ifndef FSH_BASE_INSTALLED_H
#define FSH_BASE_INSTALLED_H

#include <stdbool.h>

#include "base/files.h"

/* Fills path with PREFIX/below; false where that is not there: the program was not installed. */
bool fsh_installed_find(const char *below, char path[FSH_PATH_BYTES]);

#endif

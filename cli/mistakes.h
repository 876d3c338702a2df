/* The mistakes of an identification in pictures. */
#ifndef FSH_CLI_MISTAKES_H
#define FSH_CLI_MISTAKES_H

#include "evaluate/identify.h"

/* Writes a PNG, three pictures each for the first mistakes_n mistakes: the probe; whom it was taken
 * for; whom it is, or a grey square for people who are not in the gallery. Pictures are read from
 * the two folders, which sources are relative to unless they begin with a slash. */
fsh_status fsh_mistakes_draw(const fsh_identification *of, const char *gallery_folder,
                             const char *probes_folder, uint32_t mistakes_n, const char *png,
                             fsh_err *err);

#endif

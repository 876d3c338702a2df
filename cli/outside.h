/* Runs a program of somebody else's for a moment: the clients of a cluster. */
#ifndef FSH_CLI_OUTSIDE_H
#define FSH_CLI_OUTSIDE_H

#include "base/status.h"
#include "base/text.h"

/* Runs words (ended by NULL), in the folder, for at most limit_s seconds, and appends what it says,
 * on both outputs, without the line end at the end. NETWORK where it is not there, does not answer
 * in time, or fails: the text has what it said. */
fsh_status fsh_outside_run(const char *const *words, const char *folder, unsigned limit_s,
                           fsh_text *said, fsh_err *err);

#endif

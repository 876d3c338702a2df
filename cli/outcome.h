/* How commands that look at embeddings tell what they found: a table on standard output, JSON in a
 * file, or, with
 * --log json, that JSON as the last event. */
#ifndef FSH_CLI_OUTCOME_H
#define FSH_CLI_OUTCOME_H

#include "base/text.h"
#include "cli/progress.h"

/* AUTO is BAR on a terminal and QUIET elsewhere, because standard output is for the table. */
fsh_log_mode fsh_outcome_mode(int32_t log);

/* Prints table, unless mode is JSON, then json in one line; writes json to the file, unless that is
 * "". Both texts are checked for memory that was missing. */
fsh_status fsh_outcome_tell(fsh_log_mode mode, const fsh_text *table, const fsh_text *json,
                            const char *file, fsh_err *err);

#endif

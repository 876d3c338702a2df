/* Scripts with words between @ signs, in whose places texts are put. */
#ifndef FSH_BASE_TEMPLATE_H
#define FSH_BASE_TEMPLATE_H

#include "base/status.h"
#include "base/text.h"

typedef struct fsh_template_word {
    const char *name;  /* capital letters, without the @ signs; NULL ends a list */
    const char *value; /* as it shall stand there */
} fsh_template_word;

/* Appends the script with every @NAME@ replaced. A line that is then empty and was not before is
 * left out. A name that is not in the list is INTERNAL. */
fsh_status fsh_template_fill(const char *script, const fsh_template_word *words, fsh_text *out,
                             fsh_err *err);

#endif

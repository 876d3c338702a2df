/* The manual, made from the rows of commands and options, like --help. */
#ifndef FSH_CLI_MANUAL_H
#define FSH_CLI_MANUAL_H

#include "base/text.h"
#include "cli/command.h"

/* Appends the page of a command, or, for NULL, of the program, as man(7) reads it. */
void fsh_manual_print(const fsh_command *command, fsh_text *out);

/* Appends what bash completes words of the program with. */
void fsh_completion_print(fsh_text *out);

#endif

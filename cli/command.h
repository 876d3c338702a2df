/* A command of the program: one row of the table in main.c. Options are parameter rows, like those of
 * stages, so that parsing, defaults and help come from one place. */
#ifndef FSH_CLI_COMMAND_H
#define FSH_CLI_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/args.h"
#include "base/status.h"

/* A command line, taken apart. All borrowed until the command returns. */
typedef struct fsh_invocation {
    const void *options;      /* the command's option struct, filled from defaults and command line */
    const char *const *words; /* what is no option: JOB.yaml, K */
    uint32_t words_n;
    const char *const *sets;  /* every --set key=value, in order */
    uint32_t sets_n;
} fsh_invocation;

typedef struct fsh_command {
    const char *name;
    const char *words;   /* "JOB.yaml K": what stands behind the name; [X] may be left out */
    uint32_t words_least, words_most;
    const char *summary; /* one line; NULL hides the command */
    const char *help;    /* what a user should know, with an example */
    const fsh_arg *options;
    size_t options_size;
    bool takes_sets;
    /* What it has to say goes to standard output; errors go to err and are printed by main. */
    fsh_status (*run)(const fsh_invocation *invocation, fsh_err *err);
} fsh_command;

#define COMMAND(name) extern const fsh_command fsh_command_##name;
#include "cli/commands.def"
#undef COMMAND

/* All of them, ended by NULL. */
const fsh_command *const *fsh_commands(void);

/* Takes the command line behind the command's name apart and runs the command. */
fsh_status fsh_command_invoke(const fsh_command *command, int argc, char **argv, fsh_err *err);

/* How an option is written ("--contact-sheet"), and the line about it: help, what is allowed, the default. */
enum { FSH_OPTION_BYTES = 64 };
void fsh_option_name(const fsh_arg *row, char name[FSH_OPTION_BYTES]);
void fsh_option_describe(const fsh_arg *row, fsh_text *out);

#define FSH_SET_HELP "any key of the job file, as in --set stages.detect.margin=40"
#define FSH_EXIT_CODES                                                                                    \
    "0 done, 1 done but too many rejected or files damaged, 2 usage or job file, 3 environment (files,\n" \
    "network, models), 4 internal, 130 interrupted (state is kept: run again to continue).\n"

/* Prints the help of one command: usage, what it does, options with defaults. */
void fsh_command_help(const fsh_command *command);

/* Rows shared by the commands that read a job file: --input, --output, --device; see cli/job_options.c. */
struct fsh_job;
typedef struct fsh_job_options {
    char input[FSH_ARG_TEXT_BYTES], output[FSH_ARG_TEXT_BYTES], device[FSH_ARG_TEXT_BYTES];
} fsh_job_options;
#define FSH_JOB_OPTION_ROWS(type)                                                                       \
    {"input", FSH_ARG_TYPE_TEXT, offsetof(type, job.input), 0, 0, NULL, "", "folder to read, instead of input.path"}, \
    {"output", FSH_ARG_TYPE_TEXT, offsetof(type, job.output), 0, 0, NULL, "", "folder to write, instead of output.path"}, \
    {"device", FSH_ARG_TYPE_TEXT, offsetof(type, job.device), 0, 0, NULL, "", "cpu, cuda or cuda:N, instead of models.device"}

/* Reads the job file words[0] with --input, --output, --device and --set, and fills its hash. */
fsh_status fsh_job_from_command(const fsh_invocation *invocation, const fsh_job_options *options,
                                struct fsh_job **job, fsh_err *err);

#endif

/* faceshard: turns folders of face photographs into shards. Only this file prints errors and exits. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

static void
print_overview(FILE *to)
{
    const fsh_command *const *at;

    fprintf(to, "faceshard %s: from folders of face photographs to clean, balanced, masked and augmented\n"
                "HDF5 shards for training face recognition\n\nusage: faceshard COMMAND ...\n\n", FSH_VERSION);
    for (at = fsh_commands(); *at; at++)
        if ((*at)->summary)
            fprintf(to, "  %-13s %s\n", (*at)->name, (*at)->summary);
    fprintf(to, "\n`faceshard COMMAND --help` tells more.\n"
                "First steps:  faceshard doctor\n"
                "              faceshard run JOB.yaml --input PEOPLE --output out\n"
                "Exit codes: " FSH_EXIT_CODES);
}

static const fsh_command *
find_command(const char *name)
{
    const fsh_command *const *at;

    for (at = fsh_commands(); *at && strcmp((*at)->name, name) != 0; at++)
        ;
    return *at;
}

static int
is_any(const char *word, const char *a, const char *b, const char *c)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

int
main(int argc, char **argv)
{
    const fsh_command *command;
    fsh_err err = {""};
    fsh_status status;

    if (argc < 2) {
        print_overview(stderr);
        return fsh_status_exit_code(FSH_USAGE);
    }
    if (is_any(argv[1], "--help", "-h", "help")) {
        print_overview(stdout);
        return 0;
    }
    if (is_any(argv[1], "--version", "-V", "version")) {
        printf("faceshard %s\n", FSH_VERSION);
        return 0;
    }
    command = find_command(argv[1]);
    if (!command) {
        fprintf(stderr, "faceshard: unknown command '%s'; see `faceshard --help`\n", argv[1]);
        return fsh_status_exit_code(FSH_USAGE);
    }
    signal(SIGPIPE, SIG_IGN);
    status = fsh_command_invoke(command, argc - 2, argv + 2, &err);
    if (status)
        fprintf(stderr, "faceshard %s: %s\n", command->name, err.text[0] ? err.text : fsh_status_text(status));
    if (fflush(stdout) != 0 && !status)
        status = FSH_IO;
    return fsh_status_exit_code(status);
}

#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/job.h"

static const fsh_command *const commands[] = {
#define COMMAND(name) &fsh_command_##name,
#include "cli/commands.def"
#undef COMMAND
    NULL};

const fsh_command *const *
fsh_commands(void)
{
    return commands;
}

static fsh_status
see_help(const fsh_command *command, fsh_err *err, const char *what, const char *word)
{
    return fsh_fail(err, FSH_USAGE, "%s%s; see `faceshard %s --help`", what, word, command->name);
}

/* The row of "--contact-sheet" or "--contact-sheet=x"; *value points behind the = or is NULL. */
static const fsh_arg *
find_option(const fsh_command *command, const char *word, const char **value)
{
    const char *name = word + 2, *equals = strchr(name, '=');
    size_t n = equals ? (size_t)(equals - name) : strlen(name), i;
    const fsh_arg *row;

    *value = equals ? equals + 1 : NULL;
    for (row = command->options; row->name; row++) {
        for (i = 0; i < n && (row->name[i] == name[i] || (row->name[i] == '_' && name[i] == '-')); i++)
            ;
        if (i == n && row->name[n] == '\0')
            return row;
    }
    return NULL;
}

/* A command line while it is taken apart. */
struct parse {
    const fsh_command *command;
    int argc, at;
    char **argv;
    void *options;
    const char **words, **sets;
    uint32_t words_n, sets_n;
};

static fsh_status
take_option(struct parse *p, fsh_err *err)
{
    const char *word = p->argv[p->at], *value;
    bool set = p->command->takes_sets && (strcmp(word, "--set") == 0 || strncmp(word, "--set=", 6) == 0);
    const fsh_arg *row = find_option(p->command, word, &value);
    fsh_status status;

    if (!row && !set)
        return see_help(p->command, err, "unknown option ", word);
    if (!value && row && row->type == FSH_ARG_TYPE_BOOL)
        value = "true";
    if (!value && p->at + 1 < p->argc)
        value = p->argv[++p->at];
    if (!value)
        return see_help(p->command, err, "a value is missing behind ", word);
    if (set) {
        p->sets[p->sets_n++] = value;
        return FSH_OK;
    }
    status = fsh_arg_set(row, p->options, value, err);
    return status ? fsh_fail_within(err, status, "option") : FSH_OK;
}

static fsh_status
take_all(struct parse *p, fsh_err *err)
{
    bool only_words = false;
    fsh_status status = FSH_OK;

    for (p->at = 0; p->at < p->argc && !status; p->at++) {
        const char *word = p->argv[p->at];

        if (!only_words && strcmp(word, "--") == 0)
            only_words = true;
        else if (!only_words && word[0] == '-' && word[1] == '-')
            status = take_option(p, err);
        else
            p->words[p->words_n++] = word;
    }
    if (status)
        return status;
    if (p->words_n < p->command->words_least)
        return see_help(p->command, err, "something is missing: expected ", p->command->words);
    if (p->words_n > p->command->words_most)
        return see_help(p->command, err, "one word too many: ", p->words[p->command->words_most]);
    return FSH_OK;
}

static bool
asks_for_help(int argc, char **argv)
{
    int i;

    for (i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

fsh_status
fsh_command_invoke(const fsh_command *command, int argc, char **argv, fsh_err *err)
{
    struct parse p = {.command = command, .argc = argc, .argv = argv};
    fsh_status status = FSH_OK;

    if (asks_for_help(argc, argv)) {
        fsh_command_help(command);
        return FSH_OK;
    }
    p.options = calloc(1, command->options_size + 1);
    p.words = calloc((size_t)argc + 1, sizeof *p.words);
    p.sets = calloc((size_t)argc + 1, sizeof *p.sets);
    if (!p.options || !p.words || !p.sets)
        status = fsh_fail(err, FSH_MEMORY, "out of memory");
    if (!status)
        status = fsh_args_defaults(command->options, p.options, err);
    if (!status)
        status = take_all(&p, err);
    if (!status) {
        fsh_invocation invocation = {p.options, p.words, p.words_n, p.sets, p.sets_n};

        status = command->run(&invocation, err);
    }
    free(p.options);
    free(p.words);
    free(p.sets);
    return status;
}

void
fsh_option_name(const fsh_arg *row, char name[FSH_OPTION_BYTES])
{
    size_t i;

    snprintf(name, FSH_OPTION_BYTES, "--%s", row->name);
    for (i = 2; name[i]; i++)
        if (name[i] == '_')
            name[i] = '-';
}

void
fsh_option_describe(const fsh_arg *row, fsh_text *out)
{
    fsh_text_add(out, row->help);
    if (row->type == FSH_ARG_TYPE_CHOICE || row->type == FSH_ARG_TYPE_INT) {
        fsh_text_add(out, " (");
        fsh_arg_print_allowed(row, out);
        fsh_text_add(out, ")");
    }
    if (row->fallback[0] && row->type != FSH_ARG_TYPE_BOOL)
        fsh_text_addf(out, " [%s]", row->fallback);
}

static void
print_option(const fsh_arg *row)
{
    char name[FSH_OPTION_BYTES];
    fsh_text text = {0};

    fsh_option_name(row, name);
    fsh_option_describe(row, &text);
    printf("  %-18s %s\n", name, fsh_text_get(&text));
    fsh_text_fini(&text);
}

void
fsh_command_help(const fsh_command *command)
{
    const fsh_arg *row;

    printf("faceshard %s%s%s%s%s: %s\n\n%s", command->name, command->words[0] ? " " : "", command->words,
           command->options->name ? " [options]" : "", command->takes_sets ? " [--set key=value]..." : "",
           command->summary ? command->summary : "", command->help);
    if (command->options->name || command->takes_sets)
        printf("\nOptions, with their [defaults]:\n");
    for (row = command->options; row->name; row++)
        print_option(row);
    if (command->takes_sets)
        printf("  %-18s %s\n", "--set key=value", FSH_SET_HELP);
}

fsh_status
fsh_job_from_command(const fsh_invocation *invocation, const fsh_job_options *options, fsh_job **job,
                     fsh_err *err)
{
    fsh_job_overrides overrides = {options->input[0] ? options->input : NULL,
                                   options->output[0] ? options->output : NULL, invocation->sets,
                                   invocation->sets_n};
    fsh_status status = fsh_job_read(invocation->words[0], &overrides, job, err);

    if (status)
        return status;
    if (options->device[0])
        strcpy((*job)->models.device, options->device);
    status = fsh_job_hash(*job, err);
    if (status) {
        fsh_job_free(*job);
        *job = NULL;
    }
    return status;
}

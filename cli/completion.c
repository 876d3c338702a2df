/* `faceshard completion`: what bash completes words with. Commands, options and their choices are
 * rows of the tables; everything else is a file. */
#include <stdio.h>
#include <string.h>

#include "cli/manual.h"

static const char foot[] =
    "    esac\n"
    "    if [[ $before == --* && -n $choices ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$word\")\n"
    "    elif [[ $word == -* ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$options --help\" -- \"$word\")\n"
    "    fi\n"
    "}\n"
    "complete -o default -o bashdefault -F _faceshard faceshard\n";

/* "largest|centre|all" as words between spaces. */
static void
add_choices(const char *choices, fsh_text *out)
{
    for (; *choices; choices++)
        fsh_text_add_bytes(out, *choices == '|' ? " " : choices, 1);
}

static void
add_command(const fsh_command *command, fsh_text *out)
{
    char name[FSH_OPTION_BYTES];
    const fsh_arg *row;

    fsh_text_addf(out, "    %s)\n        options=\"", command->name);
    for (row = command->options; row->name; row++) {
        fsh_option_name(row, name);
        fsh_text_addf(out, "%s ", name);
    }
    fsh_text_add(out, command->takes_sets ? "--set\"\n" : "\"\n");
    fsh_text_add(out, "        case $before in\n");
    for (row = command->options; row->name; row++) {
        if (row->type != FSH_ARG_TYPE_CHOICE)
            continue;
        fsh_option_name(row, name);
        fsh_text_addf(out, "        %s) choices=\"", name);
        add_choices(row->choices, out);
        fsh_text_add(out, "\" ;;\n");
    }
    fsh_text_add(out, "        esac ;;\n");
}

void
fsh_completion_print(fsh_text *out)
{
    const fsh_command *const *at;

    fsh_text_add(
        out, "# bash completion of faceshard; made by `faceshard completion`.\n_faceshard()\n{\n"
             "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} "
             "options= choices=\n"
             "    COMPREPLY=()\n"
             "    if [[ $COMP_CWORD == 1 ]]; then\n        mapfile -t COMPREPLY < <(compgen -W \"");
    for (at = fsh_commands(); *at; at++)
        if ((*at)->summary)
            fsh_text_addf(out, "%s ", (*at)->name);
    fsh_text_add(
        out,
        "--help --version\" -- \"$word\")\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n");
    for (at = fsh_commands(); *at; at++)
        if ((*at)->summary)
            add_command(*at, out);
    fsh_text_add(out, foot);
}

static const fsh_arg rows[] = {FSH_ARG_END};

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    fsh_text script = {0};
    fsh_status status = FSH_OK;

    (void)invocation;
    fsh_completion_print(&script);
    if (fsh_text_ok(&script))
        fputs(fsh_text_get(&script), stdout);
    else
        status = fsh_fail(err, FSH_MEMORY, "out of memory");
    fsh_text_fini(&script);
    return status;
}

const fsh_command fsh_command_completion = {
    "completion",
    "",
    0,
    0,
    "print what bash completes words with",
    "Prints a script for bash. An installed faceshard has it already where the package "
    "bash-completion is; otherwise:\n\n"
    "  source <(faceshard completion)\n",
    rows,
    0,
    false,
    run};

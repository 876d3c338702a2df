/* `faceshard manual`: pages for man(1), one for the program and one a command. */
#include "cli/manual.h"

#include <stdio.h>
#include <string.h>

#include "base/files.h"

static const char environment[] =
    ".TP\n.B FACESHARD_MODELS\nFolders where cards and model files are looked for.\n"
    ".TP\n.B TMPDIR\nWhere the spool of a worker is, unless \\fB\\-\\-spool\\fR names another "
    "place, and where embeddings "
    "are made that nobody keeps; else /tmp.\n"
    ".TP\n.B NO_COLOR\nSet: no colours on terminals.\n";

/* ---- roff ---- */

/* Text as it is: backslashes, hyphens, and what would be an order at the beginning of a line. */
static void
add_plain(fsh_text *out, const char *text, size_t bytes)
{
    size_t i;

    for (i = 0; i < bytes; i++) {
        if ((i == 0 || text[i - 1] == '\n') && (text[i] == '.' || text[i] == '\''))
            fsh_text_add(out, "\\&");
        if (text[i] == '\\')
            fsh_text_add(out, "\\e");
        else if (text[i] == '-')
            fsh_text_add(out, "\\-");
        else
            fsh_text_add_bytes(out, text + i, 1);
    }
}

static void
add_text(fsh_text *out, const char *text)
{
    add_plain(out, text, strlen(text));
}

static void
add_section(fsh_text *out, const char *name)
{
    fsh_text_addf(out, ".SH %s\n", name);
}

/* Lines that are indented are examples and stay as they are; an empty line ends a paragraph. */
static void
add_paragraphs(fsh_text *out, const char *text)
{
    bool verbatim = false;

    while (*text) {
        size_t n = strcspn(text, "\n");
        bool indented = text[0] == ' ';

        if (indented != verbatim)
            fsh_text_add(out, indented ? ".nf\n" : ".fi\n");
        verbatim = indented;
        if (n == 0)
            fsh_text_add(out, ".PP");
        add_plain(out, text, n);
        fsh_text_add(out, "\n");
        text += n + (text[n] == '\n');
    }
    fsh_text_add(out, verbatim ? ".fi\n" : "");
}

static void
add_head(fsh_text *out, const char *title)
{
    fsh_text_add(out, ".TH ");
    add_text(out, title);
    fsh_text_addf(out, " 1 \"\" \"faceshard %s\" \"User Commands\"\n", FSH_VERSION);
    add_section(out, "NAME");
}

/* ---- a command ---- */

static void
add_options(const fsh_command *command, fsh_text *out)
{
    const fsh_arg *row;

    if (!command->options->name && !command->takes_sets)
        return;
    add_section(out, "OPTIONS");
    for (row = command->options; row->name; row++) {
        char name[FSH_OPTION_BYTES];
        fsh_text text = {0};

        fsh_option_name(row, name);
        fsh_option_describe(row, &text);
        fsh_text_add(out, ".TP\n.B ");
        add_text(out, name);
        fsh_text_add(out, "\n");
        add_text(out, fsh_text_get(&text));
        fsh_text_add(out, "\n");
        fsh_text_fini(&text);
    }
    if (command->takes_sets) {
        fsh_text_add(out, ".TP\n.B \\-\\-set key=value\n");
        add_text(out, FSH_SET_HELP);
        fsh_text_add(out, "\n");
    }
}

static void
print_command(const fsh_command *command, fsh_text *out)
{
    char title[64];

    snprintf(title, sizeof title, "faceshard-%s", command->name);
    add_head(out, title);
    add_text(out, title);
    fsh_text_add(out, " \\- ");
    add_text(out, command->summary);
    fsh_text_add(out, "\n");
    add_section(out, "SYNOPSIS");
    fsh_text_add(out, ".B faceshard ");
    add_text(out, command->name);
    fsh_text_add(out, "\n");
    if (command->words[0]) {
        fsh_text_add(out, ".I ");
        add_text(out, command->words);
        fsh_text_add(out, "\n");
    }
    fsh_text_add(out, command->options->name ? "[options]\n" : "");
    fsh_text_add(out, command->takes_sets ? "[\\-\\-set key=value]...\n" : "");
    add_section(out, "DESCRIPTION");
    add_paragraphs(out, command->help);
    add_options(command, out);
    add_section(out, "SEE ALSO");
    fsh_text_add(out, ".BR faceshard (1)\n");
}

/* ---- the program ---- */

static void
add_commands(fsh_text *out)
{
    const fsh_command *const *at;

    add_section(out, "COMMANDS");
    for (at = fsh_commands(); *at; at++) {
        if (!(*at)->summary)
            continue;
        fsh_text_add(out, ".TP\n.B ");
        add_text(out, (*at)->name);
        fsh_text_add(out, " \\fI");
        add_text(out, (*at)->words);
        fsh_text_add(out, "\\fR\n");
        add_text(out, (*at)->summary);
        fsh_text_add(out, "; see \\fBfaceshard\\-");
        add_text(out, (*at)->name);
        fsh_text_add(out, "\\fR(1)\n");
    }
}

static void
print_program(fsh_text *out)
{
    add_head(out, "faceshard");
    fsh_text_add(out, "faceshard \\- turn folders of face photographs into HDF5 shards\n");
    add_section(out, "SYNOPSIS");
    fsh_text_add(out, ".B faceshard\n.I COMMAND\n[\\fIoptions\\fR]\n");
    add_section(out, "DESCRIPTION");
    fsh_text_add(out, "Detects and crops faces, removes mislabelled images, puts on masks, glasses "
                      "and sunglasses, augments, "
                      "samples evenly and writes HDF5 shards, on one machine or on many. The same "
                      "job gives the same bytes.\n");
    add_commands(out);
    add_section(out, "ENVIRONMENT");
    fsh_text_add(out, environment);
    add_section(out, "EXIT STATUS");
    add_paragraphs(out, FSH_EXIT_CODES);
}

void
fsh_manual_print(const fsh_command *command, fsh_text *out)
{
    if (command)
        print_command(command, out);
    else
        print_program(out);
}

/* ---- the command ---- */

static const fsh_arg rows[] = {FSH_ARG_END};

static fsh_status
write_page(const char *folder, const fsh_command *command, fsh_err *err)
{
    char path[FSH_PATH_BYTES], name[80];
    fsh_text page = {0};
    fsh_status status;

    snprintf(name, sizeof name, command ? "faceshard-%s.1" : "faceshard.1",
             command ? command->name : "");
    fsh_manual_print(command, &page);
    status = fsh_text_ok(&page) ? fsh_path_join(path, folder, name, err)
                                : fsh_fail(err, FSH_MEMORY, "out of memory");
    if (!status)
        status = fsh_file_write(path, page.data, page.bytes, err);
    fsh_text_fini(&page);
    return status;
}

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    const char *folder = invocation->words[0];
    const fsh_command *const *at;
    fsh_status status = fsh_folder_make(folder, err);

    if (!status)
        status = write_page(folder, NULL, err);
    for (at = fsh_commands(); *at && !status; at++)
        if ((*at)->summary)
            status = write_page(folder, *at, err);
    return status;
}

const fsh_command fsh_command_manual = {
    "manual",
    "FOLDER",
    1,
    1,
    "write the manual pages of all commands",
    "Writes faceshard.1 and a page for every command into FOLDER, made from what --help prints. An "
    "installed faceshard\n"
    "has them already: `man faceshard-run`. Example:\n\n"
    "  faceshard manual pages && man -l pages/faceshard-run.1\n",
    rows,
    0,
    false,
    run};

/* `faceshard inspect`: what is in a shard or an index, in numbers or in pictures. */
#include <stdio.h>

#include "base/apart.h"
#include "cli/command.h"
#include "evaluate/contact.h"
#include "shards/embeddings.h"
#include "shards/inspect.h"
#include "stages/vision/decode.h"

typedef struct inspect_options {
    bool json;
    char contact_sheet[FSH_ARG_TEXT_BYTES];
    fsh_contact_params sheet;
} inspect_options;

static const fsh_arg rows[] = {
    FSH_ARG_BOOL(inspect_options, json, "false", "for scripts"),
    FSH_ARG_TEXT(inspect_options, contact_sheet, "", "write a PNG with samples and their variants to this file"),
    {"rows", FSH_ARG_TYPE_INT, offsetof(inspect_options, sheet.rows), 1, 1000, NULL, "8", "lines of the sheet"},
    {"columns", FSH_ARG_TYPE_INT, offsetof(inspect_options, sheet.columns), 1, 1000, NULL, "1",
     "samples (with --variant: pictures) side by side"},
    {"cell", FSH_ARG_TYPE_INT, offsetof(inspect_options, sheet.cell), 0, 4096, NULL, "0", "px of a picture; 0: as it is stored"},
    {"variant", FSH_ARG_TYPE_INT, offsetof(inspect_options, sheet.variant), -1, 255, NULL, "-1",
     "only this variant; -1: all, in columns"},
    FSH_ARG_END};

enum { LIMIT_S = 120 }; /* of processor time: an index of millions of rows takes some seconds */

static fsh_status
inspect(void *self, fsh_err *err)
{
    const fsh_invocation *invocation = self;
    const inspect_options *options = invocation->options;
    const char *path = invocation->words[0];
    fsh_text out = {0};
    bool embeddings = fsh_embeddings_is_file(path);
    fsh_status status = embeddings ? fsh_inspect_print_embeddings(path, options->json, &out, err)
                                   : fsh_inspect_print(path, options->json, &out, err);

    if (!status && embeddings && options->contact_sheet[0])
        status = fsh_fail(err, FSH_USAGE, "%s: holds embeddings and no pictures: there is nothing to draw", path);
    if (!status)
        printf("%s", fsh_text_get(&out));
    fsh_text_fini(&out);
    if (status || !options->contact_sheet[0])
        return status;
    fsh_vision_init();
    status = fsh_contact_sheet(invocation->words[0], options->contact_sheet, &options->sheet, err);
    if (!status && !options->json)
        printf("contact sheet %s\n", options->contact_sheet);
    return status;
}

/* The file may be anybody's, and HDF5 may crash or spin on a damaged one. */
static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    fsh_invocation copy = *invocation;

    return fsh_apart_run(inspect, &copy, invocation->words[0], LIMIT_S, err);
}

const fsh_command fsh_command_inspect = {
    "inspect", "FILE", 1, 1, "what a shard, index.h5 or an embeddings file holds",
    "Prints pictures, variants, classes by size, rejected by reason, data sets and attributes; with\n"
    "--contact-sheet also draws them. Of an embeddings file: how many, of whom, made by what. Example:\n\n"
    "  faceshard inspect out/index.h5 --contact-sheet sheet.png --rows 12\n",
    rows, sizeof(inspect_options), false, run};

/* `faceshard inspect`: what is in a shard or an index. */
#include <stdio.h>

#include "cli/command.h"
#include "shards/inspect.h"

typedef struct inspect_options {
    bool json;
} inspect_options;

static const fsh_arg rows[] = {
    FSH_ARG_BOOL(inspect_options, json, "false", "for scripts"),
    FSH_ARG_END};

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    const inspect_options *options = invocation->options;
    fsh_text out = {0};
    fsh_status status = fsh_inspect_print(invocation->words[0], options->json, &out, err);

    if (!status)
        printf("%s", fsh_text_get(&out));
    fsh_text_fini(&out);
    return status;
}

const fsh_command fsh_command_inspect = {
    "inspect", "FILE", 1, 1, "what a shard or index.h5 holds",
    "Prints pictures, variants, classes by size, rejected by reason, data sets and attributes.\n",
    rows, sizeof(inspect_options), false, run};

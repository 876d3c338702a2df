/* The process that makes pictures for the page of a running job: started by it, not by people. */
#include "cli/command.h"
#include "page/pictures.h"

static const fsh_arg rows[] = {FSH_ARG_END};

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    return fsh_pictures_serve(invocation->words[0], invocation->words[1], err);
}

const fsh_command fsh_command_page_pictures = {"page_pictures",
                                               "OUT INPUT",
                                               2,
                                               2,
                                               NULL,
                                               "Makes pictures for the page of a running job.\n",
                                               rows,
                                               0,
                                               false,
                                               run};

/* `faceshard stages`: every stage with its parameters, from the rows that the parser reads. */
#include <stdio.h>

#include "cli/command.h"
#include "job/job.h"

typedef struct stages_options {
    bool json;
} stages_options;

static const fsh_arg rows[] = {FSH_ARG_BOOL(stages_options, json, "false", "for scripts"), FSH_ARG_END};

static const char *const phase_names[] = {"each photograph", "each identity", "each picture"};

static void
print_stage(const fsh_stage *stage)
{
    const fsh_arg *row;

    printf("%s (%s): %s\n", stage->name, phase_names[stage->phase], stage->summary);
    for (row = stage->args; row->name; row++) {
        fsh_text allowed = {0};

        fsh_arg_print_allowed(row, &allowed);
        printf("    %-18s %s (%s) [%s]\n", row->name, row->help, fsh_text_get(&allowed), row->fallback);
        fsh_text_fini(&allowed);
    }
    printf("\n");
}

static void
print_variants(void)
{
    const fsh_preset *preset;

    printf("variants (each picture): a list of chains, one output picture each, or one of\n");
    for (preset = fsh_presets; preset->name; preset++)
        printf("    %-18s %s\n", preset->name, preset->chains);
}

static void
add_json_row(const fsh_arg *row, fsh_text *out)
{
    fsh_text allowed = {0};

    fsh_arg_print_allowed(row, &allowed);
    fsh_text_add(out, "{\"name\":");
    fsh_text_add_json(out, row->name);
    fsh_text_add(out, ",\"default\":");
    fsh_text_add_json(out, row->fallback);
    fsh_text_add(out, ",\"allowed\":");
    fsh_text_add_json(out, fsh_text_get(&allowed));
    fsh_text_add(out, ",\"help\":");
    fsh_text_add_json(out, row->help);
    fsh_text_add(out, "}");
    fsh_text_fini(&allowed);
}

static void
add_json_stage(const fsh_stage *stage, fsh_text *out)
{
    const fsh_arg *row;

    fsh_text_addf(out, "{\"name\":\"%s\",\"version\":%u,\"runs_on\":\"%s\",\"summary\":", stage->name,
                  stage->version, phase_names[stage->phase]);
    fsh_text_add_json(out, stage->summary);
    fsh_text_add(out, ",\"parameters\":[");
    for (row = stage->args; row->name; row++) {
        fsh_text_add(out, row == stage->args ? "" : ",");
        add_json_row(row, out);
    }
    fsh_text_add(out, "]}");
}

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    const stages_options *options = invocation->options;
    fsh_text out = {0};
    uint32_t i;

    (void)err;
    for (i = 0; fsh_stages[i]; i++) {
        fsh_text_add(&out, i ? "," : "[");
        add_json_stage(fsh_stages[i], &out);
        if (!options->json)
            print_stage(fsh_stages[i]);
    }
    if (options->json)
        printf("%s]\n", fsh_text_get(&out));
    else
        print_variants();
    fsh_text_fini(&out);
    return FSH_OK;
}

const fsh_command fsh_command_stages = {
    "stages", "", 0, 0, "every stage with its parameters",
    "Lists the stages that a job file may name, in the order in which they run, with every parameter, what is\n"
    "allowed and its default. A stage that another one needs is put in by itself; `faceshard run JOB.yaml\n"
    "--explain` shows the job with all of that filled in.\n",
    rows, sizeof(stages_options), false, run};

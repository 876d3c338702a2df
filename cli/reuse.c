#include "cli/reuse.h"

#include <stdio.h>

#include "job/facts.h"

/* Appends the names of the stages that look at photographs, or of all others, in front of `variants`. */
static void
add_names(const fsh_job *job, bool analyse, const char *quote, fsh_text *out)
{
    const char *separator = "";
    uint32_t i;

    for (i = 0; i < job->stages.steps_n; i++) {
        const fsh_stage *stage = job->stages.steps[i].stage;

        if ((stage->phase == FSH_PHASE_ANALYSE) != analyse)
            continue;
        fsh_text_addf(out, "%s%s%s%s", separator, quote, stage->name, quote);
        separator = ", ";
    }
    if (!analyse)
        fsh_text_addf(out, "%s%svariants%s", separator, quote, quote);
}

static void
tell_json(const fsh_job *job, bool replaced, uint32_t units)
{
    fsh_text line = {0};

    fsh_text_addf(&line, "{\"event\":\"reuse\",\"replaced\":%s,\"units\":%u,\"reused\":[",
                  replaced ? "true" : "false", units);
    if (units)
        add_names(job, true, "\"", &line);
    fsh_text_add(&line, "],\"redone\":[");
    if (!units) {
        add_names(job, true, "\"", &line);
        fsh_text_add(&line, ",");
    }
    add_names(job, false, "\"", &line);
    printf("%s]}\n", fsh_text_get(&line));
    fflush(stdout);
    fsh_text_fini(&line);
}

static void
tell_terminal(const fsh_job *job, bool replaced, uint32_t units)
{
    fsh_text line = {0};

    if (replaced)
        fsh_text_add(&line, "the job has changed: what the earlier one made here is replaced\n");
    if (units) {
        fsh_text_add(&line, "reused:     ");
        add_names(job, true, "", &line);
        fsh_text_addf(&line, " (facts of %u units; a file that has changed is looked at again)\nmade again: ",
                      units);
        add_names(job, false, "", &line);
    } else {
        fsh_text_add(&line, job->transport == FSH_TRANSPORT_STREAM
                                ? "reused:     nothing; with transport stream no facts are kept"
                                : "reused:     nothing; other stages or models look at the photographs now");
    }
    fprintf(stderr, "%s\n", fsh_text_get(&line));
    fsh_text_fini(&line);
}

fsh_status
fsh_reuse_tell(const fsh_progress *progress, const fsh_job *job, fsh_plan_outcome outcome, fsh_err *err)
{
    bool replaced = outcome == FSH_PLAN_REPLACED;
    uint32_t units = 0;
    fsh_status status = FSH_OK;

    if (outcome != FSH_PLAN_KNOWN && job->transport == FSH_TRANSPORT_SHARED)
        status = fsh_facts_count(job, &units, err);

    if (status || (!replaced && !units))
        return status;
    if (progress->mode == FSH_LOG_JSON)
        tell_json(job, replaced, units);
    else if (progress->mode == FSH_LOG_BAR)
        tell_terminal(job, replaced, units);
    return FSH_OK;
}

/* A job that another machine has written, on this one. */
#include <stdio.h>
#include <string.h>

#include "job/job.h"

/* "/their/models/ssd.yaml" becomes "ssd". */
static void
adapt_card(char card[FSH_ARG_TEXT_BYTES])
{
    const char *name = fsh_path_name(card);
    size_t n = strlen(name);

    if (fsh_file_exists(card) || (name == card && !strstr(card, ".yaml")))
        return;
    if (n > 5 && strcmp(name + n - 5, ".yaml") == 0)
        n -= 5;
    memmove(card, name, n);
    card[n] = '\0';
}

static void
set(char place[FSH_ARG_TEXT_BYTES], const char *path)
{
    snprintf(place, FSH_ARG_TEXT_BYTES, "%s", path);
}

void
fsh_job_adapt(fsh_job *job, const fsh_job_places *places)
{
    if (places->models)
        set(job->models.search, places->models);
    if (places->templates)
        set(job->templates, places->templates);
    if (!places->spool)
        return;
    job->spooled = true;
    set(job->output, places->spool);
    adapt_card(job->models.detector);
    adapt_card(job->models.landmarker);
    adapt_card(job->models.embedder);
    if (!fsh_file_exists(job->templates))
        set(job->templates, fsh_job_own_templates());
}

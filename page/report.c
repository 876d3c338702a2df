#include "page/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/plan.h"
#include "evaluate/thumbs.h"
#include "job/paths.h"
#include "page/charts.h"
#include "page/report_parts.h"
#include "stages/clean.h"
#include "stages/models.h"
#include "stages/table.h"

enum { SIDE_PX = 96 };

/* ---- what it is made of ---- */

static double
threshold_of(const fsh_job *job)
{
    uint32_t i;
    double threshold = NAN;
    fsh_card card;

    for (i = 0; i < job->stages.steps_n; i++)
        if (job->stages.steps[i].stage == &fsh_stage_clean &&
            fsh_clean_is_by_distance(job->stages.steps[i].params, &threshold) && isnan(threshold) &&
            fsh_card_load(&job->models, job->models.embedder, FSH_TASK_EMBED, &card, NULL) ==
                FSH_OK)
            threshold = card.distance_threshold;
    return threshold;
}

static void
close_report(fsh_report_sheet *of)
{
    fsh_thumbs_close(of->stored);
    fsh_thumbs_close(of->photographs);
    fsh_findings_fini(&of->found);
    fsh_view_fini(&of->view);
    fsh_job_free(of->job);
}

static fsh_status
open_report(const char *output, fsh_report_sheet *of, fsh_err *err)
{
    char index[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(index, output, FSH_PATH_INDEX, err);

    if (!status && !fsh_file_exists(index))
        status = fsh_fail(err, FSH_USAGE,
                          "%s: the job is not finished; `faceshard status %s` says how far it is",
                          output, output);
    if (!status)
        status = fsh_view_read(output, &of->view, err);
    if (!status)
        status = fsh_plan_held(output, &of->job, err);
    if (!status)
        status = fsh_findings_read(index, &of->found, err);
    if (status)
        return status;
    if (fsh_thumbs_open(index, SIDE_PX, &of->stored, NULL))
        of->stored = NULL; /* output.encoding: none */
    if (fsh_thumbs_open(of->job->input, SIDE_PX, &of->photographs, NULL))
        of->photographs = NULL;
    of->threshold = threshold_of(of->job);
    return FSH_OK;
}

/* ---- all of it ---- */

static void
add_head(const fsh_report_sheet *of, fsh_text *page)
{
    fsh_text_add_bytes(page, fsh_report_head, fsh_report_head_bytes);
    fsh_text_addf(page, "<header><h1>What came out of job %.12s</h1><code>", of->view.job);
    fsh_html_add(page, of->view.output);
    fsh_text_add(page, "</code></header>\n");
}

fsh_status
fsh_report_write(const char *output, const fsh_listener *steps, fsh_err *err)
{
    fsh_report_sheet of = {.steps = steps};
    fsh_text page = {0};
    fsh_status status = open_report(output, &of, err);

    if (!status) {
        of.pictures_of = fsh_report_pictures(&of);
        fsh_listener_tell(steps, 0, of.pictures_of);
        add_head(&of, &page);
        fsh_report_numbers(&of, &page);
        fsh_report_rejected(&of, &page);
        fsh_report_cleaned(&of, &page);
        fsh_report_classes(&of, &page);
        fsh_report_variants(&of, &page);
        fsh_report_times(&of, &page);
        fsh_report_origin(&of, &page);
        fsh_text_add(&page, "</main></body></html>\n");
        status = fsh_file_write_text(output, FSH_PATH_REPORT, &page, err);
    }
    fsh_text_fini(&page);
    close_report(&of);
    return status;
}

#include "page/report_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page/charts.h"

enum {
    PER_REASON = 12, /* pictures of what was rejected for one reason */
    WORST = 48,      /* pictures that clean removed */
    PER_VARIANT = 24 /* pictures of each variant */
};

static void
open_section(const char *title, const char *note, fsh_text *page)
{
    fsh_text_addf(page, "<section><h2>%s</h2><p class=note>%s</p>\n", title, note);
}

/* ---- numbers ---- */

static void
add_tile(const char *name, double n, fsh_text *page)
{
    fsh_text_addf(page, "<div><span>%s</span><strong>%.0f</strong></div>", name, n);
}

void
fsh_report_numbers(fsh_report_sheet *of, fsh_text *page)
{
    const fsh_view *view = &of->view;

    fsh_text_add(page, "<section><div class=tiles>");
    add_tile("photographs", view->samples, page);
    add_tile("people", view->identities, page);
    add_tile("delivered", view->delivered, page);
    add_tile("rejected", fsh_view_rejected(view), page);
    add_tile("pictures", view->images, page);
    add_tile("variants", of->job->variants_n, page);
    add_tile("px", (double)of->job->size, page);
    add_tile("shards", view->units, page);
    add_tile("MB", view->bytes / 1e6, page);
    fsh_text_add(page, "</div></section>\n");
}

/* ---- pictures ---- */

/* A file that was found to be no picture is told by its name; opening what has killed a process
 * before would only kill this one. */
static bool
has_picture(fsh_reason reason)
{
    static const bool without[FSH_REASON_N] = {
        [FSH_REASON_UNREADABLE] = true,  [FSH_REASON_NOT_A_FILE] = true,
        [FSH_REASON_VANISHED] = true,    [FSH_REASON_EMPTY] = true,
        [FSH_REASON_CORRUPT] = true,     [FSH_REASON_NOT_AN_IMAGE] = true,
        [FSH_REASON_UNSUPPORTED] = true, [FSH_REASON_TOO_LARGE] = true,
        [FSH_REASON_CRASHED] = true,     [FSH_REASON_TIMED_OUT] = true,
        [FSH_REASON_NO_MEMORY] = true};

    return !without[reason];
}

static void
add_image(bool there, const fsh_text *uri, const char *title, fsh_text *page)
{
    if (there)
        fsh_text_addf(page, "<img alt=\"\" src=\"%s\" title=\"", fsh_text_get(uri));
    else
        fsh_text_add(page, "<div class=gone title=\"");
    fsh_html_add(page, title);
    fsh_text_add(page, there ? "\">" : "\">no picture</div>");
}

static void
count_picture(fsh_report_sheet *of)
{
    fsh_listener_tell(of->steps, ++of->pictures, of->pictures_of);
}

static void
add_photograph(fsh_report_sheet *of, uint64_t rejected, fsh_text *page)
{
    const char *source = of->found.sources[rejected];
    const fsh_box *box = &of->found.boxes[rejected];
    float value = of->found.values[rejected];
    fsh_text uri = {0};
    bool there = of->photographs && fsh_thumbs_add_uri(of->photographs, source, box, &uri);

    fsh_text_add(page, "<figure>");
    add_image(there, &uri, source, page);
    fsh_text_add(page, "<figcaption>");
    if (isfinite(value))
        fsh_text_addf(page, "<b>%.*f</b> ", value < 10 ? 2 : 0, value);
    fsh_html_add(page, source);
    fsh_text_add(page, "</figcaption></figure>\n");
    fsh_text_fini(&uri);
    count_picture(of);
}

static void
add_name(const char *source, fsh_text *page)
{
    fsh_text_add(page, "<code>");
    fsh_html_add(page, source);
    fsh_text_add(page, "</code>\n");
}

/* ---- rejected ---- */

static uint64_t
count_reason(const fsh_findings *found, fsh_reason reason)
{
    uint64_t i, n = 0;

    for (i = 0; i < found->rejected_n; i++)
        n += found->reasons[i] == reason && found->whole[i];
    return n;
}

/* At even distances over all of them. */
static void
add_reason(fsh_report_sheet *of, fsh_reason reason, uint64_t n, fsh_text *page)
{
    uint64_t i, k = 0, shown = n < PER_REASON ? n : PER_REASON, taken = 0;

    fsh_text_addf(page, "<h3>%s: %llu <small>%s</small></h3><div class=%s>\n",
                  fsh_reason_code(reason), (unsigned long long)n, fsh_reason_text(reason),
                  has_picture(reason) ? "pictures" : "names");
    for (i = 0; i < of->found.rejected_n && taken < shown; i++) {
        if (of->found.reasons[i] != reason || !of->found.whole[i])
            continue;
        if (k++ * shown / n < taken)
            continue;
        if (has_picture(reason))
            add_photograph(of, i, page);
        else
            add_name(of->found.sources[i], page);
        taken++;
    }
    fsh_text_add(page, "</div>\n");
}

void
fsh_report_rejected(fsh_report_sheet *of, fsh_text *page)
{
    uint64_t n;
    int i;

    open_section(
        "Rejected",
        "Every photograph that was not delivered has one reason; up to 12 of each are shown. What "
        "<code>clean</code> removed is below.",
        page);
    fsh_text_add(page, "<table><tr><th>reason<th class=n>photographs<th class=wide><th></tr>\n");
    for (i = 1; i < FSH_REASON_N; i++)
        if ((n = count_reason(&of->found, (fsh_reason)i)) > 0) {
            fsh_text_addf(page, "<tr><td>%s<td class=n>%llu<td class=wide>",
                          fsh_reason_code((fsh_reason)i), (unsigned long long)n);
            fsh_chart_bar((double)n / fmax(1, of->view.samples), "red", page);
            fsh_text_addf(page, "<td class=n>%.2f %%</tr>\n",
                          100 * (double)n / fmax(1, of->view.samples));
        }
    fsh_text_add(page, "</table>\n");
    for (i = 1; i < FSH_REASON_N; i++)
        if (i != FSH_REASON_MISLABELLED && (n = count_reason(&of->found, (fsh_reason)i)) > 0)
            add_reason(of, (fsh_reason)i, n, page);
    fsh_text_add(page, "</section>\n");
}

/* ---- clean ---- */

static int
compare_worst(const void *a, const void *b, void *self)
{
    const fsh_findings *found = self;
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    float p = found->values[x], q = found->values[y];

    return p > q ? -1 : p < q ? 1 : (x > y) - (x < y);
}

static void
add_worst(fsh_report_sheet *of, fsh_text *page)
{
    uint64_t *order = calloc(of->found.rejected_n + 1, sizeof *order), n = 0, i;

    for (i = 0; order && i < of->found.rejected_n; i++)
        if (of->found.reasons[i] == FSH_REASON_MISLABELLED && of->found.whole[i])
            order[n++] = i;
    if (n) {
        qsort_r(order, n, sizeof *order, compare_worst, &of->found);
        fsh_text_addf(page,
                      "<h3>%llu removed as mislabelled <small>the farthest first</small></h3><div "
                      "class=pictures>\n",
                      (unsigned long long)n);
        for (i = 0; i < n && i < WORST; i++)
            add_photograph(of, order[i], page);
        fsh_text_add(page, "</div>\n");
    }
    free(order);
}

void
fsh_report_cleaned(fsh_report_sheet *of, fsh_text *page)
{
    fsh_text chart = {0};

    if (fsh_chart_distances(&of->found, of->threshold, &chart)) {
        open_section("Mean distances",
                     "How far each photograph is, on average, from the others of its person.",
                     page);
        fsh_text_add(page, fsh_text_get(&chart));
        add_worst(of, page);
        fsh_text_add(page, "</section>\n");
    }
    fsh_text_fini(&chart);
}

void
fsh_report_classes(fsh_report_sheet *of, fsh_text *page)
{
    open_section("People by number of photographs",
                 "Before: as they were found. After: as they were delivered.", page);
    fsh_chart_classes(&of->found, page);
    fsh_text_add(page, "</section>\n");
}

/* ---- variants ---- */

static void
add_row(fsh_report_sheet *of, uint64_t row, fsh_text *page)
{
    fsh_text uri = {0};
    bool there = fsh_thumbs_add_row_uri(of->stored, row, &uri);

    add_image(there, &uri, "", page);
    fsh_text_fini(&uri);
    count_picture(of);
}

/* The same samples on every sheet, where each has all variants. */
static void
add_sheet(fsh_report_sheet *of, uint32_t variant, fsh_text *page)
{
    const fsh_findings *found = &of->found;
    fsh_text name = {0};
    uint64_t i, n = 0, k = 0, taken = 0;

    for (i = 0; i < found->rows; i++)
        n += found->variants[i] == variant;
    fsh_chain_name(&of->job->variants[variant], &name);
    fsh_text_addf(page, "<h3>%s <small>%llu pictures</small></h3><div class=sheet>\n",
                  fsh_text_get(&name), (unsigned long long)n);
    for (i = 0; i < found->rows && taken < PER_VARIANT; i++) {
        if (found->variants[i] != variant)
            continue;
        if (k++ * (n < PER_VARIANT ? n : PER_VARIANT) / n < taken)
            continue;
        add_row(of, i, page);
        taken++;
    }
    fsh_text_add(page, "</div>\n");
    fsh_text_fini(&name);
}

void
fsh_report_variants(fsh_report_sheet *of, fsh_text *page)
{
    uint32_t i;

    if (!of->stored || !of->found.rows)
        return;
    open_section("What was delivered",
                 "A sheet for each variant, of photographs at even distances over the whole set.",
                 page);
    for (i = 0; i < of->job->variants_n; i++)
        add_sheet(of, i, page);
    fsh_text_add(page, "</section>\n");
}

/* ---- times and origin ---- */

void
fsh_report_times(fsh_report_sheet *of, fsh_text *page)
{
    const fsh_view *view = &of->view;
    double all = 0, most = 0;
    int i;

    for (i = 0; i < FSH_REPORT_TIMES_MAX && view->time_names[i][0]; i++) {
        all += view->times_s[i];
        most = fmax(most, view->times_s[i]);
    }
    if (!(all > 0))
        return;
    open_section("Where the time went", "Thread time of all workers, as the ledger has it.", page);
    fsh_text_add(page, "<table><tr><th>stage<th class=n>seconds<th class=wide><th></tr>\n");
    for (i = 0; i < FSH_REPORT_TIMES_MAX && view->time_names[i][0]; i++) {
        fsh_text_addf(page, "<tr><td>%s<td class=n>%.1f<td class=wide>", view->time_names[i],
                      view->times_s[i]);
        fsh_chart_bar(view->times_s[i] / most, "violet", page);
        fsh_text_addf(page, "<td class=n>%.1f %%</tr>\n", 100 * view->times_s[i] / all);
    }
    fsh_text_add(page, "</table></section>\n");
}

static void
add_pre(const char *text, fsh_text *page)
{
    fsh_text_add(page, "<pre>");
    for (; *text; text++)
        if (*text == '\n')
            fsh_text_add(page, "\n");
        else
            fsh_html_add(page, (const char[]){*text, '\0'});
    fsh_text_add(page, "</pre>\n");
}

void
fsh_report_origin(fsh_report_sheet *of, fsh_text *page)
{
    const fsh_shard_meta *meta = &fsh_shard_get_info(of->found.file)->meta;
    fsh_text job = {0}, facts = {0};

    open_section(
        "The same again",
        "Save the job below as JOB.yaml: the same photographs, program and models give the same "
        "bytes, on any number of workers.",
        page);
    fsh_text_addf(&facts,
                  "faceshard run JOB.yaml\n\njob       %s\nprogram   faceshard %s\nseed      %llu",
                  of->view.job, meta->version, (unsigned long long)meta->seed);
    if (meta->models[0])
        fsh_text_addf(&facts, "\n\nmodels, with SHA-256\n%s", meta->models);
    add_pre(fsh_text_get(&facts), page);
    fsh_job_print(of->job, &job);
    add_pre(fsh_text_get(&job), page);
    fsh_text_add(page, "</section>\n");
    fsh_text_fini(&job);
    fsh_text_fini(&facts);
}

/* ---- how much there is to do ---- */

static uint64_t
least(uint64_t n, uint64_t most)
{
    return n < most ? n : most;
}

uint64_t
fsh_report_pictures(const fsh_report_sheet *of)
{
    const fsh_findings *found = &of->found;
    uint64_t rows[UINT8_MAX + 1] = {0}, n = 0, i;

    for (i = 1; i < FSH_REASON_N; i++)
        if (has_picture((fsh_reason)i))
            n += least(count_reason(found, (fsh_reason)i),
                       i == FSH_REASON_MISLABELLED ? WORST : PER_REASON);
    for (i = 0; of->stored && i < found->rows; i++)
        rows[found->variants[i]]++;
    for (i = 0; i < of->job->variants_n; i++)
        n += least(rows[i], PER_VARIANT);
    return n;
}

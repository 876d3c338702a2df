#include "evaluate/cleaning_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BESIDE = 3 }; /* pictures that stand for an identity */

typedef struct report {
    const fsh_cleaning *of;
    const fsh_cleaning_report *options;
    fsh_text *page;
} report;

static const char style[] =
    "body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:96em;padding:0 "
    "1em;color:#1c1c1c}"
    "h1{font-size:1.5em}h2{font-size:1.2em;margin-top:2.2em;border-bottom:1px solid #ccc}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:."
    "35em .6em .35em 0;"
    "border-bottom:1px solid "
    "#e4e4e4}th{font-weight:600;color:#555}td.n{text-align:right;white-space:nowrap;"
    "font-variant-numeric:tabular-nums}img,span.gone{width:96px;height:96px;object-fit:contain;"
    "margin-right:3px;"
    "background:#eee;display:inline-block;font-size:11px;color:#777}td.p{white-space:nowrap}"
    ".remove{color:#b3261e}.unsure{color:#8a5a00}.keep{color:#1b6e3c}p.note{color:#555}"
    "code{font-size:.92em;overflow-wrap:anywhere}";

static void
add(const report *to, const char *html)
{
    fsh_text_add(to->page, html);
}

static void
add_cell(const report *to, const char *text)
{
    add(to, "<td>");
    fsh_html_add(to->page, text);
    add(to, "</td>");
}

static void
add_number(const report *to, double number)
{
    if (isnan(number))
        add(to, "<td class=n>&ndash;</td>");
    else
        fsh_text_addf(to->page, "<td class=n>%.3f</td>", number);
}

static void
add_source(const report *to, const char *source)
{
    add(to, "<code>");
    fsh_html_add(to->page, source);
    add(to, "</code>");
}

/* ---- pictures ---- */

/* Kept before others, then nearer to their home. */
static bool
stands_better(const fsh_cleaning_picture *a, const fsh_cleaning_picture *b)
{
    bool kept_a = a->verdict == FSH_VERDICT_KEEP, kept_b = b->verdict == FSH_VERDICT_KEEP;

    if (kept_a != kept_b)
        return kept_a;
    return a->found.own_distance < b->found.own_distance;
}

/* Up to BESIDE pictures that stand for an identity, `but` left out. */
static void
add_identity(const report *to, uint32_t identity, uint32_t but)
{
    const fsh_cleaning *of = to->of;
    uint32_t chosen[BESIDE], n = 0, i, k;

    for (i = of->starts[identity]; i < of->starts[identity + 1]; i++) {
        if (i == but)
            continue;
        for (k = n; k > 0 && stands_better(&of->pictures[i], &of->pictures[chosen[k - 1]]); k--)
            if (k < BESIDE)
                chosen[k] = chosen[k - 1];
        if (k < BESIDE)
            chosen[k] = i;
        n += n < BESIDE;
    }
    for (k = 0; k < n; k++)
        fsh_thumbs_add(to->options->thumbs, fsh_cleaning_source(of, chosen[k]), to->page);
}

static void
add_pictures_of(const report *to, uint32_t identity, uint32_t but)
{
    add(to, "<td class=p>");
    if (identity != FSH_NOBODY)
        add_identity(to, identity, but);
    add(to, "</td>");
}

static void
add_picture(const report *to, uint32_t picture)
{
    add(to, "<td class=p>");
    fsh_thumbs_add(to->options->thumbs, fsh_cleaning_source(to->of, picture), to->page);
    add(to, "</td>");
}

/* ---- tables ---- */

/* Opens a section with a table; returns how many of n rows it may have, and says so. */
static uint32_t
open_table(const report *to, const char *id, const char *title, uint32_t n, const char *columns)
{
    uint32_t shown = n < to->options->rows_most ? n : to->options->rows_most;

    fsh_text_addf(to->page, "<h2 id=\"%s\">%s: %u</h2>\n", id, title, n);
    if (shown < n)
        fsh_text_addf(to->page, "<p class=note>%u of %u are shown; the JSON has all.</p>\n", shown,
                      n);
    if (n)
        fsh_text_addf(to->page, "<table><tr>%s</tr>\n", columns);
    return shown;
}

static void
close_table(const report *to, uint32_t n)
{
    add(to, n ? "</table>\n" : "");
}

/* Pictures of one finding, the least probable first. */
typedef struct listed {
    float p_own;
    uint32_t picture;
} listed;

static int
compare_listed(const void *a, const void *b)
{
    const listed *x = a, *y = b;

    if (x->p_own != y->p_own)
        return x->p_own < y->p_own ? -1 : 1;
    return (x->picture > y->picture) - (x->picture < y->picture);
}

static void
add_finding_row(const report *to, uint32_t i)
{
    const fsh_cleaning_picture *at = &to->of->pictures[i];
    fsh_text reason = {0};

    fsh_cleaning_reason(to->of, i, &reason);
    add(to, "<tr>");
    add_picture(to, i);
    add_pictures_of(to, at->identity, i);
    add_pictures_of(to, at->found.other, FSH_NOBODY);
    add(to, "<td>");
    add_source(to, fsh_cleaning_source(to->of, i));
    add(to, "<br>");
    fsh_html_add(to->page, fsh_text_get(&reason));
    add(to, "</td>");
    add_number(to, at->mean_distance);
    add_number(to, at->found.own_distance);
    add_number(to, at->found.other_distance);
    add_number(to, at->found.p_own);
    add(to, "</tr>\n");
    fsh_text_fini(&reason);
}

static fsh_status
add_finding(const report *to, fsh_finding finding)
{
    uint32_t n = fsh_cleaning_count_finding(to->of, finding), shown, i, k = 0;
    listed *list = malloc(((size_t)n + 1) * sizeof *list);
    char title[256];

    if (!list)
        return FSH_MEMORY;
    for (i = 0; i < to->of->n; i++)
        if (to->of->pictures[i].found.finding == finding)
            list[k++] = (listed){to->of->pictures[i].found.p_own, i};
    qsort(list, n, sizeof *list, compare_listed);
    snprintf(title, sizeof title, "<span class=%s>%s</span>, %s",
             fsh_verdict_name(fsh_finding_verdict(finding)),
             fsh_verdict_name(fsh_finding_verdict(finding)), fsh_finding_code(finding));
    shown = open_table(to, fsh_finding_code(finding), title, n,
                       "<th>picture<th>its identity<th>most like<th>finding<th>mean distance<th>to "
                       "its own<th>to the "
                       "other<th>probability that it is right");
    for (k = 0; k < shown; k++)
        add_finding_row(to, list[k].picture);
    close_table(to, n);
    free(list);
    return FSH_OK;
}

/* What is as it should be needs no table. */
static void
add_verdict(const report *to, fsh_verdict verdict)
{
    int k;

    for (k = 0; k < FSH_FINDING_N; k++) {
        fsh_finding finding = (fsh_finding)k;

        if (fsh_finding_verdict(finding) != verdict || finding == FSH_FINDING_FITS ||
            finding == FSH_FINDING_ALONE || !fsh_cleaning_count_finding(to->of, finding))
            continue;
        if (add_finding(to, finding))
            to->page->broken = true;
    }
}

static void
add_duplicates(const report *to)
{
    const fsh_cleaning *of = to->of;
    uint32_t i, shown = open_table(to, "duplicates", "near-duplicates", of->duplicates_n,
                                   "<th>one<th>the other<th>which<th>distance");

    for (i = 0; i < shown; i++) {
        const fsh_cleaning_pair *pair = &of->duplicates[i];

        add(to, "<tr>");
        add_picture(to, pair->a);
        add_picture(to, pair->b);
        add(to, "<td>");
        add_source(to, fsh_cleaning_source(of, pair->a));
        add(to, "<br>");
        add_source(to, fsh_cleaning_source(of, pair->b));
        add(to, of->pictures[pair->a].identity == of->pictures[pair->b].identity
                    ? "</td>"
                    : "<br><span class=remove>under two names</span></td>");
        add_number(to, pair->distance);
        add(to, "</tr>\n");
    }
    close_table(to, of->duplicates_n);
}

static void
add_same(const report *to)
{
    const fsh_cleaning *of = to->of;
    uint32_t i, shown = open_table(to, "same_person", "identities that may be one person",
                                   of->same_n, "<th>one<th>the other<th>names<th>distance");

    for (i = 0; i < shown; i++) {
        add(to, "<tr>");
        add_pictures_of(to, of->same[i].a, FSH_NOBODY);
        add_pictures_of(to, of->same[i].b, FSH_NOBODY);
        add(to, "<td>");
        add_source(to, fsh_cleaning_name(of, of->same[i].a));
        add(to, "<br>");
        add_source(to, fsh_cleaning_name(of, of->same[i].b));
        add(to, "</td>");
        add_number(to, of->same[i].distance);
        add(to, "</tr>\n");
    }
    close_table(to, of->same_n);
}

/* Pictures of an identity that are not in its home. */
static void
add_rest(const report *to, uint32_t identity)
{
    const fsh_cleaning *of = to->of;
    uint32_t i, n = 0;

    add(to, "<td class=p>");
    for (i = of->starts[identity]; i < of->starts[identity + 1] && n < BESIDE; i++)
        if (of->pictures[i].verdict != FSH_VERDICT_KEEP) {
            fsh_thumbs_add(to->options->thumbs, fsh_cleaning_source(of, i), to->page);
            n++;
        }
    add(to, "</td>");
}

static void
add_split(const report *to)
{
    const fsh_cleaning *of = to->of;
    uint32_t k, n = 0, shown;

    for (k = 0; k < of->identities_n; k++)
        n += of->found.identities[k].second_n > 0;
    shown = open_table(to, "split", "identities that may be two people", n,
                       "<th>first<th>second<th>name<th>first<th>second<th>distance");
    for (k = 0; k < of->identities_n && shown; k++) {
        const fsh_found_identity *found = &of->found.identities[k];

        if (!found->second_n)
            continue;
        shown--;
        add(to, "<tr>");
        add_pictures_of(to, k, FSH_NOBODY);
        add_rest(to, k);
        add_cell(to, fsh_cleaning_name(of, k));
        fsh_text_addf(to->page, "<td class=n>%u</td><td class=n>%u</td>", found->home_n,
                      found->second_n);
        add_number(to, found->second_distance);
        add(to, "</tr>\n");
    }
    close_table(to, n);
}

/* ---- with another set ---- */

static void
add_theirs(const report *to, uint32_t identity)
{
    const fsh_cleaning *of = to->of;
    uint32_t i;

    add(to, "<td class=p>");
    for (i = of->against_starts[identity]; i < of->against_starts[identity + 1]; i++)
        if (i - of->against_starts[identity] < BESIDE)
            fsh_thumbs_add(to->options->against, of->against->sources[of->against_rows[i]],
                           to->page);
    add(to, "</td>");
}

static void
add_overlap(const report *to)
{
    const fsh_cleaning *of = to->of;
    uint32_t i, shown = open_table(to, "overlap", "people who are in the other set", of->overlap_n,
                                   "<th>here<th>there<th>names<th>distance<th>probability");

    for (i = 0; i < shown; i++) {
        const fsh_cleaning_same *at = &of->overlap[i];

        add(to, "<tr>");
        add_pictures_of(to, at->a, FSH_NOBODY);
        add_theirs(to, at->b);
        add(to, "<td>");
        add_source(to, fsh_cleaning_name(of, at->a));
        add(to, "<br>");
        add_source(to, fsh_cleaning_against_name(of, at->b));
        add(to, "</td>");
        add_number(to, at->distance);
        add_number(to, at->probability);
        add(to, "</tr>\n");
    }
    close_table(to, of->overlap_n);
}

static void
add_copies(const report *to)
{
    const fsh_cleaning *of = to->of;
    uint32_t i, shown = open_table(to, "overlap_images", "pictures that are in the other set",
                                   of->copies_n, "<th>here<th>there<th>which<th>distance");

    for (i = 0; i < shown; i++) {
        const fsh_cleaning_pair *pair = &of->copies[i];

        add(to, "<tr>");
        add_picture(to, pair->a);
        add(to, "<td class=p>");
        fsh_thumbs_add(to->options->against, of->against->sources[pair->b], to->page);
        add(to, "</td><td>");
        add_source(to, fsh_cleaning_source(of, pair->a));
        add(to, "<br>");
        add_source(to, of->against->sources[pair->b]);
        add(to, "</td>");
        add_number(to, pair->distance);
        add(to, "</tr>\n");
    }
    close_table(to, of->copies_n);
}

/* ---- the page ---- */

/* Lines as they stand. */
static void
add_lines(const report *to, const char *lines)
{
    while (*lines) {
        fsh_text line = {0};
        size_t n = strcspn(lines, "\n");

        fsh_text_add_bytes(&line, lines, n);
        fsh_html_add(to->page, fsh_text_get(&line));
        add(to, "\n");
        lines += n + (lines[n] == '\n');
        fsh_text_fini(&line);
    }
}

static void
add_head(const report *to)
{
    fsh_text counts = {0};

    add(to, "<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport "
            "content=\"width=device-width\">"
            "<title>");
    fsh_html_add(to->page, to->options->title);
    fsh_text_addf(to->page, "</title><style>%s</style>\n<h1>Labels of ", style);
    fsh_html_add(to->page, to->options->title);
    add(to, "</h1>\n<pre>");
    fsh_cleaning_print(to->of, &counts);
    add_lines(to, fsh_text_get(&counts));
    add(to, "</pre>\n<p class=note>Nothing was changed. Distances are Euclidean, between "
            "directions of length 1; "
            "those to an identity are to the direction of its agreeing pictures.</p>\n");
    if (!to->options->thumbs)
        add(to, "<p class=note>Without pictures: the input was embeddings. --images says where "
                "they are.</p>\n");
    fsh_text_fini(&counts);
}

void
fsh_cleaning_write_report(const fsh_cleaning *of, const fsh_cleaning_report *options,
                          fsh_text *page)
{
    report to = {of, options, page};

    add_head(&to);
    add_verdict(&to, FSH_VERDICT_REMOVE);
    add_verdict(&to, FSH_VERDICT_UNSURE);
    add_verdict(&to, FSH_VERDICT_KEEP);
    add_duplicates(&to);
    add_same(&to);
    add_split(&to);
    if (of->against) {
        add_overlap(&to);
        add_copies(&to);
    }
    add(&to, "</html>\n");
}

#include "page/charts.h"

#include <math.h>
#include <string.h>

#include "shards/shard.h"

void
fsh_chart_bar(double share, const char *colour, fsh_text *page)
{
    fsh_text_addf(page,
                  "<svg class=bars viewBox=\"0 0 1000 10\" preserveAspectRatio=none><rect class=%s "
                  "width=\"%.1f\" height=10 "
                  "/></svg>",
                  colour, 1000 * (share > 1 ? 1 : share));
}

/* ---- distances ---- */

enum { BINS = 60, WIDTH = 1000, HEIGHT = 220, FOOT = 20 };

typedef struct histogram {
    double least, most; /* of all distances */
    uint64_t kept[BINS], removed[BINS], highest;
} histogram;

static bool
is_removed(const fsh_findings *found, uint64_t i)
{
    return found->reasons[i] == FSH_REASON_MISLABELLED && isfinite(found->values[i]);
}

static void
stretch(histogram *to, double value)
{
    to->least = fmin(to->least, value);
    to->most = fmax(to->most, value);
}

static bool
find_range(const fsh_findings *found, double threshold, histogram *to)
{
    uint64_t i;

    to->least = INFINITY;
    to->most = -INFINITY;
    for (i = 0; i < found->rows; i++)
        if (isfinite(found->distances[i]))
            stretch(to, found->distances[i]);
    for (i = 0; i < found->rejected_n; i++)
        if (is_removed(found, i))
            stretch(to, found->values[i]);
    if (!isfinite(to->least))
        return false;
    if (isfinite(threshold))
        stretch(to, threshold);
    to->most = fmax(to->most, to->least + 0.01);
    return true;
}

static uint32_t
bin_of(const histogram *of, double value)
{
    double bin = floor(BINS * (value - of->least) / (of->most - of->least));

    return bin < 0 ? 0 : bin >= BINS ? BINS - 1 : (uint32_t)bin;
}

/* A photograph counts once, whatever its number of variants: its first row has variant 0. */
static void
fill(const fsh_findings *found, histogram *to)
{
    uint64_t i;

    for (i = 0; i < found->rows; i++)
        if (found->variants[i] == 0 && isfinite(found->distances[i]))
            to->kept[bin_of(to, found->distances[i])]++;
    for (i = 0; i < found->rejected_n; i++)
        if (is_removed(found, i))
            to->removed[bin_of(to, found->values[i])]++;
    for (i = 0; i < BINS; i++)
        to->highest =
            to->kept[i] + to->removed[i] > to->highest ? to->kept[i] + to->removed[i] : to->highest;
}

static void
add_column(uint32_t bin, double from, double n, double highest, const char *colour, fsh_text *page)
{
    double scale = (HEIGHT - FOOT - 14) / (highest > 0 ? highest : 1);

    if (n > 0)
        fsh_text_addf(page, "<rect class=%s x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>",
                      colour, (double)bin * WIDTH / BINS + 1, HEIGHT - FOOT - (from + n) * scale,
                      (double)WIDTH / BINS - 2, n * scale);
}

static void
add_scale(const histogram *of, double threshold, fsh_text *page)
{
    int i;

    fsh_text_addf(page, "<line class=rule x1=0 x2=%d y1=%d y2=%d />", WIDTH, HEIGHT - FOOT,
                  HEIGHT - FOOT);
    for (i = 0; i <= 5; i++)
        fsh_text_addf(page, "<text x=\"%d\" y=%d text-anchor=%s>%.2f</text>", i * WIDTH / 5,
                      HEIGHT - 4,
                      i == 0   ? "start"
                      : i == 5 ? "end"
                               : "middle",
                      of->least + i * (of->most - of->least) / 5);
    if (isfinite(threshold)) {
        double x = WIDTH * (threshold - of->least) / (of->most - of->least);

        fsh_text_addf(page,
                      "<line class=limit x1=\"%.1f\" x2=\"%.1f\" y1=12 y2=%d /><text x=\"%.1f\" "
                      "y=10 text-anchor=%s>threshold %g</text>",
                      x, x, HEIGHT - FOOT, x, x > WIDTH / 2.0 ? "end" : "start", threshold);
    }
}

bool
fsh_chart_distances(const fsh_findings *found, double threshold, fsh_text *page)
{
    histogram of = {0};
    uint32_t i;

    if (!find_range(found, threshold, &of))
        return false;
    fill(found, &of);
    fsh_text_addf(page, "<svg viewBox=\"0 0 %d %d\" role=img aria-label=\"mean distances\">", WIDTH,
                  HEIGHT);
    for (i = 0; i < BINS; i++) {
        add_column(i, 0, (double)of.kept[i], (double)of.highest, "green", page);
        add_column(i, (double)of.kept[i], (double)of.removed[i], (double)of.highest, "red", page);
    }
    add_scale(&of, threshold, page);
    fsh_text_add(page, "</svg><div class=legend><span><svg viewBox=\"0 0 1 1\"><rect class=green "
                       "width=1 height=1 /></svg>"
                       "delivered</span><span><svg viewBox=\"0 0 1 1\"><rect class=red width=1 "
                       "height=1 /></svg>removed as "
                       "mislabelled</span></div>\n");
    return true;
}

/* ---- classes ---- */

static const struct {
    uint64_t least;
    const char *name;
} strata[] = {{0, "none"},         {1, "1"},
              {2, "2 to 4"},       {5, "5 to 9"},
              {10, "10 to 19"},    {20, "20 to 49"},
              {50, "50 to 99"},    {100, "100 to 199"},
              {200, "200 to 499"}, {500, "500 and more"}};

enum { STRATA = sizeof strata / sizeof *strata };

static uint32_t
stratum_of(uint64_t n)
{
    uint32_t i = STRATA - 1;

    while (n < strata[i].least)
        i--;
    return i;
}

void
fsh_chart_classes(const fsh_findings *found, fsh_text *page)
{
    uint64_t before[STRATA] = {0}, after[STRATA] = {0}, most = 1, i;

    for (i = 0; i < found->identities; i++) {
        before[stratum_of(found->samples_of[i] + found->rejected_of[i])]++;
        after[stratum_of(found->samples_of[i])]++;
    }
    for (i = 0; i < STRATA; i++) {
        most = before[i] > most ? before[i] : most;
        most = after[i] > most ? after[i] : most;
    }
    fsh_text_add(page, "<table><tr><th>photographs<th class=n>people before<th><th class=n>people "
                       "after<th></tr>\n");
    for (i = 0; i < STRATA; i++) {
        if (!before[i] && !after[i])
            continue;
        fsh_text_addf(page, "<tr><td>%s<td class=n>%llu<td>", strata[i].name,
                      (unsigned long long)before[i]);
        fsh_chart_bar((double)before[i] / (double)most, "blue", page);
        fsh_text_addf(page, "<td class=n>%llu<td>", (unsigned long long)after[i]);
        fsh_chart_bar((double)after[i] / (double)most, "green", page);
        fsh_text_add(page, "</tr>\n");
    }
    fsh_text_add(page, "</table>\n");
}

#include "evaluate/plots.h"

#include <math.h>
#include <stdio.h>

#include "base/files.h"
#include "evaluate/canvas.h"

enum { BINS = 80, TICKS_MOST = 9, CAPTION_BYTES = 256 };

/* -- the curve
 * ------------------------------------------------------------------------------------------------
 */

/* The largest of these that lies below the curve, so that a good one is not a line along the top.
 */
static double
choose_floor(const fsh_roc *roc, double far_low)
{
    static const double floors[] = {0.99, 0.98, 0.95, 0.9, 0.8, 0.6, 0.4, 0.2};
    double tar = 0;
    uint32_t i;

    for (i = 0; i < roc->n && roc->far[i] <= far_low; i++)
        tar = roc->tar[i];
    for (i = 0; i < sizeof floors / sizeof *floors; i++)
        if (floors[i] < tar - 0.1 * (1 - floors[i]))
            return floors[i];
    return 0;
}

static void
draw_roc_axes(const fsh_canvas *canvas)
{
    double step = fsh_canvas_step(canvas->y_high - canvas->y_low, 6), y;
    char caption[CAPTION_BYTES];
    int power, k;

    for (power = (int)canvas->x_low; power <= 0; power++) {
        for (k = 2; k < 10 && power < 0; k++)
            fsh_canvas_tick_x(canvas, power + log10(k), "");
        snprintf(caption, sizeof caption, "%g%%", 100 * pow(10, power));
        fsh_canvas_tick_x(canvas, power, caption);
    }
    for (y = canvas->y_low; y < canvas->y_high + step / 2; y += step) {
        snprintf(caption, sizeof caption, "%.4g%%", 100 * y);
        fsh_canvas_tick_y(canvas, y, caption);
    }
    fsh_canvas_name_axes(canvas, "pairs of two people that are accepted (FAR)",
                         "pairs of one person that are accepted (TAR)");
}

/* The curve as steps. A point that is nowhere else to be seen than the last one is left out. */
static void
draw_curve(const fsh_canvas *canvas, const fsh_roc *roc)
{
    double x = fsh_canvas_x(canvas, canvas->x_low), y = fsh_canvas_y(canvas, roc->tar[0]);
    uint32_t i;

    fsh_text_addf(canvas->svg, "<path clip-path=\"url(#plot)\" d=\"M%.1f %.1f", x, y);
    for (i = 1; i < roc->n; i++) {
        double far = roc->far[i] > 0 ? log10(roc->far[i]) : canvas->x_low;
        double here_x = fsh_canvas_x(canvas, far > canvas->x_low ? far : canvas->x_low);
        double here_y = fsh_canvas_y(canvas, roc->tar[i]);

        if (fabs(here_x - x) < 0.3 && fabs(here_y - y) < 0.3 && i + 1 < roc->n)
            continue;
        fsh_text_addf(canvas->svg, "H%.1fV%.1f", here_x, here_y);
        x = here_x;
        y = here_y;
    }
    fsh_text_add(canvas->svg, "\" fill=\"none\" stroke=\"" FSH_CANVAS_SAME
                              "\" stroke-width=\"2.5\" stroke-linejoin=\"round\"/>\n");
}

static void
draw_operating_points(const fsh_canvas *canvas, const fsh_roc *roc)
{
    char caption[CAPTION_BYTES];
    uint32_t i;

    for (i = 0; i < FSH_TAR_N; i++) {
        double far = log10(fsh_far_targets[i]), x, y;

        if (!roc->resolved[i] || far < canvas->x_low - 1e-9)
            continue;
        x = fsh_canvas_x(canvas, far);
        y = fsh_canvas_y(canvas, roc->tar_at[i]);
        fsh_text_addf(
            canvas->svg,
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" fill=\"#ffffff\" stroke=\"" FSH_CANVAS_SAME
            "\" stroke-width=\"2.5\"/>\n",
            x, y);
        snprintf(caption, sizeof caption, "%.2f%%", 100 * roc->tar_at[i]);
        fsh_canvas_text(canvas, x + 8, y + 22, "start", FSH_CANVAS_INK, 13, caption);
    }
}

void
fsh_plot_roc(const fsh_verification *v, fsh_text *svg)
{
    const fsh_roc *roc = &v->roc;
    double low = floor(log10(1.0 / roc->other_n) + 1e-9);
    fsh_canvas canvas = {svg, low < -5 ? -5 : low > -1 ? -1 : low, 0, 0, 1};
    char subtitle[CAPTION_BYTES];

    canvas.y_low = choose_floor(roc, pow(10, canvas.x_low));
    snprintf(subtitle, sizeof subtitle,
             "AUC %.5f · EER %.2f%% · %u pairs of one person, %u of two, %u skipped", roc->auc,
             100 * roc->eer, roc->same_n, roc->other_n, v->skipped_n);
    fsh_canvas_open(&canvas, "Verification: receiver operating characteristic", subtitle);
    draw_roc_axes(&canvas);
    draw_curve(&canvas, roc);
    draw_operating_points(&canvas, roc);
    fsh_canvas_close(&canvas);
}

/* -- the histograms
 * ------------------------------------------------------------------------------------------- */

static void
count_bins(const fsh_scores *scores, bool same, double high, double shares[BINS])
{
    uint32_t i, n = 0;

    for (i = 0; i < BINS; i++)
        shares[i] = 0;
    for (i = 0; i < scores->n; i++)
        if (scores->same[i] == same) {
            double bin = scores->distances[i] / high * BINS;

            shares[bin < BINS ? (uint32_t)bin : BINS - 1]++;
            n++;
        }
    for (i = 0; i < BINS; i++)
        shares[i] /= n;
}

static void
draw_bins(const fsh_canvas *canvas, const double shares[BINS], const char *colour)
{
    int i;

    fsh_text_addf(canvas->svg, "<path d=\"M%.1f %.1f", fsh_canvas_x(canvas, 0),
                  fsh_canvas_y(canvas, 0));
    for (i = 0; i < BINS; i++)
        fsh_text_addf(canvas->svg, "V%.1fH%.1f", fsh_canvas_y(canvas, shares[i]),
                      fsh_canvas_x(canvas, canvas->x_high * (i + 1) / BINS));
    fsh_text_addf(canvas->svg,
                  "V%.1fZ\" fill=\"%s\" fill-opacity=\"0.28\" stroke=\"%s\" stroke-width=\"1.6\" "
                  "stroke-linejoin=\"round\"/>\n",
                  fsh_canvas_y(canvas, 0), colour, colour);
}

static void
draw_histogram_axes(const fsh_canvas *canvas, const char *metric)
{
    double step = fsh_canvas_step(canvas->x_high, TICKS_MOST), x, y;
    char caption[CAPTION_BYTES];

    for (x = 0; x < canvas->x_high + step / 2; x += step) {
        snprintf(caption, sizeof caption, "%.4g", x);
        fsh_canvas_tick_x(canvas, x, caption);
    }
    step = fsh_canvas_step(canvas->y_high, 6);
    for (y = 0; y < canvas->y_high + step / 100; y += step) {
        snprintf(caption, sizeof caption, "%.4g%%", 100 * y);
        fsh_canvas_tick_y(canvas, y, caption);
    }
    snprintf(caption, sizeof caption, "distance (%s)", metric);
    fsh_canvas_name_axes(canvas, caption, "share of the pairs of its kind");
}

static void
draw_threshold(const fsh_canvas *canvas, double threshold)
{
    double x = fsh_canvas_x(canvas, threshold), top = fsh_canvas_y(canvas, canvas->y_high);
    bool left = threshold > canvas->x_high / 2;
    char caption[CAPTION_BYTES];

    if (isnan(threshold))
        return;
    fsh_text_addf(canvas->svg,
                  "<path d=\"M%.1f %.1fV%.1f\" stroke=\"" FSH_CANVAS_INK
                  "\" stroke-width=\"1.4\" stroke-dasharray=\"5 4\"/>\n",
                  x, top, fsh_canvas_y(canvas, 0));
    snprintf(caption, sizeof caption, "threshold %.3f", threshold);
    fsh_canvas_text(canvas, left ? x - 8 : x + 8, top + 14, left ? "end" : "start", FSH_CANVAS_INK,
                    13, caption);
}

/* What the colours mean, below the title to the right. */
static void
draw_legend(const fsh_canvas *canvas)
{
    static const char *const captions[] = {"one person", "two people"}, *const colours[] = {
                                                                            FSH_CANVAS_SAME,
                                                                            FSH_CANVAS_OTHER};
    double right = fsh_canvas_x(canvas, canvas->x_high), x;
    int i;

    for (i = 0; i < 2; i++) {
        x = right - 210 + 110 * i;
        fsh_text_addf(
            canvas->svg,
            "<rect x=\"%.1f\" y=\"26\" width=\"14\" height=\"12\" rx=\"2\" fill=\"%s\"/>\n", x,
            colours[i]);
        fsh_canvas_text(canvas, x + 20, 37, "start", FSH_CANVAS_INK, 14, captions[i]);
    }
}

void
fsh_plot_histogram(const fsh_verification *v, fsh_text *svg)
{
    double same[BINS], other[BINS], most = 0;
    fsh_canvas canvas = {svg, 0, v->metric == FSH_METRIC_L2 ? 2 : 4, 0, 1};
    char subtitle[CAPTION_BYTES];
    int i;

    count_bins(&v->scores, true, canvas.x_high, same);
    count_bins(&v->scores, false, canvas.x_high, other);
    for (i = 0; i < BINS; i++)
        most = fmax(most, fmax(same[i], other[i]));
    canvas.y_high = 1.08 * most;
    snprintf(subtitle, sizeof subtitle, "%u pairs of one person, %u of two, %u skipped",
             v->roc.same_n, v->roc.other_n, v->skipped_n);
    fsh_canvas_open(&canvas, "Verification: distances of the pairs", subtitle);
    draw_histogram_axes(&canvas, fsh_metric_text(v->metric));
    draw_bins(&canvas, other, FSH_CANVAS_OTHER);
    draw_bins(&canvas, same, FSH_CANVAS_SAME);
    draw_threshold(&canvas, v->accuracy.threshold);
    draw_legend(&canvas);
    fsh_canvas_close(&canvas);
}

static fsh_status
write_plot(const fsh_verification *v, void (*plot)(const fsh_verification *, fsh_text *),
           const char *folder, const char *name, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_text svg = {0};
    fsh_status status = fsh_path_join(path, folder, name, err);

    plot(v, &svg);
    if (!status && !fsh_text_ok(&svg))
        status = fsh_fail(err, FSH_MEMORY, "%s: out of memory", path);
    if (!status)
        status = fsh_file_write(path, svg.data, svg.bytes, err);
    fsh_text_fini(&svg);
    return status;
}

fsh_status
fsh_plots_write(const fsh_verification *v, const char *folder, fsh_err *err)
{
    fsh_status status = fsh_folder_make(folder, err);

    if (!status)
        status = write_plot(v, fsh_plot_roc, folder, "roc.svg", err);
    if (!status)
        status = write_plot(v, fsh_plot_histogram, folder, "histogram.svg", err);
    return status;
}

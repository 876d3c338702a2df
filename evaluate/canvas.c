#include "evaluate/canvas.h"

#include <math.h>

enum { LEFT = 84, RIGHT = 28, TOP = 92, BOTTOM = 72, LINE = 3 };

static const double plot_width = FSH_CANVAS_WIDTH - LEFT - RIGHT,
                    plot_height = FSH_CANVAS_HEIGHT - TOP - BOTTOM;

double
fsh_canvas_x(const fsh_canvas *canvas, double x)
{
    return LEFT + plot_width * (x - canvas->x_low) / (canvas->x_high - canvas->x_low);
}

double
fsh_canvas_y(const fsh_canvas *canvas, double y)
{
    return TOP + plot_height * (1 - (y - canvas->y_low) / (canvas->y_high - canvas->y_low));
}

void
fsh_canvas_text(const fsh_canvas *canvas, double x, double y, const char *anchor,
                const char *colour, int size, const char *text)
{
    fsh_text_addf(
        canvas->svg,
        "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\" font-size=\"%d\">%s</text>\n",
        x, y, anchor, colour, size, text);
}

void
fsh_canvas_open(const fsh_canvas *canvas, const char *title, const char *subtitle)
{
    fsh_text_addf(canvas->svg,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                  "viewBox=\"0 0 %d %d\" role=\"img\" "
                  "font-family=\"system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', Helvetica, Arial, "
                  "sans-serif\">\n"
                  "<title>%s</title>\n<desc>%s</desc>\n"
                  "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n"
                  "<clipPath id=\"plot\"><rect x=\"%d\" y=\"%d\" width=\"%.0f\" "
                  "height=\"%.0f\"/></clipPath>\n",
                  FSH_CANVAS_WIDTH, FSH_CANVAS_HEIGHT, FSH_CANVAS_WIDTH, FSH_CANVAS_HEIGHT, title,
                  subtitle, LEFT, TOP - LINE, plot_width + LINE, plot_height + LINE);
    fsh_canvas_text(canvas, LEFT, 36, "start", FSH_CANVAS_INK, 20, title);
    fsh_canvas_text(canvas, LEFT, 62, "start", FSH_CANVAS_FAINT, 14, subtitle);
}

void
fsh_canvas_close(const fsh_canvas *canvas)
{
    fsh_text_addf(canvas->svg,
                  "<path d=\"M%d %dV%.0fH%.0f\" fill=\"none\" stroke=\"" FSH_CANVAS_INK
                  "\" stroke-width=\"1.2\"/>\n</svg>\n",
                  LEFT, TOP, TOP + plot_height, LEFT + plot_width);
}

void
fsh_canvas_tick_x(const fsh_canvas *canvas, double x, const char *caption)
{
    double at = fsh_canvas_x(canvas, x);

    fsh_text_addf(canvas->svg, "<path d=\"M%.1f %dV%.1f\" stroke=\"#e4e7eb\"/>\n", at, TOP,
                  TOP + plot_height);
    fsh_canvas_text(canvas, at, TOP + plot_height + 20, "middle", FSH_CANVAS_FAINT, 13, caption);
}

void
fsh_canvas_tick_y(const fsh_canvas *canvas, double y, const char *caption)
{
    double at = fsh_canvas_y(canvas, y);

    fsh_text_addf(canvas->svg, "<path d=\"M%d %.1fH%.1f\" stroke=\"#e4e7eb\"/>\n", LEFT, at,
                  LEFT + plot_width);
    fsh_canvas_text(canvas, LEFT - 10, at + 4.5, "end", FSH_CANVAS_FAINT, 13, caption);
}

void
fsh_canvas_name_axes(const fsh_canvas *canvas, const char *x, const char *y)
{
    fsh_canvas_text(canvas, LEFT + plot_width / 2, FSH_CANVAS_HEIGHT - 22, "middle", FSH_CANVAS_INK,
                    14, x);
    fsh_text_addf(canvas->svg,
                  "<text transform=\"translate(26 %.1f) rotate(-90)\" text-anchor=\"middle\" "
                  "fill=\"" FSH_CANVAS_INK "\" font-size=\"14\">%s</text>\n",
                  TOP + plot_height / 2, y);
}

double
fsh_canvas_step(double range, int most)
{
    static const double steps[] = {1, 2, 5};
    double power = pow(10, floor(log10(range / most)));
    int i = 0;

    while (i < 3 && range / (steps[i] * power) > most + 1e-9)
        i++;
    return i < 3 ? steps[i] * power : 10 * power;
}

/* A page of SVG with one plot on it: frame, axes, grid, captions. Coordinates of data go through
 * fsh_canvas_x and fsh_canvas_y to px of the page. */
#ifndef FSH_EVALUATE_CANVAS_H
#define FSH_EVALUATE_CANVAS_H

#include <stdbool.h>

#include "base/text.h"

enum { FSH_CANVAS_WIDTH = 820, FSH_CANVAS_HEIGHT = 560 };

/* The two kinds of pairs are told by hue, by lightness and by a caption. */
#define FSH_CANVAS_SAME  "#0b6fa4"
#define FSH_CANVAS_OTHER "#d1603d"
#define FSH_CANVAS_INK   "#1f2933"
#define FSH_CANVAS_FAINT "#52606d"

typedef struct fsh_canvas {
    fsh_text *svg;
    double x_low, x_high, y_low, y_high; /* of the data; of a logarithmic axis, logarithms */
} fsh_canvas;

/* Appends the head of the file, its title and the lines below it (subtitle), and the frame of the
 * plot. */
void fsh_canvas_open(const fsh_canvas *canvas, const char *title, const char *subtitle);
void fsh_canvas_close(const fsh_canvas *canvas);

double fsh_canvas_x(const fsh_canvas *canvas, double x);
double fsh_canvas_y(const fsh_canvas *canvas, double y);

/* A line of the grid with its caption. */
void fsh_canvas_tick_x(const fsh_canvas *canvas, double x, const char *caption);
void fsh_canvas_tick_y(const fsh_canvas *canvas, double y, const char *caption);

void fsh_canvas_name_axes(const fsh_canvas *canvas, const char *x, const char *y);

/* Text at a place of the page, px; anchor: start, middle or end. */
void fsh_canvas_text(const fsh_canvas *canvas, double x, double y, const char *anchor,
                     const char *colour, int size, const char *text);

/* The distance between ticks, 1, 2 or 5 times a power of ten, that gives at most `most` over this
 * range. */
double fsh_canvas_step(double range, int most);

#endif

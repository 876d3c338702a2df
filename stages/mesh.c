#include "stages/mesh.h"

#include <math.h>

#include "stages/layer_parts.h"

/* Corners lie on sixteenths of a pixel: then whether a pixel is inside can be said exactly, and
 * neighbours that share a side share no pixel and leave none out. */
enum {
    STEPS = 16,
    EDGE = 96 /* a fall of alpha between neighbours that only the end of the cloth makes */
};

typedef struct corner {
    int64_t x, y;
} corner;

static corner
to_corner(const fsh_mesh_vertex *vertex)
{
    return (corner){lrintf(vertex->at.x * STEPS), lrintf(vertex->at.y * STEPS)};
}

/* Twice the area left of the way from a to b, seen from p. */
static int64_t
side_of(corner a, corner b, corner p)
{
    return (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
}

/* A pixel on a side belongs to the triangle whose upper or left side it is. */
static bool
is_inside(corner a, corner b, corner p)
{
    int64_t side = side_of(a, b, p);

    return side > 0 || (side == 0 && (b.y < a.y || (b.y == a.y && b.x > a.x)));
}

/* What changes evenly over a triangle: place in the template, gain. */
enum { PLACE_X, PLACE_Y, GAIN, VALUES_N = GAIN + 3 };

typedef struct slope {
    float at, across, down; /* at the first corner, and by one px */
} slope;

static float
value_of(const fsh_mesh_vertex *vertex, int i)
{
    return i == PLACE_X ? vertex->from.x : i == PLACE_Y ? vertex->from.y : vertex->gain[i - GAIN];
}

static void
find_slopes(const fsh_mesh_vertex *v[3], const corner c[3], int64_t area, slope slopes[VALUES_N])
{
    float part = (float)STEPS / (float)area;
    int i;

    for (i = 0; i < VALUES_N; i++) {
        float first = value_of(v[0], i), b = value_of(v[1], i) - first,
              d = value_of(v[2], i) - first;

        slopes[i].at = first;
        slopes[i].across = part * (b * (float)(c[2].y - c[0].y) - d * (float)(c[1].y - c[0].y));
        slopes[i].down = part * (d * (float)(c[1].x - c[0].x) - b * (float)(c[2].x - c[0].x));
    }
}

static int64_t
least(int64_t a, int64_t b, int64_t c)
{
    return a < b ? (a < c ? a : c) : (b < c ? b : c);
}

/* Pixels that a triangle can touch, clipped to the picture. */
static fsh_box
bounds_of(const corner c[3], int32_t size)
{
    int32_t left = (int32_t)(least(c[0].x, c[1].x, c[2].x) / STEPS),
            top = (int32_t)(least(c[0].y, c[1].y, c[2].y) / STEPS);
    int32_t right = (int32_t)(-least(-c[0].x, -c[1].x, -c[2].x) / STEPS);
    int32_t bottom = (int32_t)(-least(-c[0].y, -c[1].y, -c[2].y) / STEPS);

    left = fsh_clampi(left, 0, size);
    top = fsh_clampi(top, 0, size);
    return (fsh_box){left, top, fsh_clampi(right + 1, left, size) - left,
                     fsh_clampi(bottom + 1, top, size) - top};
}

static void
draw_pixel(const fsh_template *template, const slope slopes[VALUES_N], fsh_point away, float level,
           float saturation, uint8_t *pixel)
{
    float value[VALUES_N], colour[4];
    int i;

    for (i = 0; i < VALUES_N; i++)
        value[i] = slopes[i].at + away.x * slopes[i].across + away.y * slopes[i].down;
    fsh_template_sample(template, (fsh_point){value[PLACE_X], value[PLACE_Y]}, level, colour);
    if (colour[3] > 0)
        fsh_layer_paint(pixel, colour, saturation, value + GAIN);
}

/* Corners in the order of the clock; those that the turn has put the other way round look away. */
static void
draw_triangle(fsh_layer *layer, const fsh_template *template, const fsh_mesh_vertex *v[3],
              float saturation, float blur)
{
    corner c[3] = {to_corner(v[0]), to_corner(v[1]), to_corner(v[2])};
    int64_t area = side_of(c[0], c[1], c[2]);
    fsh_box box = bounds_of(c, layer->colour.width);
    slope slopes[VALUES_N];
    int32_t x, y;
    float level;

    if (area <= 0)
        return;
    find_slopes(v, c, area, slopes);
    level =
        fsh_template_level(template, (fsh_point){slopes[PLACE_X].across, slopes[PLACE_Y].across},
                           (fsh_point){slopes[PLACE_X].down, slopes[PLACE_Y].down}, blur);
    for (y = box.y; y < box.y + box.height; y++)
        for (x = box.x; x < box.x + box.width; x++) {
            corner p = {(int64_t)x * STEPS, (int64_t)y * STEPS};
            fsh_point away = {(float)(p.x - c[0].x) / STEPS, (float)(p.y - c[0].y) / STEPS};

            if (is_inside(c[0], c[1], p) && is_inside(c[1], c[2], p) && is_inside(c[2], c[0], p))
                draw_pixel(template, slopes, away, level, saturation,
                           fsh_image_at(&layer->colour, x, y));
        }
}

static void
draw_cell(fsh_layer *layer, const fsh_template *template, const fsh_mesh *mesh, int column, int row,
          float blur)
{
    const fsh_mesh_vertex *a = &mesh->vertices[row][column], *b = a + 1;
    const fsh_mesh_vertex *c = &mesh->vertices[row + 1][column], *d = c + 1;

    draw_triangle(layer, template, (const fsh_mesh_vertex *[3]){a, b, c}, mesh->saturation, blur);
    draw_triangle(layer, template, (const fsh_mesh_vertex *[3]){b, d, c}, mesh->saturation, blur);
}

static fsh_box
mesh_bounds(const fsh_mesh *mesh, int32_t size)
{
    const fsh_mesh_vertex *vertex = &mesh->vertices[0][0],
                          *end = vertex + FSH_MESH_ROWS * FSH_MESH_COLUMNS;
    fsh_point low = vertex->at, high = vertex->at;
    int32_t left, top;

    for (; vertex < end; vertex++) {
        low = (fsh_point){fminf(low.x, vertex->at.x), fminf(low.y, vertex->at.y)};
        high = (fsh_point){fmaxf(high.x, vertex->at.x), fmaxf(high.y, vertex->at.y)};
    }
    left = (int32_t)fsh_clampf(low.x - 1, 0, (float)size);
    top = (int32_t)fsh_clampf(low.y - 1, 0, (float)size);
    return (fsh_box){left, top, (int32_t)fsh_clampf(high.x + 2, (float)left, (float)size) - left,
                     (int32_t)fsh_clampf(high.y + 2, (float)top, (float)size) - top};
}

/* Mean alpha of a pixel and its neighbours, the nearer ones weighing more; outside of the picture
 * there is the pixel itself. fall becomes how much less the clearest neighbour has. */
static int
mean_alpha(const fsh_image *alpha, int32_t x, int32_t y, int *fall)
{
    static const int weights[3] = {1, 2, 1};
    int own = *fsh_image_at(alpha, x, y), sum = 0, i, k;

    *fall = 0;
    for (i = -1; i <= 1; i++)
        for (k = -1; k <= 1; k++) {
            int32_t at_x = fsh_clampi(x + k, 0, alpha->width - 1),
                    at_y = fsh_clampi(y + i, 0, alpha->height - 1);
            int value = *fsh_image_at(alpha, at_x, at_y);

            sum += weights[i + 1] * weights[k + 1] * value;
            *fall = own - value > *fall ? own - value : *fall;
        }
    return sum / 16;
}

/* Where cloth ends between one pixel and the next, it gets the edge of a photograph. */
static void
smooth_edges(fsh_layer *layer, const fsh_box *box)
{
    int32_t x, y, c, size = layer->colour.width;
    int fall;

    /* One px more than is looked at: what straps have drawn goes on beyond the cloth. */
    for (y = box->y > 0 ? box->y - 1 : 0; y <= box->y + box->height && y < size; y++)
        for (x = box->x > 0 ? box->x - 1 : 0; x <= box->x + box->width && x < size; x++)
            *fsh_image_at(&layer->spare, x, y) = fsh_image_at(&layer->colour, x, y)[3];
    for (y = box->y; y < box->y + box->height; y++)
        for (x = box->x; x < box->x + box->width; x++) {
            uint8_t *pixel = fsh_image_at(&layer->colour, x, y);
            int own = pixel[3], mean = own ? mean_alpha(&layer->spare, x, y, &fall) : 0;

            for (c = 0; c < 4 && own && fall > EDGE && mean < own; c++)
                pixel[c] = (uint8_t)(pixel[c] * mean / own);
        }
}

void
fsh_layer_mesh(fsh_layer *layer, const fsh_template *template, const fsh_mesh *mesh, float blur)
{
    fsh_box box = mesh_bounds(mesh, layer->colour.width);
    int i, row;

    for (i = 0; i < FSH_MESH_COLUMNS - 1; i++)
        for (row = 0; row < FSH_MESH_ROWS - 1; row++)
            draw_cell(layer, template, mesh, mesh->left_is_near ? FSH_MESH_COLUMNS - 2 - i : i, row,
                      blur);
    smooth_edges(layer, &box);
}

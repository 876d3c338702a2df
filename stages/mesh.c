#include "stages/mesh.h"

#include <math.h>

#include "stages/layer_parts.h"
#include "stages/texel.h"
#include "stages/wide.h"

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

/* One side of a triangle on the way through the pixels of a row: not under 0 inside. A pixel on a
 * side belongs to the triangle whose upper or left side it is. */
typedef struct side {
    int64_t value, across, down; /* in this pixel, more of it in the next one, in the next row */
} side;

static side
make_side(corner a, corner b, corner p)
{
    bool own = b.y < a.y || (b.y == a.y && b.x > a.x);

    return (side){side_of(a, b, p) - !own, -(b.y - a.y) * STEPS, (b.x - a.x) * STEPS};
}

/* What changes evenly over a triangle: place in the template, gain. */
enum { PLACE_X, PLACE_Y, GAIN, VALUES_N = GAIN + 3 };

typedef struct slope {
    float at, across, down; /* at the first corner, and by one px */
} slope;

static float
value_of(const fsh_mesh_vertex *vertex, int i)
{
    return i == PLACE_X   ? vertex->from.x
           : i == PLACE_Y ? vertex->from.y
                          : FSH_TINT_ONE * vertex->gain[i - GAIN];
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

/* What all pixels of a triangle share. */
typedef struct brush {
    slope slopes[VALUES_N];
    fsh_sampler sampler;
    int32_t saturation;
} brush;

static inline float
at_pixel(const slope *s, fsh_point away)
{
    return s->at + away.x * s->across + away.y * s->down;
}

static inline void
draw_pixel(const brush *b, fsh_point away, uint8_t *pixel)
{
    fsh_texel colour =
        fsh_sampler_take(&b->sampler, (fsh_point){at_pixel(&b->slopes[PLACE_X], away),
                                                  at_pixel(&b->slopes[PLACE_Y], away)});
    fsh_tint tint = {.saturation = b->saturation};
    int c;

    if (!fsh_texel_alpha(colour))
        return;
    for (c = 0; c < 3; c++)
        tint.gain[c] =
            (int32_t)fsh_clampf(at_pixel(&b->slopes[GAIN + c], away), 0, 4 * FSH_TINT_ONE);
    fsh_texel_paint(colour, &tint, pixel);
}

static void
make_brush(brush *b, const fsh_template *template, const fsh_mesh_vertex *v[3], const corner c[3],
           int64_t area, float saturation, float blur)
{
    const slope *x = &b->slopes[PLACE_X], *y = &b->slopes[PLACE_Y];

    find_slopes(v, c, area, b->slopes);
    b->saturation = (int32_t)(FSH_SATURATION_ONE * saturation + 0.5f);
    fsh_sampler_set(&b->sampler, template,
                    fsh_template_level(template, (fsh_point){x->across, y->across},
                                       (fsh_point){x->down, y->down}, blur));
}

static void
draw_row(const brush *b, const side sides[3], fsh_point away, int32_t n, uint8_t *pixel)
{
    int64_t u = sides[0].value, v = sides[1].value, w = sides[2].value;

    for (; n > 0; n--, pixel += 4, away.x += 1) {
        if ((u | v | w) >= 0)
            draw_pixel(b, away, pixel);
        u += sides[0].across;
        v += sides[1].across;
        w += sides[2].across;
    }
}

/* Corners in the order of the clock; those that the turn has put the other way round look away. */
static void
draw_triangle(fsh_layer *layer, const fsh_template *template, const fsh_mesh_vertex *v[3],
              float saturation, float blur)
{
    const corner c[3] = {to_corner(v[0]), to_corner(v[1]), to_corner(v[2])};
    int64_t area = side_of(c[0], c[1], c[2]);
    fsh_box box = bounds_of(c, layer->colour.width);
    const corner first = {(int64_t)box.x * STEPS, (int64_t)box.y * STEPS};
    side sides[3] = {make_side(c[0], c[1], first), make_side(c[1], c[2], first),
                     make_side(c[2], c[0], first)};
    fsh_point away = {(float)(first.x - c[0].x) / STEPS, (float)(first.y - c[0].y) / STEPS};
    int32_t i, y;
    brush b;

    if (area <= 0 || box.width == 0)
        return;
    make_brush(&b, template, v, c, area, saturation, blur);
    for (y = box.y; y < box.y + box.height; y++, away.y += 1) {
        draw_row(&b, sides, away, box.width, fsh_image_at(&layer->colour, box.x, y));
        for (i = 0; i < 3; i++)
            sides[i].value += sides[i].down;
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
 * there is the pixel itself. */
static int
mean_alpha(const fsh_image *alpha, int32_t x, int32_t y)
{
    static const int weights[3] = {1, 2, 1};
    int sum = 0, i, k;

    for (i = -1; i <= 1; i++)
        for (k = -1; k <= 1; k++)
            sum += weights[i + 1] * weights[k + 1] *
                   *fsh_image_at(alpha, fsh_clampi(x + k, 0, alpha->width - 1),
                                 fsh_clampi(y + i, 0, alpha->height - 1));
    return sum / 16;
}

/* The least of three rows. */
WIDE static void
least_of_rows(const uint8_t *above, const uint8_t *own, const uint8_t *below, int32_t n,
              uint8_t *least)
{
    int32_t x;

    for (x = 0; x < n; x++) {
        uint8_t low = above[x] < own[x] ? above[x] : own[x];

        least[x] = low < below[x] ? low : below[x];
    }
}

static void
smooth_row(fsh_layer *layer, const fsh_box *box, int32_t y, const uint8_t *least)
{
    int32_t x, c, last = layer->colour.width - 1;

    for (x = box->x; x < box->x + box->width; x++) {
        int own = *fsh_image_at(&layer->spare, x, y), mean;
        int low = least[x > 0 ? x - 1 : x] < least[x] ? least[x > 0 ? x - 1 : x] : least[x];
        uint8_t *pixel = fsh_image_at(&layer->colour, x, y);

        low = least[x < last ? x + 1 : x] < low ? least[x < last ? x + 1 : x] : low;
        if (own - low <= EDGE)
            continue;
        mean = mean_alpha(&layer->spare, x, y);
        for (c = 0; c < 4 && mean < own; c++)
            pixel[c] = (uint8_t)(pixel[c] * mean / own);
    }
}

/* Where cloth ends between one pixel and the next, it gets the edge of a photograph. */
static void
smooth_edges(fsh_layer *layer, const fsh_box *box)
{
    int32_t x, y, size = layer->colour.width, last = size - 1;
    /* One px more than is looked at: what straps have drawn goes on beyond the cloth. */
    fsh_box more = {box->x - 1, box->y - 1, box->width + 2, box->height + 2},
            wide = fsh_box_clip(&more, size);

    for (y = wide.y; y < wide.y + wide.height; y++) {
        const uint8_t *row = fsh_image_at(&layer->colour, 0, y);
        uint8_t *alpha = fsh_image_at(&layer->spare, 0, y);

        for (x = wide.x; x < wide.x + wide.width; x++)
            alpha[x] = row[4 * x + 3];
    }
    for (y = box->y; y < box->y + box->height; y++) {
        const uint8_t *own = fsh_image_at(&layer->spare, wide.x, y);

        least_of_rows(y > 0 ? own - size : own, own, y < last ? own + size : own, wide.width,
                      layer->shade.data + wide.x);
        smooth_row(layer, box, y, layer->shade.data);
    }
}

void
fsh_layer_mesh(fsh_layer *layer, const fsh_template *template, const fsh_mesh *mesh, float blur)
{
    fsh_box bounds = mesh_bounds(mesh, layer->colour.width), box = fsh_layer_touch(layer, &bounds);
    int i, row;

    for (i = 0; i < FSH_MESH_COLUMNS - 1; i++)
        for (row = 0; row < FSH_MESH_ROWS - 1; row++)
            draw_cell(layer, template, mesh, mesh->left_is_near ? FSH_MESH_COLUMNS - 2 - i : i, row,
                      blur);
    smooth_edges(layer, &box);
}

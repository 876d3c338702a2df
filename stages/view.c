#include "stages/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/skin.h"
#include "stages/wide.h"

enum { CELL = 4, COLUMNS = FSH_SURFACE_COLUMNS };

/* A corner of a cell of the surroundings: where it comes from in the photograph. */
typedef struct corner {
    float x, y;
} corner;

struct fsh_view {
    int32_t size, cells;
    fsh_skin skin;
    fsh_point ear_side; /* the direction in which an ear goes behind the face, and how far it
                           reaches, px */
    float ear;
    float *depth;
    float (*values)[FSH_SKIN_VALUES];
    uint8_t *cover, *spare; /* how much of a pixel is head, 0 to 255 */
    corner *corners;
};

fsh_status
fsh_view_open(int32_t size, fsh_view **view)
{
    size_t n = (size_t)size * (size_t)size, cells = (size_t)(size / CELL + 2);
    fsh_view *made = calloc(1, sizeof *made);

    if (!made)
        return FSH_MEMORY;
    made->size = size;
    made->cells = (int32_t)cells;
    made->depth = malloc(n * sizeof *made->depth);
    made->values = malloc(n * sizeof *made->values);
    made->cover = malloc(n);
    made->spare = malloc(n);
    made->corners = malloc(cells * cells * sizeof *made->corners);
    if (!made->depth || !made->values || !made->cover || !made->spare || !made->corners) {
        fsh_view_close(made);
        return FSH_MEMORY;
    }
    *view = made;
    return FSH_OK;
}

void
fsh_view_close(fsh_view *view)
{
    if (!view)
        return;
    free(view->depth);
    free(view->values);
    free(view->cover);
    free(view->spare);
    free(view->corners);
    free(view);
}

/* ---- what is around the head ---- */

/* How far the edge of the picture is from a point inside of it, in a direction of length 1. */
static float
edge_distance(fsh_point from, float dx, float dy, float size)
{
    float x = dx > 0 ? (size - 1 - from.x) / dx : dx < 0 ? -from.x / dx : 1e9f;
    float y = dy > 0 ? (size - 1 - from.y) / dy : dy < 0 ? -from.y / dy : 1e9f;

    return fmaxf(fminf(x, y), 0);
}

/* On the side that turns away, the ear goes behind the face: the surroundings there come from
 * beyond it. */
static void
find_ears(fsh_view *view, const fsh_head *head, const fsh_head *turned)
{
    const float radian = 0.017453293f;
    float by = (turned->yaw - head->yaw) / 25, amount = fsh_clampf(fabsf(by), 0, 1),
          side = by < 0 ? -1.0f : 1.0f;
    float mm = 26 + 60 * fmaxf(-side * sinf(radian * head->yaw), 0);

    view->ear = mm * head->scale * head->wide * amount;
    view->ear_side =
        (fsh_point){side * cosf(radian * head->roll), side * sinf(radian * head->roll)};
}

/* At the outline the surroundings come from where they met it before; at the edge of the picture
 * they stay. */
static corner
corner_at(const fsh_view *view, float x, float y)
{
    const fsh_outline *before = &view->skin.before, *after = &view->skin.after;
    float dx = x - after->centre.x, dy = y - after->centre.y, r = sqrtf(dx * dx + dy * dy) + 1e-6f;
    float place = fsh_outline_place(dx, dy), reach = fsh_outline_reach(after, place);
    float room = edge_distance(after->centre, dx / r, dy / r, (float)view->size) - reach;
    float ear = view->ear *
                fsh_smooth_step(0.5f, 0.9f, (dx * view->ear_side.x + dy * view->ear_side.y) / r);
    float grow = (fsh_outline_reach(before, place) + ear - reach) / r;
    float stay = fsh_clampf((r - reach) / fmaxf(room, 0.1f * (float)view->size), 0, 1);

    grow *= fminf(r / fmaxf(reach, 1), 1);
    return (corner){x + (1 - stay) * (before->centre.x - after->centre.x + grow * dx),
                    y + (1 - stay) * (before->centre.y - after->centre.y + grow * dy)};
}

static void
map_surroundings(fsh_view *view)
{
    int32_t x, y;

    for (y = 0; y < view->cells; y++)
        for (x = 0; x < view->cells; x++)
            view->corners[y * view->cells + x] =
                corner_at(view, (float)(x * CELL), (float)(y * CELL));
}

/* ---- the head ---- */

/* Twice the area of a triangle, over 0 where it is seen from outside. */
static float
area(const fsh_skin_vertex *a, const fsh_skin_vertex *b, float x, float y)
{
    return (b->x - a->x) * (y - a->y) - (b->y - a->y) * (x - a->x);
}

static void
draw_span(fsh_view *view, const fsh_skin_vertex *t[3], const float whole, int32_t y, int32_t left,
          int32_t right)
{
    int32_t x, k;

    for (x = left; x <= right; x++) {
        float a = area(t[1], t[2], (float)x, (float)y), b = area(t[2], t[0], (float)x, (float)y),
              c = whole - a - b, z;
        int32_t at = y * view->size + x;

        if (a < 0 || b < 0 || c < 0)
            continue;
        a /= whole;
        b /= whole;
        c = 1 - a - b;
        z = a * t[0]->z + b * t[1]->z + c * t[2]->z;
        if (z <= view->depth[at])
            continue;
        view->depth[at] = z;
        for (k = 0; k < FSH_SKIN_VALUES; k++)
            view->values[at][k] = a * t[0]->values[k] + b * t[1]->values[k] + c * t[2]->values[k];
    }
}

static void
draw_triangle(fsh_view *view, const fsh_skin_vertex *t[3])
{
    float whole = area(t[0], t[1], t[2]->x, t[2]->y), limit = (float)view->size - 1;
    int32_t left = (int32_t)ceilf(fsh_clampf(fminf(t[0]->x, fminf(t[1]->x, t[2]->x)), 0, limit));
    int32_t right = (int32_t)fsh_clampf(fmaxf(t[0]->x, fmaxf(t[1]->x, t[2]->x)), 0, limit);
    int32_t top = (int32_t)ceilf(fsh_clampf(fminf(t[0]->y, fminf(t[1]->y, t[2]->y)), 0, limit));
    int32_t bottom = (int32_t)fsh_clampf(fmaxf(t[0]->y, fmaxf(t[1]->y, t[2]->y)), 0, limit), y;

    if (!(whole > 1e-6f) || t[0]->values[FSH_SKIN_SHOWN] + t[1]->values[FSH_SKIN_SHOWN] +
                                    t[2]->values[FSH_SKIN_SHOWN] <=
                                0)
        return;
    for (y = top; y <= bottom; y++)
        draw_span(view, t, whole, y, left, right);
}

static void
draw_surface(fsh_view *view)
{
    int32_t n = view->size * view->size, row, column, i;

    for (i = 0; i < n; i++)
        view->depth[i] = -1e9f;
    for (row = 0; row < FSH_SURFACE_ROWS - 1; row++)
        for (column = 0; column < COLUMNS - 1; column++) {
            const fsh_skin_vertex *a = &view->skin.vertices[row * COLUMNS + column], *b = a + 1,
                                  *c = a + COLUMNS, *d = c + 1;
            const fsh_skin_vertex *first[3] = {a, b, c}, *second[3] = {b, d, c};

            draw_triangle(view, first);
            draw_triangle(view, second);
        }
}

/* ---- together ---- */

/* A mean over three pixels, across or down. */
static void
soften(const uint8_t *from, uint8_t *to, int32_t size, int32_t step, int32_t line)
{
    int32_t i, k;

    for (k = 0; k < size; k++)
        for (i = 0; i < size; i++) {
            const uint8_t *at = from + k * line + i * step;

            to[at - from] =
                (uint8_t)((at[i > 0 ? -step : 0] + at[0] + at[i < size - 1 ? step : 0] + 1) / 3);
        }
}

/* The head fades out over the last pixels inside of its edge, never outside. */
static void
find_cover(fsh_view *view)
{
    int32_t size = view->size, n = size * size, i, pass;

    for (i = 0; i < n; i++)
        view->cover[i] = view->depth[i] > -1e8f
                             ? (uint8_t)(255 * fsh_clampf(view->values[i][FSH_SKIN_SHOWN], 0, 1))
                             : 0;
    for (pass = 0; pass < 2; pass++) {
        soften(view->cover, view->spare, size, 1, size);
        soften(view->spare, view->cover, size, size, 1);
    }
    for (i = 0; i < n; i++)
        view->cover[i] =
            view->depth[i] > -1e8f ? (uint8_t)fsh_clampi(2 * view->cover[i] - 255, 0, 255) : 0;
}

/* Adds share of the picture at a place between its pixels; its edge is repeated. */
static inline void
add_colour(const fsh_image *image, float x, float y, const float share[3], float colour[3])
{
    float limit_x = (float)image->width - 1.001f, limit_y = (float)image->height - 1.001f;
    float px = fsh_clampf(x, 0, limit_x), py = fsh_clampf(y, 0, limit_y);
    int32_t left = (int32_t)px, top = (int32_t)py, c;
    float fx = px - (float)left, fy = py - (float)top;
    const uint8_t *a = fsh_image_at(image, left, top), *b = a + 3 * (size_t)image->width;

    for (c = 0; c < 3; c++) {
        float upper = (float)a[c] + fx * (float)(a[c + 3] - a[c]),
              lower = (float)b[c] + fx * (float)(b[c + 3] - b[c]);

        colour[c] += share[c] * (upper + fy * (lower - upper));
    }
}

static void
add_head(const float *values, const fsh_image *from, float share, float colour[3])
{
    float own = share * (1 - values[FSH_SKIN_OTHER]) * values[FSH_SKIN_GAIN],
          other = share * values[FSH_SKIN_OTHER];
    const float gain[3] = {own, own, own};
    const float others[3] = {other * values[FSH_SKIN_OTHER_GAIN],
                             other * values[FSH_SKIN_OTHER_GAIN + 1],
                             other * values[FSH_SKIN_OTHER_GAIN + 2]};

    add_colour(from, values[FSH_SKIN_SEEN_X], values[FSH_SKIN_SEEN_Y], gain, colour);
    if (other > 0.004f)
        add_colour(from, values[FSH_SKIN_OTHER_X], values[FSH_SKIN_OTHER_Y], others, colour);
}

static void
put_row(const fsh_view *view, const fsh_image *from, int32_t y, fsh_image *to)
{
    const corner *above = view->corners + y / CELL * view->cells, *below = above + view->cells;
    float fy = (float)(y % CELL) / CELL;
    int32_t x, c;

    for (x = 0; x < view->size; x++) {
        const corner *a = above + x / CELL, *b = below + x / CELL;
        float fx = (float)(x % CELL) / CELL, colour[3] = {0.5f, 0.5f, 0.5f};
        float cover = (float)view->cover[y * view->size + x] / 255, rest = 1 - cover;
        const float clear[3] = {rest, rest, rest};
        float left_x = a[0].x + fy * (b[0].x - a[0].x), right_x = a[1].x + fy * (b[1].x - a[1].x);
        float left_y = a[0].y + fy * (b[0].y - a[0].y), right_y = a[1].y + fy * (b[1].y - a[1].y);
        uint8_t *pixel = fsh_image_at(to, x, y);

        if (rest > 0)
            add_colour(from, left_x + fx * (right_x - left_x), left_y + fx * (right_y - left_y),
                       clear, colour);
        if (cover > 0)
            add_head(view->values[y * view->size + x], from, cover, colour);
        for (c = 0; c < 3; c++)
            pixel[c] = (uint8_t)fsh_clampf(colour[c], 0, 255);
    }
}

void
fsh_view_draw(fsh_view *view, const fsh_bent *bent, const fsh_head *head, const fsh_head *turned,
              float light, const fsh_image *from, fsh_image *to)
{
    int32_t y;

    fsh_skin_dress(&view->skin, bent, head, turned, light, from);
    find_ears(view, head, turned);
    map_surroundings(view);
    draw_surface(view);
    find_cover(view);
    for (y = 0; y < view->size; y++)
        put_row(view, from, y, to);
}

/* ---- landmarks ---- */

void
fsh_view_landmarks(const fsh_view *view, const fsh_bent *bent, const fsh_head *turned,
                   fsh_point landmarks[FSH_LANDMARKS_N])
{
    const fsh_outline *outline = &view->skin.after;
    int i;

    for (i = 0; i < FSH_LANDMARKS_N; i++) {
        fsh_point seen = fsh_head_see(turned, bent->landmarks[i]);
        bool away = (i < 8 && turned->yaw < 0) || (i > 8 && i < 17 && turned->yaw > 0);
        float dx = seen.x - outline->centre.x, dy = seen.y - outline->centre.y,
              r = sqrtf(dx * dx + dy * dy);
        float reach = fsh_outline_reach(outline, fsh_outline_place(dx, dy));
        float grow = away && r > 1 && r < reach ? reach / r : 1;

        landmarks[i] = (fsh_point){outline->centre.x + grow * dx, outline->centre.y + grow * dy};
    }
}

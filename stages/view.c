#include "stages/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/skin.h"
#include "stages/texel.h"
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
    bool turns_left;
    float back, much; /* hair of this height, px, is stretched over the back of the head, by so many
                         times its height */
    float *depth;
    float (*values)[FSH_SKIN_VALUES];
    uint8_t *cover, *spare; /* how much of a pixel is head, 0 to 255 */
    fsh_texel *photo;       /* the photograph; each channel up to 255 only */
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
    made->photo = malloc(n * sizeof *made->photo);
    made->corners = malloc(cells * cells * sizeof *made->corners);
    if (!made->depth || !made->values || !made->cover || !made->spare || !made->photo ||
        !made->corners) {
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
    free(view->photo);
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
 * beyond it. On the other the back of the head comes into sight. */
static void
find_ears(fsh_view *view, const fsh_head *head, const fsh_head *turned)
{
    const float radian = 0.017453293f;
    float by = (turned->yaw - head->yaw) / 25, amount = fsh_clampf(fabsf(by), 0, 1),
          side = by < 0 ? -1.0f : 1.0f;
    float mm = 26 + 60 * fmaxf(-side * sinf(radian * head->yaw), 0);

    view->ear = mm * head->scale * head->wide * amount;
    view->turns_left = by < 0;
    view->much = 2 * fsh_clampf(0.7f * fabsf(by) - 0.25f, 0, 1);
    view->back = 8 * head->scale * head->wide;
    view->ear_side =
        (fsh_point){side * cosf(radian * head->roll), side * sinf(radian * head->roll)};
}

/* On the side that turns to us the back of the head comes into sight, above the ear. What is there
 * in the photograph, mostly hair, is stretched over it: how much further in the surroundings come
 * from at q px from the outline, in a direction so far to that side and up. */
static float
find_back(const fsh_view *view, float near, float up, float q, float room)
{
    float much = view->much * fsh_smooth_step(0.1f, 0.6f, near) * fsh_smooth_step(-0.05f, 0.4f, up);
    float thick, more;

    if (!(much > 0) || q <= 0)
        return 0;
    thick = fminf(view->back, room / (1 + 3.5f * much));
    more = much * thick;
    if (q < thick + more)
        return q * much / (1 + much);
    return more * (1 - fsh_smooth_step(thick + more, thick + 3.5f * more + 1, q));
}

/* At the outline the surroundings come from where they met it before. They stay from so far away on
 * that nothing is seen twice, and at the edge of the picture. */
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
    float ring = fminf(room, 0.35f * reach + 2.2f * fabsf(grow * r));
    float stay = fsh_smooth_step(0, fmaxf(ring, 0.1f * (float)view->size), r - reach);
    float near = -(dx * view->ear_side.x + dy * view->ear_side.y) / r;
    float up = (view->turns_left ? -1 : 1) * (dx * view->ear_side.y - dy * view->ear_side.x) / r;

    grow *= fminf(r / fmaxf(reach, 1), 1);
    grow = (1 - stay) * grow - find_back(view, near, up, r - reach, room) / r;
    return (corner){x + (1 - stay) * (before->centre.x - after->centre.x) + grow * dx,
                    y + (1 - stay) * (before->centre.y - after->centre.y) + grow * dy};
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

/* Shares of the corners of a triangle in a pixel, and by how much more in the next one. */
typedef struct shares {
    float a, b, a_across, b_across;
} shares;

typedef float four __attribute__((vector_size(16)));

/* Four values of a pixel, from value k on. */
static inline void
mix_four(const fsh_skin_vertex *t[3], float a, float b, float c, int32_t k, float *values)
{
    four first, second, third;

    memcpy(&first, t[0]->values + k, sizeof first);
    memcpy(&second, t[1]->values + k, sizeof second);
    memcpy(&third, t[2]->values + k, sizeof third);
    first = a * first + b * second + c * third;
    memcpy(values + k, &first, sizeof first);
}

/* The depth where nothing has been drawn. */
static const float nowhere = -1e9f;

/* Neighbours overlap by a hair, so that no pixel between them is left out. */
static const float outside = -1e-4f;

static inline void
draw_span(fsh_view *view, const fsh_skin_vertex *t[3], shares s, int32_t at, int32_t n)
{
    float *values = view->values[at];
    int32_t k;

    for (; n > 0; n--, at++, values += FSH_SKIN_VALUES, s.a += s.a_across, s.b += s.b_across) {
        float c = 1 - s.a - s.b, z = s.a * t[0]->z + s.b * t[1]->z + c * t[2]->z;

        if (s.a < outside || s.b < outside || c < outside || z <= view->depth[at])
            continue;
        view->depth[at] = z;
        for (k = 0; k < FSH_SKIN_VALUES; k += 4)
            mix_four(t, s.a, s.b, c, k, values);
        view->cover[at] = (uint8_t)(255 * fsh_clampf(values[FSH_SKIN_SHOWN], 0, 1));
    }
}

static inline float
least(float a, float b, float c)
{
    float low = a < b ? a : b;

    return low < c ? low : c;
}

/* Pixels whose centres a triangle can cover. */
static fsh_box
bounds_of(const fsh_skin_vertex *t[3], float limit)
{
    float left = fsh_clampf(least(t[0]->x, t[1]->x, t[2]->x), 0, limit),
          top = fsh_clampf(least(t[0]->y, t[1]->y, t[2]->y), 0, limit);
    int32_t right = (int32_t)fsh_clampf(-least(-t[0]->x, -t[1]->x, -t[2]->x), 0, limit);
    int32_t bottom = (int32_t)fsh_clampf(-least(-t[0]->y, -t[1]->y, -t[2]->y), 0, limit);
    fsh_box box = {(int32_t)left, (int32_t)top, 0, 0};

    box.x += left > (float)box.x;
    box.y += top > (float)box.y;
    box.width = right + 1 - box.x;
    box.height = bottom + 1 - box.y;
    return box;
}

WIDE static void
draw_triangle(fsh_view *view, const fsh_skin_vertex *t[3])
{
    float whole = area(t[0], t[1], t[2]->x, t[2]->y), part = 1 / whole;
    fsh_box box = bounds_of(t, (float)view->size - 1);
    int32_t y;

    if (!(whole > 1e-6f) || box.width <= 0 ||
        t[0]->values[FSH_SKIN_SHOWN] + t[1]->values[FSH_SKIN_SHOWN] +
                t[2]->values[FSH_SKIN_SHOWN] <=
            0)
        return;
    for (y = box.y; y < box.y + box.height; y++) {
        shares s = {part * area(t[1], t[2], (float)box.x, (float)y),
                    part * area(t[2], t[0], (float)box.x, (float)y), part * (t[1]->y - t[2]->y),
                    part * (t[2]->y - t[0]->y)};

        draw_span(view, t, s, y * view->size + box.x, box.width);
    }
}

static void
draw_surface(fsh_view *view)
{
    int32_t n = view->size * view->size, row, column, i;

    memset(view->cover, 0, (size_t)n);
    for (i = 0; i < n; i++)
        view->depth[i] = nowhere;
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

/* A mean of three rows. */
WIDE static void
mean_of_rows(const uint8_t *a, const uint8_t *b, const uint8_t *c, int32_t n, uint8_t *to)
{
    int32_t i;

    /* A third of up to 766, exactly. */
    for (i = 0; i < n; i++)
        to[i] = (uint8_t)(((uint32_t)(a[i] + b[i] + c[i] + 1) * 21846) >> 16);
}

/* A mean over three pixels, across and down; those at the edges are repeated. */
static void
soften(uint8_t *cover, uint8_t *spare, int32_t size)
{
    int32_t y;

    for (y = 0; y < size; y++) {
        const uint8_t *row = cover + y * size;
        uint8_t *to = spare + y * size;

        mean_of_rows(row, row + 1, row + 2, size - 2, to + 1);
        to[0] = (uint8_t)((2 * row[0] + row[1] + 1) / 3);
        to[size - 1] = (uint8_t)((row[size - 2] + 2 * row[size - 1] + 1) / 3);
    }
    for (y = 0; y < size; y++) {
        const uint8_t *row = spare + y * size;

        mean_of_rows(y > 0 ? row - size : row, row, y < size - 1 ? row + size : row, size,
                     cover + y * size);
    }
}

/* The head fades out over the last pixels inside of its edge, never outside. */
WIDE static void
find_cover(fsh_view *view)
{
    int32_t size = view->size, n = size * size, i;

    soften(view->cover, view->spare, size);
    soften(view->cover, view->spare, size);
    for (i = 0; i < n; i++) {
        int twice = 2 * view->cover[i] - 255;

        view->cover[i] = view->depth[i] > nowhere && twice > 0 ? (uint8_t)twice : 0;
    }
}

/* How colours are weighted: 4096 is one. */
enum { ONE = 4096 };

/* The photograph at a place between its pixels, in 256ths of one; its edge is repeated. */
static inline fsh_texel
see(const fsh_view *view, float x, float y)
{
    int32_t limit = 256 * (view->size - 1) - 1;
    int32_t px = fsh_clampi((int32_t)x, 0, limit), py = fsh_clampi((int32_t)y, 0, limit);
    const fsh_texel *at = view->photo + (py >> 8) * view->size + (px >> 8),
                    *below = at + view->size;
    uint32_t fx = (uint32_t)px & 255, fy = (uint32_t)py & 255, both = (fx * fy + 128) >> 8;

    return (256 - fx - fy + both) * at[0] + (fx - both) * at[1] + (fy - both) * below[0] +
           both * below[1];
}

static inline void
add_colour(fsh_texel seen, int32_t red, int32_t green, int32_t blue, uint32_t colour[3])
{
    colour[0] += (uint32_t)(fsh_texel_red(seen) * red);
    colour[1] += (uint32_t)(fsh_texel_green(seen) * green);
    colour[2] += (uint32_t)(fsh_texel_blue(seen) * blue);
}

/* cover, of ONE */
static inline void
add_head(const fsh_view *view, const float *values, float cover, uint32_t colour[3])
{
    float other = cover * values[FSH_SKIN_OTHER];
    int32_t own = (int32_t)((cover - other) * values[FSH_SKIN_GAIN]);

    if (own)
        add_colour(see(view, 256 * values[FSH_SKIN_SEEN_X], 256 * values[FSH_SKIN_SEEN_Y]), own,
                   own, own, colour);
    if (other > 0.004f * ONE)
        add_colour(see(view, 256 * values[FSH_SKIN_OTHER_X], 256 * values[FSH_SKIN_OTHER_Y]),
                   (int32_t)(other * values[FSH_SKIN_OTHER_GAIN]),
                   (int32_t)(other * values[FSH_SKIN_OTHER_GAIN + 1]),
                   (int32_t)(other * values[FSH_SKIN_OTHER_GAIN + 2]), colour);
}

/* A row of a cell of the surroundings: where its first pixel comes from, and how much further each
 * next one, in 256ths of a pixel. */
typedef struct stretch {
    float x, y, x_across, y_across;
} stretch;

static inline stretch
stretch_at(const fsh_view *view, int32_t cell, int32_t y)
{
    const corner *a = view->corners + y / CELL * view->cells + cell, *b = a + view->cells;
    float fy = (float)(y % CELL) / CELL;
    float left_x = a[0].x + fy * (b[0].x - a[0].x), right_x = a[1].x + fy * (b[1].x - a[1].x);
    float left_y = a[0].y + fy * (b[0].y - a[0].y), right_y = a[1].y + fy * (b[1].y - a[1].y);

    return (stretch){256 * left_x, 256 * left_y, (right_x - left_x) * (256 / CELL),
                     (right_y - left_y) * (256 / CELL)};
}

/* Where there is something of the head. */
static inline void
put_head(const fsh_view *view, const float *values, uint8_t cover, const stretch *around,
         uint8_t *pixel)
{
    uint32_t colour[3] = {ONE * 128, ONE * 128, ONE * 128};
    int32_t rest = (255 - cover) * ONE / 255, c;

    if (rest)
        add_colour(see(view, around->x, around->y), rest, rest, rest, colour);
    add_head(view, values, (float)cover * (ONE / 255.0f), colour);
    for (c = 0; c < 3; c++)
        pixel[c] = (uint8_t)(colour[c] >> 20 < 255 ? colour[c] >> 20 : 255);
}

WIDE static void
put_row(const fsh_view *view, int32_t y, uint8_t *pixel)
{
    stretch around = {0, 0, 0, 0};
    int32_t x;

    for (x = 0; x < view->size; x++, pixel += 3) {
        int32_t at = y * view->size + x;

        if (x % CELL == 0)
            around = stretch_at(view, x / CELL, y);
        if (view->cover[at])
            put_head(view, view->values[at], view->cover[at], &around, pixel);
        else
            fsh_texel_store(see(view, around.x, around.y), pixel);
        around.x += around.x_across;
        around.y += around.y_across;
    }
}

static void
take_photo(fsh_view *view, const fsh_image *from)
{
    int32_t n = view->size * view->size, i;

    for (i = 0; i < n; i++) {
        const uint8_t *pixel = from->data + 3 * i;

        view->photo[i] = pixel[0] | (fsh_texel)pixel[2] << 16 | (fsh_texel)pixel[1] << 32;
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
    take_photo(view, from);
    for (y = 0; y < view->size; y++)
        put_row(view, y, fsh_image_at(to, 0, y));
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

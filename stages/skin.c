#include "stages/skin.h"

#include <math.h>

enum { COLUMNS = FSH_SURFACE_COLUMNS, CROWN_ROWS = 5 };

/* ---- light: colour = a + b . normal over the skin that is seen (the first spherical harmonics)
 * ---- */

typedef struct light {
    float of[3][4];
} light;

static fsh_vec3
turned_normal(const fsh_head *head, fsh_vec3 n)
{
    return (fsh_vec3){head->turn[0][0] * n.x + head->turn[0][1] * n.y + head->turn[0][2] * n.z,
                      head->turn[1][0] * n.x + head->turn[1][1] * n.y + head->turn[1][2] * n.z,
                      head->turn[2][0] * n.x + head->turn[2][1] * n.y + head->turn[2][2] * n.z};
}

/* Solves the 4 x 4 normal equations for three right sides, by elimination; a ridge keeps them
 * positive. */
static void
solve_light(float m[4][7], light *found)
{
    int i, j, k;

    for (i = 0; i < 4; i++)
        for (k = 0; k < 4; k++) {
            float share = k == i ? 0 : m[k][i] / m[i][i];

            for (j = i; j < 7 && k != i; j++)
                m[k][j] -= share * m[i][j];
        }
    for (i = 0; i < 4; i++)
        for (j = 0; j < 3; j++)
            found->of[j][i] = m[i][4 + j] / m[i][i];
}

static const uint8_t *
nearest(const fsh_image *image, float x, float y)
{
    return fsh_image_at(image, fsh_clampi((int32_t)(x + 0.5f), 0, image->width - 1),
                        fsh_clampi((int32_t)(y + 0.5f), 0, image->height - 1));
}

/* From the brow down; hair has another colour. */
static light
find_light(const fsh_skin *skin, const fsh_bent *bent, const fsh_head *head, const fsh_image *image)
{
    enum { FIRST_ROW = 7 };
    float m[4][7] = {{0}};
    light found;
    int32_t k;
    int i, j;

    for (k = FIRST_ROW * COLUMNS; k < FSH_SURFACE_N; k++) {
        const float *seen = skin->vertices[k].values;
        fsh_vec3 n = turned_normal(head, bent->normals[k]);
        const float row[4] = {1, n.x, n.y, n.z};

        if (n.z < 0.35f)
            continue;
        for (i = 0; i < 4; i++) {
            const uint8_t *pixel = nearest(image, seen[FSH_SKIN_SEEN_X], seen[FSH_SKIN_SEEN_Y]);

            for (j = 0; j < 7; j++)
                m[i][j] += row[i] * (j < 4 ? row[j] : (float)pixel[j - 4]);
        }
    }
    m[0][0] += 1e-3f;
    for (i = 1; i < 4; i++)
        m[i][i] += 0.04f * m[0][0];
    solve_light(m, &found);
    return found;
}

static float
light_on(const light *l, int channel, fsh_vec3 n)
{
    const float *of = l->of[channel];

    return fmaxf(of[0] + of[1] * n.x + of[2] * n.y + of[3] * n.z, 8);
}

/* ---- vertices ---- */

static void
see_vertices(fsh_skin *skin, const fsh_bent *bent, const fsh_head *head, const fsh_head *turned)
{
    uint32_t k;

    for (k = 0; k < FSH_SURFACE_N; k++) {
        fsh_skin_vertex *v = &skin->vertices[k];
        fsh_vec3 to = fsh_head_see_deep(turned, bent->points[k]);
        fsh_point seen = fsh_head_see(head, bent->points[k]);

        v->x = to.x;
        v->y = to.y;
        v->z = to.z;
        v->values[FSH_SKIN_SEEN_X] = seen.x;
        v->values[FSH_SKIN_SEEN_Y] = seen.y;
    }
}

/* Which vertices are drawn (the crown goes over into the hair around it), and how much of their
 * colour comes from the other side. */
static void
choose_sides(fsh_skin *skin, const fsh_bent *bent, const fsh_head *head)
{
    uint32_t k;

    for (k = 0; k < FSH_SURFACE_N; k++) {
        float *values = skin->vertices[k].values;
        float own_facing = fsh_head_facing(head, bent->normals[k]);
        float other_facing = fsh_head_facing(head, bent->normals[fsh_surface_mirror(k)]);
        float own = fsh_smooth_step(0.15f, 0.55f, own_facing),
              other = fsh_smooth_step(0.15f, 0.55f, other_facing);

        values[FSH_SKIN_OTHER] = (1 - own) * other / (own + (1 - own) * other + 0.02f);
        values[FSH_SKIN_SHOWN] = fsh_smooth_step(-0.08f, 0.16f, fmaxf(own_facing, other_facing)) *
                                 fsh_smooth_step(0, CROWN_ROWS, (float)(k / COLUMNS));
    }
}

/* On the side that is turned away the surface may stand out over the face: what is another colour
 * than the other side in the light of this one is no skin. */
static void
leave_background(fsh_skin *skin, const fsh_bent *bent, const fsh_head *head, const fsh_image *image)
{
    float turned = fsh_smooth_step(3, 10, fabsf(head->yaw));
    uint32_t k;
    int c;

    for (k = 0; k < FSH_SURFACE_N; k++) {
        float *values = skin->vertices[k].values, facing = fsh_head_facing(head, bent->normals[k]),
              strange = 0;
        const uint8_t *own = nearest(image, values[FSH_SKIN_SEEN_X], values[FSH_SKIN_SEEN_Y]);
        const uint8_t *other = nearest(image, values[FSH_SKIN_OTHER_X], values[FSH_SKIN_OTHER_Y]);

        if ((k % COLUMNS < FSH_SURFACE_HALF) != (head->yaw < 0))
            continue;
        for (c = 0; c < 3; c++)
            strange += fabsf((float)own[c] - (float)other[c] * values[FSH_SKIN_OTHER_GAIN + c] /
                                                 values[FSH_SKIN_GAIN]);
        strange = turned * fsh_smooth_step(60, 140, strange) * fsh_smooth_step(0.95f, 0.6f, facing);
        values[FSH_SKIN_OTHER] += strange * (1 - values[FSH_SKIN_OTHER]);
    }
}

static void
find_others(fsh_skin *skin)
{
    uint32_t k;

    for (k = 0; k < FSH_SURFACE_N; k++) {
        const float *other = skin->vertices[fsh_surface_mirror(k)].values;

        skin->vertices[k].values[FSH_SKIN_OTHER_X] = other[FSH_SKIN_SEEN_X];
        skin->vertices[k].values[FSH_SKIN_OTHER_Y] = other[FSH_SKIN_SEEN_Y];
    }
}

/* What a colour is multiplied with that is taken from a place with the normal other. Brightness may
 * differ by much, hue by a little: more is the hue of a background that was taken for skin. */
static float
side_gain(const light *l, int channel, fsh_vec3 here, fsh_vec3 other)
{
    float level = light_on(l, 1, here) / light_on(l, 1, other);
    float hue = light_on(l, channel, here) / light_on(l, channel, other) / level;

    return fsh_clampf(level, 0.5f, 2) * fsh_clampf(hue, 0.93f, 1.07f);
}

static void
light_vertices(fsh_skin *skin, const fsh_bent *bent, const fsh_head *head, const fsh_head *turned,
               const light *l, float share)
{
    uint32_t k;
    int c;

    for (k = 0; k < FSH_SURFACE_N; k++) {
        fsh_vec3 now = turned_normal(turned, bent->normals[k]),
                 before = turned_normal(head, bent->normals[k]);
        fsh_vec3 other = turned_normal(head, bent->normals[fsh_surface_mirror(k)]);
        float *values = skin->vertices[k].values;
        float gain =
            1 + share * (fsh_clampf(light_on(l, 1, now) / light_on(l, 1, before), 0.7f, 1.35f) - 1);

        values[FSH_SKIN_GAIN] = gain;
        for (c = 0; c < 3; c++)
            values[FSH_SKIN_OTHER_GAIN + c] = gain * side_gain(l, c, before, other);
    }
}

/* The outlines before and after, over what is shown. */
static void
find_outlines(fsh_skin *skin, const fsh_head *head, const fsh_head *turned)
{
    const fsh_vec3 middle = {0, 25, -20};
    uint32_t k;

    fsh_outline_begin(&skin->before, fsh_head_see(head, middle));
    fsh_outline_begin(&skin->after, fsh_head_see(turned, middle));
    for (k = 0; k < FSH_SURFACE_N; k++) {
        const fsh_skin_vertex *v = &skin->vertices[k];

        if (v->values[FSH_SKIN_SHOWN] < 0.5f)
            continue;
        fsh_outline_add(&skin->before,
                        (fsh_point){v->values[FSH_SKIN_SEEN_X], v->values[FSH_SKIN_SEEN_Y]});
        fsh_outline_add(&skin->after, (fsh_point){v->x, v->y});
    }
    fsh_outline_end(&skin->before);
    fsh_outline_end(&skin->after);
}

/* How much nearer the outline of the far side of the face is than the surface has it, by its
 * landmarks. */
static void
compare_jaw(const fsh_skin *skin, const fsh_bent *bent, float ratio[FSH_OUTLINE_N + 1])
{
    enum { PARTS = 4 };
    const fsh_outline *before = &skin->before;
    int i;

    for (i = 0; i <= FSH_OUTLINE_N; i++)
        ratio[i] = 1;
    for (i = 0; i < PARTS * (FSH_SURFACE_JAW - 1); i++) {
        const fsh_point *a = &bent->jaw[i / PARTS], *b = a + 1;
        float share = (float)(i % PARTS) / PARTS, doubt = 1 - bent->belief[i / PARTS];
        float dx = a->x + share * (b->x - a->x) - before->centre.x,
              dy = a->y + share * (b->y - a->y) - before->centre.y;
        float place = fsh_outline_place(dx, dy), reach = fsh_outline_reach(before, place);

        ratio[(int)(place + 0.5f) % FSH_OUTLINE_N] =
            1 + doubt * (fsh_clampf(sqrtf(dx * dx + dy * dy) / fmaxf(reach, 1), 0.7f, 1.1f) - 1);
    }
}

/* From the ears to the crown the ratio goes back to 1. */
static void
compare_brow(const fsh_skin *skin, const fsh_bent *bent, float ratio[FSH_OUTLINE_N + 1])
{
    enum { CROWN = 3 * FSH_OUTLINE_N / 4 };
    int side, i;

    for (side = 0; side < 2; side++) {
        fsh_point ear = bent->jaw[side ? FSH_SURFACE_JAW - 2 : 1];
        int from =
            (int)(fsh_outline_place(ear.x - skin->before.centre.x, ear.y - skin->before.centre.y) +
                  0.5f);
        int steps = side ? (from < CROWN ? from + FSH_OUTLINE_N : from) - CROWN : CROWN - from;

        for (i = 1; i < steps && steps < FSH_OUTLINE_N / 2; i++)
            ratio[(side ? from - i + FSH_OUTLINE_N : from + i) % FSH_OUTLINE_N] =
                1 + (ratio[from % FSH_OUTLINE_N] - 1) * (float)(steps - i) / (float)steps;
    }
}

/* Moves where vertices are seen, the outer ones more, so that the outline of the surface is that of
 * the face. What is seen at a flat angle is taken from a little further in: there the skin may end
 * early. */
static void
fit_outline(fsh_skin *skin, const fsh_bent *bent, const fsh_head *head)
{
    fsh_outline ratio = {.centre = skin->before.centre};
    int32_t k;

    compare_jaw(skin, bent, ratio.reach);
    compare_brow(skin, bent, ratio.reach);
    fsh_outline_end(&ratio);
    for (k = 0; k < FSH_SURFACE_N; k++) {
        float *values = skin->vertices[k].values;
        float dx = values[FSH_SKIN_SEEN_X] - ratio.centre.x,
              dy = values[FSH_SKIN_SEEN_Y] - ratio.centre.y, place = fsh_outline_place(dx, dy);
        float out = sqrtf(dx * dx + dy * dy) / fmaxf(fsh_outline_reach(&skin->before, place), 1);
        float inset = 0.05f * fsh_smooth_step(0.5f, 0, fsh_head_facing(head, bent->normals[k]));
        float scale = 1 + fminf(out * out, 1) * (fsh_outline_reach(&ratio, place) - 1) - inset;

        values[FSH_SKIN_SEEN_X] = ratio.centre.x + scale * dx;
        values[FSH_SKIN_SEEN_Y] = ratio.centre.y + scale * dy;
    }
    for (k = 0; k <= FSH_OUTLINE_N; k++)
        skin->before.reach[k] *= ratio.reach[k];
}

void
fsh_skin_dress(fsh_skin *skin, const fsh_bent *bent, const fsh_head *head, const fsh_head *turned,
               float share, const fsh_image *photograph)
{
    light l;

    see_vertices(skin, bent, head, turned);
    choose_sides(skin, bent, head);
    find_outlines(skin, head, turned);
    fit_outline(skin, bent, head);
    find_others(skin);
    l = find_light(skin, bent, head, photograph);
    light_vertices(skin, bent, head, turned, &l, share);
    leave_background(skin, bent, head, photograph);
}

/* The generic head gives a mask its place; this gives it what the photograph knows better. */
#include <math.h>

#include "stages/drape_parts.h"
#include "stages/texel.h"
#include "stages/worn.h"

/* The far side of a turned head, along the axes of the face. */
typedef struct far_side {
    fsh_point across, down; /* length 1; across leads out of sight */
    const fsh_point *landmarks;
    int first, step; /* points of the jaw on that side, from the ear to the chin */
    float room;      /* px that cloth lies outside of the skin */
} far_side;

static float
along(fsh_point axis, fsh_point p)
{
    return axis.x * p.x + axis.y * p.y;
}

/* How far out the outline of the face is at this height. */
static float
outline_at(const far_side *f, float down)
{
    const fsh_point *p = f->landmarks + f->first;
    int i = 0;
    float upper, lower, share;

    while (i < 7 && along(f->down, p[(i + 1) * f->step]) < down)
        i++;
    upper = along(f->down, p[i * f->step]);
    lower = along(f->down, p[(i + 1) * f->step]);
    share = fsh_clampf((down - upper) / fmaxf(lower - upper, 1e-3f), 0, 1);
    return along(f->across, fsh_point_mix(p[i * f->step], p[(i + 1) * f->step], share));
}

/* The vertex of a row's far half that is furthest out. */
static fsh_point
furthest(const far_side *f, const fsh_mesh_vertex *row, int side)
{
    fsh_point best = row[FSH_MESH_COLUMNS / 2].at;
    int i;

    for (i = 1; i <= FSH_MESH_COLUMNS / 2; i++) {
        fsh_point at = row[FSH_MESH_COLUMNS / 2 + side * i].at;

        if (along(f->across, at) > along(f->across, best))
            best = at;
    }
    return best;
}

/* How much wider or narrower a row's far half must be to end at the outline. */
static float
stretch_of(const far_side *f, const fsh_mesh_vertex *row, int side)
{
    fsh_point end = furthest(f, row, side);
    float middle = along(f->across, row[FSH_MESH_COLUMNS / 2].at), out = along(f->across, end);
    float wanted = outline_at(f, along(f->down, end)) + f->room;

    return out - middle < 1 ? 1 : fsh_clampf((wanted - middle) / (out - middle), 0.5f, 1.4f);
}

/* Heads differ from the generic one most where they are seen against what is behind them. There the
 * photograph knows better: the far half of the cloth is stretched to the outline of the face. */
void
fsh_drape_far_side(const fsh_head *head, const fsh_point *landmarks, fsh_mesh *mesh)
{
    int side = head->yaw > 0 ? 1 : -1, row, i;
    float c = cosf(head->roll / 57.3f), s = sinf(head->roll / 57.3f),
          turned = fsh_clampf((fabsf(head->yaw) - 6) / 10, 0, 1);
    far_side f = {{(float)side * c, (float)side * s},
                  {-s, c},
                  landmarks,
                  side > 0 ? 16 : 0,
                  -side,
                  1.5f * head->scale};

    for (row = 0; row < FSH_MESH_ROWS; row++) {
        fsh_mesh_vertex *middle = &mesh->vertices[row][FSH_MESH_COLUMNS / 2];
        float stretch = 1 + turned * (stretch_of(&f, mesh->vertices[row], side) - 1);

        for (i = 1; i <= FSH_MESH_COLUMNS / 2; i++) {
            fsh_point *at = &middle[side * i].at;
            float move = (stretch - 1) *
                         along(f.across, (fsh_point){at->x - middle->at.x, at->y - middle->at.y});

            *at = (fsh_point){at->x + move * f.across.x, at->y + move * f.across.y};
        }
    }
}

/* Where cloth begins in a column of the mesh, coming from above. */
static fsh_point
upper_edge(const fsh_template *template, const fsh_mesh *mesh, int column)
{
    enum { STEPS = 3, ROWS = FSH_MESH_ROWS / 2 };
    const fsh_mesh_vertex *a = &mesh->vertices[0][column], *b;
    fsh_sampler sampler;
    int i;

    fsh_sampler_set(&sampler, template,
                    fminf((float)template->finest + 1, (float)template->levels_n - 1));
    for (i = 0; i < STEPS * ROWS; i++) {
        float share = (float)(i % STEPS) / STEPS;

        a = &mesh->vertices[i / STEPS][column];
        b = &mesh->vertices[i / STEPS + 1][column];
        if (fsh_texel_alpha(fsh_sampler_take(&sampler, fsh_point_mix(a->from, b->from, share))) >=
            100 * 256)
            return fsh_point_mix(a->at, b->at, share);
    }
    return b->at;
}

/* How far cloth with this upper edge, given along the axes of the face, would come over a point,
 * px. */
static float
over_point(const fsh_point edge[FSH_MESH_COLUMNS], fsh_point p)
{
    int i;

    for (i = 0; i + 1 < FSH_MESH_COLUMNS; i++) {
        float width = edge[i + 1].x - edge[i].x;

        if (width > 0 && p.x >= edge[i].x && p.x <= edge[i + 1].x)
            return p.y - fsh_point_mix(edge[i], edge[i + 1], (p.x - edge[i].x) / width).y;
    }
    return 0;
}

/* Cloth moves by this at its upper edge, above it by more, and not at all from the tip of the nose
 * on. */
static void
pull_down(fsh_point down, float by, fsh_mesh *mesh)
{
    int row, i;

    for (row = 0; row < FSH_MESH_ROWS; row++) {
        float t = FSH_DRAPE_T_LOW +
                  (FSH_DRAPE_T_HIGH - FSH_DRAPE_T_LOW) * (float)row / (FSH_MESH_ROWS - 1);
        float move = by * fmaxf(1 - t, 0);

        for (i = 0; i < FSH_MESH_COLUMNS; i++) {
            fsh_point *at = &mesh->vertices[row][i].at;

            *at = (fsh_point){at->x + move * down.x, at->y + move * down.y};
        }
    }
}

void
fsh_drape_spare_eyes(const fsh_head *head, const fsh_point *landmarks, const fsh_template *template,
                     fsh_mesh *mesh)
{
    /* Corners and lower lids. */
    static const int lids[8] = {36, 41, 40, 39, 42, 47, 46, 45};
    float c = cosf(head->roll / 57.3f), s = sinf(head->roll / 57.3f), most = 0;
    fsh_point across = {c, s}, down = {-s, c}, edge[FSH_MESH_COLUMNS];
    int i;

    for (i = 0; i < FSH_MESH_COLUMNS; i++) {
        fsh_point at = upper_edge(template, mesh, i);

        edge[i] = (fsh_point){along(across, at), along(down, at)};
    }
    for (i = 0; i < 8; i++) {
        fsh_point lid = {along(across, landmarks[lids[i]]), along(down, landmarks[lids[i]])};

        most = fmaxf(most, over_point(edge, lid) + 3 * head->scale);
    }
    pull_down(down, fminf(most, 12 * head->scale), mesh);
}

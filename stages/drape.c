#include "stages/drape.h"

#include <math.h>

#include "stages/drape_parts.h"
#include "stages/layer_parts.h"
#include "stages/worn.h"

/* The mesh reaches beyond the outermost lines, because the outline of a template does. */
static const float s_end = 1.10f;

enum { TOP, NOSE, MOUTH, CHIN, LINES_N };

typedef struct rule {
    int middle[2];
    float share, middle_down, middle_forward, jaw, inset, side_down;
} rule;

#define PART(place) FSH_LANDMARKS_N + FSH_HEAD_##place
#define LINE(way, line, a, b, share, down, forward, jaw, inset, side_down)                         \
    [FSH_WORN_##way][line] = {{a, b}, share, down, forward, jaw, inset, side_down},
static const rule rules[FSH_WORN_N][LINES_N] = {
#include "stages/drape.def"
};
#undef LINE
#undef PART

/* How a line runs from its middle to its sides: depth falls as the p-th power of a circle, height
 * as a power. */
static const struct {
    float round, bow;
} shapes[LINES_N] = {{1.5f, 1.1f}, {1.5f, 1.4f}, {1.9f, 1.8f}, {2.2f, 2}};

/* One end or the middle of a line: in the head, in the template, and how far the landmarks of this
 * photograph lie from where the head has them. */
typedef struct knot {
    fsh_vec3 place;
    fsh_point from, off;
} knot;

typedef struct line {
    knot middle, side[2];
} line;

static fsh_vec3
mix3(fsh_vec3 a, fsh_vec3 b, float share)
{
    return fsh_vec3_add(a, fsh_vec3_scale(fsh_vec3_sub(b, a), share));
}

static fsh_vec3
head_point(const fsh_head *head, int i)
{
    return i < FSH_LANDMARKS_N ? head->points[i]
                               : fsh_head_part(head, (fsh_head_place)(i - FSH_LANDMARKS_N));
}

/* What the photograph says against the head at a point; of places without a landmark the chin knows
 * best. */
static fsh_point
off_at(const fsh_head *head, const fsh_point *landmarks, int i)
{
    int seen = i < FSH_LANDMARKS_N ? i : 8;
    fsh_point own = fsh_head_see(head, head->points[seen]);

    return (fsh_point){landmarks[seen].x - own.x, landmarks[seen].y - own.y};
}

static knot
middle_knot(const fsh_head *head, const fsh_point *landmarks, const rule *r)
{
    knot k = {.place =
                  mix3(head_point(head, r->middle[0]), head_point(head, r->middle[1]), r->share)};

    k.place = fsh_vec3_add(k.place, (fsh_vec3){0, r->middle_down, r->middle_forward});
    k.off = fsh_point_mix(off_at(head, landmarks, r->middle[0]),
                          off_at(head, landmarks, r->middle[1]), r->share);
    return k;
}

/* Cloth ends before the jaw line: nearer to the middle, and further to the front as a cheek is
 * round. What the photograph says of the jaw counts where this side is seen; on the far side
 * landmarks are the outline's. */
static knot
side_knot(const fsh_head *head, const fsh_point *landmarks, const rule *r, fsh_vec3 front,
          int right)
{
    int step = right ? -1 : 1, upper = (right ? 16 : 0) + step * (int)r->jaw;
    float share = r->jaw - floorf(r->jaw),
          forward = sqrtf(fmaxf(1 - (1 - r->inset) * (1 - r->inset), 0));
    float away = (right ? 1 : -1) * sinf(head->yaw / 57.3f),
          seen = fsh_clampf(1 - away / 0.3f, 0, 1);
    fsh_vec3 jaw = mix3(head->points[upper], head->points[upper + step], share);
    fsh_point off =
        fsh_point_mix(off_at(head, landmarks, upper), off_at(head, landmarks, upper + step), share);
    knot k = {.place = mix3(jaw, front, r->inset)};

    k.place.y = jaw.y + r->side_down;
    k.place.z = jaw.z + forward * (front.z - jaw.z);
    k.off = (fsh_point){seen * off.x, seen * off.y};
    return k;
}

static void
make_lines(const fsh_head *head, const fsh_point *landmarks, fsh_mask_worn worn,
           const fsh_template *template, float rise, line lines[LINES_N])
{
    static const int middles[LINES_N] = {FSH_MASK_BRIDGE, FSH_MASK_NOSE, FSH_MASK_MOUTH,
                                         FSH_MASK_CHIN};
    static const int sides[LINES_N] = {FSH_MASK_LEFT_CHEEK, FSH_MASK_LEFT_CHEEK, FSH_MASK_LEFT_SIDE,
                                       FSH_MASK_LEFT_JAW};
    const fsh_point *at = template->anchors;
    int i, right;

    for (i = 0; i < LINES_N; i++) {
        lines[i].middle = middle_knot(head, landmarks, &rules[worn][i]);
        lines[i].middle.from = at[middles[i]];
        for (right = 0; right < 2; right++) {
            lines[i].side[right] =
                side_knot(head, landmarks, &rules[worn][i], lines[i].middle.place, right);
            lines[i].side[right].from = at[sides[i] + right];
        }
    }
    /* The ridge of the nose comes forward as it goes down. */
    lines[TOP].middle.place =
        fsh_vec3_add(lines[TOP].middle.place, (fsh_vec3){0, rise, 0.45f * rise});
    for (right = 0; right < 2; right++)
        lines[NOSE].side[right].from =
            fsh_point_mix(at[FSH_MASK_LEFT_CHEEK + right], at[FSH_MASK_LEFT_SIDE + right], 0.5f);
}

/* A place of a line: s from -1 to 1 and a little beyond, where cloth runs straight back. */
static knot
along_line(const line *l, int i, float s)
{
    const knot *side = &l->side[s > 0], *middle = &l->middle;
    float a = fabsf(s), round = shapes[i].round, bow = powf(a, shapes[i].bow);
    float depth = a < 1 ? powf(1 - powf(a, round), 1 / round) : 1 - a;
    knot k;

    k.place.x = middle->place.x + a * (side->place.x - middle->place.x);
    k.place.y = middle->place.y + bow * (side->place.y - middle->place.y);
    k.place.z = side->place.z + depth * (middle->place.z - side->place.z);
    k.from.x = middle->from.x + a * (side->from.x - middle->from.x);
    k.from.y = middle->from.y + bow * (side->from.y - middle->from.y);
    k.off = fsh_point_mix(middle->off, side->off, fminf(a, 1));
    return k;
}

/* Weights of the four lines at t: a Catmull-Rom curve through them that goes on straight beyond its
 * ends. */
static void
line_weights(float t, float w[LINES_N])
{
    int first = fsh_clampi((int32_t)floorf(t), 0, LINES_N - 2), i;
    float u = t - (float)first, b[4];

    for (i = 0; i < LINES_N; i++)
        w[i] = 0;
    if (u < 0 || u > 1) {
        w[first] = 1 - u;
        w[first + 1] = u;
        return;
    }
    b[0] = 0.5f * (-u + 2 * u * u - u * u * u);
    b[1] = 0.5f * (2 - 5 * u * u + 3 * u * u * u);
    b[2] = 0.5f * (u + 4 * u * u - 3 * u * u * u);
    b[3] = 0.5f * (-u * u + u * u * u);
    for (i = 0; i < 4; i++) /* a line beyond an end lies as far out as the next one lies in */
        if (first + i - 1 < 0) {
            w[0] += 2 * b[i];
            w[1] -= b[i];
        } else if (first + i - 1 >= LINES_N) {
            w[LINES_N - 1] += 2 * b[i];
            w[LINES_N - 2] -= b[i];
        } else
            w[first + i - 1] += b[i];
}

static knot
blend(const knot k[LINES_N], const float w[LINES_N])
{
    knot sum = {{0, 0, 0}, {0, 0}, {0, 0}};
    int i;

    for (i = 0; i < LINES_N; i++) {
        sum.place = fsh_vec3_add(sum.place, fsh_vec3_scale(k[i].place, w[i]));
        sum.from = (fsh_point){sum.from.x + w[i] * k[i].from.x, sum.from.y + w[i] * k[i].from.y};
        sum.off = (fsh_point){sum.off.x + w[i] * k[i].off.x, sum.off.y + w[i] * k[i].off.y};
    }
    return sum;
}

/* Brightness of a crease that runs down the cloth: a bright ridge beside a dark valley. */
static float
crease(const fsh_drape_taste *taste, float s, float t)
{
    float d = (s - taste->fold[0] - taste->fold[1] * (t / 3 - 0.5f)) / 0.16f;

    return 1 + taste->fold[2] * d * expf(-d * d) * fsh_clampf(t, 0, 1);
}

static float
s_of(int column)
{
    return s_end * (2.0f * (float)column / (FSH_MESH_COLUMNS - 1) - 1);
}

static float
t_of(int row)
{
    return FSH_DRAPE_T_LOW +
           (FSH_DRAPE_T_HIGH - FSH_DRAPE_T_LOW) * (float)row / (FSH_MESH_ROWS - 1);
}

/* The taste moves the cloth in the plane of the face, about the mouth. */
static fsh_vec3
to_taste(const fsh_drape_taste *taste, fsh_vec3 centre, fsh_vec3 p)
{
    float x = taste->scale * (p.x - centre.x), y = taste->scale * (p.y - centre.y);
    float c = cosf(taste->tilt), s = sinf(taste->tilt);

    return (fsh_vec3){centre.x + c * x - s * y + taste->shift.x,
                      centre.y + s * x + c * y + taste->shift.y, p.z};
}

static void
set_vertex(const fsh_head *head, const fsh_drape_taste *taste, const fsh_light *light,
           fsh_vec3 centre, const knot *k, float bright, fsh_mesh_vertex *vertex)
{
    int c;

    vertex->at = fsh_head_see(head, to_taste(taste, centre, k->place));
    vertex->at.x += k->off.x;
    vertex->at.y += k->off.y;
    vertex->from = k->from;
    fsh_light_at(light, vertex->at, vertex->gain);
    for (c = 0; c < 3; c++)
        vertex->gain[c] *= bright;
}

void
fsh_drape(const fsh_head *head, const fsh_point landmarks[FSH_LANDMARKS_N], fsh_mask_worn worn,
          const fsh_template *template, const fsh_drape_taste *taste, const fsh_light *light,
          fsh_mesh *mesh)
{
    line lines[LINES_N];
    int row, column, i;

    make_lines(head, landmarks, worn, template, taste->rise, lines);
    for (column = 0; column < FSH_MESH_COLUMNS; column++) {
        knot across[LINES_N];

        for (i = 0; i < LINES_N; i++)
            across[i] = along_line(&lines[i], i, s_of(column));
        for (row = 0; row < FSH_MESH_ROWS; row++) {
            float w[LINES_N], bright = crease(taste, s_of(column), t_of(row));
            knot k;

            line_weights(t_of(row), w);
            k = blend(across, w);
            set_vertex(head, taste, light, lines[MOUTH].middle.place, &k, bright,
                       &mesh->vertices[row][column]);
        }
    }
    if (worn != FSH_WORN_UNDER_CHIN)
        fsh_drape_far_side(head, landmarks, mesh);
    if (worn == FSH_WORN_RIGHT)
        fsh_drape_spare_eyes(head, landmarks, template, mesh);
    mesh->left_is_near = head->yaw > 0;
    mesh->saturation = light->saturation;
}

fsh_point
fsh_drape_at(const fsh_mesh *mesh, float s, float t)
{
    float x = (s / s_end + 1) / 2 * (FSH_MESH_COLUMNS - 1),
          y = (3 * t - FSH_DRAPE_T_LOW) / (FSH_DRAPE_T_HIGH - FSH_DRAPE_T_LOW) *
              (FSH_MESH_ROWS - 1);
    int column = fsh_clampi((int32_t)x, 0, FSH_MESH_COLUMNS - 2),
        row = fsh_clampi((int32_t)y, 0, FSH_MESH_ROWS - 2);
    const fsh_mesh_vertex *a = &mesh->vertices[row][column], *b = &mesh->vertices[row + 1][column];

    return fsh_point_mix(fsh_point_mix(a[0].at, a[1].at, x - (float)column),
                         fsh_point_mix(b[0].at, b[1].at, x - (float)column), y - (float)row);
}

#include "stages/head.h"

#include <string.h>

#include "stages/wide.h"

enum {
    POSE = 6, /* turns about x, y, z; scale; shift */
    UNKNOWNS = POSE + FSH_HEAD_MODES,
    WIDTH = 16, /* UNKNOWNS and the residual, filled up */
    ROWS = 2 * FSH_LANDMARKS_N,
    ROUNDS = 5,
    EYES_MM = 63
};

/* How far landmarks of a face that the model can be are from it, and how firmly the modes are held.
 */
static const float noise_mm = 1.6f;

typedef struct solid {
    float at[3], modes[FSH_HEAD_MODES][3]; /* mm; modes in tenths */
} solid;

#define LANDMARK(x, y, z, ...) {{x, y, z}, MODES(__VA_ARGS__)},
#define MODES(...)             PACK(__VA_ARGS__)
#define PACK(a0, a1, a2, b0, b1, b2, c0, c1, c2, d0, d1, d2, e0, e1, e2, f0, f1, f2, g0, g1, g2,   \
             h0, h1, h2)                                                                           \
    {                                                                                              \
        {a0, a1, a2}, {b0, b1, b2}, {c0, c1, c2}, {d0, d1, d2}, {e0, e1, e2}, {f0, f1, f2},        \
            {g0, g1, g2},                                                                          \
        {                                                                                          \
            h0, h1, h2                                                                             \
        }                                                                                          \
    }

static const solid face[FSH_LANDMARKS_N] = {
#include "stages/head_shape.def"
};
#undef LANDMARK

#define PLACE(name, x, y, z, nx, ny, nz, ...) [FSH_HEAD_##name] = {{x, y, z}, MODES(__VA_ARGS__)},
static const solid places[FSH_HEAD_PLACES] = {
#include "stages/head_shape.def"
};
#undef PLACE

#define PLACE(name, x, y, z, nx, ny, nz, ...) [FSH_HEAD_##name] = {nx, ny, nz},
static const fsh_vec3 normals[FSH_HEAD_PLACES] = {
#include "stages/head_shape.def"
};
#undef PLACE

static fsh_vec3
shaped(const solid *place, const float shape[FSH_HEAD_MODES])
{
    float at[3] = {10 * place->at[0], 10 * place->at[1], 10 * place->at[2]};
    int k, c;

    for (k = 0; k < FSH_HEAD_MODES; k++)
        for (c = 0; c < 3; c++)
            at[c] += shape[k] * place->modes[k][c];
    return (fsh_vec3){0.1f * at[0], 0.1f * at[1], 0.1f * at[2]};
}

fsh_vec3
fsh_head_part(const fsh_head *head, fsh_head_place place)
{
    return shaped(&places[place], head->shape);
}

fsh_vec3
fsh_head_part_normal(fsh_head_place place)
{
    return normals[place];
}

static fsh_vec3
turned(const float turn[3][3], fsh_vec3 v)
{
    return (fsh_vec3){turn[0][0] * v.x + turn[0][1] * v.y + turn[0][2] * v.z,
                      turn[1][0] * v.x + turn[1][1] * v.y + turn[1][2] * v.z,
                      turn[2][0] * v.x + turn[2][1] * v.y + turn[2][2] * v.z};
}

fsh_vec3
fsh_head_see_deep(const fsh_head *head, fsh_vec3 place)
{
    fsh_vec3 p = fsh_vec3_scale(turned(head->turn, place), head->scale);

    return (fsh_vec3){head->centre.x + head->wide * p.x, head->centre.y + p.y / head->wide, p.z};
}

fsh_point
fsh_head_see(const fsh_head *head, fsh_vec3 place)
{
    fsh_vec3 p = fsh_head_see_deep(head, place);

    return (fsh_point){p.x, p.y};
}

float
fsh_head_facing(const fsh_head *head, fsh_vec3 direction)
{
    return turned(head->turn, direction).z;
}

static const float degree = 0.017453293f;

/* First yaw, then pitch, then roll. */
void
fsh_head_turn(fsh_head *head, float yaw, float pitch, float roll)
{
    float sy = sinf(degree * yaw), cy = cosf(degree * yaw), sp = sinf(degree * pitch),
          cp = cosf(degree * pitch);
    float sr = sinf(degree * roll), cr = cosf(degree * roll);
    const float x[3] = {cy, 0, sy}, y[3] = {sp * sy, cp, -sp * cy}, z[3] = {-cp * sy, sp, cp * cy};
    int c;

    for (c = 0; c < 3; c++) {
        head->turn[0][c] = cr * x[c] - sr * y[c];
        head->turn[1][c] = sr * x[c] + cr * y[c];
        head->turn[2][c] = z[c];
    }
    head->yaw = yaw;
    head->pitch = pitch;
    head->roll = roll;
}

static void
read_angles(fsh_head *head)
{
    head->yaw = atan2f(-head->turn[2][0], head->turn[2][2]) / degree;
    head->pitch = asinf(fsh_clampf(head->turn[2][1], -1, 1)) / degree;
    head->roll = atan2f(-head->turn[0][1], head->turn[1][1]) / degree;
}

/* ---- where to begin ---- */

static float
distance(fsh_point a, fsh_point b)
{
    return hypotf(a.x - b.x, a.y - b.y);
}

/* A guess from the distances of eyes and mouth and the place of the nose between; false where that
 * is no face. */
static bool
guess(const fsh_point *p, fsh_head *head)
{
    fsh_point left = fsh_points_mean(p + 36, 6), right = fsh_points_mean(p + 42, 6),
              mouth = fsh_points_mean(p + 48, 20);
    fsh_point middle = {(left.x + right.x) / 2, (left.y + right.y) / 2};
    float apart = distance(left, right), down = distance(middle, mouth);
    float size = fmaxf(apart / EYES_MM, down / 58), across, sine;

    memset(head, 0, sizeof *head);
    if (!(isfinite(size) && apart > 1 && down > 1 && size < 1e4f))
        return false;
    across =
        ((p[30].x - middle.x) * (right.x - left.x) + (p[30].y - middle.y) * (right.y - left.y)) /
        apart;
    sine = fsh_clampf(across / (37 * size), -0.8f, 0.8f);
    fsh_head_turn(head, asinf(sine) / degree, 0,
                  atan2f(right.y - left.y, right.x - left.x) / degree);
    head->scale = size;
    head->wide = 1;
    head->centre = middle;
    return true;
}

/* ---- Gauss-Newton ---- */

/* Weight of a landmark: those of the jaw's far side are the outline, another place of the cheek at
 * every turn, and those of the near side are found roughly. */
static float
weight_of(int point, float yaw)
{
    float far = fsh_clampf((fabsf(yaw) - 4) / 10, 0, 1);

    if (point > 16)
        return 1;
    if (point > 6 && point < 10)
        return 0.5f;
    return 0.3f * ((point < 8) == (yaw < 0) ? 1 - 0.95f * far : 1);
}

/* How a landmark is seen when each unknown grows by one, in x and y, and what is left, last. */
static void
set_rows(const fsh_head *head, const solid *place, fsh_vec3 at, fsh_point landmark, float weight,
         float rows[2][WIDTH])
{
    fsh_vec3 v = turned(head->turn, at);
    float s = weight * head->scale, deep = 0.1f * s;
    const float turns[2][4] = {{0, s * v.z, -s * v.y, weight * v.x},
                               {-s * v.z, 0, s * v.x, weight * v.y}};
    const float rest[2] = {landmark.x - head->centre.x, landmark.y - head->centre.y};
    int c, k;

    for (c = 0; c < 2; c++) {
        memcpy(rows[c], turns[c], sizeof turns[c]);
        rows[c][4] = c == 0 ? weight : 0;
        rows[c][5] = c == 1 ? weight : 0;
        for (k = 0; k < FSH_HEAD_MODES; k++)
            rows[c][POSE + k] = deep * (head->turn[c][0] * place->modes[k][0] +
                                        head->turn[c][1] * place->modes[k][1] +
                                        head->turn[c][2] * place->modes[k][2]);
        rows[c][UNKNOWNS] = weight * rest[c] - s * (c ? v.y : v.x);
        rows[c][UNKNOWNS + 1] = 0;
    }
}

/* Sums of the products of all rows, an unknown at a time, so that a sum stays in registers. */
WIDE static void
sum_products(float rows[ROWS][WIDTH], float sums[UNKNOWNS][WIDTH])
{
    int i, j, k;

    for (i = 0; i < UNKNOWNS; i++) {
        float own[WIDTH] = {0};

        for (k = 0; k < ROWS; k++)
            for (j = 0; j < WIDTH; j++)
                own[j] += rows[k][i] * rows[k][j];
        memcpy(sums[i], own, sizeof own);
    }
}

static void
add_landmarks(const fsh_head *head, const fsh_point *landmarks, float sums[UNKNOWNS][WIDTH])
{
    float rows[ROWS][WIDTH];
    int i;

    for (i = 0; i < FSH_LANDMARKS_N; i++)
        set_rows(head, &face[i], head->points[i], landmarks[i], sqrtf(weight_of(i, head->yaw)),
                 rows + 2 * i);
    sum_products(rows, sums);
}

/* Cholesky's factors in place, the solution into column UNKNOWNS. The modes' prior makes sums
 * positive. */
static void
solve(float sums[UNKNOWNS][WIDTH], float step[UNKNOWNS])
{
    int i, j, k;

    for (i = 0; i < UNKNOWNS; i++) {
        float pivot = fmaxf(sums[i][i], 1e-12f);

        for (j = i + 1; j < UNKNOWNS; j++) {
            float share =
                sums[i][j] / pivot; /* symmetric: the row's own elements serve as the column's */

            for (k = j; k <= UNKNOWNS; k++)
                sums[j][k] -= share * sums[i][k];
        }
    }
    for (i = UNKNOWNS - 1; i >= 0; i--) {
        step[i] = sums[i][UNKNOWNS];
        for (j = i + 1; j < UNKNOWNS; j++)
            step[i] -= sums[i][j] * step[j];
        step[i] /= fmaxf(sums[i][i], 1e-12f);
    }
}

/* Turns the head further by small turns about the picture's axes. */
static void
turn_further(fsh_head *head, const float by[3])
{
    fsh_vec3 axis = {by[0], by[1], by[2]};
    float angle = sqrtf(fsh_vec3_dot(axis, axis)), sine, cosine;
    int c;

    if (angle < 1e-9f)
        return;
    axis = fsh_vec3_scale(axis, 1 / angle);
    angle = fminf(angle, 0.5f);
    sine = sinf(angle);
    cosine = cosf(angle);
    for (c = 0; c < 3; c++) {
        fsh_vec3 v = {head->turn[0][c], head->turn[1][c], head->turn[2][c]};
        fsh_vec3 side = fsh_vec3_cross(axis, v);
        fsh_vec3 out =
            fsh_vec3_add(fsh_vec3_add(fsh_vec3_scale(v, cosine), fsh_vec3_scale(side, sine)),
                         fsh_vec3_scale(axis, fsh_vec3_dot(axis, v) * (1 - cosine)));

        head->turn[0][c] = out.x;
        head->turn[1][c] = out.y;
        head->turn[2][c] = out.z;
    }
    read_angles(head);
}

void
fsh_head_shape(fsh_head *head)
{
    int i;

    for (i = 0; i < FSH_LANDMARKS_N; i++)
        head->points[i] = shaped(&face[i], head->shape);
}

static void
improve(const fsh_point *landmarks, fsh_head *head)
{
    float sums[UNKNOWNS][WIDTH] = {{0}}, step[UNKNOWNS];
    float prior = noise_mm * head->scale * noise_mm * head->scale;
    int k;

    add_landmarks(head, landmarks, sums);
    for (k = 0; k < FSH_HEAD_MODES; k++) {
        sums[POSE + k][POSE + k] += prior;
        sums[POSE + k][UNKNOWNS] -= prior * head->shape[k];
    }
    solve(sums, step);
    turn_further(head, step);
    head->scale = fmaxf(head->scale + step[3], 0.3f * head->scale);
    head->centre.x += step[4];
    head->centre.y += step[5];
    for (k = 0; k < FSH_HEAD_MODES; k++)
        head->shape[k] = fsh_clampf(head->shape[k] + step[POSE + k], -3.5f, 3.5f);
    fsh_head_shape(head);
}

static float
measure_residual(const fsh_point *landmarks, const fsh_head *head)
{
    float sum = 0, weights = 0;
    int i;

    for (i = 0; i < FSH_LANDMARKS_N; i++) {
        float away = distance(landmarks[i], fsh_head_see(head, head->points[i])),
              weight = weight_of(i, head->yaw);

        sum += weight * away * away;
        weights += weight;
    }
    return sqrtf(sum / weights) / (head->scale * EYES_MM);
}

/* Fits to landmarks of a picture that is not stretched. */
static fsh_reason
fit(const fsh_point landmarks[FSH_LANDMARKS_N], fsh_head *head)
{
    int i;

    if (!guess(landmarks, head))
        return FSH_REASON_BAD_LANDMARKS;
    fsh_head_shape(head);
    for (i = 0; i < ROUNDS; i++)
        improve(landmarks, head);
    head->residual = measure_residual(landmarks, head);
    /* Written so that what is not a number is refused. */
    return head->residual <= FSH_HEAD_RESIDUAL_MAX ? FSH_REASON_NONE : FSH_REASON_BAD_LANDMARKS;
}

fsh_reason
fsh_head_fit(const fsh_point landmarks[FSH_LANDMARKS_N], float stretch, fsh_head *head)
{
    float wide = sqrtf(fsh_clampf(stretch, 0.25f, 4));
    fsh_point even[FSH_LANDMARKS_N];
    fsh_reason reason;
    int i;

    for (i = 0; i < FSH_LANDMARKS_N; i++)
        even[i] = (fsh_point){landmarks[i].x / wide, landmarks[i].y * wide};
    reason = fit(even, head);
    head->wide = wide;
    head->centre = (fsh_point){head->centre.x * wide, head->centre.y / wide};
    return reason;
}

/* align keeps proportions, a crop is laid on to a square. */
fsh_reason
fsh_head_fit_canvas(const fsh_canvas *canvas, fsh_head *head)
{
    const fsh_face *facts = canvas->face;
    float stretch = 1;

    if (!canvas->has_landmarks)
        return FSH_REASON_BAD_LANDMARKS;
    if (facts && !facts->aligned && facts->crop.width > 0 && facts->crop.height > 0)
        stretch = (float)facts->crop.height / (float)facts->crop.width;
    return fsh_head_fit(canvas->landmarks, stretch, head);
}

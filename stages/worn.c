#include "stages/worn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/press.h"

/* A cut can turn n corners into at most 3 n / 2: four cuts make 81 of 16. */
enum { CORNERS_MAX = 96 };

void
fsh_wardrobe_close(void *self)
{
    fsh_wardrobe *wardrobe = self;
    uint32_t i;

    if (!wardrobe)
        return;
    for (i = 0; i < wardrobe->threads; i++)
        fsh_layer_fini(&wardrobe->layers[i]);
    free(wardrobe->layers);
    fsh_templates_close(wardrobe->templates);
    free(wardrobe);
}

static fsh_status
make_layers(fsh_wardrobe *wardrobe, const fsh_stage_env *env)
{
    fsh_status status = FSH_OK;

    wardrobe->layers = calloc(env->threads, sizeof *wardrobe->layers);
    if (!wardrobe->layers)
        return FSH_MEMORY;
    while (!status && wardrobe->threads < env->threads)
        status = fsh_layer_init(&wardrobe->layers[wardrobe->threads++], (int32_t)env->size);
    return status;
}

fsh_status
fsh_wardrobe_open(const fsh_stage_env *env, const fsh_template_kind *kind, const char *name,
                  void **wardrobe, fsh_err *err)
{
    fsh_wardrobe *made = calloc(1, sizeof *made);
    fsh_status status;

    if (made)
        made->kind = kind;
    if (!made || make_layers(made, env))
        status = fsh_fail(err, FSH_MEMORY, "%s: out of memory", kind->folder);
    else
        status = fsh_templates_open(env->templates, kind, env->size, &made->templates, err);
    if (!status)
        status = fsh_templates_check(made->templates, name, err);
    if (status)
        fsh_wardrobe_close(made);
    else
        *wardrobe = made;
    return status;
}

void
fsh_wardrobe_note(const fsh_wardrobe *wardrobe, const fsh_template *template, const char *way, fsh_canvas *canvas)
{
    size_t used = strlen(canvas->worn);

    snprintf(canvas->worn + used, sizeof canvas->worn - used, "%s%s/%s%s%s", used ? "+" : "",
             wardrobe->kind->folder, template->name, way[0] ? ":" : "", way);
}

void
fsh_wardrobe_press(fsh_canvas *canvas, const fsh_layer *layer, float strength)
{
    if (canvas->press)
        fsh_press_layer(canvas->press, strength, layer, &canvas->image);
}

float
fsh_pose_along(fsh_point axis, fsh_point origin, fsh_point point)
{
    return (point.x - origin.x) * axis.x + (point.y - origin.y) * axis.y;
}

fsh_point
fsh_pose_point(const fsh_pose *pose, fsh_point origin, float across, float down)
{
    return (fsh_point){origin.x + across * pose->across.x + down * pose->down.x,
                       origin.y + across * pose->across.y + down * pose->down.y};
}

static bool
all_finite(const fsh_canvas *canvas)
{
    float reach = 8 * (float)canvas->image.width;
    uint32_t i;

    for (i = 0; i < FSH_LANDMARKS_N; i++)
        if (!(fabsf(canvas->landmarks[i].x) < reach && fabsf(canvas->landmarks[i].y) < reach))
            return false;
    return true;
}

/* Where the tip of the nose stands between the sides of the jaw at its level. */
static float
measure_turn(const fsh_pose *pose, const fsh_point *p)
{
    float left = fsh_pose_along(pose->across, p[2], p[30]), right = fsh_pose_along(pose->across, p[30], p[14]);

    return fsh_clampf((left - right) / fmaxf(left + right, 1), -1, 1);
}

fsh_reason
fsh_pose_measure(const fsh_canvas *canvas, fsh_pose *pose)
{
    const fsh_point *p = canvas->landmarks;
    fsh_point middle;
    float mouth;

    if (!canvas->has_landmarks || !all_finite(canvas))
        return FSH_REASON_BAD_LANDMARKS;
    pose->eyes[0] = fsh_points_mean(p + 36, 6);
    pose->eyes[1] = fsh_points_mean(p + 42, 6);
    pose->eye_distance = hypotf(pose->eyes[1].x - pose->eyes[0].x, pose->eyes[1].y - pose->eyes[0].y);
    if (!(pose->eye_distance >= 4))
        return FSH_REASON_BAD_LANDMARKS;
    pose->across.x = (pose->eyes[1].x - pose->eyes[0].x) / pose->eye_distance;
    pose->across.y = (pose->eyes[1].y - pose->eyes[0].y) / pose->eye_distance;
    pose->down = (fsh_point){-pose->across.y, pose->across.x};
    middle = fsh_point_mix(pose->eyes[0], pose->eyes[1], 0.5f);
    mouth = fsh_pose_along(pose->down, middle, fsh_points_mean(p + 48, 20));
    pose->height = fsh_pose_along(pose->down, middle, p[8]);
    if (!(mouth >= 0.35f * pose->eye_distance && pose->height > 1.1f * mouth && pose->height >= 8))
        return FSH_REASON_BAD_LANDMARKS;
    if (!(fsh_pose_along(pose->across, p[2], p[14]) > 0.8f * pose->eye_distance))
        return FSH_REASON_BAD_LANDMARKS;
    pose->turn = measure_turn(pose, p);
    return FSH_REASON_NONE;
}

/* An edge blurred by a Gaussian of width s has a sum of second differences that is 0.8 / s of its sum of
 * first differences (2 max f' = 2 / (s sqrt(2 pi)) for a step of 1). */
float
fsh_blur_measure(const fsh_canvas *canvas, uint32_t first, uint32_t last)
{
    fsh_box box = fsh_points_bounds(canvas->landmarks + first, last - first + 1, 1);
    int32_t size = canvas->image.width, x, y;
    int32_t right = fsh_clampi(box.x + box.width, 0, size - 1), bottom = fsh_clampi(box.y + box.height, 0, size);
    float slopes = 1, bends = 1;

    for (y = fsh_clampi(box.y, 0, size); y < bottom; y++)
        for (x = fsh_clampi(box.x, 1, size); x < right; x++) {
            int before = fsh_image_at(&canvas->image, x - 1, y)[1], here = fsh_image_at(&canvas->image, x, y)[1];
            int after = fsh_image_at(&canvas->image, x + 1, y)[1];

            slopes += fabsf((float)(after - before)) / 2;
            bends += fabsf((float)(after - 2 * here + before));
        }
    return fsh_clampf(log2f(0.8f * slopes / bends / 0.7f), 0, 2);
}

/* White noise of deviation s differs from the mean of its four neighbours by 0.89 s on average; what is seen of a
 * cheek's own shape in that is little. */
float
fsh_grain_measure(const fsh_canvas *canvas, const fsh_pose *pose)
{
    const fsh_point *p = canvas->landmarks;
    int32_t size = canvas->image.width, radius = (int32_t)(0.08f * pose->height), x, y, side;
    float sum = 0, n = 0;

    for (side = 0; side < 2; side++) {
        fsh_point at = fsh_point_mix(p[side ? 46 : 41], p[side ? 35 : 31], 0.45f);
        int32_t cx = fsh_clampi((int32_t)at.x, 1, size - 2), cy = fsh_clampi((int32_t)at.y, 1, size - 2);

        for (y = fsh_clampi(cy - radius, 1, size - 1); y <= cy + radius && y < size - 1; y++)
            for (x = fsh_clampi(cx - radius, 1, size - 1); x <= cx + radius && x < size - 1; x++) {
                int around = fsh_image_at(&canvas->image, x - 1, y)[1] + fsh_image_at(&canvas->image, x + 1, y)[1] +
                             fsh_image_at(&canvas->image, x, y - 1)[1] + fsh_image_at(&canvas->image, x, y + 1)[1];

                sum += fminf(fabsf((float)fsh_image_at(&canvas->image, x, y)[1] - (float)around / 4), 8);
                n += 1;
            }
    }
    return fsh_clampf(sum / fmaxf(n, 1) / 0.89f, 0, 6);
}

/* Whether a pixel can be skin of this colour in more or less light. */
static bool
is_like_skin(const fsh_image *image, fsh_point at, const float skin[3])
{
    const uint8_t *pixel = fsh_image_at(image, fsh_clampi((int32_t)lroundf(at.x), 0, image->width - 1),
                                        fsh_clampi((int32_t)lroundf(at.y), 0, image->height - 1));
    float own[3] = {pixel[0], pixel[1], pixel[2]}, ratio = fmaxf(fsh_luma(own), 1) / fmaxf(fsh_luma(skin), 1), hue = 0;
    int c;

    for (c = 0; c < 3; c++)
        hue = fmaxf(hue, fabsf(own[c] / ratio - skin[c]) / fmaxf(fsh_luma(skin), 1));
    return ratio > 0.5f && ratio < 1.6f && hue < 0.25f;
}

/* How much pixels around a place differ from their neighbours: hair does, skin does little. */
static float
roughness(const fsh_image *image, fsh_point at)
{
    enum { RADIUS = 2, N = (2 * RADIUS + 1) * (2 * RADIUS + 1) };
    int32_t cx = fsh_clampi((int32_t)lroundf(at.x), RADIUS + 1, image->width - RADIUS - 2);
    int32_t cy = fsh_clampi((int32_t)lroundf(at.y), RADIUS + 1, image->height - RADIUS - 2);
    int sum = 0, x, y;

    for (y = cy - RADIUS; y <= cy + RADIUS; y++)
        for (x = cx - RADIUS; x <= cx + RADIUS; x++)
            sum += abs(4 * fsh_image_at(image, x, y)[1] - fsh_image_at(image, x - 1, y)[1] -
                       fsh_image_at(image, x + 1, y)[1] - fsh_image_at(image, x, y - 1)[1] -
                       fsh_image_at(image, x, y + 1)[1]);
    return (float)sum / (4 * N);
}

bool
fsh_curve_cut_to_skin(fsh_curve *curve, const fsh_canvas *canvas, const fsh_pose *pose, bool right)
{
    enum { PARTS = 16 };
    /* Fair hair has the colour of skin, but is rougher than a cheek. */
    float skin[3], t = 1, rough = 3 + 2.2f * fsh_grain_measure(canvas, pose);
    int i, strange = 0;

    if (canvas->image.width < 16 || !fsh_skin_measure(canvas, pose, right, skin))
        return false;
    for (i = 1; i <= PARTS && strange < 2; i++) {
        fsh_point at = fsh_curve_at(curve, (float)i / PARTS);

        strange = is_like_skin(&canvas->image, at, skin) && roughness(&canvas->image, at) < rough
                      ? 0
                      : strange + 1;
        t = (float)(i - strange) / PARTS;
    }
    if (strange) {
        curve->last = fsh_curve_at(curve, t);
        curve->middle = fsh_point_mix(curve->first, curve->middle, t);
        curve->alpha[1] = 0;
    }
    return hypotf(curve->last.x - curve->first.x, curve->last.y - curve->first.y) > 0.03f * pose->height;
}

fsh_box
fsh_points_bounds(const fsh_point *points, uint32_t n, float margin)
{
    fsh_point low = points[0], high = points[0];
    uint32_t i;

    for (i = 1; i < n; i++) {
        low = (fsh_point){fminf(low.x, points[i].x), fminf(low.y, points[i].y)};
        high = (fsh_point){fmaxf(high.x, points[i].x), fmaxf(high.y, points[i].y)};
    }
    low = (fsh_point){floorf(low.x - margin), floorf(low.y - margin)};
    return (fsh_box){(int32_t)low.x, (int32_t)low.y, (int32_t)ceilf(high.x + margin - low.x) + 1,
                     (int32_t)ceilf(high.y + margin - low.y) + 1};
}

static float
area_of(const fsh_point *points, uint32_t n)
{
    float twice = 0;
    uint32_t i;

    for (i = 0; i < n; i++) {
        const fsh_point *a = &points[i], *b = &points[(i + 1) % n];

        twice += a->x * b->y - a->y * b->x;
    }
    return fabsf(twice) / 2;
}

/* How far a point is inside of one of the four sides of the picture. */
static float
inside_by(fsh_point point, int side, float size)
{
    float value = side & 1 ? point.y : point.x;

    return side & 2 ? size - 0.5f - value : value + 0.5f;
}

/* Cuts the polygon off at one side (Sutherland and Hodgman, "Reentrant polygon clipping", CACM 1974). */
static uint32_t
clip_side(const fsh_point *from, uint32_t n, int side, float size, fsh_point *to)
{
    uint32_t i, made = 0;

    for (i = 0; i < n; i++) {
        fsh_point a = from[i], b = from[(i + 1) % n];
        float in_a = inside_by(a, side, size), in_b = inside_by(b, side, size);

        if (in_a >= 0)
            to[made++] = a;
        if ((in_a >= 0) != (in_b >= 0))
            to[made++] = fsh_point_mix(a, b, in_a / (in_a - in_b));
    }
    return made;
}

float
fsh_polygon_outside(const fsh_point *points, uint32_t n, int32_t size)
{
    fsh_point kept[2][CORNERS_MAX];
    float whole = area_of(points, n);
    int side;

    memcpy(kept[0], points, n * sizeof *points);
    for (side = 0; side < 4; side++)
        n = clip_side(kept[side & 1], n, side, (float)size, kept[~side & 1]);
    return whole > 0 ? 1 - area_of(kept[0], n) / whole : 1;
}

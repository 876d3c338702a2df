/* Puts a face mask on mouth, nose and chin. */
#include <math.h>

#include "stages/worn.h"

typedef enum style { STYLE_FITTED, STYLE_OVERLAY } style;

typedef struct params {
    int32_t style;
    char template[FSH_ARG_TEXT_BYTES];
    double light, shadow, jitter;
} params;

static const fsh_arg rows[] = {
    FSH_ARG_CHOICE(params, style, "fitted|overlay", "fitted",
                   "fitted: warped to the face and lit like it; overlay: stretched on to a box around the mouth"),
    FSH_ARG_TEXT(params, template, "", "name of a template; empty: one at random each time"),
    FSH_ARG_REAL(params, light, 0, 1, "0.85", "how far brightness and hue follow the light on the face (fitted)"),
    FSH_ARG_REAL(params, shadow, 0, 1, "0.45", "darkness of the shadow along the edges (fitted)"),
    FSH_ARG_REAL(params, jitter, 0, 4, "1", "random tilt, size and shift, 1: up to 3 degrees, 4 %, 2 % (fitted)"),
    FSH_ARG_END};

/* Points of a mask, in the order of the table. */
enum { BRIDGE, LEFT_CHEEK, RIGHT_CHEEK, LEFT_SIDE, RIGHT_SIDE, LEFT_JAW, RIGHT_JAW, CHIN, NOSE, MOUTH, POINTS_N };

static const fsh_anchor anchors[POINTS_N] = {
    {"bridge", 0.5f, 0},      {"left_cheek", 0, 0.2f}, {"right_cheek", 1, 0.2f}, {"left_side", 0, 0.5f},
    {"right_side", 1, 0.5f},  {"left_jaw", 0, 0.78f},  {"right_jaw", 1, 0.78f},  {"chin", 0.5f, 1},
    {"nose", 0.5f, 0.32f},    {"mouth", 0.5f, 0.6f}};

static const fsh_template_kind kind = {"masks", "strap", anchors, POINTS_N};

/* What is drawn for one picture; all draws are taken before anything else is decided. */
typedef struct draws {
    const fsh_template *template;
    float tilt;       /* radians */
    float scale;
    fsh_point shift;  /* shares of the height of the face */
    float bridge;     /* place of the upper edge between landmarks 27 and 29, 0 to 1 */
} draws;


static fsh_status
mask_open(fsh_stage_env *env, const void *parameters, void **self, fsh_err *err)
{
    return fsh_wardrobe_open(env, &kind, ((const params *)parameters)->template, self, err);
}

static draws
take_draws(const fsh_wardrobe *wardrobe, const params *p, fsh_rng *rng)
{
    float jitter = (float)p->jitter;
    draws drawn;

    drawn.template = fsh_templates_pick(wardrobe->templates, p->template, rng);
    drawn.tilt = jitter * (float)fsh_rng_range(rng, -0.052, 0.052);
    drawn.scale = 1 + jitter * (float)fsh_rng_range(rng, -0.04, 0.04);
    drawn.shift.x = jitter * (float)fsh_rng_range(rng, -0.02, 0.02);
    drawn.shift.y = jitter * (float)fsh_rng_range(rng, -0.02, 0.02);
    drawn.bridge = 0.48f + jitter * (float)fsh_rng_range(rng, -0.14, 0.14);
    return drawn;
}

/* A point of the jaw line, moved towards the nose by inset of its distance: masks end before the ears. */
static fsh_point
on_cheek(const fsh_point *p, int upper, float share, int step, float inset)
{
    return fsh_point_mix(fsh_point_mix(p[upper], p[upper + step], share), p[30], inset);
}

/* Where the points of a side go. A mask is about 18 cm wide along the face: seen from the front it ends shortly before
 * the outline; on a turned face, where the ear comes into sight, further in on the near side, and on
 * the outline on the far one. */
static void
place_side(const fsh_pose *pose, const fsh_point *p, bool right, fsh_point *to)
{
    int step = right ? -1 : 1, first = right ? 16 : 0;
    float away = right ? pose->turn : -pose->turn; /* how far this side is turned out of sight */
    float inset = fsh_clampf(0.10f - 0.24f * away, 0, 0.34f);

    to[LEFT_CHEEK + right] = on_cheek(p, first + step, 0.45f, step, inset);
    to[LEFT_SIDE + right] = on_cheek(p, first + 3 * step, 0.5f, step, 0.8f * inset);
    to[LEFT_JAW + right] = on_cheek(p, first + 5 * step, 0.6f, step, 0.15f * inset - 0.02f);
}

/* The cloth runs from the nose straight to the far cheek: its far half never gets narrower than this and
 * never folds back. */
static void
open_far_side(const fsh_pose *pose, fsh_point *to)
{
    static const int middle[3] = {BRIDGE, NOSE, MOUTH};
    int side, i;

    for (side = 0; side < 2; side++)
        for (i = 0; i < 3; i++) {
            fsh_point *point = &to[LEFT_CHEEK + side + 2 * i];
            float sign = side ? 1 : -1;
            float room = sign * fsh_pose_along(pose->across, to[middle[i]], *point);
            float least = 0.07f * pose->height;

            if (room < least)
                *point = fsh_pose_point(pose, *point, sign * (least - room), 0);
        }
}

/* Places of all points on the face. */
static void
place(const fsh_pose *pose, const fsh_canvas *canvas, const draws *drawn, fsh_point to[POINTS_N])
{
    const fsh_point *p = canvas->landmarks;
    fsh_point centre;
    int i;

    to[BRIDGE] = fsh_point_mix(p[27], p[29], drawn->bridge);
    to[NOSE] = p[30];
    to[MOUTH] = fsh_point_mix(p[51], p[57], 0.5f);
    to[CHIN] = fsh_pose_point(pose, p[8], 0, 0.05f * pose->height);
    place_side(pose, p, false, to);
    place_side(pose, p, true, to);
    open_far_side(pose, to);
    centre = fsh_points_mean(to, POINTS_N);
    for (i = 0; i < POINTS_N; i++) {
        float x = drawn->scale * (to[i].x - centre.x), y = drawn->scale * (to[i].y - centre.y);

        to[i].x = centre.x + x * cosf(drawn->tilt) - y * sinf(drawn->tilt) + drawn->shift.x * pose->height;
        to[i].y = centre.y + x * sinf(drawn->tilt) + y * cosf(drawn->tilt) + drawn->shift.y * pose->height;
    }
}

/* Two thin bands from the corners of one side to the ear, where there is cheek to be seen between. */
static void
draw_straps(fsh_layer *layer, const fsh_pose *pose, const fsh_canvas *canvas, const draws *drawn,
            const fsh_light *light, const fsh_point *to, bool right)
{
    const fsh_point *p = canvas->landmarks;
    float sign = right ? 1 : -1;
    fsh_point ear[2] = {fsh_pose_point(pose, p[right ? 16 : 0], 0, -0.04f * pose->height), p[right ? 14 : 2]};
    fsh_point corner[2] = {to[LEFT_CHEEK + right], fsh_point_mix(to[LEFT_SIDE + right], to[LEFT_JAW + right], 0.45f)};
    int i, c;

    for (i = 0; i < 2; i++) {
        float length = sign * fsh_pose_along(pose->across, corner[i], ear[i]);
        fsh_curve band = {corner[i], {0, 0}, ear[i], 0.028f * pose->height, {0, 0, 0}, {1, 0.75f}};

        if (length < 0.03f * pose->height)
            continue;
        band.first = fsh_point_mix(band.first, to[NOSE], 0.04f);
        band.middle = fsh_pose_point(pose, fsh_point_mix(corner[i], ear[i], 0.5f), 0, (i ? 0.12f : -0.06f) * length);
        for (c = 0; c < 3; c++)
            band.colour[c] = 0.92f * drawn->template->colour[c];
        fsh_layer_curve(layer, &band, light);
    }
}

static fsh_reason
fit(const params *p, const draws *drawn, fsh_layer *layer, fsh_canvas *canvas)
{
    static const int outline[8] = {BRIDGE, RIGHT_CHEEK, RIGHT_SIDE, RIGHT_JAW, CHIN, LEFT_JAW, LEFT_SIDE, LEFT_CHEEK};
    fsh_point to[POINTS_N], corners[8];
    fsh_light light;
    fsh_warp warp;
    fsh_pose pose;
    fsh_box box;
    fsh_reason reason = fsh_pose_measure(canvas, &pose);
    int i;

    if (reason)
        return reason;
    place(&pose, canvas, drawn, to);
    for (i = 0; i < 8; i++)
        corners[i] = to[outline[i]];
    if (fsh_polygon_outside(corners, 8, canvas->image.width) > FSH_OUTSIDE_MAX)
        return FSH_REASON_OUT_OF_FRAME;
    if (fsh_warp_fit(to, drawn->template->anchors, POINTS_N, &warp))
        return FSH_REASON_BAD_LANDMARKS;
    light = fsh_light_measure(canvas, &pose, (float)p->light);
    box = fsh_points_bounds(to, POINTS_N, 0.1f * pose.height);
    draw_straps(layer, &pose, canvas, drawn, &light, to, false);
    draw_straps(layer, &pose, canvas, drawn, &light, to, true);
    fsh_layer_draw(layer, drawn->template, &warp, &box, &light, fsh_blur_measure(canvas, 31, 67));
    fsh_layer_put(layer, canvas->front, (float)p->shadow, &canvas->image);
    return FSH_REASON_NONE;
}

/* The reference rule: the bounds of the mouth, wider by a third of their width on both sides and higher by
 * a third of their height above and below. */
static fsh_box
mouth_box(const fsh_point *landmarks)
{
    fsh_point low = landmarks[48], high = landmarks[48];
    int32_t width, height;
    int i;

    for (i = 49; i <= 67; i++) {
        low = (fsh_point){fminf(low.x, landmarks[i].x), fminf(low.y, landmarks[i].y)};
        high = (fsh_point){fmaxf(high.x, landmarks[i].x), fmaxf(high.y, landmarks[i].y)};
    }
    width = (int32_t)floorf(high.x) - (int32_t)floorf(low.x) + 1;
    height = (int32_t)floorf(high.y) - (int32_t)floorf(low.y) + 1;
    return (fsh_box){(int32_t)floorf(low.x) - width / 3, (int32_t)floorf(low.y) - height / 3,
                     width + 2 * (width / 3), height + 2 * (height / 3)};
}

static fsh_box
clip_box(const fsh_box *box, int32_t size)
{
    int32_t left = fsh_clampi(box->x, 0, size), top = fsh_clampi(box->y, 0, size);
    int32_t right = fsh_clampi(box->x + box->width, 0, size), bottom = fsh_clampi(box->y + box->height, 0, size);

    return (fsh_box){left, top, right - left, bottom - top};
}

static fsh_reason
overlay(const draws *drawn, fsh_layer *layer, fsh_canvas *canvas)
{
    static const fsh_light daylight = {{{0, 0}, {1, 0}}, {{1, 1, 1}, {1, 1, 1}}, 1};
    const fsh_box *opaque = &drawn->template->opaque;
    fsh_pose pose;
    fsh_warp warp;
    fsh_box whole, box;
    fsh_reason reason = fsh_pose_measure(canvas, &pose);

    if (reason)
        return reason;
    whole = mouth_box(canvas->landmarks);
    box = clip_box(&whole, canvas->image.width);
    if ((float)box.width * (float)box.height < (1 - FSH_OUTSIDE_MAX) * (float)whole.width * (float)whole.height)
        return FSH_REASON_OUT_OF_FRAME;
    fsh_warp_between_boxes(&box, opaque, &warp);
    fsh_layer_draw(layer, drawn->template, &warp, &box, &daylight, 0);
    fsh_layer_stamp(layer, &canvas->image);
    return FSH_REASON_NONE;
}

static fsh_reason
mask_synthesise(void *self, const void *parameters, uint32_t thread, fsh_canvas *canvas)
{
    fsh_wardrobe *wardrobe = self;
    const params *p = parameters;
    draws drawn = take_draws(wardrobe, p, &canvas->rng);
    fsh_layer *layer = &wardrobe->layers[thread];

    fsh_layer_clear(layer);
    return p->style == STYLE_FITTED ? fit(p, &drawn, layer, canvas) : overlay(&drawn, layer, canvas);
}

const fsh_stage fsh_stage_mask = {
    .name = "mask",
    .summary = "puts a face mask on mouth, nose and chin",
    .id = 20,
    .version = 1,
    .phase = FSH_PHASE_SYNTHESISE,
    .needs = FSH_FACT_FACE | FSH_FACT_LANDMARKS,
    .args = rows,
    .params_size = sizeof(params),
    .open = mask_open,
    .close = fsh_wardrobe_close,
    .synthesise = mask_synthesise,
};

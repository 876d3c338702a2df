/* Puts glasses or sunglasses on the eyes: one way of fitting, two kinds of templates. */
#include <math.h>

#include "stages/worn.h"

typedef struct params {
    char template[FSH_ARG_TEXT_BYTES];
    double light, shadow, jitter;
} params;

static const fsh_arg rows[] = {
    FSH_ARG_TEXT(params, template, "", "name of a template; empty: one at random each time"),
    FSH_ARG_REAL(params, light, 0, 1, "0.7", "how far brightness and hue follow the light on the face"),
    FSH_ARG_REAL(params, shadow, 0, 1, "0.35", "darkness of the shadow below the frame"),
    FSH_ARG_REAL(params, jitter, 0, 4, "1", "random tilt, size and height, 1: up to 2 degrees, 4 %, 2 %"),
    FSH_ARG_END};

/* Points of glasses, in the order of the table. */
enum { LEFT_LENS, RIGHT_LENS, BRIDGE, LEFT_HINGE, RIGHT_HINGE, POINTS_N };

static const fsh_anchor anchors[POINTS_N] = {{"left_lens", 0.25f, 0.5f},
                                             {"right_lens", 0.75f, 0.5f},
                                             {"bridge", 0.5f, 0.35f},
                                             {"left_hinge", 0, 0.3f},
                                             {"right_hinge", 1, 0.3f}};

static const fsh_template_kind clear_kind = {"glasses", "arm", anchors, POINTS_N};
static const fsh_template_kind dark_kind = {"sunglasses", "arm", anchors, POINTS_N};

/* The front of the glasses on a face. Its own coordinates: the bridge at 0, the lenses at -1 and 1, the lens
 * centres at height 0. */
typedef struct frame {
    fsh_point bridge, lens_row; /* in the template: x of the bridge, y of the lenses */
    float half;                 /* between lens centres in the template, px */
    fsh_point centre;           /* on the face, px */
    fsh_point across, down;     /* on the face, with length: px for a step of 1 */
    float sine;                 /* of the turn of the head */
} frame;

static fsh_status
glasses_open(fsh_stage_env *env, const void *parameters, void **self, fsh_err *err)
{
    return fsh_wardrobe_open(env, &clear_kind, ((const params *)parameters)->template, self, err);
}

static fsh_status
sunglasses_open(fsh_stage_env *env, const void *parameters, void **self, fsh_err *err)
{
    return fsh_wardrobe_open(env, &dark_kind, ((const params *)parameters)->template, self, err);
}

/* What is drawn for one picture; all draws are taken before anything else is decided. */
typedef struct draws {
    const fsh_template *template;
    float tilt;  /* radians */
    float scale;
    float drop;  /* shares of the distance of the eyes */
} draws;

static draws
take_draws(const fsh_wardrobe *wardrobe, const params *p, fsh_rng *rng)
{
    float jitter = (float)p->jitter;
    draws drawn;

    drawn.template = fsh_templates_pick(wardrobe->templates, p->template, rng);
    drawn.tilt = jitter * (float)fsh_rng_range(rng, -0.035, 0.035);
    drawn.scale = 1 + jitter * (float)fsh_rng_range(rng, -0.04, 0.04);
    drawn.drop = 0.07f + jitter * (float)fsh_rng_range(rng, -0.02, 0.04);
    return drawn;
}

/* Lenses stand about a tenth further apart than eyes. Seen from the side the distance of the eyes shrinks
 * with the cosine of the turn, the height of the frame does not. The frame rests on the nose, which stands out
 * in the direction of the turn: its middle follows landmark 27. */
static frame
place(const fsh_pose *pose, const fsh_canvas *canvas, const draws *drawn)
{
    const fsh_point *at = drawn->template->anchors;
    fsh_point middle = fsh_point_mix(pose->eyes[0], pose->eyes[1], 0.5f);
    float sine = fsh_clampf(0.75f * pose->turn, -0.75f, 0.75f), cosine = sqrtf(1 - sine * sine);
    float step = 0.5f * 1.12f * drawn->scale * pose->eye_distance;
    float nose = fsh_pose_along(pose->across, middle, canvas->landmarks[27]);
    float c = cosf(drawn->tilt), s = sinf(drawn->tilt);
    fsh_point across = {c * pose->across.x - s * pose->across.y, s * pose->across.x + c * pose->across.y};
    frame out;

    out.bridge = at[BRIDGE];
    out.lens_row = fsh_point_mix(at[LEFT_LENS], at[RIGHT_LENS], 0.5f);
    out.half = fmaxf(fabsf(at[RIGHT_LENS].x - at[LEFT_LENS].x) / 2, 1);
    out.centre = fsh_pose_point(pose, middle, nose, drawn->drop * pose->eye_distance / cosine);
    out.across = (fsh_point){step * across.x, step * across.y};
    out.down = (fsh_point){-step / cosine * across.y, step / cosine * across.x};
    out.sine = sine;
    return out;
}

/* From the template to the face. Fronts are curved: their ends lie deeper by 0.1 of x^2, which shows on a turned
 * head as a shift; and what is nearer is slightly larger. */
static fsh_point
on_face(const frame *f, fsh_point point)
{
    float x = (point.x - f->bridge.x) / f->half, y = (point.y - f->lens_row.y) / f->half;
    float across = x - 0.10f * f->sine * x * x, down = y * (1 - 0.07f * f->sine * x);

    return (fsh_point){f->centre.x + across * f->across.x + down * f->down.x,
                       f->centre.y + across * f->across.y + down * f->down.y};
}

/* Points of the template that hold the warp: four columns, upper and lower edge. */
enum { COLUMNS = 4, GRID_N = 2 * COLUMNS };

static void
hold_points(const fsh_template *template, fsh_point from[GRID_N])
{
    const fsh_box *box = &template->visible;
    float x[COLUMNS] = {(float)box->x, template->anchors[LEFT_LENS].x, template->anchors[RIGHT_LENS].x,
                        (float)(box->x + box->width)};
    int i;

    for (i = 0; i < COLUMNS; i++) {
        from[i] = (fsh_point){x[i], (float)box->y};
        from[GRID_N - 1 - i] = (fsh_point){x[i], (float)(box->y + box->height)};
    }
}

/* The arm from a hinge towards the ear, which fades behind the head; on the far side of a turned head there
 * is nothing of it to be seen. */
static void
draw_arm(fsh_layer *layer, const fsh_pose *pose, const fsh_canvas *canvas, const frame *f,
         const fsh_template *template, const fsh_light *light, bool right)
{
    fsh_point hinge = on_face(f, template->anchors[LEFT_HINGE + right]);
    fsh_point ear = fsh_pose_point(pose, canvas->landmarks[right ? 16 : 0], 0, -0.10f * pose->height);
    float length = (right ? 1 : -1) * fsh_pose_along(pose->across, hinge, ear);
    fsh_curve arm = {hinge, {0, 0}, ear, 0.12f * hypotf(f->down.x, f->down.y), {0, 0, 0}, {1, 0}};
    int c;

    if (length < 0.08f * pose->eye_distance)
        return;
    arm.middle = fsh_pose_point(pose, fsh_point_mix(hinge, ear, 0.5f), 0, -0.05f * length);
    for (c = 0; c < 3; c++)
        arm.colour[c] = 0.8f * template->colour[c];
    fsh_layer_curve(layer, &arm, light);
}

static fsh_reason
wear(const params *p, const draws *drawn, fsh_layer *layer, fsh_canvas *canvas)
{
    fsh_point from[GRID_N], to[GRID_N];
    fsh_light light;
    fsh_warp warp;
    fsh_pose pose;
    fsh_box box;
    frame f;
    fsh_reason reason = fsh_pose_measure(canvas, &pose);
    int i;

    if (reason)
        return reason;
    f = place(&pose, canvas, drawn);
    hold_points(drawn->template, from);
    for (i = 0; i < GRID_N; i++)
        to[i] = on_face(&f, from[i]);
    if (fsh_polygon_outside(to, GRID_N, canvas->image.width) > FSH_OUTSIDE_MAX)
        return FSH_REASON_OUT_OF_FRAME;
    if (fsh_warp_fit(to, from, GRID_N, &warp))
        return FSH_REASON_BAD_LANDMARKS;
    light = fsh_light_measure(canvas, &pose, (float)p->light);
    box = fsh_points_bounds(to, GRID_N, 2);
    draw_arm(layer, &pose, canvas, &f, drawn->template, &light, false);
    draw_arm(layer, &pose, canvas, &f, drawn->template, &light, true);
    fsh_layer_draw(layer, drawn->template, &warp, &box, &light, fsh_blur_measure(canvas, 17, 47));
    fsh_layer_put(layer, NULL, (float)p->shadow, &canvas->image);
    canvas->front = &layer->colour;
    return FSH_REASON_NONE;
}

static fsh_reason
synthesise(void *self, const void *parameters, uint32_t thread, fsh_canvas *canvas)
{
    fsh_wardrobe *wardrobe = self;
    draws drawn = take_draws(wardrobe, parameters, &canvas->rng);
    fsh_layer *layer = &wardrobe->layers[thread];

    fsh_layer_clear(layer);
    return wear(parameters, &drawn, layer, canvas);
}

const fsh_stage fsh_stage_glasses = {
    .name = "glasses",
    .summary = "puts glasses with clear lenses on the eyes",
    .id = 21,
    .version = 1,
    .phase = FSH_PHASE_SYNTHESISE,
    .needs = FSH_FACT_FACE | FSH_FACT_LANDMARKS,
    .args = rows,
    .params_size = sizeof(params),
    .open = glasses_open,
    .close = fsh_wardrobe_close,
    .synthesise = synthesise,
};

const fsh_stage fsh_stage_sunglasses = {
    .name = "sunglasses",
    .summary = "puts tinted or opaque sunglasses on the eyes",
    .id = 22,
    .version = 1,
    .phase = FSH_PHASE_SYNTHESISE,
    .needs = FSH_FACT_FACE | FSH_FACT_LANDMARKS,
    .args = rows,
    .params_size = sizeof(params),
    .open = sunglasses_open,
    .close = fsh_wardrobe_close,
    .synthesise = synthesise,
};

/* Puts glasses or sunglasses on the eyes: one way of fitting, two kinds of templates. */
#include <math.h>

#include "stages/frame.h"
#include "stages/lens.h"
#include "stages/worn.h"

typedef struct params {
    char template[FSH_ARG_TEXT_BYTES];
    double light, shadow, grain, compression, jitter, tint, glare;
} params;

static const fsh_arg rows[] = {
    FSH_ARG_TEXT(params, template, "", "name of a template; empty: one at random each time"),
    FSH_ARG_REAL(params, light, 0, 1, "0.7",
                 "how far brightness and hue follow the light on the face"),
    FSH_ARG_REAL(params, shadow, 0, 1, "0.3", "darkness of the shadow below the frame"),
    FSH_ARG_REAL(params, grain, 0, 2, "0.5",
                 "noise of frame and lenses, in noises of the skin beside them"),
    FSH_ARG_REAL(params, compression, 0, 2, "1",
                 "what is put on is compressed as the photograph was, with so many times its steps, where that is a JPEG"),
    FSH_ARG_REAL(params, jitter, 0, 4, "1",
                 "random tilt, size and height, 1: up to 2 degrees, 4 %, 2 %"),
    FSH_ARG_REAL(
        params, tint, 0, 2, "1",
        "random density of the lenses, 1: as dark as between half a lens and two of the template"),
    FSH_ARG_REAL(params, glare, 0, 1, "0.3",
                 "strength of the brightest reflections on the lenses; most are fainter"),
    FSH_ARG_END};

/* Degrees of yaw from which landmarks of the far eye are guesses. */
static const float turned_max = 60;

static const fsh_anchor anchors[FSH_FRAME_ANCHORS] = {
    [FSH_FRAME_LEFT_LENS] = {"left_lens", 0.25f, 0.5f},
    [FSH_FRAME_RIGHT_LENS] = {"right_lens", 0.75f, 0.5f},
    [FSH_FRAME_BRIDGE] = {"bridge", 0.5f, 0.35f},
    [FSH_FRAME_LEFT_HINGE] = {"left_hinge", 0, 0.3f},
    [FSH_FRAME_RIGHT_HINGE] = {"right_hinge", 1, 0.3f},
    [FSH_FRAME_LENS_END] = {"lens_end", 0.40f, 0.86f}};

static const fsh_template_kind clear_kind = {"glasses", "arm", anchors, FSH_FRAME_ANCHORS};
static const fsh_template_kind dark_kind = {"sunglasses", "arm", anchors, FSH_FRAME_ANCHORS};

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
    fsh_frame_fit fit;
    float lenses; /* density */
    fsh_glare glare;
    uint32_t grain;
} draws;

static draws
take_draws(const fsh_wardrobe *wardrobe, const params *p, fsh_rng *rng)
{
    float jitter = (float)p->jitter, strength;
    draws drawn;

    drawn.template = fsh_templates_pick(wardrobe->templates, p->template, rng);
    drawn.fit.tilt = jitter * (float)fsh_rng_range(rng, -0.035, 0.035);
    drawn.fit.scale = 1 + jitter * (float)fsh_rng_range(rng, -0.04, 0.04);
    drawn.fit.drop = 0.055f + jitter * (float)fsh_rng_range(rng, -0.02, 0.035);
    drawn.lenses = exp2f((float)(p->tint * fsh_rng_range(rng, -1, 1)));
    strength = (float)fsh_rng_range(rng, 0, 1);
    drawn.glare.strength = (float)p->glare * strength * strength;
    drawn.glare.at = (float)fsh_rng_range(rng, -0.8, 0.6);
    drawn.glare.width = (float)fsh_rng_range(rng, 0.08, 0.45);
    drawn.glare.slant = (float)fsh_rng_range(rng, 0.2, 1.1);
    drawn.glare.sky = (float)fsh_rng_range(rng, 0, 0.7);
    drawn.grain = fsh_rng_u32(rng);
    return drawn;
}

/* Points of the template that hold the warp: upper edge, lenses, lower edge in five columns. */
enum { COLUMNS = 5, GRID_N = 3 * COLUMNS };

static void
hold_points(const fsh_template *template, const fsh_frame *frame, fsh_point from[GRID_N],
            fsh_point to[GRID_N])
{
    const fsh_box *box = &template->visible;
    const float x[COLUMNS] = {(float)box->x, template->anchors[FSH_FRAME_LEFT_LENS].x,
                              frame->middle.x, template->anchors[FSH_FRAME_RIGHT_LENS].x,
                              (float)(box->x + box->width)};
    const float y[3] = {(float)box->y, frame->middle.y, (float)(box->y + box->height)};
    int i;

    for (i = 0; i < GRID_N; i++) {
        from[i] = (fsh_point){x[i % COLUMNS], y[i / COLUMNS]};
        to[i] = fsh_frame_see(frame, from[i]);
    }
}

/* Share of a template's pixel that is seen as a pixel of the picture. */
static float
px_of(const fsh_frame *frame)
{
    return frame->step * frame->head->scale / frame->half;
}

/* Where along an arm hair begins: the first place that is much darker, or brighter, than the skin
 * before it. Under 1 where all of it lies on skin. */
static float
hair_from(const fsh_canvas *canvas, fsh_point hinge, fsh_point ear)
{
    int32_t size = canvas->image.width, i;
    float skin = 0;

    for (i = 2; i <= 18; i++) {
        fsh_point at = fsh_point_mix(hinge, ear, (float)i / 20);
        int32_t x = fsh_clampi((int32_t)at.x, 0, size - 1),
                y = fsh_clampi((int32_t)at.y + 1, 0, size - 1);
        float green = fsh_image_at(&canvas->image, x, y)[1];

        if (i == 2)
            skin = green;
        if (green < 0.55f * skin || green > 1.8f * skin + 20)
            return (float)i / 20;
        skin += 0.3f * (green - skin);
    }
    return 1;
}

/* The arm from a hinge towards the ear, on the side that is seen. Over the sideburns it can still
 * be seen; long hair, which begins before, lies over it. */
static void
draw_arm(fsh_layer *layer, const fsh_canvas *canvas, const fsh_frame *frame,
         const fsh_template *template, const fsh_light *light, bool right)
{
    fsh_point hinge = fsh_frame_see(frame, template->anchors[FSH_FRAME_LEFT_HINGE + right]);
    fsh_point ear =
        fsh_frame_see_head(frame, right ? FSH_HEAD_RIGHT_EAR_TOP : FSH_HEAD_LEFT_EAR_TOP);
    float length = hypotf(ear.x - hinge.x, ear.y - hinge.y), px = px_of(frame), hair;
    float outward = (right ? 1 : -1) * ((ear.x - hinge.x) * frame->head->turn[0][0] +
                                        (ear.y - hinge.y) * frame->head->turn[1][0]);
    fsh_curve arm = {hinge, {0, 0}, ear, 0, {0, 0, 0}, {1, 0.6f}};
    int c;

    if (outward < 3 * frame->head->scale)
        return;
    hair = hair_from(canvas, hinge, ear);
    if (hair < 0.5f) {
        arm.last = fsh_point_mix(hinge, ear, fminf(hair + 0.2f, 1));
        arm.alpha[1] = 0;
    }
    arm.middle = fsh_point_mix(arm.first, arm.last, 0.5f);
    arm.middle.y -= 0.03f * length;
    arm.width = (template->thickness > 0 ? template->thickness * px : 3 * frame->head->scale);
    for (c = 0; c < 3; c++)
        arm.colour[c] = 0.8f * template->colour[c];
    fsh_layer_curve(layer, &arm, light);
}

/* Draws the glasses on the layer. */
static void
draw(const params *p, const draws *drawn, const fsh_frame *frame, const fsh_warp *warp,
     const fsh_box *box, fsh_layer *layer, const fsh_canvas *canvas, const fsh_pose *pose)
{
    const fsh_template *template = drawn->template;
    const fsh_point *at = canvas->landmarks;
    fsh_light light = fsh_light_measure(canvas, pose, (float)p->light);
    fsh_glare glare = drawn->glare;

    glare.level = fsh_clampf((light.gain[0][1] + light.gain[1][1]) / 2, 0, 1);
    draw_arm(layer, canvas, frame, template, &light, false);
    draw_arm(layer, canvas, frame, template, &light, true);
    fsh_layer_draw(layer, template, warp, box, &light, fsh_blur_measure(canvas, 17, 47));
    fsh_lens_dense(layer, box, drawn->lenses);
    fsh_lens_mirror(layer, frame, template->anchors, &glare);
    fsh_lens_hide(layer, frame, box, at[27], at[30]);
    fsh_layer_grain(layer, (float)p->grain * fsh_grain_measure(canvas, pose), drawn->grain);
}

static fsh_reason
wear(const params *p, const draws *drawn, fsh_layer *layer, fsh_canvas *canvas)
{
    fsh_point from[GRID_N], to[GRID_N];
    fsh_frame frame;
    fsh_head head;
    fsh_warp warp;
    fsh_pose pose;
    fsh_box box;
    fsh_reason reason = fsh_pose_measure(canvas, &pose);

    if (!reason)
        reason = fsh_head_fit_canvas(canvas, &head);
    if (reason)
        return reason;
    if (fabsf(head.yaw) > turned_max)
        return FSH_REASON_TOO_TURNED;
    fsh_frame_place(&head, canvas->landmarks, drawn->template->anchors, &drawn->fit, &frame);
    hold_points(drawn->template, &frame, from, to);
    if (fsh_polygon_outside((fsh_point[]){to[0], to[COLUMNS - 1], to[GRID_N - 1], to[2 * COLUMNS]},
                            4, canvas->image.width) > FSH_OUTSIDE_MAX)
        return FSH_REASON_OUT_OF_FRAME;
    if (fsh_warp_fit(to, from, GRID_N, &warp))
        return FSH_REASON_BAD_LANDMARKS;
    box = fsh_points_bounds(to, GRID_N, 2);
    draw(p, drawn, &frame, &warp, &box, layer, canvas, &pose);
    /* Narrow: that of a wire would be nothing if it were as wide as that of cloth. */
    fsh_layer_put(layer, NULL,
                  &(fsh_shadow){(float)p->shadow, canvas->image.width / 112, canvas->image.width / 80 + 1},
                  &canvas->image);
    fsh_wardrobe_press(canvas, layer, (float)p->compression);
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
    fsh_wardrobe_note(wardrobe, drawn.template, "", canvas);
    return wear(parameters, &drawn, layer, canvas);
}
const fsh_stage fsh_stage_glasses = {
    .name = "glasses",
    .summary = "puts glasses with clear lenses on the eyes",
    .id = 21,
    .version = 8,
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
    .version = 8,
    .phase = FSH_PHASE_SYNTHESISE,
    .needs = FSH_FACT_FACE | FSH_FACT_LANDMARKS,
    .args = rows,
    .params_size = sizeof(params),
    .open = sunglasses_open,
    .close = fsh_wardrobe_close,
    .synthesise = synthesise,
};

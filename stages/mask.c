/* Puts a face mask on mouth, nose and chin. */
#include <math.h>

#include "stages/drape.h"
#include "stages/layer_parts.h"
#include "stages/worn.h"

typedef enum style { STYLE_FITTED, STYLE_OVERLAY } style;

typedef struct params {
    int32_t style;
    char template[FSH_ARG_TEXT_BYTES];
    double under_nose, under_chin, light, shadow, grain, compression, jitter;
} params;

static const fsh_arg rows[] = {
    FSH_ARG_CHOICE(params, style, "fitted|overlay", "fitted",
                   "fitted: warped to the face and lit like it; overlay: stretched on to a box around the mouth"),
    FSH_ARG_TEXT(params, template, "", "name of a template; empty: one at random each time"),
    FSH_ARG_REAL(params, under_nose, 0, 1, "0", "share of masks that are worn under the nose (fitted)"),
    FSH_ARG_REAL(params, under_chin, 0, 1, "0", "share of masks that are pulled down under the chin (fitted)"),
    FSH_ARG_REAL(params, light, 0, 1, "0.85", "how far brightness and hue follow the light on the face (fitted)"),
    FSH_ARG_REAL(params, shadow, 0, 1, "0.45", "darkness of the shadow along the edges (fitted)"),
    FSH_ARG_REAL(params, grain, 0, 2, "0.5", "noise of the cloth, in noises of the skin beside it (fitted)"),
    FSH_ARG_REAL(params, compression, 0, 2, "1",
                 "what is put on is compressed as the photograph was, with so many times its steps, where that is a JPEG (fitted)"),
    FSH_ARG_REAL(params, jitter, 0, 4, "1", "random tilt, size, shift and folds, 1: up to 3 degrees, 4 %, 2 mm (fitted)"),
    FSH_ARG_END};

/* As they stand in shards. */
static const char *const ways[FSH_WORN_N] = {"", "under_nose", "under_chin"};

/* Degrees to a side, over which too little of a mask is seen to be put on believably. */
static const float turned_max = 60;

static const fsh_anchor anchors[FSH_MASK_POINTS] = {
    [FSH_MASK_BRIDGE] = {"bridge", 0.5f, 0},
    [FSH_MASK_LEFT_CHEEK] = {"left_cheek", 0, 0.2f},
    [FSH_MASK_RIGHT_CHEEK] = {"right_cheek", 1, 0.2f},
    [FSH_MASK_LEFT_SIDE] = {"left_side", 0, 0.5f},
    [FSH_MASK_RIGHT_SIDE] = {"right_side", 1, 0.5f},
    [FSH_MASK_LEFT_JAW] = {"left_jaw", 0, 0.78f},
    [FSH_MASK_RIGHT_JAW] = {"right_jaw", 1, 0.78f},
    [FSH_MASK_CHIN] = {"chin", 0.5f, 1},
    [FSH_MASK_NOSE] = {"nose", 0.5f, 0.32f},
    [FSH_MASK_MOUTH] = {"mouth", 0.5f, 0.6f}};

static const fsh_template_kind kind = {"masks", "strap", anchors, FSH_MASK_POINTS};

/* What is drawn for one picture; all draws are taken before anything else is decided. */
typedef struct draws {
    const fsh_template *template;
    fsh_mask_worn worn;
    fsh_drape_taste taste;
    uint32_t grain;
} draws;

static fsh_status
mask_open(fsh_stage_env *env, const void *parameters, void **self, fsh_err *err)
{
    return fsh_wardrobe_open(env, &kind, ((const params *)parameters)->template, self, err);
}

static fsh_drape_taste
take_taste(float jitter, fsh_rng *rng)
{
    fsh_drape_taste taste;

    taste.tilt = jitter * (float)fsh_rng_range(rng, -0.052, 0.052);
    taste.scale = 1 + jitter * (float)fsh_rng_range(rng, -0.04, 0.04);
    taste.shift.x = jitter * (float)fsh_rng_range(rng, -2, 2);
    taste.shift.y = jitter * (float)fsh_rng_range(rng, -2, 2);
    taste.rise = jitter * (float)fsh_rng_range(rng, -2.5, 2.5);
    taste.fold[0] = (float)fsh_rng_range(rng, -0.8, 0.8);
    taste.fold[1] = (float)fsh_rng_range(rng, -0.7, 0.7);
    taste.fold[2] = jitter * (float)fsh_rng_range(rng, -0.22, 0.22);
    return taste;
}

static draws
take_draws(const fsh_wardrobe *wardrobe, const params *p, fsh_rng *rng)
{
    draws drawn;
    double way;

    drawn.template = fsh_templates_pick(wardrobe->templates, p->template, rng);
    drawn.taste = take_taste((float)p->jitter, rng);
    way = fsh_rng_unit(rng);
    drawn.worn = way < p->under_nose ? FSH_WORN_UNDER_NOSE
                 : way < p->under_nose + p->under_chin ? FSH_WORN_UNDER_CHIN : FSH_WORN_RIGHT;
    drawn.grain = fsh_rng_u32(rng);
    return drawn;
}

/* A band from a corner of the mask along the cheek to where it goes behind the ear. It ends where the photograph
 * shows something else than skin: hair, a scarf, the background. */
static void
draw_strap(fsh_layer *layer, const fsh_head *head, const fsh_pose *pose, const fsh_canvas *canvas, const float colour[3],
           const fsh_light *light, fsh_mask_worn worn, fsh_point corner, fsh_point end, bool right)
{
    float length = (right ? 1 : -1) * fsh_pose_along(pose->across, corner, end);
    fsh_curve band = {corner, {0, 0}, end, 2.6f * head->scale, {0, 0, 0}, {1, 0.6f}};
    int c;

    if (length < 0.03f * pose->height)
        return;
    band.middle = fsh_pose_point(pose, fsh_point_mix(corner, end, 0.5f), 0, 0.05f * length);
    if (worn == FSH_WORN_UNDER_CHIN) /* what is pulled down lies along the jaw */
        band.middle = fsh_point_mix(band.middle, canvas->landmarks[right ? 13 : 3], 0.75f);
    for (c = 0; c < 3; c++)
        band.colour[c] = 0.92f * colour[c];
    if (fsh_curve_cut_to_skin(&band, canvas, pose, right))
        fsh_layer_curve(layer, &band, light);
}

/* Where a strap goes behind the ear. The generic head says where that is from the uppermost point of the jaw line, the
 * photograph where that point is. */
static fsh_point
see_ear(const fsh_head *head, const fsh_canvas *canvas, bool right, bool low)
{
    static const fsh_head_place places[2][2] = {{FSH_HEAD_LEFT_EAR_TOP, FSH_HEAD_LEFT_EAR_LOBE},
                                                {FSH_HEAD_RIGHT_EAR_TOP, FSH_HEAD_RIGHT_EAR_LOBE}};
    fsh_head_place root = right ? FSH_HEAD_RIGHT_EAR_ROOT : FSH_HEAD_LEFT_EAR_ROOT;
    int jaw = right ? 16 : 0;
    fsh_point own = fsh_head_see(head, head->points[jaw]), ear = fsh_head_see(head, fsh_head_part(head, root));
    fsh_point end = fsh_head_see(head, fsh_head_part(head, places[right][low]));

    end = fsh_point_mix(ear, end, low ? 0.7f : 0.4f);
    return (fsh_point){end.x + canvas->landmarks[jaw].x - own.x, end.y + canvas->landmarks[jaw].y - own.y};
}

static void
draw_straps(fsh_layer *layer, const fsh_head *head, const fsh_pose *pose, const fsh_canvas *canvas,
            const draws *drawn, const fsh_light *light, const fsh_mesh *mesh)
{
    int right, low;

    for (right = 0; right < 2; right++)
        for (low = 0; low < 2; low++)
            draw_strap(layer, head, pose, canvas, drawn->template->colour, light, drawn->worn,
                       fsh_drape_at(mesh, right ? 0.95f : -0.95f, low ? 0.75f : 0.06f),
                       see_ear(head, canvas, right, low), right);
}

/* Share of the mask that would lie outside of the picture. */
static float
share_outside(const fsh_mesh *mesh, int32_t size)
{
    static const float outline[8][2] = {{0, 0}, {1, 0}, {1, 0.6f}, {0.9f, 1}, {0, 1}, {-0.9f, 1}, {-1, 0.6f}, {-1, 0}};
    fsh_point corners[8];
    int i;

    for (i = 0; i < 8; i++)
        corners[i] = fsh_drape_at(mesh, outline[i][0], outline[i][1]);
    return fsh_polygon_outside(corners, 8, size);
}

static fsh_reason
fit(const params *p, const draws *drawn, fsh_layer *layer, fsh_canvas *canvas)
{
    fsh_reason reason;
    fsh_light light;
    fsh_head head;
    fsh_mesh mesh;
    fsh_pose pose;

    reason = fsh_pose_measure(canvas, &pose);
    if (!reason)
        reason = fsh_head_fit_canvas(canvas, &head);
    if (reason)
        return reason;
    if (fabsf(head.yaw) > turned_max)
        return FSH_REASON_TOO_TURNED;
    light = fsh_light_measure(canvas, &pose, (float)p->light);
    fsh_drape(&head, canvas->landmarks, drawn->worn, drawn->template, &drawn->taste, &light, &mesh);
    if (share_outside(&mesh, canvas->image.width) > FSH_OUTSIDE_MAX)
        return FSH_REASON_OUT_OF_FRAME;
    draw_straps(layer, &head, &pose, canvas, drawn, &light, &mesh);
    fsh_layer_mesh(layer, drawn->template, &mesh, fsh_blur_measure(canvas, 31, 67));
    fsh_layer_grain(layer, (float)p->grain * fsh_grain_measure(canvas, &pose), drawn->grain);
    fsh_layer_put(layer, canvas->front,
                  &(fsh_shadow){(float)p->shadow, canvas->image.width / 56 + 1, canvas->image.width / 80},
                  &canvas->image);
    fsh_wardrobe_press(canvas, layer, (float)p->compression);
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
    box = fsh_box_clip(&whole, canvas->image.width);
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
    fsh_wardrobe_note(wardrobe, drawn.template, p->style == STYLE_FITTED ? ways[drawn.worn] : "overlay", canvas);
    return p->style == STYLE_FITTED ? fit(p, &drawn, layer, canvas) : overlay(&drawn, layer, canvas);
}

const fsh_stage fsh_stage_mask = {
    .name = "mask",
    .summary = "puts a face mask on mouth, nose and chin",
    .id = 20,
    .version = 7,
    .phase = FSH_PHASE_SYNTHESISE,
    .needs = FSH_FACT_FACE | FSH_FACT_LANDMARKS,
    .args = rows,
    .params_size = sizeof(params),
    .open = mask_open,
    .close = fsh_wardrobe_close,
    .synthesise = mask_synthesise,
};

/* What masks and glasses need to know about a face: where its axes are, how far it is turned, how it is
 * lit and how sharp the picture is. */
#ifndef FSH_STAGES_WORN_H
#define FSH_STAGES_WORN_H

#include "stages/layer.h"
#include "stages/stage.h"

/* What lies outside of the picture by more than this share of its area cannot be worn. */
#define FSH_OUTSIDE_MAX 0.35f

/* What a stage keeps that puts templates of one kind on faces. */
typedef struct fsh_wardrobe {
    const fsh_template_kind *kind;
    fsh_templates *templates;
    fsh_layer *layers; /* one per thread */
    uint32_t threads;
} fsh_wardrobe;

/* Loads the templates of a kind and makes the layers; name is that of a template or "". Errors as of
 * fsh_templates_open and fsh_templates_check. Close accepts NULL. */
fsh_status fsh_wardrobe_open(const fsh_stage_env *env, const fsh_template_kind *kind, const char *name,
                             void **wardrobe, fsh_err *err);
void fsh_wardrobe_close(void *wardrobe);

/* Adds FOLDER/TEMPLATE, and :WAY where there is one, to what canvas->worn says. Called before it is known whether it can be
 * worn, so that what cannot is counted by template, too. */
void fsh_wardrobe_note(const fsh_wardrobe *wardrobe, const fsh_template *template, const char *way,
                       fsh_canvas *canvas);

/* Compresses what the layer shows on the picture as the photograph was. */
void fsh_wardrobe_press(fsh_canvas *canvas, const fsh_layer *layer, float strength);

typedef struct fsh_pose {
    fsh_point eyes[2];     /* centres, image left first */
    fsh_point across, down; /* of the face, length 1 */
    float eye_distance;    /* px, as seen (shorter on a turned face) */
    float height;          /* px from the eyes to the chin along down */
    float turn;            /* -1 looks to the left edge of the picture, 0 straight, 1 to the right */
} fsh_pose;

/* Measures the face. NONE, or BAD_LANDMARKS where there are none or they are not those of an upright face of a
 * usable size. */
fsh_reason fsh_pose_measure(const fsh_canvas *canvas, fsh_pose *pose);

/* A point that lies this far from origin along the axes of the face, px. */
fsh_point fsh_pose_point(const fsh_pose *pose, fsh_point origin, float across, float down);

/* How far a point is from origin along one of the axes, px. */
float fsh_pose_along(fsh_point axis, fsh_point origin, fsh_point point);

/* Mean colour of cheekbone and cheek on one side of the picture (0 left, 1 right); false where
 * canvas->front hides all of it. */
bool fsh_skin_measure(const fsh_canvas *canvas, const fsh_pose *pose, int side, float colour[3]);

/* The light on the skin at both cheeks, against that of a well-lit face; strength 0 leaves templates as
 * they are. Skin that canvas->front hides is not looked at. */
fsh_light fsh_light_measure(const fsh_canvas *canvas, const fsh_pose *pose, float strength);

/* How unsharp the picture is around landmarks first to last, in halvings (0: as sharp as it can be). */
float fsh_blur_measure(const fsh_canvas *canvas, uint32_t first, uint32_t last);

/* Noise of the skin on the cheeks, as a standard deviation of its pixels (0-255). */
float fsh_grain_measure(const fsh_canvas *canvas, const fsh_pose *pose);

/* Shortens a curve that begins on the cheek of one side to where the picture goes on showing skin; false where nothing
 * worth drawing is left. */
bool fsh_curve_cut_to_skin(fsh_curve *curve, const fsh_canvas *canvas, const fsh_pose *pose, bool right);

/* Bounds of points, grown by margin px. */
fsh_box fsh_points_bounds(const fsh_point *points, uint32_t n, float margin);

/* Share of a polygon's area that lies outside of a size x size picture; n <= 16. */
float fsh_polygon_outside(const fsh_point *points, uint32_t n, int32_t size);

static inline float
fsh_luma(const float colour[3])
{
    return 0.299f * colour[0] + 0.587f * colour[1] + 0.114f * colour[2];
}

static inline fsh_point
fsh_point_mix(fsh_point a, fsh_point b, float share)
{
    return (fsh_point){a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)};
}

#endif

/* Turns the head: from one photograph of a face, a view of it from elsewhere. Comes in and goes
 * out: size x size RGB with 68 landmarks, which move along; background stays. A face that looks too
 * far to a side shows too little of itself (too_turned); landmarks that no head fits are
 * bad_landmarks.
 *
 * All draws are taken first, always four. */
#include <math.h>
#include <stdlib.h>

#include "stages/mirror.h"
#include "stages/table.h"
#include "stages/view.h"

typedef struct params {
    fsh_reals yaw, pitch;
    double yaw_spread, pitch_spread, most, light;
    bool mirror;
} params;

static const fsh_arg rows[] = {
    FSH_ARG_REALS(params, yaw, "-30,30",
                  "degrees, where the face looks afterwards: one of these at random; over 0 to the "
                  "right of the picture"),
    FSH_ARG_REAL(params, yaw_spread, 0, 45, "15", "degrees to either side of it, at random"),
    FSH_ARG_REALS(params, pitch, "0",
                  "degrees by which it then looks further up: one of these at random"),
    FSH_ARG_REAL(params, pitch_spread, 0, 30, "6", "degrees to either side of it, at random"),
    FSH_ARG_REAL(params, most, 0, 60, "35",
                 "degrees; a face that is turned further than this is left out as too_turned"),
    FSH_ARG_REAL(params, light, 0, 1, "0.5",
                 "how far the light stays where it is while the head turns"),
    FSH_ARG_BOOL(params, mirror, "yes",
                 "a face that looks to the other side is mirrored first, so that it turns by less"),
    FSH_ARG_END};

enum { YAW_MAX = 45, PITCH_MAX = 25, CHANGE_MAX = 52 };

typedef struct state {
    fsh_surface *surface;
    uint32_t threads;
    fsh_view *views[]; /* one for each thread */
} state;

static void
pose_close(void *self)
{
    state *own = self;
    uint32_t i;

    for (i = 0; own && i < own->threads; i++)
        fsh_view_close(own->views[i]);
    if (own)
        fsh_surface_close(own->surface);
    free(own);
}

static fsh_status
check(const params *p, fsh_err *err)
{
    uint32_t i;

    if (p->yaw.n == 0 || p->pitch.n == 0)
        return fsh_fail(err, FSH_USAGE, "pose: yaw and pitch: at least one angle each");
    for (i = 0; i < p->yaw.n; i++)
        if (!(fabs(p->yaw.at[i]) <= YAW_MAX))
            return fsh_fail(err, FSH_USAGE, "pose: yaw %g: from -%d to %d degrees", p->yaw.at[i],
                            YAW_MAX, YAW_MAX);
    for (i = 0; i < p->pitch.n; i++)
        if (!(fabs(p->pitch.at[i]) <= PITCH_MAX))
            return fsh_fail(err, FSH_USAGE, "pose: pitch %g: from -%d to %d degrees",
                            p->pitch.at[i], PITCH_MAX, PITCH_MAX);
    return FSH_OK;
}

static fsh_status
pose_open(fsh_stage_env *env, const void *parameters, void **self, fsh_err *err)
{
    fsh_status status = check(parameters, err);
    state *made;

    if (status)
        return status;
    made = calloc(1, sizeof *made + env->threads * sizeof *made->views);
    if (!made)
        return fsh_fail(err, FSH_MEMORY, "pose: out of memory");
    status = fsh_surface_open(&made->surface);
    while (!status && made->threads < env->threads)
        status = fsh_view_open((int32_t)env->size, &made->views[made->threads++]);
    if (status) {
        pose_close(made);
        return fsh_fail(err, status, "pose: out of memory");
    }
    *self = made;
    return FSH_OK;
}

static float
draw_angle(const fsh_reals *angles, double spread, double most, fsh_rng *rng)
{
    double angle = angles->at[fsh_rng_below(rng, angles->n)];

    angle += fsh_rng_range(rng, -spread, spread);
    return fsh_clampf((float)angle, (float)-most, (float)most);
}

/* The head turns about the middle of its face, which so stays in the picture. */
static fsh_head
turn(const fsh_head *head, float yaw, float pitch)
{
    const fsh_vec3 pivot = {0, 30, -35};
    fsh_point stay = fsh_head_see(head, pivot), moved;
    fsh_head turned = *head;

    fsh_head_turn(&turned, yaw, fsh_clampf(head->pitch + pitch, -PITCH_MAX, PITCH_MAX), head->roll);
    moved = fsh_head_see(&turned, pivot);
    turned.centre.x += stay.x - moved.x;
    turned.centre.y += stay.y - moved.y;
    return turned;
}

/* Fits the head. What is not seen of a face that looks to one side would be most of it on the other:
 * there its mirror image is turned, where that saves so many degrees. */
static fsh_reason
find_head(const params *p, float yaw, fsh_canvas *canvas, fsh_head *head)
{
    enum { SAVED_MIN = 12 };
    fsh_reason reason = fsh_head_fit_canvas(canvas, head);

    if (reason || !p->mirror || fabsf(yaw - head->yaw) - fabsf(yaw + head->yaw) < SAVED_MIN)
        return reason;
    fsh_mirror_canvas(canvas);
    return fsh_head_fit_canvas(canvas, head);
}

static fsh_reason
pose(void *self, const void *parameters, uint32_t thread, fsh_canvas *canvas)
{
    const params *p = parameters;
    state *own = self;
    float yaw = draw_angle(&p->yaw, p->yaw_spread, YAW_MAX, &canvas->rng);
    float pitch = draw_angle(&p->pitch, p->pitch_spread, PITCH_MAX, &canvas->rng);
    fsh_image drawn;
    fsh_head head, turned;
    fsh_bent bent;

    if (find_head(p, yaw, canvas, &head) != FSH_REASON_NONE)
        return FSH_REASON_BAD_LANDMARKS;
    if (!(fabsf(head.yaw) <= (float)p->most && fabsf(head.pitch) <= PITCH_MAX &&
          fabsf(yaw - head.yaw) <= CHANGE_MAX))
        return FSH_REASON_TOO_TURNED;
    if (fsh_image_copy(&canvas->scratch, &canvas->image))
        return FSH_REASON_NO_MEMORY;
    fsh_surface_bend(own->surface, &head, canvas->landmarks, &bent);
    turned = turn(&head, yaw, pitch);
    fsh_view_draw(own->views[thread], &bent, &head, &turned, (float)p->light, &canvas->image,
                  &canvas->scratch);
    fsh_view_landmarks(own->views[thread], &bent, &turned, canvas->landmarks);
    drawn = canvas->scratch;
    canvas->scratch = canvas->image;
    canvas->image = drawn;
    canvas->front = NULL; /* no longer where the picture is */
    return FSH_REASON_NONE;
}

const fsh_stage fsh_stage_pose = {
    .name = "pose",
    .summary = "turns the head: a view of the face from another side",
    .id = 23,
    .version = 5,
    .phase = FSH_PHASE_SYNTHESISE,
    .needs = FSH_FACT_LANDMARKS,
    .args = rows,
    .params_size = sizeof(params),
    .open = pose_open,
    .close = pose_close,
    .synthesise = pose,
};

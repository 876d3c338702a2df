/* augment: makes another picture of the same face by crop, brightness, blur, flip, noise and
 * rotation, in this order, each with its own probability. Comes in and goes out: size x size RGB
 * with its landmarks, which move along and may leave the picture. Whole-number arithmetic: the same
 * bytes on every machine.
 *
 * All draws are taken first, always the same number, so that switching one step off leaves the
 * others as they were. A mirror image commutes with brightness and with a symmetric blur, so flip
 * is done together with crop, in one movement of the pixels. */
#include <math.h>
#include <stdlib.h>

#include "stages/filters.h"
#include "stages/mirror.h"
#include "stages/table.h"

struct params {
    double crop, crop_scale;
    double brightness, brightness_low, brightness_high;
    double blur;
    int64_t blur_max;
    double flip;
    double noise;
    int64_t noise_threshold;
    double rotate, rotate_degrees;
};

static const fsh_arg rows[] = {
    FSH_ARG_REAL(struct params, crop, 0, 1, "1",
                 "probability of a random window of the enlarged picture"),
    FSH_ARG_REAL(struct params, crop_scale, 1, 4, "1.15",
                 "how much the picture is enlarged before"),
    FSH_ARG_REAL(struct params, brightness, 0, 1, "1", "probability of another mean brightness"),
    FSH_ARG_REAL(struct params, brightness_low, 0, 4, "0.7",
                 "least new mean, in means of the picture"),
    FSH_ARG_REAL(struct params, brightness_high, 0, 4, "1.3",
                 "greatest new mean, in means of the picture"),
    FSH_ARG_REAL(struct params, blur, 0, 1, "1",
                 "probability of a blur with a random odd kernel, 1 included"),
    FSH_ARG_INT(struct params, blur_max, 1, FSH_FILTER_BLUR_MAX, "5", "px, the largest kernel"),
    FSH_ARG_REAL(struct params, flip, 0, 1, "0.5", "probability of the mirror image"),
    FSH_ARG_REAL(struct params, noise, 0, 1, "0", "probability of black specks"),
    FSH_ARG_INT(struct params, noise_threshold, 0, 255, "240",
                "a pixel whose draw from 0 to 255 is over it turns black"),
    FSH_ARG_REAL(struct params, rotate, 0, 1, "1", "probability of a turn about the centre"),
    FSH_ARG_REAL(struct params, rotate_degrees, 0, 180, "60",
                 "largest turn to either side, degrees"),
    FSH_ARG_END};

/* What is done to one picture. */
struct plan {
    bool crop, brighten, blur, flip, noise, rotate;
    int32_t large;     /* px, side of the enlarged picture */
    int32_t left, top; /* px, of the window in it */
    double factor;     /* of the brightness */
    int32_t kernel;    /* px */
    double radians;    /* clockwise as seen */
};

static struct plan
draw_plan(const struct params *p, int32_t size, fsh_rng *rng)
{
    struct plan out;
    uint32_t room;

    out.large = (int32_t)lrint(size * p->crop_scale);
    room = (uint32_t)(out.large - size) + 1;
    out.crop = fsh_rng_chance(rng, p->crop);
    out.left = (int32_t)fsh_rng_below(rng, room);
    out.top = (int32_t)fsh_rng_below(rng, room);
    out.brighten = fsh_rng_chance(rng, p->brightness);
    out.factor = fsh_rng_range(rng, p->brightness_low, p->brightness_high);
    out.blur = fsh_rng_chance(rng, p->blur);
    out.kernel = 1 + 2 * (int32_t)fsh_rng_below(rng, (uint32_t)(p->blur_max + 1) / 2);
    out.flip = fsh_rng_chance(rng, p->flip);
    out.noise = fsh_rng_chance(rng, p->noise);
    out.rotate = fsh_rng_chance(rng, p->rotate);
    out.radians = fsh_rng_range(rng, -p->rotate_degrees, p->rotate_degrees) * (acos(-1) / 180);
    return out;
}

/* The enlarged picture has its edges where the original has them, hence the half pixels. */
static fsh_affine
crop_map(const struct plan *plan, int32_t size)
{
    double scale = (double)plan->large / size, shift = 0.5 * scale - 0.5;
    fsh_affine map = {{scale, 0, shift - plan->left, 0, scale, shift - plan->top}};
    return map;
}

static fsh_affine
flip_map(int32_t size)
{
    fsh_affine map = {{-1, 0, size - 1, 0, 1, 0}};
    return map;
}

static fsh_affine
rotate_map(const struct plan *plan, int32_t size)
{
    double c = cos(plan->radians), s = sin(plan->radians), centre = 0.5 * (size - 1);
    fsh_affine map = {
        {c, -s, centre - c * centre + s * centre, s, c, centre - s * centre - c * centre}};
    return map;
}

static void
move(fsh_filter_space *space, fsh_canvas *canvas, const fsh_affine *map, fsh_filter_border border)
{
    uint32_t i;

    fsh_filter_warp(space, &canvas->image, map, border);
    for (i = 0; canvas->has_landmarks && i < FSH_LANDMARKS_N; i++)
        canvas->landmarks[i] = fsh_affine_apply(map, canvas->landmarks[i]);
}

static void
crop_and_flip(fsh_filter_space *space, const struct plan *plan, fsh_canvas *canvas)
{
    int32_t size = canvas->image.width;
    fsh_affine map = {{1, 0, 0, 0, 1, 0}}, flip = flip_map(size);

    if (plan->crop)
        map = crop_map(plan, size);
    if (plan->flip)
        map = fsh_affine_then(&map, &flip);
    if (plan->crop || plan->flip)
        move(space, canvas, &map, FSH_FILTER_REPEAT);
    if (plan->flip)
        fsh_mirror_names(canvas->landmarks);
}

/* One draw gives the bytes of four pixels. */
static void
blacken_specks(fsh_image *image, uint32_t threshold, fsh_rng *rng)
{
    size_t n = (size_t)image->width * (size_t)image->height, i;
    uint32_t draws = 0;

    for (i = 0; i < n; i++) {
        draws = i % 4 ? draws >> 8 : fsh_rng_u32(rng);
        if ((draws & 255) > threshold)
            image->data[3 * i] = image->data[3 * i + 1] = image->data[3 * i + 2] = 0;
    }
}

/* ---- stage ---- */

struct state {
    uint32_t threads;
    fsh_filter_space *spaces[]; /* one for each thread */
};

static void
close_spaces(void *self)
{
    struct state *state = self;
    uint32_t i;

    for (i = 0; state && i < state->threads; i++)
        fsh_filter_space_free(state->spaces[i]);
    free(state);
}

static fsh_status
open_spaces(fsh_stage_env *env, const void *params, void **self, fsh_err *err)
{
    struct state *made;
    int32_t size = (int32_t)env->size;
    uint32_t i;

    (void)params;
    if (env->size > FSH_FILTER_SIDE_MAX)
        return fsh_fail(err, FSH_USAGE, "augment: pictures of %u px; it takes up to %d px",
                        env->size, FSH_FILTER_SIDE_MAX);
    made = calloc(1, sizeof *made + env->threads * sizeof *made->spaces);
    if (!made)
        return fsh_fail(err, FSH_MEMORY, "augment: out of memory");
    made->threads = env->threads;
    for (i = 0; i < env->threads; i++) {
        if (fsh_filter_space_new(size, size, &made->spaces[i])) {
            close_spaces(made);
            return fsh_fail(err, FSH_MEMORY, "augment: out of memory");
        }
    }
    *self = made;
    return FSH_OK;
}

static fsh_reason
augment(void *self, const void *params, uint32_t thread, fsh_canvas *canvas)
{
    fsh_filter_space *space = ((struct state *)self)->spaces[thread];
    const struct params *p = params;
    int32_t size = canvas->image.width;
    struct plan plan = draw_plan(p, size, &canvas->rng);

    crop_and_flip(space, &plan, canvas);
    if (plan.brighten)
        fsh_filter_scale(&canvas->image, plan.factor);
    if (plan.blur)
        fsh_filter_blur(space, &canvas->image, plan.kernel);
    if (plan.noise)
        blacken_specks(&canvas->image, (uint32_t)p->noise_threshold, &canvas->rng);
    if (plan.rotate) {
        fsh_affine turn = rotate_map(&plan, size);

        move(space, canvas, &turn, FSH_FILTER_BLACK);
    }
    canvas->front = NULL; /* no longer where the picture is */
    return FSH_REASON_NONE;
}

const fsh_stage fsh_stage_augment = {
    .name = "augment",
    .summary = "random crop, brightness, blur, flip, noise and rotation",
    .id = 30,
    .version = 1,
    .phase = FSH_PHASE_SYNTHESISE,
    .args = rows,
    .params_size = sizeof(struct params),
    .open = open_spaces,
    .close = close_spaces,
    .synthesise = augment,
};

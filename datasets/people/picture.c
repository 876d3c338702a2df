#include "datasets/people/picture.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "datasets/people/paint.h"
#include "datasets/people/raster.h"

enum { FINER = 2 }; /* points a px, in both directions */

struct fsh_easel {
    uint32_t size;     /* px of the picture */
    fsh_figure figure;
    fsh_sight *sights; /* (FINER * size)^2 */
    float *light;      /* size^2 * 3: the picture before the lens, linear */
    float *row;        /* of the lens */
};

fsh_status
fsh_easel_open(uint32_t size, fsh_easel **easel)
{
    fsh_easel *made = calloc(1, sizeof *made);
    size_t n = (size_t)size * size;

    if (!made)
        return FSH_MEMORY;
    made->size = size;
    made->sights = malloc(FINER * FINER * n * sizeof *made->sights);
    made->light = malloc(3 * n * sizeof *made->light);
    made->row = malloc(3 * n * sizeof *made->row);
    if (!made->sights || !made->light || !made->row) {
        fsh_easel_close(made);
        return FSH_MEMORY;
    }
    *easel = made;
    return FSH_OK;
}

void
fsh_easel_close(fsh_easel *easel)
{
    if (!easel)
        return;
    fsh_figure_fini(&easel->figure);
    free(easel->sights);
    free(easel->light);
    free(easel->row);
    free(easel);
}

/* ---- light ---- */

typedef struct lamp {
    fsh_vec3 to, half; /* directions: to the light, and between it and the viewer */
    fsh_vec3 colour, sky, ground;
} lamp;

static lamp
light_up(const fsh_moment *moment)
{
    float w = moment->warmth, strength = moment->light, ambient = moment->ambient;
    lamp l = {.to = fsh_vec3_unit((fsh_vec3){moment->light_x, moment->light_y, 1})};

    l.half = fsh_vec3_unit(fsh_vec3_add(l.to, (fsh_vec3){0, 0, 1}));
    l.colour = (fsh_vec3){strength * (1 + w), strength, strength * (1 - w)};
    l.sky = (fsh_vec3){ambient, ambient, ambient};
    l.ground = fsh_vec3_scale((fsh_vec3){1 + w, 1, 1 - w}, 0.55f * ambient);
    return l;
}

/* Wrapped diffuse light: skin lets light round the edge, red the farthest. */
static float
wrapped(float cosine, float wrap)
{
    float lit = (cosine + wrap) / (1 + wrap);

    return lit > 0 ? lit : 0;
}

static fsh_vec3
reflect(const fsh_surface *s, const lamp *l, fsh_vec3 normal)
{
    float cosine = fsh_vec3_dot(normal, l->to), shine = fsh_vec3_dot(normal, l->half), red = s->skin ? 0.28f : 0.05f;
    fsh_vec3 open = fsh_vec3_scale(fsh_vec3_mix(l->ground, l->sky, 0.5f + 0.5f * normal.y), s->open);
    float direct = 0.35f + 0.65f * s->open;
    fsh_vec3 in = {open.x + direct * l->colour.x * wrapped(cosine, red), open.y + direct * l->colour.y * wrapped(cosine, 0.5f * red),
                   open.z + direct * l->colour.z * wrapped(cosine, 0.4f * red)};

    shine = shine > 0 ? shine * shine : 0;
    shine *= shine;
    shine *= shine;
    shine *= shine; /* to the 16th */
    shine *= s->gloss * (cosine > 0 ? cosine : 0);
    return (fsh_vec3){s->colour.x * in.x + shine * l->colour.x, s->colour.y * in.y + shine * l->colour.y,
                      s->colour.z * in.z + shine * l->colour.z};
}

/* ---- what is behind ---- */

typedef struct blot {
    float x, y, rx, ry, soft;
    fsh_vec3 colour;
    int square;
} blot;
enum { BLOTS = 9 };

static fsh_vec3
random_colour(fsh_rng *rng)
{
    float grey = (float)fsh_rng_range(rng, 0.02, 0.7), tint = 0.5f;

    return (fsh_vec3){grey * (1 + tint * ((float)fsh_rng_unit(rng) - 0.5f)), grey * (1 + tint * ((float)fsh_rng_unit(rng) - 0.5f)),
                      grey * (1 + tint * ((float)fsh_rng_unit(rng) - 0.5f))};
}

static void
draw_blots(fsh_rng *rng, blot blots[BLOTS])
{
    int i;

    for (i = 0; i < BLOTS; i++) {
        blots[i].x = (float)fsh_rng_unit(rng);
        blots[i].y = (float)fsh_rng_unit(rng);
        blots[i].rx = (float)fsh_rng_range(rng, 0.05, 0.45);
        blots[i].ry = (float)fsh_rng_range(rng, 0.05, 0.6);
        blots[i].soft = (float)fsh_rng_range(rng, 0.02, 0.5);
        blots[i].square = fsh_rng_chance(rng, 0.4);
        blots[i].colour = random_colour(rng);
    }
}

static float
blot_at(const blot *b, float x, float y)
{
    float dx = fabsf(x - b->x) / b->rx, dy = fabsf(y - b->y) / b->ry;
    float far = b->square ? (dx > dy ? dx : dy) : sqrtf(dx * dx + dy * dy);

    return 0.8f * fsh_step(1 + b->soft, 1 - 0.5f * b->soft, far);
}

/* Things out of focus before a wall. */
static void
draw_backdrop(fsh_easel *easel, const fsh_moment *moment)
{
    fsh_rng rng = fsh_rng_new(moment->backdrop, 0, moment->key, 0);
    fsh_vec3 top = random_colour(&rng), bottom = random_colour(&rng);
    blot blots[BLOTS];
    uint32_t x, y, i;

    draw_blots(&rng, blots);
    for (y = 0; y < easel->size; y++)
        for (x = 0; x < easel->size; x++) {
            float u = ((float)x + 0.5f) / (float)easel->size, v = ((float)y + 0.5f) / (float)easel->size;
            fsh_vec3 c = fsh_vec3_mix(top, bottom, v);

            for (i = 0; i < BLOTS; i++)
                c = fsh_vec3_mix(c, blots[i].colour, blot_at(&blots[i], u, v));
            memcpy(&easel->light[3 * (y * easel->size + x)], &c, sizeof c);
        }
}

/* ---- the figure ---- */

static fsh_camera
camera_for(const fsh_easel *easel, const fsh_moment *moment, float follow)
{
    float size = (float)(FINER * easel->size);
    fsh_camera camera = {.pivot = {0, -1.0f, -0.25f},
                         .scale = moment->scale * size,
                         .x = size * (0.5f + moment->shift_x),
                         .y = size * (0.46f + moment->shift_y)};

    fsh_camera_turn(&camera, follow * moment->yaw, follow * moment->pitch, follow * moment->roll);
    return camera;
}

static void
look_at_figure(fsh_easel *easel, const fsh_moment *moment)
{
    /* How far each part follows the head. */
    static const float follow[FSH_PARTS] = {[FSH_PART_BODY] = 0.25f, [FSH_PART_NECK] = 0.6f, [FSH_PART_LOCKS] = 1,
                                            [FSH_PART_EAR_LEFT] = 1, [FSH_PART_EAR_RIGHT] = 1, [FSH_PART_HEAD] = 1};
    uint32_t size = FINER * easel->size, i;

    for (i = 0; i < size * size; i++)
        easel->sights[i] = (fsh_sight){.depth = -1e9f, .part = -1};
    for (i = 0; i < FSH_PARTS; i++) {
        fsh_camera camera = camera_for(easel, moment, follow[i]);

        if (easel->figure.parts[i].rows)
            fsh_raster_sheet(&easel->figure.parts[i], (fsh_part)i, &camera, easel->sights, size);
    }
}

/* The light of one point; behind where it sees nothing. */
static fsh_vec3
light_of_sight(const fsh_sight *sight, const fsh_paint *paint, const lamp *l, fsh_vec3 behind)
{
    fsh_surface s;
    fsh_vec3 normal;

    if (sight->part < 0)
        return behind;
    s = fsh_paint_at(paint, (fsh_part)sight->part, sight->rest);
    normal = fsh_vec3_unit(sight->normal);
    return reflect(&s, l, normal.z < 0 ? fsh_vec3_scale(normal, -1) : normal);
}

/* The middle of the points of a px, where all see one surface; false at an edge. */
static bool
merge_sights(const fsh_sight *const points[FINER * FINER], fsh_sight *middle)
{
    const float share = 1.0f / (FINER * FINER), edge = 0.15f;
    int i;

    *middle = (fsh_sight){.part = points[0]->part};
    for (i = 0; i < FINER * FINER; i++) {
        if (points[i]->part != middle->part || fabsf(points[i]->depth - points[0]->depth) > edge)
            return false;
        middle->rest = fsh_vec3_add(middle->rest, fsh_vec3_scale(points[i]->rest, share));
        middle->normal = fsh_vec3_add(middle->normal, fsh_vec3_scale(points[i]->normal, share));
    }
    return true;
}

/* The light of a px: of the middle of its points, or of each where they see different things. */
static fsh_vec3
light_of(const fsh_easel *easel, const fsh_paint *paint, const lamp *l, uint32_t x, uint32_t y, fsh_vec3 behind)
{
    const fsh_sight *points[FINER * FINER];
    fsh_sight middle;
    fsh_vec3 sum = {0, 0, 0};
    uint32_t i, size = FINER * easel->size;

    for (i = 0; i < FINER * FINER; i++)
        points[i] = &easel->sights[(FINER * y + i / FINER) * size + FINER * x + i % FINER];
    if (merge_sights(points, &middle))
        return light_of_sight(&middle, paint, l, behind);
    for (i = 0; i < FINER * FINER; i++)
        sum = fsh_vec3_add(sum, light_of_sight(points[i], paint, l, behind));
    return fsh_vec3_scale(sum, 1.0f / (FINER * FINER));
}

static void
draw_figure(fsh_easel *easel, const fsh_person *person, const fsh_moment *moment)
{
    fsh_paint paint = fsh_paint_mix(person, moment);
    lamp l = light_up(moment);
    uint32_t x, y;

    for (y = 0; y < easel->size; y++)
        for (x = 0; x < easel->size; x++) {
            float *at = &easel->light[3 * (y * easel->size + x)];
            fsh_vec3 c = light_of(easel, &paint, &l, x, y, (fsh_vec3){at[0], at[1], at[2]});

            memcpy(at, &c, sizeof c);
        }
}

static void
find_five(const fsh_easel *easel, const fsh_person *person, const fsh_moment *moment, fsh_point five[FSH_FIVE])
{
    fsh_camera camera = camera_for(easel, moment, 1);
    fsh_vec3 places[FSH_FIVE];
    int i;

    fsh_figure_five(&easel->figure, person, places);
    for (i = 0; i < FSH_FIVE; i++) {
        fsh_vec3 seen = fsh_camera_see(&camera, places[i]);

        five[i] = (fsh_point){(seen.x - 0.5f * (FINER - 1)) / FINER, (seen.y - 0.5f * (FINER - 1)) / FINER};
    }
}

/* ---- the lens and the film ---- */

enum { REACH = 6 };

/* One direction of a Gaussian of sigma px; step: floats from one px to the next on its line. */
static void
blur_line(const float *from, float *to, uint32_t n, uint32_t step, const float weights[REACH + 1])
{
    int32_t i, k, last = (int32_t)n - 1;

    for (i = 0; i <= last; i++) {
        float sum = weights[0] * from[(uint32_t)i * step];

        for (k = 1; k <= REACH; k++)
            sum += weights[k] * (from[(uint32_t)fsh_clampi(i - k, 0, last) * step] + from[(uint32_t)fsh_clampi(i + k, 0, last) * step]);
        to[(uint32_t)i * step] = sum;
    }
}

static void
blur(fsh_easel *easel, float sigma)
{
    float weights[REACH + 1], sum = 0;
    uint32_t size = easel->size, i, c;

    for (i = 0; i <= REACH; i++) {
        weights[i] = expf(-0.5f * (float)(i * i) / (sigma * sigma));
        sum += i ? 2 * weights[i] : weights[i];
    }
    for (i = 0; i <= REACH; i++)
        weights[i] /= sum;
    for (c = 0; c < 3; c++) {
        for (i = 0; i < size; i++)
            blur_line(easel->light + 3 * i * size + c, easel->row + 3 * i * size + c, size, 3, weights);
        for (i = 0; i < size; i++)
            blur_line(easel->row + 3 * i + c, easel->light + 3 * i + c, size, 3 * size, weights);
    }
}

/* About normal with standard deviation 1, of one word. */
static float
grain_of(uint32_t word)
{
    int32_t sum = (int32_t)(word & 255) + (int32_t)(word >> 8 & 255) + (int32_t)(word >> 16 & 255) + (int32_t)(word >> 24);

    return (float)(sum - 510) * (1 / 147.8f);
}

static void
expose(const fsh_easel *easel, const fsh_moment *moment, fsh_image *image)
{
    fsh_rng rng = fsh_rng_new(moment->backdrop, 1, moment->key, 0);
    size_t n = 3 * (size_t)easel->size * easel->size, i;

    for (i = 0; i < n; i++) {
        float bright = moment->exposure * easel->light[i];
        float value = 255 * sqrtf(bright > 0 ? bright : 0) + moment->grain * grain_of(fsh_rng_u32(&rng));

        image->data[i] = (uint8_t)fsh_clampf(value + 0.5f, 0, 255);
    }
}

fsh_status
fsh_easel_draw(fsh_easel *easel, const fsh_person *person, const fsh_moment *moment, fsh_image *image,
               fsh_point five[FSH_FIVE])
{
    int32_t size = (int32_t)easel->size;
    float sigma = moment->blur * (float)size / 250;
    fsh_status status = FSH_OK;

    if (!image->data || image->width != size || image->height != size || image->channels != 3) {
        fsh_image_fini(image);
        status = fsh_image_init(image, size, size, 3);
    }
    if (!status && person)
        status = fsh_figure_build(&easel->figure, person, moment);
    if (status)
        return status;
    draw_backdrop(easel, moment);
    if (person) {
        look_at_figure(easel, moment);
        draw_figure(easel, person, moment);
    }
    if (person && five)
        find_five(easel, person, moment, five);
    if (sigma > 0.2f)
        blur(easel, sigma);
    expose(easel, moment, image);
    return FSH_OK;
}

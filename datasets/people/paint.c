#include "datasets/people/paint.h"

/* Tones and colours as sRGB; a person lies between two of them. */
static const uint8_t skins[6][3] = {{252, 222, 200}, {240, 202, 174}, {222, 174, 140}, {188, 136, 102}, {140, 94, 66}, {96, 62, 44}};
static const uint8_t irises[5][3] = {{62, 40, 26}, {92, 60, 34}, {104, 96, 58}, {92, 118, 104}, {106, 136, 160}};
static const uint8_t hairs[7][3] = {{22, 18, 17}, {38, 27, 22}, {66, 44, 30}, {104, 68, 40}, {150, 106, 62}, {196, 160, 108}, {168, 164, 160}};

/* From sRGB, with its curve taken as a square. */
static fsh_vec3
linear(const uint8_t *srgb)
{
    fsh_vec3 c = {(float)srgb[0] / 255, (float)srgb[1] / 255, (float)srgb[2] / 255};

    return (fsh_vec3){c.x * c.x, c.y * c.y, c.z * c.z};
}

static fsh_vec3
between(const uint8_t (*palette)[3], uint32_t n, float place)
{
    uint32_t i = (uint32_t)place;

    i = i > n - 2 ? n - 2 : i;
    return fsh_vec3_mix(linear(palette[i]), linear(palette[i + 1]), place - (float)i);
}

fsh_paint
fsh_paint_mix(const fsh_person *person, const fsh_moment *moment)
{
    static const uint8_t red[3] = {176, 62, 66};
    fsh_paint paint = {person, moment, between(skins, 6, person->skin), {0, 0, 0}, between(irises, 5, person->iris),
                       between(hairs, 7, person->hair),
                       {moment->cloth[0] * moment->cloth[0], moment->cloth[1] * moment->cloth[1],
                        moment->cloth[2] * moment->cloth[2]}};
    fsh_vec3 rosy = linear(red);
    float dark = paint.skin.x; /* lips of dark skin are darker too */

    rosy = fsh_vec3_scale(rosy, 0.45f + 0.65f * dark);
    paint.lips = fsh_vec3_mix(fsh_vec3_scale(paint.skin, fsh_mixf(0.42f, 0.62f, dark)), rosy, person->lip_red * fsh_mixf(0.6f, 1, dark));
    /* Dark skin seldom has light hair or eyes. */
    if (person->skin > 2.6f) {
        paint.hair = fsh_vec3_mix(paint.hair, linear(hairs[0]), person->hair > 5.8f ? 0.3f : 0.93f);
        paint.iris = fsh_vec3_mix(paint.iris, linear(irises[0]), 0.9f);
    }
    return paint;
}

static void
cover(fsh_surface *s, fsh_vec3 colour, float amount)
{
    s->colour = fsh_vec3_mix(s->colour, colour, amount);
}

static void
darken(fsh_surface *s, float amount)
{
    s->colour = fsh_vec3_scale(s->colour, 1 - amount);
}

/* ---- skin ---- */

static void
paint_spots(const fsh_paint *paint, fsh_surface *s, float x, float y)
{
    const fsh_person *person = paint->person;
    uint32_t key = (uint32_t)(person->key >> 32);
    float mottle = fsh_noise2x2(5 * x, 5 * y, key) - 0.5f, fine = fsh_noise2x2(23 * x, 23 * y, key + 7) - 0.5f;
    float red = person->skin_red * (fsh_hills(x, y, 0.55f, -0.42f, 0.2f, 0.16f) + 0.7f * fsh_hill(x, y, 0, fsh_person_nose(person), 0.12f, 0.1f));
    float freckles = person->freckles * fsh_hill(x, y, 0, -0.25f, 0.55f, 0.22f) * fsh_step(0.60f, 0.80f, fsh_noise2(17 * x, 17 * y, key + 3));
    float size = person->mole_size;

    s->colour = fsh_vec3_scale(s->colour, 1 + 0.14f * mottle + 0.08f * fine);
    if (red > 0)
        s->colour = (fsh_vec3){s->colour.x, s->colour.y * (1 - 0.22f * red), s->colour.z * (1 - 0.20f * red)};
    if (freckles > 0)
        darken(s, 0.45f * freckles);
    if (size > 0.008f)
        darken(s, 0.75f * fsh_step(1.2f * size, 0.6f * size, sqrtf((x - person->mole_x) * (x - person->mole_x) + (y - person->mole_y) * (y - person->mole_y))));
}

/* Distance from a line between two points that bends by arch in its middle. */
static float
stroke(float x, float y, float x0, float y0, float x1, float y1, float arch, float *along)
{
    float t = (x - x0) / (x1 - x0), line;

    *along = t;
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    line = y0 + (y1 - y0) * t + arch * 4 * t * (1 - t);
    return y - line;
}

/* Lines beside the mouth, under the eyes and on the forehead: deeper with age and with a smile. */
static void
paint_lines(const fsh_paint *paint, fsh_surface *s, float x, float y)
{
    const fsh_person *person = paint->person;
    float ax = fabsf(x), t, d, age = person->lines, smile = paint->moment->smile > 0 ? paint->moment->smile : 0;
    float nose = fsh_person_nose(person), mouth = fsh_person_mouth(person);

    d = ax - fsh_mixf(0.25f, person->mouth_width + 0.12f, (nose - y) / (nose - mouth + 0.1f));
    darken(s, (0.10f + 0.16f * age + 0.16f * smile) * fsh_step(0.05f, 0.0f, fabsf(d)) * fsh_step(nose + 0.06f, nose - 0.08f, y) *
              fsh_step(mouth - 0.16f, mouth + 0.02f, y));
    d = stroke(ax, y, person->eye_apart - 0.2f, -0.09f, person->eye_apart + 0.2f, -0.12f, -0.07f, &t);
    darken(s, (0.05f + 0.18f * age) * fsh_step(0.035f, 0.0f, fabsf(d)) * fsh_step(-0.1f, 0.2f, t) * fsh_step(1.1f, 0.6f, t));
    if (y > 0.45f)
        darken(s, 0.14f * age * fsh_step(0.35f, 0.9f, fabsf(sinf(21 * y + 1.5f * x * x))) * fsh_hill(x, y, 0, 0.68f, 0.4f, 0.16f) * age);
}

/* Light from everywhere does not get into corners. */
static float
openness(const fsh_person *person, float x, float y, float z)
{
    float nose = fsh_person_nose(person), mouth = fsh_person_mouth(person), open = 1;

    if (z < 0)
        return 1 - 0.45f * fsh_step(-0.5f, -1.2f, y);
    open -= 0.34f * fsh_hills(x, y, person->eye_apart - 0.19f, 0.06f, 0.07f, 0.09f);
    open -= 0.22f * fsh_hills(x, y, person->eye_apart, 0.13f, 0.2f, 0.05f);
    open -= 0.28f * fsh_hills(x, y, 0.22f * person->nose_width, nose - 0.02f, 0.05f, 0.09f);
    open -= 0.08f * fsh_hill(x, y, 0, nose - 0.19f, 0.15f, 0.05f);
    open -= 0.30f * fsh_hill(x, y, 0, mouth - 0.215f, 0.2f, 0.045f);
    open -= 0.18f * fsh_hills(x, y, person->mouth_width + 0.03f, mouth, 0.05f, 0.05f);
    open -= 0.30f * fsh_step(0.75f, 0.1f, z) * fsh_step(-0.9f, -1.3f, y);
    return open;
}

static void
paint_beard(const fsh_paint *paint, fsh_surface *s, fsh_vec3 p)
{
    const fsh_person *person = paint->person;
    float ax = fabsf(p.x), mouth = fsh_person_mouth(person), nose = fsh_person_nose(person);
    float rough = fsh_noise2x2(31 * p.x, 31 * p.y, (uint32_t)person->key + 11);
    float lip = 1.3f * fsh_hill(p.x, p.y, 0, mouth + 0.16f, 0.30f, 0.06f) * fsh_step(nose - 0.13f, nose - 0.2f, p.y);
    float line = mouth + 0.12f + 0.5f * (ax - 0.35f) + 0.35f * fsh_step(0.6f, 1.0f, ax);
    float jaw = fsh_step(0.10f, -0.12f, p.y - line) * (1 - fsh_hill(p.x, p.y, 0, mouth, person->mouth_width * 0.66f, 0.10f));
    float amount = 0;

    if (p.z < -0.25f || person->beard == FSH_BEARD_NONE)
        return;
    jaw *= fsh_mixf(fsh_step(mouth - 0.10f, mouth - 0.24f, p.y), 1, fsh_step(0.26f, 0.46f, ax));
    if (person->beard == FSH_BEARD_STUBBLE)
        amount = 0.42f * (jaw + lip > 1 ? 1 : jaw + lip) * (0.55f + 0.6f * rough);
    if (person->beard == FSH_BEARD_MOUSTACHE)
        amount = 1.5f * lip * (0.6f + 0.5f * rough);
    if (person->beard == FSH_BEARD_FULL)
        amount = (jaw + 1.2f * lip) * (0.75f + 0.35f * rough);
    cover(s, fsh_vec3_scale(paint->hair, 0.75f + 0.7f * rough), amount > 0.92f ? 0.92f : amount);
}

/* ---- features ---- */

static void
paint_brows(const fsh_paint *paint, fsh_surface *s, float x, float y)
{
    const fsh_person *person = paint->person;
    float ax = fabsf(x), h = person->brow_height, t, d, thick, hair;

    d = stroke(ax, y, person->eye_apart - 0.26f, h - 0.02f, person->eye_apart + 0.29f, h + person->brow_tilt, person->brow_arch, &t);
    thick = person->brow_thick * fsh_step(-0.10f, 0.12f, t) * fsh_mixf(1.1f, 0.35f, fsh_step(0.3f, 1.08f, t));
    hair = 0.65f + 0.6f * fsh_noise2(46 * ax + 20 * y, 14 * y, (uint32_t)person->key + 5);
    if (t > -0.1f && t < 1.1f && thick > 0.003f)
        cover(s, fsh_vec3_scale(paint->hair, 0.7f), person->brow_dark * hair * fsh_step(1.35f * thick, 0.55f * thick, fabsf(d)));
}

/* The ball of an eye: (x, y) from its middle. */
static void
paint_ball(const fsh_paint *paint, fsh_surface *s, float x, float y, float upper)
{
    const fsh_moment *moment = paint->moment;
    fsh_vec3 white = {0.52f, 0.48f, 0.45f}, black = {0.006f, 0.005f, 0.005f};
    float dx = x - moment->gaze_x, dy = y - 0.008f - moment->gaze_y, r = sqrtf(dx * dx + dy * dy);
    float rays = 0.8f + 0.5f * fsh_noise2(30 * dx, 30 * dy, (uint32_t)paint->person->key + 9);
    float gx = dx + 0.028f, gy = dy - 0.032f;

    s->colour = fsh_vec3_scale(white, 1 - 0.5f * fsh_step(0.05f, 0.0f, upper - y) - 1.2f * x * x);
    cover(s, fsh_vec3_scale(paint->iris, rays), fsh_step(0.100f, 0.088f, r));
    cover(s, black, 0.75f * fsh_step(0.070f, 0.090f, r) * fsh_step(0.104f, 0.094f, r));
    cover(s, black, fsh_step(0.046f, 0.036f, r));
    cover(s, (fsh_vec3){1.1f, 1.1f, 1.1f}, 0.8f * fsh_step(0.020f, 0.010f, sqrtf(gx * gx + gy * gy)));
    s->gloss = 0.12f;
    s->skin = false;
}

static void
paint_eyes(const fsh_paint *paint, fsh_surface *s, float x, float y)
{
    const fsh_person *person = paint->person;
    float side = x < 0 ? -1 : 1, ex = side * x - person->eye_apart, t = ex / person->eye_width, arc = 1 - t * t;
    float ey = y - person->eye_tilt * 0.35f * ex, upper, lower, fold, edge;
    fsh_vec3 lash = fsh_vec3_scale(paint->hair, 0.35f);

    if (t < -1.35f || t > 1.35f || ey < -0.2f || ey > 0.3f)
        return;
    arc = arc > 0 ? arc : 0;
    upper = person->eye_height * paint->moment->lids * sqrtf(arc) * (1 - 0.15f * t);
    lower = -0.050f * arc - 0.004f;
    fold = upper + person->lid_fold * (0.5f + 0.5f * arc);
    if (arc > 0 && ey < upper && ey > lower)
        paint_ball(paint, s, side * ex, ey, upper);
    edge = fabsf(ey - upper);
    darken(s, 0.45f * fsh_step(0.022f, 0.0f, fabsf(ey - fold)) * fsh_step(1.2f, 0.7f, fabsf(t)));
    darken(s, 0.20f * fsh_step(0.0f, 0.02f, ey - upper) * fsh_step(0.02f, -0.02f, ey - fold) * arc);
    cover(s, lash, 0.95f * fsh_step(0.032f, 0.014f, edge) * fsh_step(1.12f, 0.95f, fabsf(t)));
    cover(s, lash, 0.55f * fsh_step(0.020f, 0.005f, fabsf(ey - lower)) * fsh_step(1.05f, 0.8f, fabsf(t)));
}

static void
paint_nose(const fsh_paint *paint, fsh_surface *s, float x, float y)
{
    const fsh_person *person = paint->person;
    float nose = fsh_person_nose(person), ax = fabsf(x);
    float hole = fsh_hill(ax, y, 0.095f * person->nose_width, nose - 0.125f, 0.040f, 0.022f);
    float wing = fabsf(ax - 0.235f * person->nose_width - 0.10f * (y - nose + 0.06f) * (y - nose + 0.06f) * 10);

    darken(s, (0.45f + 0.3f * paint->skin.x) * fsh_step(0.25f, 0.75f, hole));
    darken(s, (0.14f + 0.16f * paint->skin.x) * fsh_step(0.035f, 0.0f, wing) * fsh_step(nose - 0.17f, nose - 0.08f, y) * fsh_step(nose + 0.08f, nose + 0.0f, y));
}

/* The gap between the lips is the one row of the head that opens: what lies within a hair of the line is inside. */
static void
paint_mouth(const fsh_paint *paint, fsh_surface *s, float x, float y)
{
    const fsh_person *person = paint->person;
    float m = fsh_person_mouth(person), t = x / person->mouth_width, arc = 1 - t * t, ey = y - m;
    float bow = 1 - 0.22f * fsh_hill(t, 0, 0, 0, 0.13f, 1), upper, lower;
    fsh_vec3 inside = {0.035f, 0.008f, 0.008f}, teeth = {0.62f, 0.58f, 0.50f};

    if (arc <= 0)
        return;
    upper = person->lip_upper * bow * arc * (0.75f + 0.25f * arc);
    lower = -person->lip_lower * sqrtf(arc) * arc;
    cover(s, paint->lips, 0.9f * fsh_step(0.012f, -0.012f, ey - upper) * fsh_step(-0.014f, 0.014f, ey - lower));
    cover(s, fsh_vec3_scale(paint->lips, 1.35f), 0.8f * fsh_hill(t, ey, 0, 0.55f * lower, 0.35f, 0.03f));
    s->gloss += (0.04f + 0.12f * paint->skin.x) * fsh_step(0.01f, -0.02f, ey - upper) * fsh_step(-0.01f, 0.02f, ey - lower);
    darken(s, 0.75f * fsh_step(0.026f, 0.008f, fabsf(ey)) * fsh_step(0, 0.2f, arc));
    if (paint->moment->open > 0.08f && fabsf(ey) < 0.007f && arc > 0.03f) {
        s->colour = ey > 0.0072f - 0.0065f * fsh_step(0, 0.35f, arc) ? teeth : inside;
        s->gloss = 0.05f;
        s->skin = false;
    }
}

/* ---- parts ---- */

static fsh_surface
paint_hair(const fsh_paint *paint, float across, float along)
{
    float strands = fsh_noise2x2(26 * across, 3.0f * along, (uint32_t)paint->person->key + 21);
    fsh_surface s = {fsh_vec3_scale(paint->hair, 0.55f + 0.9f * strands), 0.10f + 0.12f * strands, 0.85f, false};

    return s;
}

static fsh_surface
paint_face(const fsh_paint *paint, fsh_vec3 p)
{
    fsh_surface s = {paint->skin, 0.04f + 0.08f * paint->skin.x, openness(paint->person, p.x, p.y, p.z), true};

    paint_spots(paint, &s, p.x, p.y);
    if (p.z > 0) {
        paint_lines(paint, &s, p.x, p.y);
        paint_nose(paint, &s, p.x, p.y);
        paint_mouth(paint, &s, p.x, p.y);
    }
    paint_beard(paint, &s, p);
    if (p.z > 0) {
        paint_brows(paint, &s, p.x, p.y);
        paint_eyes(paint, &s, p.x, p.y);
    }
    return s;
}

static fsh_surface
paint_head(const fsh_paint *paint, fsh_vec3 p)
{
    float amount = fsh_step(-0.03f, 0.03f, fsh_person_hair(paint->person, p));
    fsh_surface hair, face;

    if (amount <= 0)
        return paint_face(paint, p);
    hair = paint_hair(paint, fabsf(p.z) > fabsf(p.x) ? p.x : p.z, p.y + p.x);
    if (amount >= 1)
        return hair;
    face = paint_face(paint, p);
    face.colour = fsh_vec3_mix(face.colour, hair.colour, amount);
    face.open *= 1 - 0.25f * amount;
    return face;
}

static fsh_surface
paint_ear(const fsh_paint *paint, fsh_vec3 p)
{
    fsh_surface s = {paint->skin, 0.06f, 1 - 0.45f * fsh_step(0.75f, 0.3f, p.x), true};

    s.colour = (fsh_vec3){s.colour.x, s.colour.y * 0.92f, s.colour.z * 0.92f};
    return s;
}

static fsh_surface
paint_cloth(const fsh_paint *paint, fsh_vec3 p)
{
    float weave = fsh_noise2x2(40 * p.x, 40 * p.y, paint->moment->backdrop) - 0.5f;
    float folds = fsh_noise2x2(3 * p.x, 1.5f * p.y, paint->moment->backdrop + 3) - 0.5f;
    fsh_surface s = {fsh_vec3_scale(paint->cloth, 1 + 0.2f * weave + 0.5f * folds), 0.02f, 0.9f, false};

    return s;
}

fsh_surface
fsh_paint_at(const fsh_paint *paint, fsh_part part, fsh_vec3 rest)
{
    fsh_surface s = {paint->skin, 0.05f, 0.75f, true};

    switch (part) {
    case FSH_PART_HEAD: return paint_head(paint, rest);
    case FSH_PART_EAR_LEFT:
    case FSH_PART_EAR_RIGHT: return paint_ear(paint, rest);
    case FSH_PART_LOCKS: return paint_hair(paint, rest.x, rest.y);
    case FSH_PART_BODY: return paint_cloth(paint, rest);
    default:
        s.open = fsh_mixf(0.35f, 0.85f, fsh_step(-1.2f, -2.1f, rest.y));
        paint_beard(paint, &s, (fsh_vec3){rest.x, 9, rest.z});
        return s;
    }
}

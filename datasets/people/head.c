#include "datasets/people/head.h"

#include "datasets/people/sheet.h"

/* ---- the skull and the jaw ---- */

/* Cross-sections of the average head from the crown down. */
typedef struct section {
    float y, width, front, back; /* half-width; depth before and behind the axis */
} section;

static const section sections[] = {
    {1.66f, 0.00f, 0.00f, 0.00f},  {1.60f, 0.42f, 0.42f, 0.50f},  {1.40f, 0.76f, 0.76f, 0.95f},
    {1.10f, 0.95f, 0.97f, 1.25f},  {0.75f, 1.01f, 1.09f, 1.40f},  {0.40f, 1.03f, 1.13f, 1.42f},
    {0.15f, 1.02f, 1.10f, 1.38f},  {-0.10f, 1.01f, 1.06f, 1.30f}, {-0.40f, 0.97f, 1.05f, 1.15f},
    {-0.70f, 0.91f, 1.05f, 0.95f}, {-1.00f, 0.83f, 1.05f, 0.70f}, {-1.25f, 0.70f, 1.00f, 0.45f},
    {-1.45f, 0.52f, 0.96f, 0.25f}, {-1.58f, 0.34f, 0.84f, 0.10f}, {-1.64f, 0.15f, 0.60f, 0.00f}};
enum { SECTIONS = sizeof sections / sizeof sections[0] };

/* Catmull-Rom. */
static float
curve(float a, float b, float c, float d, float t)
{
    return b + 0.5f * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

static section
section_at(float t)
{
    float place = t * (SECTIONS - 1), u;
    int i = (int)place;
    const section *b, *a, *c, *d;

    i = i > SECTIONS - 2 ? SECTIONS - 2 : i;
    u = place - (float)i;
    b = &sections[i];
    c = b + 1;
    a = i > 0 ? b - 1 : b;
    d = i < SECTIONS - 2 ? c + 1 : c;
    return (section){curve(a->y, b->y, c->y, d->y, u), curve(a->width, b->width, c->width, d->width, u),
                     curve(a->front, b->front, c->front, d->front, u), curve(a->back, b->back, c->back, d->back, u)};
}

/* The section of this person at this row. Two rows stand close over and under the line between the lips, so that
 * the mouth can open between them. */
static section
person_section(const fsh_person *person, uint32_t row)
{
    section s = section_at((float)row / (FSH_HEAD_ROWS - 1)), next = section_at(((float)row + 1) / (FSH_HEAD_ROWS - 1)),
            last = section_at(row ? ((float)row - 1) / (FSH_HEAD_ROWS - 1) : 0);
    float mouth = fsh_person_mouth(person), jaw = fsh_mixf(1, person->jaw, fsh_step(-0.5f, -1.2f, s.y));

    if (s.y > mouth && next.y <= mouth)
        s.y = mouth + 0.008f;
    else if (s.y <= mouth && last.y > mouth)
        s.y = mouth - 0.008f;
    s.width *= person->width * jaw;
    s.y *= s.y > 0 ? person->height : 1;
    s.y += person->chin_drop * fsh_step(-1.15f, -1.6f, s.y);
    return s;
}

/* A point of a section, as a superellipse, in the direction whose sine and cosine are given. */
static fsh_vec3
round_section(const section *s, float sine, float cosine)
{
    float width = s->width > 1e-4f ? s->width : 1e-4f, depth = cosine > 0 ? s->front : s->back;
    float a = fabsf(sine) / width, b = fabsf(cosine) / (depth > 1e-4f ? depth : 1e-4f);
    float r = 1 / sqrtf(sqrtf(a * a * a * a + b * b * b * b + 1.35f * a * a * b * b));

    return (fsh_vec3){r * sine, s->y, r * cosine};
}

/* ---- what stands on it ---- */

float
fsh_person_mouth(const fsh_person *person)
{
    return -1.00f - person->mouth_down;
}

float
fsh_person_nose(const fsh_person *person)
{
    return -0.53f - person->nose_length;
}

/* Height of the nose over the face along its ridge: t is 0 between the eyes and 1 at the tip. */
static float
nose_ridge(const fsh_person *person, float t)
{
    float up = fsh_step(-0.30f, 1.0f, t), down = fsh_step(1.50f, 1.02f, t);
    float bridge = 0.17f * person->nose_bridge * fsh_step(-0.15f, 0.25f, t);

    return down * (bridge + (person->nose_height - bridge) * up * up);
}

static float
nose(const fsh_person *person, float x, float y)
{
    float tip = fsh_person_nose(person), t = (0.08f - y) / (0.08f - tip);
    float width = person->nose_width * fsh_mixf(0.095f, 0.165f, fsh_step(0.25f, 1.05f, t));
    float ridge = nose_ridge(person, t) * fsh_hill(x, 0, 0, 0, width, 1);
    float wing = 0.17f * fsh_hills(x, y, 0.185f * person->nose_width, tip - 0.06f, 0.085f, 0.075f);

    return ridge + wing + 0.05f * fsh_hill(x, y, 0, tip, 0.1f, 0.08f);
}

static float
eyes(const fsh_person *person, float x, float y)
{
    float apart = person->eye_apart;

    return -person->eye_depth * fsh_hills(x, y, apart - 0.05f, 0.05f, 0.22f, 0.13f) +
           0.07f * fsh_hills(x, y, apart, -0.005f, 0.14f, 0.09f) +
           person->brow_ridge * fsh_hills(x, y, apart - 0.03f, person->brow_height + 0.02f, 0.26f, 0.08f);
}

static float
mouth(const fsh_person *person, float x, float y)
{
    float m = fsh_person_mouth(person), w = person->mouth_width;

    return 0.060f * fsh_hill(x, y, 0, m + 0.07f, 0.75f * w, 0.07f) +
           0.075f * fsh_hill(x, y, 0, m - 0.08f, 0.65f * w, 0.07f) -
           0.035f * fsh_hill(x, y, 0, m, 0.55f * w, 0.022f) - 0.025f * fsh_hills(x, y, w + 0.03f, m, 0.07f, 0.08f) -
           0.070f * fsh_hill(x, y, 0, m - 0.235f, 0.26f, 0.06f) -
           0.018f * fsh_hill(x, y, 0, m + 0.2f, 0.045f, 0.08f);
}

static float
bones(const fsh_person *person, float x, float y)
{
    return person->cheekbones * fsh_hills(x, y, 0.62f, -0.30f, 0.20f, 0.16f) +
           person->cheeks * fsh_hills(x, y, 0.52f, -0.78f, 0.22f, 0.22f) +
           person->forehead * fsh_hill(x, y, 0, 0.72f, 0.45f, 0.25f) +
           (0.05f + person->chin) * fsh_hill(x, y, 0, -1.47f + person->chin_drop, 0.20f, 0.11f);
}

/* The resting face: what stands on it goes forward, less towards the sides. */
static fsh_vec3
shape(const fsh_person *person, fsh_vec3 p)
{
    float front = fsh_step(0.0f, 0.5f, p.z);

    if (front > 0)
        p.z += front * (nose(person, p.x, p.y) + eyes(person, p.x, p.y) + mouth(person, p.x, p.y) +
                        bones(person, p.x, p.y));
    return p;
}

/* ---- hair ---- */

/* Height of the hairline, for the cosine of the direction: 1 in front, -1 behind. */
static float
hair_line(const fsh_person *person, float x, float cosine)
{
    float front = person->hair_line, side = 0.15f, line;

    if (person->hair_style == FSH_HAIR_FRINGE)
        front = 0.47f + 0.05f * person->hair_line;
    if (person->hair_style == FSH_HAIR_PARTED)
        front -= 0.22f * fsh_step(0.1f, 0.75f, fabsf(x + 0.3f));
    if (person->hair_style == FSH_HAIR_BALD)
        front = 1.35f;
    line = fsh_mixf(side - 0.5f, front, fsh_step(0.02f, 0.62f, cosine));
    return cosine > 0 ? line : fsh_mixf(side - 0.5f, -1.0f, fsh_step(0.0f, -0.75f, cosine));
}

float
fsh_person_hair(const fsh_person *person, fsh_vec3 rest)
{
    float cosine = rest.z / sqrtf(rest.x * rest.x + rest.z * rest.z + 1e-6f);
    float amount = rest.y - hair_line(person, rest.x, cosine), rough;

    if (amount < -0.1f)
        return amount;
    rough = 0.10f * (fsh_noise2x2(9 * rest.x, 9 * rest.z, (uint32_t)person->key) - 0.5f);
    return person->hair_style == FSH_HAIR_BALD ? fminf(amount, 0.72f - rest.y) + rough : amount + rough;
}

static fsh_vec3
grow_hair(const fsh_person *person, fsh_vec3 rest)
{
    float thick = person->hair_style == FSH_HAIR_BALD ? 0.03f : person->hair_thick;
    float amount = thick * fsh_step(-0.02f, 0.30f, fsh_person_hair(person, rest));
    fsh_vec3 out = fsh_vec3_unit((fsh_vec3){rest.x, rest.y - 0.3f, rest.z});

    return fsh_vec3_add(rest, fsh_vec3_scale(out, amount));
}

/* ---- the moment ---- */

static float
opening(const fsh_moment *moment)
{
    return moment->open > 0 ? 0.34f * moment->open : 0;
}

/* The lower lip follows the shape of the gap, the chin comes along as a whole. */
static float
jaw_drop(const fsh_person *person, const fsh_moment *moment, fsh_vec3 rest)
{
    float m = fsh_person_mouth(person), along = rest.x / person->mouth_width;
    float lip = 1 - along * along, chin = 0.75f * fsh_step(-0.2f, 0.45f, rest.z);

    if (rest.y >= m)
        return 0;
    return opening(moment) * fsh_mixf(lip > 0 ? lip : 0, chin, fsh_step(m - 0.10f, m - 0.38f, rest.y));
}

static fsh_vec3
express(const fsh_person *person, const fsh_moment *moment, fsh_vec3 rest)
{
    float corner = fsh_hills(rest.x, rest.y, person->mouth_width, fsh_person_mouth(person), 0.17f, 0.12f);
    float cheek = fsh_hills(rest.x, rest.y, 0.52f, -0.55f, 0.2f, 0.18f);
    float brow = fsh_hills(rest.x, rest.y, 0.42f, person->brow_height, 0.3f, 0.1f);

    if (rest.z < 0)
        return rest;
    return (fsh_vec3){rest.x + (rest.x > 0 ? 0.08f : -0.08f) * moment->smile * corner,
                      rest.y + 0.09f * moment->smile * corner + moment->brows * brow - jaw_drop(person, moment, rest),
                      rest.z - 0.05f * moment->smile * corner + 0.05f * moment->smile * cheek};
}

/* ---- the sheet ---- */

/* Columns stand closer in the face than behind. */
static float
head_angle(uint32_t column)
{
    float s = 2 * ((float)column + 0.5f) / FSH_HEAD_COLUMNS - 1;

    return FSH_SHEET_PI * (0.52f * s + 0.48f * s * s * s);
}

void
fsh_head_build(const fsh_sheet *sheet, const fsh_person *person, const fsh_moment *moment)
{
    uint32_t row, column;

    for (row = 0; row < sheet->rows; row++) {
        section s = person_section(person, row);

        for (column = 0; column < sheet->columns; column++) {
            float angle = head_angle(column);
            fsh_vertex *v = fsh_sheet_at(sheet, row, column);

            v->rest = shape(person, round_section(&s, sinf(angle), cosf(angle)));
            v->place = grow_hair(person, express(person, moment, v->rest));
        }
    }
    fsh_sheet_normals(sheet);
}

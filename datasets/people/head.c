#include "datasets/people/head.h"

#include <stdlib.h>

enum { HEAD_ROWS = 150, HEAD_COLUMNS = 176, HEAD_N = HEAD_ROWS * HEAD_COLUMNS };
enum { EAR_ROWS = 9, EAR_COLUMNS = 24, EAR_N = EAR_ROWS * EAR_COLUMNS };
enum { NECK_ROWS = 10, NECK_COLUMNS = 48, NECK_N = NECK_ROWS * NECK_COLUMNS };
enum { BODY_ROWS = 24, BODY_COLUMNS = 64, BODY_N = BODY_ROWS * BODY_COLUMNS };
enum { LOCKS_ROWS = 40, LOCKS_COLUMNS = 96, LOCKS_N = LOCKS_ROWS * LOCKS_COLUMNS };

static const float PI = 3.14159265f;

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
    section s = section_at((float)row / (HEAD_ROWS - 1)), next = section_at(((float)row + 1) / (HEAD_ROWS - 1)),
            last = section_at(row ? ((float)row - 1) / (HEAD_ROWS - 1) : 0);
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

/* ---- sheets ---- */

static fsh_vertex *
vertex(const fsh_sheet *sheet, uint32_t row, uint32_t column)
{
    return &sheet->at[row * sheet->columns + column];
}

/* The column before or behind, at an open end the same. */
static uint32_t
next_column(const fsh_sheet *sheet, uint32_t column, bool back)
{
    if (back)
        return column ? column - 1 : sheet->closed ? sheet->columns - 1 : 0;
    return column + 1 < sheet->columns ? column + 1 : sheet->closed ? 0 : column;
}

/* Normals from the neighbours; at the ends of a sheet from those on one side. */
static void
find_normals(const fsh_sheet *sheet)
{
    uint32_t row, column;

    for (row = 0; row < sheet->rows; row++)
        for (column = 0; column < sheet->columns; column++) {
            const fsh_vertex *up = vertex(sheet, row ? row - 1 : 0, column);
            const fsh_vertex *down = vertex(sheet, row + 1 < sheet->rows ? row + 1 : row, column);
            const fsh_vertex *left = vertex(sheet, row, next_column(sheet, column, true));
            const fsh_vertex *right = vertex(sheet, row, next_column(sheet, column, false));
            fsh_vec3 across = fsh_vec3_sub(right->place, left->place), along = fsh_vec3_sub(up->place, down->place);

            vertex(sheet, row, column)->normal = fsh_vec3_unit(fsh_vec3_cross(across, along));
        }
}

/* Columns stand closer in the face than behind. */
static float
head_angle(uint32_t column)
{
    float s = 2 * ((float)column + 0.5f) / HEAD_COLUMNS - 1;

    return PI * (0.52f * s + 0.48f * s * s * s);
}

static void
build_head(const fsh_sheet *sheet, const fsh_person *person, const fsh_moment *moment)
{
    uint32_t row, column;

    for (row = 0; row < sheet->rows; row++) {
        section s = person_section(person, row);

        for (column = 0; column < sheet->columns; column++) {
            float angle = head_angle(column);
            fsh_vertex *v = vertex(sheet, row, column);

            v->rest = shape(person, round_section(&s, sinf(angle), cosf(angle)));
            v->place = grow_hair(person, express(person, moment, v->rest));
        }
    }
    find_normals(sheet);
}

/* A shell: a flat ellipsoid whose rim is turned forward. */
static void
build_ear(const fsh_sheet *sheet, const fsh_person *person, float side)
{
    uint32_t row, column;

    for (row = 0; row < sheet->rows; row++)
        for (column = 0; column < sheet->columns; column++) {
            float r = (float)row / (float)(sheet->rows - 1), angle = 2 * PI * (float)column / (float)sheet->columns;
            float y = 0.30f * r * cosf(angle), z = 0.19f * r * sinf(angle) * side * (1 + 0.25f * cosf(angle));
            float rim = fsh_step(0.35f, 0.85f, r) * fsh_step(1.05f, 0.9f, r);
            fsh_vec3 p = {0.03f + 0.10f * rim - 0.12f * z, y, z};
            fsh_vertex *v = vertex(sheet, row, column);

            v->rest = (fsh_vec3){r, y, z};
            v->place = (fsh_vec3){side * (person->width * 1.0f + person->ears * p.x), -0.22f + person->ears * p.y,
                                  -0.12f + person->ears * p.z};
        }
    find_normals(sheet);
}

/* A tube from under the jaw to the shoulders. */
static void
build_neck(const fsh_sheet *sheet, const fsh_person *person)
{
    uint32_t row, column;

    for (row = 0; row < sheet->rows; row++)
        for (column = 0; column < sheet->columns; column++) {
            float down = (float)row / (float)(sheet->rows - 1), angle = 2 * PI * (float)column / (float)sheet->columns;
            float r = person->neck * (1 + 0.22f * fsh_step(0.6f, 1, down));
            fsh_vertex *v = vertex(sheet, row, column);

            v->place = (fsh_vec3){r * sinf(angle), -0.85f - 1.75f * down, r * cosf(angle) - 0.22f};
            v->rest = v->place;
        }
    find_normals(sheet);
}

/* Shoulders under cloth, from the collar down. */
static void
build_body(const fsh_sheet *sheet, const fsh_person *person)
{
    uint32_t row, column;

    for (row = 0; row < sheet->rows; row++)
        for (column = 0; column < sheet->columns; column++) {
            float down = (float)row / (float)(sheet->rows - 1), angle = 2 * PI * (float)column / (float)sheet->columns;
            float out = sqrtf(down * (2 - down)), wide = person->neck + 0.06f + 1.55f * out, deep = person->neck + 0.1f + 0.35f * out;
            fsh_vertex *v = vertex(sheet, row, column);

            v->place = (fsh_vec3){wide * sinf(angle), -2.10f - 0.35f * down - 1.9f * down * down * down +
                                  0.14f * cosf(angle) * -1, deep * cosf(angle) - 0.22f};
            v->rest = v->place;
        }
    find_normals(sheet);
}

/* Long hair: a curtain round the head that leaves the face free. */
static void
build_locks(const fsh_sheet *sheet, const fsh_person *person)
{
    uint32_t row, column;

    for (row = 0; row < sheet->rows; row++)
        for (column = 0; column < sheet->columns; column++) {
            float down = (float)row / (float)(sheet->rows - 1), s = 2 * (float)column / (float)(sheet->columns - 1) - 1;
            float angle = PI + s * (PI - fsh_mixf(1.15f, 0.72f, fsh_step(0.35f, 1, down)));
            float wave = 0.06f * (fsh_noise2(11 * s, 2.5f * down, (uint32_t)person->key) - 0.5f);
            float r = 1 + 0.75f * person->hair_thick + 0.10f * fsh_step(0.1f, 0.8f, down) + wave;
            fsh_vertex *v = vertex(sheet, row, column);

            v->place = (fsh_vec3){person->width * 1.06f * r * sinf(angle), 0.75f - 3.1f * down,
                                  (cosf(angle) > 0 ? 0.95f : 1.3f) * r * cosf(angle) - 0.1f};
            v->rest = (fsh_vec3){4 * s, v->place.y, down};
        }
    find_normals(sheet);
}

/* ---- the figure ---- */

static const struct {
    uint32_t rows, columns;
} sizes[FSH_PARTS] = {[FSH_PART_BODY] = {BODY_ROWS, BODY_COLUMNS},    [FSH_PART_NECK] = {NECK_ROWS, NECK_COLUMNS},
                      [FSH_PART_LOCKS] = {LOCKS_ROWS, LOCKS_COLUMNS}, [FSH_PART_EAR_LEFT] = {EAR_ROWS, EAR_COLUMNS},
                      [FSH_PART_EAR_RIGHT] = {EAR_ROWS, EAR_COLUMNS}, [FSH_PART_HEAD] = {HEAD_ROWS, HEAD_COLUMNS}};

static fsh_status
make_sheets(fsh_figure *figure)
{
    fsh_vertex *next;
    int i;

    if (figure->memory)
        return FSH_OK;
    figure->memory = calloc(HEAD_N + 2 * EAR_N + NECK_N + BODY_N + LOCKS_N, sizeof *figure->memory);
    if (!figure->memory)
        return FSH_MEMORY;
    for (i = 0, next = figure->memory; i < FSH_PARTS; next += sizes[i].rows * sizes[i].columns, i++)
        figure->parts[i] = (fsh_sheet){sizes[i].rows, sizes[i].columns, i != FSH_PART_LOCKS, next};
    return FSH_OK;
}

fsh_status
fsh_figure_build(fsh_figure *figure, const fsh_person *person, const fsh_moment *moment)
{
    fsh_status status = make_sheets(figure);

    if (status)
        return status;
    build_head(&figure->parts[FSH_PART_HEAD], person, moment);
    build_ear(&figure->parts[FSH_PART_EAR_LEFT], person, -1);
    build_ear(&figure->parts[FSH_PART_EAR_RIGHT], person, 1);
    build_neck(&figure->parts[FSH_PART_NECK], person);
    build_body(&figure->parts[FSH_PART_BODY], person);
    figure->parts[FSH_PART_LOCKS].rows = person->hair_style == FSH_HAIR_LONG ? LOCKS_ROWS : 0;
    if (figure->parts[FSH_PART_LOCKS].rows)
        build_locks(&figure->parts[FSH_PART_LOCKS], person);
    return FSH_OK;
}

void
fsh_figure_fini(fsh_figure *figure)
{
    free(figure->memory);
    *figure = (fsh_figure){0};
}

/* The vertex of the face that rests closest to (x, y). */
static const fsh_vertex *
face_vertex(const fsh_figure *figure, float x, float y)
{
    const fsh_sheet *head = &figure->parts[FSH_PART_HEAD];
    const fsh_vertex *best = head->at;
    float least = 1e9f;
    uint32_t i;

    for (i = 0; i < head->rows * head->columns; i++) {
        const fsh_vertex *v = &head->at[i];
        float dx = v->rest.x - x, dy = v->rest.y - y, far = dx * dx + dy * dy;

        if (v->rest.z > 0 && far < least) {
            least = far;
            best = v;
        }
    }
    return best;
}

void
fsh_figure_five(const fsh_figure *figure, const fsh_person *person, fsh_vec3 five[FSH_FIVE])
{
    float m = fsh_person_mouth(person);

    five[0] = face_vertex(figure, -person->eye_apart, 0)->place;
    five[1] = face_vertex(figure, person->eye_apart, 0)->place;
    five[2] = face_vertex(figure, 0, fsh_person_nose(person))->place;
    five[3] = face_vertex(figure, -person->mouth_width, m + 0.008f)->place;
    five[4] = face_vertex(figure, person->mouth_width, m + 0.008f)->place;
}

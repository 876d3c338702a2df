#include "datasets/people/figure.h"

#include <stdlib.h>

enum { EAR_ROWS = 9, EAR_COLUMNS = 24, EAR_N = EAR_ROWS * EAR_COLUMNS };
enum { NECK_ROWS = 10, NECK_COLUMNS = 48, NECK_N = NECK_ROWS * NECK_COLUMNS };
enum { BODY_ROWS = 24, BODY_COLUMNS = 64, BODY_N = BODY_ROWS * BODY_COLUMNS };
enum { LOCKS_ROWS = 40, LOCKS_COLUMNS = 96, LOCKS_N = LOCKS_ROWS * LOCKS_COLUMNS };

/* A shell: a flat ellipsoid whose rim is turned forward. */
static void
build_ear(const fsh_sheet *sheet, const fsh_person *person, float side)
{
    uint32_t row, column;

    for (row = 0; row < sheet->rows; row++)
        for (column = 0; column < sheet->columns; column++) {
            float r = (float)row / (float)(sheet->rows - 1), angle = 2 * FSH_SHEET_PI * (float)column / (float)sheet->columns;
            float y = 0.30f * r * cosf(angle), z = 0.19f * r * sinf(angle) * side * (1 + 0.25f * cosf(angle));
            float rim = fsh_step(0.35f, 0.85f, r) * fsh_step(1.05f, 0.9f, r);
            fsh_vec3 p = {0.03f + 0.10f * rim - 0.12f * z, y, z};
            fsh_vertex *v = fsh_sheet_at(sheet, row, column);

            v->rest = (fsh_vec3){r, y, z};
            v->place = (fsh_vec3){side * (person->width * 1.0f + person->ears * p.x), -0.22f + person->ears * p.y,
                                  -0.12f + person->ears * p.z};
        }
    fsh_sheet_normals(sheet);
}

/* A tube from under the jaw to the shoulders. */
static void
build_neck(const fsh_sheet *sheet, const fsh_person *person)
{
    uint32_t row, column;

    for (row = 0; row < sheet->rows; row++)
        for (column = 0; column < sheet->columns; column++) {
            float down = (float)row / (float)(sheet->rows - 1), angle = 2 * FSH_SHEET_PI * (float)column / (float)sheet->columns;
            float r = person->neck * (1 + 0.22f * fsh_step(0.6f, 1, down));
            fsh_vertex *v = fsh_sheet_at(sheet, row, column);

            v->place = (fsh_vec3){r * sinf(angle), -0.85f - 1.75f * down, r * cosf(angle) - 0.22f};
            v->rest = v->place;
        }
    fsh_sheet_normals(sheet);
}

/* Shoulders under cloth, from the collar down. */
static void
build_body(const fsh_sheet *sheet, const fsh_person *person)
{
    uint32_t row, column;

    for (row = 0; row < sheet->rows; row++)
        for (column = 0; column < sheet->columns; column++) {
            float down = (float)row / (float)(sheet->rows - 1), angle = 2 * FSH_SHEET_PI * (float)column / (float)sheet->columns;
            float out = sqrtf(down * (2 - down)), wide = person->neck + 0.06f + 1.55f * out, deep = person->neck + 0.1f + 0.35f * out;
            fsh_vertex *v = fsh_sheet_at(sheet, row, column);

            v->place = (fsh_vec3){wide * sinf(angle), -2.10f - 0.35f * down - 1.9f * down * down * down +
                                  0.14f * cosf(angle) * -1, deep * cosf(angle) - 0.22f};
            v->rest = v->place;
        }
    fsh_sheet_normals(sheet);
}

/* Long hair: a curtain round the head that leaves the face free. */
static void
build_locks(const fsh_sheet *sheet, const fsh_person *person)
{
    uint32_t row, column;

    for (row = 0; row < sheet->rows; row++)
        for (column = 0; column < sheet->columns; column++) {
            float down = (float)row / (float)(sheet->rows - 1), s = 2 * (float)column / (float)(sheet->columns - 1) - 1;
            float angle = FSH_SHEET_PI + s * (FSH_SHEET_PI - fsh_mixf(1.15f, 0.72f, fsh_step(0.35f, 1, down)));
            float wave = 0.06f * (fsh_noise2(11 * s, 2.5f * down, (uint32_t)person->key) - 0.5f);
            float r = 1 + 0.75f * person->hair_thick + 0.10f * fsh_step(0.1f, 0.8f, down) + wave;
            fsh_vertex *v = fsh_sheet_at(sheet, row, column);

            v->place = (fsh_vec3){person->width * 1.06f * r * sinf(angle), 0.75f - 3.1f * down,
                                  (cosf(angle) > 0 ? 0.95f : 1.3f) * r * cosf(angle) - 0.1f};
            v->rest = (fsh_vec3){4 * s, v->place.y, down};
        }
    fsh_sheet_normals(sheet);
}

/* ---- the figure ---- */

static const struct {
    uint32_t rows, columns;
} sizes[FSH_PARTS] = {[FSH_PART_BODY] = {BODY_ROWS, BODY_COLUMNS},    [FSH_PART_NECK] = {NECK_ROWS, NECK_COLUMNS},
                      [FSH_PART_LOCKS] = {LOCKS_ROWS, LOCKS_COLUMNS}, [FSH_PART_EAR_LEFT] = {EAR_ROWS, EAR_COLUMNS},
                      [FSH_PART_EAR_RIGHT] = {EAR_ROWS, EAR_COLUMNS}, [FSH_PART_HEAD] = {FSH_HEAD_ROWS, FSH_HEAD_COLUMNS}};

static fsh_status
make_sheets(fsh_figure *figure)
{
    fsh_vertex *next;
    int i;

    if (figure->memory)
        return FSH_OK;
    figure->memory = calloc(FSH_HEAD_ROWS * FSH_HEAD_COLUMNS + 2 * EAR_N + NECK_N + BODY_N + LOCKS_N, sizeof *figure->memory);
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
    fsh_head_build(&figure->parts[FSH_PART_HEAD], person, moment);
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

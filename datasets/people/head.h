/* A parametric head of our own, with ears, neck, shoulders and hair, as sheets: grids of vertices. The face is a stack of
 * cross-sections, whose widths and depths are knots of a spline, with hills and hollows on it: nose, sockets, lips and so
 * on, placed and sized by the traits of the person and moved by the moment. Proportions are the usual ones of drawing and
 * anthropometry: eyes halfway, the nose a third down, the mouth two thirds.
 *
 *     fsh_figure figure = {0};
 *     fsh_figure_build(&figure, &person, &moment);      again and again, with the same memory
 *     fsh_figure_fini(&figure);
 */
#ifndef FSH_DATASETS_PEOPLE_HEAD_H
#define FSH_DATASETS_PEOPLE_HEAD_H

#include <stdbool.h>

#include "base/status.h"
#include "datasets/people/person.h"
#include "datasets/people/vec.h"

typedef enum fsh_part {
    FSH_PART_BODY,
    FSH_PART_NECK,
    FSH_PART_LOCKS,
    FSH_PART_EAR_LEFT, /* of the picture */
    FSH_PART_EAR_RIGHT,
    FSH_PART_HEAD,
    FSH_PARTS
} fsh_part;

typedef struct fsh_vertex {
    fsh_vec3 rest;   /* where it is in a neutral face: what paint goes by */
    fsh_vec3 place;  /* where it is now, the head not yet turned */
    fsh_vec3 normal; /* of length 1, outwards */
} fsh_vertex;

/* rows x columns vertices, row after row. */
typedef struct fsh_sheet {
    uint32_t rows, columns;
    bool closed; /* the last column is joined to the first */
    fsh_vertex *at;
} fsh_sheet;

typedef struct fsh_figure {
    fsh_sheet parts[FSH_PARTS]; /* LOCKS has no rows where the hair is short */
    fsh_vertex *memory;
} fsh_figure;

/* Fails with MEMORY. */
fsh_status fsh_figure_build(fsh_figure *figure, const fsh_person *person, const fsh_moment *moment);
void fsh_figure_fini(fsh_figure *figure);

/* Height of the line between the lips. */
float fsh_person_mouth(const fsh_person *person);

/* Height of the tip of the nose. */
float fsh_person_nose(const fsh_person *person);

/* How much of a place of the resting head is covered by hair: under 0 none, over 0 all. */
float fsh_person_hair(const fsh_person *person, fsh_vec3 rest);

enum { FSH_FIVE = 5 };

/* Where eyes, tip of the nose and corners of the mouth are on the head as built, left ones of the picture first: the five
 * points that faces are aligned by. */
void fsh_figure_five(const fsh_figure *figure, const fsh_person *person, fsh_vec3 five[FSH_FIVE]);

#endif

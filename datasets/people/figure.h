/* A person from the shoulders up, as sheets: head, ears, neck, body and long hair.
 *
 *     fsh_figure figure = {0};
 *     fsh_figure_build(&figure, &person, &moment);      again and again, with the same memory
 *     fsh_figure_fini(&figure);
 */
#ifndef FSH_DATASETS_PEOPLE_FIGURE_H
#define FSH_DATASETS_PEOPLE_FIGURE_H

#include "base/status.h"
#include "datasets/people/head.h"

typedef enum fsh_part {
    FSH_PART_BODY,
    FSH_PART_NECK,
    FSH_PART_LOCKS,
    FSH_PART_EAR_LEFT, /* of the picture */
    FSH_PART_EAR_RIGHT,
    FSH_PART_HEAD,
    FSH_PARTS
} fsh_part;

typedef struct fsh_figure {
    fsh_sheet parts[FSH_PARTS]; /* LOCKS has no rows where the hair is short */
    fsh_vertex *memory;
} fsh_figure;

/* Fails with MEMORY. */
fsh_status fsh_figure_build(fsh_figure *figure, const fsh_person *person, const fsh_moment *moment);
void fsh_figure_fini(fsh_figure *figure);

enum { FSH_FIVE = 5 };

/* Where eyes, tip of the nose and corners of the mouth are on the head as built, left ones of the picture first: the five
 * points that faces are aligned by. */
void fsh_figure_five(const fsh_figure *figure, const fsh_person *person, fsh_vec3 five[FSH_FIVE]);

#endif

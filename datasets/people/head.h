/* A parametric head of our own, as a sheet. The face is a stack of cross-sections, whose widths and depths are knots of a
 * spline, with hills and hollows on it: nose, sockets, lips and so on, placed and sized by the traits of the person and
 * moved by the moment. Proportions are the usual ones of drawing and anthropometry: eyes halfway, the nose a third down, the
 * mouth two thirds. */
#ifndef FSH_DATASETS_PEOPLE_HEAD_H
#define FSH_DATASETS_PEOPLE_HEAD_H

#include "datasets/people/person.h"
#include "datasets/people/sheet.h"

enum { FSH_HEAD_ROWS = 150, FSH_HEAD_COLUMNS = 176 };

/* Fills a closed sheet of that size. */
void fsh_head_build(const fsh_sheet *sheet, const fsh_person *person, const fsh_moment *moment);

/* Height of the line between the lips. */
float fsh_person_mouth(const fsh_person *person);

/* Height of the tip of the nose. */
float fsh_person_nose(const fsh_person *person);

/* How much of a place of the resting head is covered by hair: under 0 none, over 0 all. */
float fsh_person_hair(const fsh_person *person, fsh_vec3 rest);

#endif

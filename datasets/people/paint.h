/* What the surfaces of a figure look like under an even light: colours of skin, eyes, brows, lips, hair and cloth as
 * functions of the place on the resting face. */
#ifndef FSH_DATASETS_PEOPLE_PAINT_H
#define FSH_DATASETS_PEOPLE_PAINT_H

#include "datasets/people/figure.h"

typedef struct fsh_surface {
    fsh_vec3 colour; /* share of each light that comes back: linear RGB */
    float gloss;     /* strength of the highlight */
    float open;      /* how much of the light from everywhere reaches it, 0 to 1 */
    bool skin;       /* light goes under it */
} fsh_surface;

/* The palette of a figure, found once a picture. */
typedef struct fsh_paint {
    const fsh_person *person;
    const fsh_moment *moment;
    fsh_vec3 skin, lips, iris, hair, cloth;
} fsh_paint;

fsh_paint fsh_paint_mix(const fsh_person *person, const fsh_moment *moment);

/* The surface at a place of the resting figure. */
fsh_surface fsh_paint_at(const fsh_paint *paint, fsh_part part, fsh_vec3 rest);

#endif

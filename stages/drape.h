/* How a mask lies on a head: four lines across it, of the template and of the head in space, and
 * the sheet of cloth that is stretched over them. */
#ifndef FSH_STAGES_DRAPE_H
#define FSH_STAGES_DRAPE_H

#include "stages/head.h"
#include "stages/mesh.h"

typedef enum fsh_mask_worn {
    FSH_WORN_RIGHT,
    FSH_WORN_UNDER_NOSE,
    FSH_WORN_UNDER_CHIN,
    FSH_WORN_N
} fsh_mask_worn;

/* Points of a mask's template, in the order of its card. */
enum {
    FSH_MASK_BRIDGE,
    FSH_MASK_LEFT_CHEEK,
    FSH_MASK_RIGHT_CHEEK,
    FSH_MASK_LEFT_SIDE,
    FSH_MASK_RIGHT_SIDE,
    FSH_MASK_LEFT_JAW,
    FSH_MASK_RIGHT_JAW,
    FSH_MASK_CHIN,
    FSH_MASK_NOSE,
    FSH_MASK_MOUTH,
    FSH_MASK_POINTS
};

/* How one mask differs from the next that is worn in the same way. */
typedef struct fsh_drape_taste {
    float tilt; /* radians */
    float scale;
    fsh_point shift; /* mm */
    float rise;      /* mm by which the upper edge is further down the nose */
    float fold[3];   /* a crease: across from -1 to 1, how much it leans, depth from -1 to 1 */
} fsh_drape_taste;

/* Lays a template on a head whose landmarks are seen at these places. */
void fsh_drape(const fsh_head *head, const fsh_point landmarks[FSH_LANDMARKS_N], fsh_mask_worn worn,
               const fsh_template *template, const fsh_drape_taste *taste, const fsh_light *light,
               fsh_mesh *mesh);

/* A place on the laid mesh: s from -1 (left side) to 1, t from 0 (upper edge) to 1 (chin), px. */
fsh_point fsh_drape_at(const fsh_mesh *mesh, float s, float t);

#endif

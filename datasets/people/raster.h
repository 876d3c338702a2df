/* From sheets to what every point of a picture sees: a part, a place on it, a direction. */
#ifndef FSH_DATASETS_PEOPLE_RASTER_H
#define FSH_DATASETS_PEOPLE_RASTER_H

#include "datasets/people/figure.h"

/* How a part is turned and where the camera is. */
typedef struct fsh_camera {
    fsh_vec3 turn[3]; /* rows of the rotation, about pivot */
    fsh_vec3 pivot;
    float scale, x, y; /* px of a unit; where the origin is, px */
} fsh_camera;

typedef struct fsh_sight {
    float depth; /* towards the viewer; far behind where there is nothing */
    int part;    /* fsh_part, or -1 */
    fsh_vec3 rest, normal;
} fsh_sight;

/* Rotation by roll, then pitch, then yaw, as moments tell them. */
void fsh_camera_turn(fsh_camera *camera, float yaw, float pitch, float roll);

/* Where a place is in the picture: x to the right, y down, px, and z, its depth. */
fsh_vec3 fsh_camera_see(const fsh_camera *camera, fsh_vec3 place);

/* Draws one sheet into size x size sights, in front of what is farther away. */
void fsh_raster_sheet(const fsh_sheet *sheet, fsh_part part, const fsh_camera *camera, fsh_sight *sights,
                      uint32_t size);

#endif

/* One face in one frame: what the parts of door/ hand to each other. */
#ifndef FSH_DOOR_SIGHTING_H
#define FSH_DOOR_SIGHTING_H

#include <stdint.h>

#include "base/geometry.h"

enum { FSH_NOBODY = UINT32_MAX };

typedef struct fsh_sighting {
    fsh_box box;            /* px of the frame */
    int8_t mask_class;      /* FSH_MASK_CLASS_* of stages/stage.h */
    const float *embedding; /* of length 1; NULL where the face could not be embedded. Borrowed */
    uint32_t person; /* the nearest of the gallery; FSH_NOBODY without embedding or gallery */
    double distance; /* to that person; INFINITY where there is none */
} fsh_sighting;

#endif

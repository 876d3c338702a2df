/* dlib's face detector and landmark model. Coordinates are px of the picture that was given. */
#ifndef FSH_STAGES_VISION_DLIB_H
#define FSH_STAGES_VISION_DLIB_H

#include <stdint.h>

#include "base/geometry.h"
#include "base/image.h"
#include "base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The frontal face detector that is built into dlib; one for each thread. */
typedef struct fsh_hog fsh_hog;

typedef struct fsh_hog_face {
    fsh_box box; /* may reach over the edge of the picture */
    float score;
} fsh_hog_face;

fsh_status fsh_hog_open(fsh_hog **hog, fsh_err *err);
void fsh_hog_close(fsh_hog *hog); /* NULL is fine */

/* Finds faces in an RGB picture, best first; at most capacity of them. */
fsh_status fsh_hog_run(fsh_hog *hog, const fsh_image *image, double threshold, fsh_hog_face *faces,
                       uint32_t capacity, uint32_t *n, fsh_err *err);

/* A shape predictor of 68 points, read from a file; many threads may use one. */
typedef struct fsh_shape fsh_shape;

fsh_status fsh_shape_open(const char *path, fsh_shape **shape, fsh_err *err);
void fsh_shape_close(fsh_shape *shape); /* NULL is fine */

/* The 68 points of the face in box of an RGB picture. */
fsh_status fsh_shape_run(const fsh_shape *shape, const fsh_image *image, const fsh_box *box,
                         fsh_point points[68], fsh_err *err);

#ifdef __cplusplus
}
#endif
#endif

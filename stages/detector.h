/* Face detectors: from a picture to faces, whatever the model. What a model's numbers mean stands
 * in its card (`decoding`); this turns them into boxes in the picture.
 *
 *     fsh_detector_open(&card, 0, &detector, err);      one for each thread
 *     fsh_detector_run(detector, image, faces, FSH_FOUND_MAX, &n, err);
 *     fsh_detector_close(detector);
 */
#ifndef FSH_STAGES_DETECTOR_H
#define FSH_STAGES_DETECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/geometry.h"
#include "base/image.h"
#include "base/status.h"
#include "stages/models.h"

enum { FSH_FOUND_MAX = 64 }; /* faces in one picture */

typedef struct fsh_found {
    float left, top, right, bottom; /* px of the picture, not clipped to it */
    float score;
    int8_t mask_class; /* FSH_MASK_CLASS_* */
    bool has_five;
    fsh_point five[5];
} fsh_found;

typedef struct fsh_detector fsh_detector;

/* upsample: how often a picture is doubled before `hog` searches it; other detectors have one size.
 * card must stay until the detector is closed. */
fsh_status fsh_detector_open(const fsh_card *card, uint32_t upsample, fsh_detector **detector,
                             fsh_err *err);
void fsh_detector_close(fsh_detector *detector); /* NULL is fine */

/* Faces in an RGB picture, best score first, at most capacity of them; none is no failure. */
fsh_status fsh_detector_run(fsh_detector *detector, const fsh_image *image, fsh_found *found,
                            uint32_t capacity, uint32_t *n, fsh_err *err);

#endif

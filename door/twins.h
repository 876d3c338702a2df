/* Twins of a gallery picture: the same face with a mask, with glasses, with sunglasses, put on by
 * the stages of this project. A gallery that has them finds who comes masked by a passport picture.
 *
 *     fsh_twins_open("masks,glasses", templates, 1, &twins, &err);
 *     for (kind = 0; kind < FSH_TWINS_N; kind++)
 *         if (fsh_twins_has(twins, kind)) reason = fsh_twins_draw(twins, 0, kind, image, face,
 * &twin); fsh_twins_close(&twins); */
#ifndef FSH_DOOR_TWINS_H
#define FSH_DOOR_TWINS_H

#include "stages/stage.h"

typedef enum fsh_twin_kind {
    FSH_TWIN_MASKS,
    FSH_TWIN_GLASSES,
    FSH_TWIN_SUNGLASSES,
    FSH_TWINS_N
} fsh_twin_kind;

/* "masks", ...: what --twins is given, and what stands behind the # in the source of a twin. */
extern const char *const fsh_twin_names[FSH_TWINS_N];

/* A drawn twin. */
typedef struct fsh_twin {
    fsh_image image;   /* the face with as much again around it */
    fsh_box face;      /* where the detector's box is in it */
    fsh_point five[5]; /* and the five points */
} fsh_twin;

typedef struct fsh_twins fsh_twins;

/* kinds: names, separated by commas; "": none. templates: folder with masks/, glasses/,
 * sunglasses/. USAGE for an unknown name. */
fsh_status fsh_twins_open(const char *kinds, const char *templates, uint32_t threads,
                          fsh_twins **twins, fsh_err *err);
void fsh_twins_close(fsh_twins **twins); /* NULL is fine */

bool fsh_twins_has(const fsh_twins *twins, fsh_twin_kind kind);
bool fsh_twins_has_any(const fsh_twins *twins);

/* Draws one into *twin, whose memory is used again; the caller frees its image. The same face and
 * key give the same picture. A face that nothing can be put on has a reason. Many threads at once,
 * each with its number. */
fsh_reason fsh_twins_draw(fsh_twins *twins, uint32_t thread, fsh_twin_kind kind,
                          const fsh_image *photo, const fsh_face *face, fsh_twin *twin);

#endif

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/stage.h"

/* Keys of further faces must be the same on every run and differ from all keys of photos, which are
 * parts of SHA-256 sums: mixing spreads key and place over all 64 bits. */
static uint64_t
key_of_face(uint64_t photo_key, uint32_t place)
{
    return place ? fsh_mix64(photo_key ^ fsh_mix64(place)) : photo_key;
}

fsh_face *
fsh_photo_add_face(fsh_photo *photo)
{
    fsh_face *faces = realloc(photo->faces, (photo->faces_n + 1) * sizeof *faces), *face;

    if (!faces)
        return NULL;
    photo->faces = faces;
    face = &faces[photo->faces_n];
    memset(face, 0, sizeof *face);
    face->key = key_of_face(photo->key, photo->faces_n);
    face->sample = photo->sample;
    face->value = NAN;
    face->mean_distance = NAN;
    face->mask_class = FSH_MASK_CLASS_UNKNOWN;
    photo->faces_n++;
    return face;
}

void
fsh_photo_fini(fsh_photo *photo)
{
    uint32_t i;

    for (i = 0; i < photo->faces_n; i++) {
        free(photo->faces[i].embedding);
        fsh_image_fini(&photo->faces[i].shown);
    }
    free(photo->faces);
    photo->faces = NULL;
    photo->faces_n = 0;
}

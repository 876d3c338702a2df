/* The people of a gallery: who is nearest to a face.
 *
 *     fsh_known_new(&embeddings, &known, &err);
 *     fsh_known_find(known, faces, n, hits);
 *     fsh_known_name(known, hits[i].person)
 *     fsh_known_free(known);
 *
 * Several rows of a name are one person, whose nearest row counts. One thread at a time. */
#ifndef FSH_DOOR_KNOWN_H
#define FSH_DOOR_KNOWN_H

#include "door/sighting.h"
#include "shards/embeddings.h"

typedef struct fsh_known fsh_known;

typedef struct fsh_known_hit {
    uint32_t person; /* FSH_NOBODY in an empty gallery */
    double distance; /* INFINITY there */
} fsh_known_hit;

/* Borrows the embeddings until fsh_known_free. */
fsh_status fsh_known_new(const fsh_embeddings *embeddings, fsh_known **known, fsh_err *err);
void fsh_known_free(fsh_known *known); /* NULL is fine */

uint32_t fsh_known_people(const fsh_known *known);
const char *fsh_known_name(const fsh_known *known, uint32_t person);

/* The person who is nearest to each of n faces, vectors of the gallery's dimension: all of a frame
 * in one call is soonest. */
fsh_status fsh_known_find(fsh_known *known, const float *const *faces, uint32_t n,
                          fsh_known_hit *hits, fsh_err *err);

#endif

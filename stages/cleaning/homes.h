/* The cluster of each folder that is its person: steps 1 to 3 of robust.h. */
#ifndef FSH_STAGES_CLEANING_HOMES_H
#define FSH_STAGES_CLEANING_HOMES_H

#include <stdbool.h>

#include "stages/cleaning/robust.h"

typedef struct fsh_homes {
    const fsh_crowd *crowd; /* borrowed */
    float *centre;          /* dimension */
    float *vectors;         /* crowd->n x dimension: centred, of length 1 */
    uint32_t *identities;   /* of each picture */
    uint32_t *clusters;     /* of each picture, numbered over all identities */
    uint32_t clusters_n;
    uint32_t *starts; /* identities_n + 1: first cluster of each identity */
    uint32_t *sizes;  /* pictures of each cluster */
    uint32_t *owners; /* identity of each cluster */
    uint32_t *most;   /* pictures of the largest cluster of each identity */
    uint32_t *lead;   /* that cluster, or FSH_NOBODY where several are as large */
    float *sums;      /* clusters_n x dimension: of the members' vectors */
    uint32_t *likest; /* of each cluster: the cluster of another identity that it is most like, or
                         FSH_NOBODY */
    bool *away;       /* it probably is that person */
    uint32_t *home;   /* of each identity: its cluster, or FSH_NOBODY where undecided */
    fsh_likeness like;
} fsh_homes;

/* Finds clusters and homes. MEMORY. fini also after a failure. */
fsh_status fsh_homes_find(fsh_homes *homes, const fsh_crowd *crowd, double threshold);
void fsh_homes_fini(fsh_homes *homes);

/* Distance between the directions of two sums; NaN where one has none. */
float fsh_directions_apart(const float *a, const float *b, uint32_t dimension);

/* Direction of a sum, zeros where it has none. */
void fsh_direction_of(const float *sum, uint32_t dimension, float *direction);

#endif

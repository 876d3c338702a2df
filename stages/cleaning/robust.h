/* Which pictures do not show the person of their folder: by the folder itself, and by everybody
 * else. docs/cleaning.md explains the method; in short:
 *
 *     1. similarities between people, and within, are measured         (likeness.h)
 *     2. the pictures of a folder fall into clusters that agree        (clusters.h)
 *     3. clusters that are like the main cluster of another folder are not the folder's own;
 *        of the others the largest is its home, if one is
 *     4. each picture is weighed: its own home (without itself), the best other home, or nobody
 * known
 *
 * Everything is said by probabilities that come from the data, no distance is a parameter.
 *
 *     fsh_robust_find(&crowd, 1.25, &found, &err);
 *     found.pictures[i].finding, fsh_finding_verdict(...)
 *     fsh_robust_fini(&found);
 */
#ifndef FSH_STAGES_CLEANING_ROBUST_H
#define FSH_STAGES_CLEANING_ROBUST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/listener.h"
#include "stages/cleaning/likeness.h"

#define FSH_NOBODY UINT32_MAX

typedef enum fsh_verdict { FSH_VERDICT_KEEP, FSH_VERDICT_REMOVE, FSH_VERDICT_UNSURE } fsh_verdict;

typedef enum fsh_finding {
#define FINDING(name, code, verdict, text) FSH_FINDING_##name,
#include "stages/cleaning/findings.def"
#undef FINDING
    FSH_FINDING_N
} fsh_finding;

fsh_verdict fsh_finding_verdict(fsh_finding finding);
const char *fsh_finding_code(fsh_finding finding);
const char *fsh_finding_text(fsh_finding finding); /* may hold {other} */
const char *fsh_verdict_name(fsh_verdict verdict); /* "keep", "remove", "unsure" */

/* Pictures of many people, those of one identity after each other. Borrowed. */
typedef struct fsh_crowd {
    uint32_t n, dimension, identities_n;
    const float *const *vectors; /* n, each of length 1 */
    const uint32_t *starts;      /* identities_n + 1: first picture of each, then n */
    const fsh_listener *steps;      /* who is told how far it is; NULL: nobody */
} fsh_crowd;

typedef struct fsh_found_picture {
    fsh_finding finding;
    uint32_t
        other; /* identity that it is most like besides its own; FSH_NOBODY where there is none */
    bool suggested;       /* it probably shows that one */
    float own_distance;   /* Euclidean, to the direction of its identity's home without itself; NaN
                             where none */
    float other_distance; /* to that of the other identity; NaN where none */
    float p_own;          /* probability that it shows its own identity */
} fsh_found_picture;

typedef struct fsh_found_identity {
    uint32_t home_n;   /* pictures in the cluster that is taken for the person; 0: undecided */
    uint32_t second_n; /* in the largest cluster besides that nobody else claims; under 2: none */
    float second_distance; /* between the directions of the two */
    uint32_t same;         /* identity that is probably the same person; FSH_NOBODY: none */
    float same_distance;   /* between the directions of the two */
} fsh_found_identity;

typedef struct fsh_found {
    fsh_found_picture *pictures;    /* crowd.n */
    fsh_found_identity *identities; /* crowd.identities_n */
    float *homes;  /* identities_n x dimension: direction of each home, zeros where undecided;
                      centred */
    float *centre; /* dimension: what is taken from every vector */
    fsh_likeness likeness;
} fsh_found;

/* `threshold` is the embedder's: what two pictures of different people are nearly always apart; it
 * counts only where there are too few people to measure. Deterministic: the order of identities
 * changes names of equals alone, the number of threads nothing. Memory: another copy of the
 * vectors, and clusters. Time: n times identities_n. Fails with MEMORY. */
fsh_status fsh_robust_find(const fsh_crowd *crowd, double threshold, fsh_found *found,
                           fsh_err *err);
void fsh_robust_fini(fsh_found *found);

/* A vector less the centre, of length 1 again. */
void fsh_robust_centre(const float *vector, const float *centre, uint32_t dimension,
                       float *centred);

#endif

/* What is wrong with the labels of a set of embeddings: pictures that are not their identity's
 * person, near-duplicates, identities that are one person, identities that are two, and people who
 * are in another set as well. Changes nothing.
 *
 *     fsh_cleaning_run(&e, NULL, &options, &found, &err);
 *     found.pictures[i].verdict
 *     fsh_cleaning_fini(&found);
 *
 * docs/cleaning.md has the method. */
#ifndef FSH_EVALUATE_CLEANING_H
#define FSH_EVALUATE_CLEANING_H

#include <stdbool.h>

#include "base/text.h"
#include "shards/embeddings.h"
#include "stages/cleaning/robust.h"

typedef enum fsh_cleaning_method {
    FSH_CLEANING_ROBUST,
    FSH_CLEANING_MEAN_DISTANCE
} fsh_cleaning_method;
#define FSH_CLEANING_METHODS "robust|mean_distance"

typedef struct fsh_cleaning_options {
    int32_t method;   /* fsh_cleaning_method */
    double threshold; /* mean_distance: over which a picture is removed; robust asks it only of few
                         people */
    double near;      /* Euclidean distance up to which two pictures are near-duplicates */
    const fsh_listener *steps; /* who is told how far it is; NULL: nobody */
} fsh_cleaning_options;

typedef struct fsh_cleaning_picture {
    uint64_t row; /* of the embeddings */
    uint32_t identity;
    float mean_distance; /* to the other pictures of the identity; NaN where there are none */
    fsh_verdict verdict;
    fsh_found_picture found; /* its finding is that of the method */
} fsh_cleaning_picture;

/* Two pictures that are nearly the same. Of a group that all are, each is named at least once, and
 * there is one pair fewer than pictures. */
typedef struct fsh_cleaning_pair {
    uint32_t a, b; /* places among the pictures; b: a row of the other set, in an overlap */
    float distance;
} fsh_cleaning_pair;

/* An identity, and one that is like it: of the same set, or of the other one. */
typedef struct fsh_cleaning_same {
    uint32_t a, b;
    uint32_t a_n, b_n; /* pictures that say so */
    float distance;    /* between the directions */
    float probability; /* of an overlap; NaN otherwise */
} fsh_cleaning_same;

typedef struct fsh_cleaning {
    const fsh_embeddings *embeddings, *against; /* borrowed; against may be NULL */
    fsh_cleaning_options options;
    uint32_t n, identities_n, against_n;
    fsh_cleaning_picture *pictures; /* n: by identity, in byte order, then by source */
    uint32_t *starts;               /* identities_n + 1: first picture of each identity */
    uint64_t *against_rows;         /* the same of the other set */
    uint32_t *against_starts;       /* against_n + 1, where there is one */
    fsh_found found;                /* of `robust`, which says who is who with either method */
    fsh_cleaning_pair *duplicates, *copies; /* within; copies: with the other set. By distance */
    uint32_t duplicates_n, copies_n;
    fsh_cleaning_same *same, *overlap; /* by distance; each pair once */
    uint32_t same_n, overlap_n;
} fsh_cleaning;

/* Both sets are borrowed until fini. Sets of different dimensions are FORMAT, more than UINT32_MAX
 * rows too. */
fsh_status fsh_cleaning_run(const fsh_embeddings *e, const fsh_embeddings *against,
                            const fsh_cleaning_options *options, fsh_cleaning *out, fsh_err *err);
void fsh_cleaning_fini(fsh_cleaning *cleaning);

const char *fsh_cleaning_name(const fsh_cleaning *of, uint32_t identity);
const char *fsh_cleaning_source(const fsh_cleaning *of, uint32_t picture);
const char *fsh_cleaning_against_name(const fsh_cleaning *of, uint32_t identity);

/* Appends why a picture has its verdict, in words with distances. */
void fsh_cleaning_reason(const fsh_cleaning *of, uint32_t picture, fsh_text *out);

/* Counts for people. */
void fsh_cleaning_print(const fsh_cleaning *of, fsh_text *out);

/* Everything for scripts: docs/cleaning.md lists the fields. */
void fsh_cleaning_print_json(const fsh_cleaning *of, fsh_text *out);

/* How many pictures have a verdict; how many a finding. */
uint32_t fsh_cleaning_count(const fsh_cleaning *of, fsh_verdict verdict);
uint32_t fsh_cleaning_count_finding(const fsh_cleaning *of, fsh_finding finding);

#endif

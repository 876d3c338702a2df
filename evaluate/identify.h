/* Identification: who of a gallery is each probe? The nearest person by Euclidean distance; under a
 * threshold (strict) the answer is that person, right or wrong by name, otherwise "unknown".
 * Several rows of a person: the nearest counts.
 *
 *     fsh_identify_run(&gallery, &probes, thresholds, 3, NULL, NULL, &result, &err);
 *     fsh_identify_print(&result, &text);
 *     fsh_identify_fini(&result);
 */
#ifndef FSH_EVALUATE_IDENTIFY_H
#define FSH_EVALUATE_IDENTIFY_H

#include <stdbool.h>

#include "base/text.h"
#include "evaluate/people.h"
#include "evaluate/search.h"
#include "shards/embeddings.h"

enum { FSH_IDENTIFY_RANKS = 20, FSH_DIR_N = 3 };

typedef struct fsh_outcome {
    uint32_t person;  /* that the probe is; NONE: an outside person */
    uint32_t nearest; /* person; the row of it and its distance: */
    uint32_t nearest_row;
    double distance;
    uint32_t rank;    /* place of `person` among the nearest people, from 1; 0: not among
                         FSH_IDENTIFY_RANKS, or outside */
    uint32_t own_row; /* the nearest row of `person`, and its distance; NONE and NaN for outside
                         people */
    double own_distance;
} fsh_outcome;

typedef struct fsh_identify_counts {
    double threshold;
    uint64_t correct, incorrect, unknown; /* all probes together */
    uint64_t outside_accepted;            /* of the incorrect ones */
} fsh_identify_counts;

/* Detection and identification rate (Phillips, Grother, Micheals, "Evaluation Methods in Face
 * Recognition"): probes of people in the gallery whose nearest person is the right one, under the
 * threshold at which at most the target share of outside people is under it. */
typedef struct fsh_dir {
    double dir, threshold; /* dir: NaN without outside people or without others; threshold: infinite
                              where all may pass */
    bool resolved;         /* false: fewer than 1 / target outside people, so that none may pass */
} fsh_dir;

extern const char *const fsh_dir_names[FSH_DIR_N]; /* "1e-1" to "1e-3" */

typedef struct fsh_identification {
    const fsh_embeddings *gallery, *probes; /* borrowed */
    fsh_people people;
    fsh_outcome *outcomes; /* of each probe */
    uint64_t inside_n, outside_n;
    fsh_identify_counts *thresholds;
    uint32_t thresholds_n;
    uint64_t cmc[FSH_IDENTIFY_RANKS]; /* how many have a rank of at most i + 1 */
    fsh_dir dir[FSH_DIR_N];
    fsh_identify_counts best; /* the most right decisions: correct, or an outside person unknown; of
                                 equal ones the lowest */
    uint32_t *mistakes;       /* probes whose nearest person is not theirs, the nearest first */
    uint64_t mistakes_n;
} fsh_identification;

/* Borrows gallery and probes until fsh_identify_fini. FORMAT where they are empty or were not
 * embedded alike. Probes are told to steps, which may be NULL. */
fsh_status fsh_identify_run(const fsh_embeddings *gallery, const fsh_embeddings *probes,
                            const double *thresholds, uint32_t thresholds_n,
                            const fsh_listener *steps, fsh_identification *out, fsh_err *err);
void fsh_identify_fini(fsh_identification *result);

/* Appends a table to read, or JSON with the first mistakes_n mistakes. */
void fsh_identify_print(const fsh_identification *result, uint32_t mistakes_n, fsh_text *out);
void fsh_identify_print_json(const fsh_identification *result, uint32_t mistakes_n, fsh_text *out);

#endif

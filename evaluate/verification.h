/* Verification: pairs of pictures, their embeddings, and what the protocol says of them. A pair
 * without two embeddings is skipped, with the reason, and the others keep their folds.
 *
 *     fsh_verification_run(&pairs, &embeddings, FSH_METRIC_SQUARED, &v, &err);
 *     fsh_verification_print(&v, &text);
 *     fsh_verification_fini(&v);
 */
#ifndef FSH_EVALUATE_VERIFICATION_H
#define FSH_EVALUATE_VERIFICATION_H

#include "base/text.h"
#include "evaluate/pairs.h"
#include "evaluate/protocol.h"
#include "shards/embeddings.h"

/* How distances of embeddings of length 1 are told: squared Euclidean (0 to 4), as facenet's and
 * insightface's protocols have it, or Euclidean (0 to 2), as `identify` has it. Thresholds of one
 * are not those of the other. */
typedef enum fsh_metric { FSH_METRIC_SQUARED, FSH_METRIC_L2 } fsh_metric;
#define FSH_METRICS "squared|l2"

typedef struct fsh_skipped {
    uint32_t pair;
    const char *picture, *reason; /* borrowed from the pairs; a constant */
} fsh_skipped;

typedef struct fsh_verification {
    const fsh_pairs *pairs; /* borrowed */
    fsh_metric metric;
    fsh_skipped *skipped; /* in the order of pairs */
    uint32_t skipped_n;
    fsh_scores scores; /* of the pairs that are not skipped */
    fsh_fold *folds;   /* pairs->folds_n */
    fsh_accuracy accuracy;
    fsh_roc roc;
} fsh_verification;

/* The pairs are borrowed until fsh_verification_fini. FORMAT where too few pairs are left to say
 * anything. */
fsh_status fsh_verification_run(const fsh_pairs *pairs, const fsh_embeddings *e, fsh_metric metric,
                                fsh_verification *out, fsh_err *err);
void fsh_verification_fini(fsh_verification *v);

/* "squared L2" or "L2". */
const char *fsh_metric_text(fsh_metric metric);

/* Appends a table to read, or JSON with all there is; numbers in JSON have all their digits. */
void fsh_verification_print(const fsh_verification *v, fsh_text *out);
void fsh_verification_print_json(const fsh_verification *v, fsh_text *out);

#endif

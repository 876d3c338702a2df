/* The verification protocol over arrays: a distance for each pair, whether it is one person, its
 * fold. A pair is accepted where its distance is under the threshold (strict).
 *
 * Accuracy (facenet src/facenet.py, insightface eval/verification.py): thresholds 0, 0.01,
 * ... 3.99; for each fold the first threshold with the best accuracy on all other folds decides the
 * fold. Mean over folds; `std` is the population's (numpy.std), `standard_error` LFW's: sqrt(sum (p
 * - mean)^2 / (n - 1)) / sqrt(n). VAL at FAR 1e-3: thresholds 0, 0.001, ... 3.999; the largest one
 * whose share of false accepts on the other folds is at most 1e-3 decides the fold; there always is
 * one, because at 0 nothing is accepted. (facenet interpolates over a staircase there, which has no
 * one answer.)
 *
 * AUC, EER and TAR at FAR come from the distances themselves, not from a grid: see fsh_roc. */
#ifndef FSH_EVALUATE_PROTOCOL_H
#define FSH_EVALUATE_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* Pairs that were skipped are simply not here: those that are keep their folds. */
typedef struct fsh_scores {
    double *distances;
    bool *same;
    uint32_t *folds; /* below folds_n */
    uint32_t n, folds_n;
} fsh_scores;

/* Makes room for n scores and sets n to 0. Free with fsh_scores_fini. */
fsh_status fsh_scores_init(fsh_scores *scores, uint32_t n, uint32_t folds_n, fsh_err *err);
void fsh_scores_add(fsh_scores *scores, double distance, bool same, uint32_t fold);
void fsh_scores_fini(fsh_scores *scores);

/* A number that has no value (a fold without pairs, a rate of nothing) is NaN. */
typedef struct fsh_fold {
    uint32_t pairs;
    double accuracy, threshold; /* threshold: what the other folds chose */
    double val, far, val_threshold;
} fsh_fold;

typedef struct fsh_accuracy {
    bool held_out;    /* false where one fold is all there is: its threshold is chosen on itself */
    uint32_t folds_n; /* that have a value */
    double mean, std, standard_error;
    double threshold; /* mean over the folds */
    double val, val_std, far;
} fsh_accuracy;

/* Fills folds[0 to scores->folds_n - 1] and *total. */
fsh_status fsh_protocol_run(const fsh_scores *scores, fsh_fold *folds, fsh_accuracy *total,
                            fsh_err *err);

enum { FSH_TAR_N = 4 };
extern const char *const fsh_far_names[FSH_TAR_N]; /* "1e-1" to "1e-4" */
extern const double fsh_far_targets[FSH_TAR_N];

/* The curve of the distances d_1 < d_2 < ...: before any, and after each, the share of pairs of two
 * people (far) and of one (tar) that are at most so far apart. Equal distances are one step. */
typedef struct fsh_roc {
    double *distance, *far, *tar; /* n points; distance[0] is -infinity */
    uint32_t n;
    uint32_t same_n, other_n;
    double auc; /* share of (same, other) in which same is nearer; equal ones count a half */
    double eer; /* where the curve, with straight lines between its points, meets far = 1 - tar */
    double tar_at[FSH_TAR_N]; /* largest tar whose far is at most the target */
    bool resolved[FSH_TAR_N]; /* false: fewer than 1 / target pairs of two people, so that tar_at
                                 stands for far 0 */
} fsh_roc;

/* Fails with FORMAT unless there are pairs of both kinds. */
fsh_status fsh_roc_make(const fsh_scores *scores, fsh_roc *roc, fsh_err *err);
void fsh_roc_fini(fsh_roc *roc);

/* How many of n may be accepted wrongly at a far of at most target: the largest k with k / n <=
 * target. */
uint32_t fsh_far_allows(uint32_t n, double target);

#endif

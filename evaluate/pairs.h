/* Lists of pairs to verify: which two pictures, whether they show one person, and in which fold.
 *
 * Three kinds are read. LFW's pairs.txt: a header "FOLDS<TAB>N", then for each fold N pairs of one
 * person
 * ("name n1 n2") and N of two ("name1 n1 name2 n2"); a header of one number is one fold, as in
 * pairsDevTest.txt (Huang et al., "Labeled Faces in the Wild", Technical Report 07-49, 2007). The
 * same lines without a header, as MFR2 has them. And .bin sets (evaluate/bin.h). Where no header
 * says the folds, pairs are cut into ten by position, as scikit-learn's KFold(10, shuffle=False)
 * does: the first n % 10 have one pair more.
 *
 *     fsh_pairs_read("pairs.txt", &pairs, &err);
 *     ... pairs.pictures[pairs.at[i].first] ...
 *     fsh_pairs_fini(&pairs);
 */
#ifndef FSH_EVALUATE_PAIRS_H
#define FSH_EVALUATE_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { FSH_PAIRS_FOLDS = 10 }; /* where the list does not say */

typedef struct fsh_pair {
    uint32_t first, second; /* which of the pictures */
    uint32_t fold; /* from 0; by its place in the list, whatever becomes of the pairs before it */
    uint32_t line; /* of the file, from 1; of a .bin set: which pair, from 1 */
    bool same;     /* one person */
} fsh_pair;

typedef struct fsh_pairs {
    fsh_pair *at;
    uint32_t n, folds_n;
    char **pictures; /* each once, in byte order: NAME/NAME_0001, without the ending of the file */
    uint32_t pictures_n;
    char *memory; /* what pictures point into */
} fsh_pairs;

/* Reads a text of pairs. Fields are separated by tabs; in a line without tabs, by blanks. Names are
 * any bytes but those, a line feed, a slash and zero. A line that is none of these, and a number of
 * lines that is not the header's, fail with FORMAT and name file and line. */
fsh_status fsh_pairs_read(const char *path, fsh_pairs *pairs, fsh_err *err);

/* The same from memory; name stands in error texts. */
fsh_status fsh_pairs_parse(const char *name, const char *text, size_t bytes, fsh_pairs *pairs,
                           fsh_err *err);

void fsh_pairs_fini(fsh_pairs *pairs);

/* The fold of pair i of n, where n pairs are cut into `folds` by position. */
uint32_t fsh_pairs_fold(uint32_t i, uint32_t n, uint32_t folds);

#endif

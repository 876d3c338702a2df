/* How much a similarity says. A similarity is the cosine between an embedding and the direction of
 * some pictures of a person; its score is by how many standard deviations it is over what two
 * different people have. Under "somebody else" a score is normal; under "the same person" it is a
 * mixture over how good the picture is:
 *
 *     score ~ N(0, 1)                            somebody else
 *     score ~ sum over q of share_q N(g_q e, 1)  the same person
 *
 * where e is the score that a usual picture has against the direction of m pictures of its person,
 * and the grades g_q go from poor (a blurred, young or half hidden face) to better than usual. The
 * shares, and the share of pictures that are somebody else's, are found by expectation maximisation
 * over all folders (Dempster, Laird, Rubin 1977): the null distribution is known, so the share of
 * wrong pictures is as well, as in Efron's local false discovery rate ("Large-scale simultaneous
 * hypothesis testing", JASA 2004). With r the similarity of two pictures of one person, the
 * direction of m pictures has the similarity sqrt(m r / (1 + (m - 1) r)) to the person's own, and e
 * follows. Pure functions; any thread. */
#ifndef FSH_STAGES_CLEANING_LIKENESS_H
#define FSH_STAGES_CLEANING_LIKENESS_H

#include <stdint.h>

#include "base/status.h"

enum { FSH_LIKENESS_GRADES = 15 };

typedef struct fsh_likeness {
    double mean, spread; /* of similarities between pictures and directions of different people */
    double same;         /* similarity of two usual pictures of one person, over mean */
    double shares[FSH_LIKENESS_GRADES]; /* of the grades, from poor to good; sum 1 */
    double wrong;                       /* share of pictures that are not their folder's person */
    double known;                       /* share of those that are a person of another folder */
} fsh_likeness;

/* What is believed before anything was seen: different people are as similar as an embedder has
 * them whose pictures of different people are farther apart than `threshold` in 99 %. */
void fsh_likeness_init(fsh_likeness *like, double threshold, uint32_t dimension);

/* Sets mean and spread from n similarities of different people (any order; it is changed).
 * pairs: how many pairs of people they come from; few of them leave what was believed before. */
void fsh_likeness_set_others(fsh_likeness *like, float *similarities, uint64_t n, uint64_t pairs);

/* Sets `same` from n similarities of two pictures of one person, one for each person. */
void fsh_likeness_set_same(fsh_likeness *like, float *similarities, uint64_t n);

double fsh_likeness_score(const fsh_likeness *like, double similarity);

/* Score of a usual picture against the direction of `pictures` others of its person. */
double fsh_likeness_expected(const fsh_likeness *like, double pictures);

/* The direction of `pictures` is so many times as similar to its person as a single picture is. */
double fsh_likeness_gain(const fsh_likeness *like, double pictures);

/* Finds shares and `wrong` from n scores against `pictures` others of the own folder. MEMORY. */
fsh_status fsh_likeness_fit(fsh_likeness *like, const float *scores, const uint32_t *pictures,
                            uint64_t n);

/* Logarithm of how much likelier the score is for the same person than for somebody else. */
double fsh_likeness_weigh(const fsh_likeness *like, double score, double pictures);

#endif

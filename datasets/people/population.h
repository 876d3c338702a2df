/* Who is in which picture of a generated dataset: pure, and every picture can be asked for by itself. */
#ifndef FSH_DATASETS_PEOPLE_POPULATION_H
#define FSH_DATASETS_PEOPLE_POPULATION_H

#include "base/reason.h"
#include "datasets/people/person.h"

typedef enum fsh_bad {
    FSH_BAD_NONE,
#define BAD(name, text, reason) FSH_BAD_##name,
#include "datasets/people/bad.def"
#undef BAD
    FSH_BADS
} fsh_bad;

typedef struct fsh_population {
    uint64_t seed, identities, images; /* images >= identities > 0 */
    double mislabelled, bad;           /* shares of the pictures */
    double weights;                    /* filled by fsh_population_init */
} fsh_population;

/* Where one is among the pictures, in their order. Begins with zeroes and fsh_population_first. */
typedef struct fsh_place {
    uint64_t identity;
    uint32_t picture, pictures; /* of the identity */
    double weight;              /* of the identities before it */
} fsh_place;

/* What is planted in one picture. */
typedef struct fsh_planted {
    uint64_t shows; /* the person in it; another than the identity where it is mislabelled */
    fsh_bad bad;
} fsh_planted;

void fsh_population_init(fsh_population *population);
fsh_place fsh_population_first(const fsh_population *population);

/* Steps to the next picture; 0 where there is none. Identities have one picture or more, most of them few and some many,
 * as in collections from the web. */
int fsh_population_next(const fsh_population *population, fsh_place *place);

fsh_planted fsh_population_planted(const fsh_population *population, const fsh_place *place);

const char *fsh_bad_name(fsh_bad bad);

/* With which reason a job leaves such a file out. */
fsh_reason fsh_bad_reason(fsh_bad bad);

#endif

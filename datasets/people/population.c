#include "datasets/people/population.h"

#include <math.h>

#include "base/rng.h"

/* Streams of random numbers; no stage has such numbers. */
enum { WEIGHT_STREAM = 0x77656967, PLANT_STREAM = 0x706C616E };

/* How many pictures an identity has, beside the others: a long tail. */
static double
weight(const fsh_population *population, uint64_t identity)
{
    fsh_rng rng = fsh_rng_new(population->seed, WEIGHT_STREAM, identity, 0);

    return 1 / (0.12 + fsh_rng_unit(&rng)) - 0.6;
}

void
fsh_population_init(fsh_population *population)
{
    uint64_t i;

    population->weights = 0;
    for (i = 0; i < population->identities; i++)
        population->weights += weight(population, i);
}

/* One each, and what is left by weight: sums of weights are rounded, so that all of them are given out. */
static void
count_pictures(const fsh_population *population, fsh_place *place)
{
    double left = (double)(population->images - population->identities) / population->weights;
    double next = place->weight + weight(population, place->identity);

    if (place->identity + 1 == population->identities)
        next = population->weights;
    place->pictures = 1 + (uint32_t)(floor(next * left + 0.5) - floor(place->weight * left + 0.5));
    place->weight = next;
}

fsh_place
fsh_population_first(const fsh_population *population)
{
    fsh_place place = {0};

    count_pictures(population, &place);
    return place;
}

int
fsh_population_next(const fsh_population *population, fsh_place *place)
{
    if (++place->picture < place->pictures)
        return 1;
    if (++place->identity == population->identities)
        return 0;
    place->picture = 0;
    count_pictures(population, place);
    return 1;
}

fsh_planted
fsh_population_planted(const fsh_population *population, const fsh_place *place)
{
    fsh_rng rng = fsh_rng_new(population->seed, PLANT_STREAM, place->identity, place->picture);
    int bad = fsh_rng_chance(&rng, population->bad), moved = fsh_rng_chance(&rng, population->mislabelled);
    fsh_bad kind = (fsh_bad)(1 + fsh_rng_below(&rng, FSH_BADS - 1));
    fsh_planted planted = {place->identity, bad ? kind : FSH_BAD_NONE};

    if (moved && !bad && population->identities > 1) {
        uint64_t other = (uint64_t)(fsh_rng_unit(&rng) * (double)(population->identities - 1));

        planted.shows = other + (other >= place->identity);
    }
    return planted;
}

const char *
fsh_bad_name(fsh_bad bad)
{
    static const char *const names[FSH_BADS] = {"",
#define BAD(name, text, reason) text,
#include "datasets/people/bad.def"
#undef BAD
    };

    return names[bad];
}

fsh_reason
fsh_bad_reason(fsh_bad bad)
{
    static const fsh_reason reasons[FSH_BADS] = {FSH_REASON_NONE,
#define BAD(name, text, reason) FSH_REASON_##reason,
#include "datasets/people/bad.def"
#undef BAD
    };

    return reasons[bad];
}

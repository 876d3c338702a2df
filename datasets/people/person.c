#include "datasets/people/person.h"

#include "base/rng.h"

/* Streams of random numbers; no stage has such numbers. */
enum { PERSON_STREAM = 0x70657273, MOMENT_STREAM = 0x6D6F6D65 };

/* Between low and high, the middle more often. */
static float
draw(fsh_rng *rng, float low, float high)
{
    float a = (float)fsh_rng_unit(rng), b = (float)fsh_rng_unit(rng);

    return low + (high - low) * 0.5f * (a + b);
}

/* The n-th of the shares that draw falls into. */
static uint32_t
choose(fsh_rng *rng, const float *shares, uint32_t n)
{
    float left = (float)fsh_rng_unit(rng);
    uint32_t i = 0;

    while (i + 1 < n && left >= shares[i])
        left -= shares[i++];
    return i;
}

fsh_person
fsh_person_draw(uint64_t seed, uint64_t number)
{
    static const float styles[FSH_HAIR_STYLES] = {0.07f, 0.36f, 0.14f, 0.17f, 0.26f};
    static const float beards[FSH_BEARDS] = {0.62f, 0.20f, 0.07f, 0.11f};
    fsh_rng rng = fsh_rng_new(seed, PERSON_STREAM, number, 0);
    fsh_person person = {.key = fsh_mix64(seed * 0x9E3779B97F4A7C15u + number)};

#define TRAIT(name, low, high, text) person.name = (float)fsh_rng_range(&rng, low, high);
#include "datasets/people/traits.def"
#undef TRAIT
    person.hair_style = (fsh_hair_style)choose(&rng, styles, FSH_HAIR_STYLES);
    person.beard = (fsh_beard)choose(&rng, beards, FSH_BEARDS);
    if (person.hair_style == FSH_HAIR_LONG)
        person.beard = FSH_BEARD_NONE;
    return person;
}

fsh_moment
fsh_moment_draw(uint64_t seed, uint64_t number, uint32_t picture)
{
    fsh_rng rng = fsh_rng_new(seed, MOMENT_STREAM, number, picture);
    fsh_moment moment = {.key = fsh_mix64(fsh_mix64(seed + number) + picture)};
    int i;

#define MOMENT(name, low, high, text) moment.name = draw(&rng, low, high);
#include "datasets/people/traits.def"
#undef MOMENT
    for (i = 0; i < 3; i++)
        moment.cloth[i] = (float)fsh_rng_range(&rng, 0.04, 0.85);
    moment.backdrop = fsh_rng_u32(&rng);
    return moment;
}

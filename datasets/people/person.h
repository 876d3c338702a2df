/* Drawn people: who they are and how a picture finds them, as numbers. Both are functions of their key
 * alone, so that any picture of any person can be drawn by itself, in any order, on any thread. */
#ifndef FSH_DATASETS_PEOPLE_PERSON_H
#define FSH_DATASETS_PEOPLE_PERSON_H

#include <stdint.h>

typedef enum fsh_hair_style {
    FSH_HAIR_BALD,
    FSH_HAIR_SHORT,
    FSH_HAIR_FRINGE,
    FSH_HAIR_PARTED,
    FSH_HAIR_LONG,
    FSH_HAIR_STYLES
} fsh_hair_style;

typedef enum fsh_beard {
    FSH_BEARD_NONE,
    FSH_BEARD_STUBBLE,
    FSH_BEARD_MOUSTACHE,
    FSH_BEARD_FULL,
    FSH_BEARDS
} fsh_beard;

typedef struct fsh_person {
    uint64_t key;
#define TRAIT(name, low, high, text) float name;
#include "datasets/people/traits.def"
#undef TRAIT
    fsh_hair_style hair_style;
    fsh_beard beard;
} fsh_person;

typedef struct fsh_moment {
    uint64_t key;
#define MOMENT(name, low, high, text) float name;
#include "datasets/people/traits.def"
#undef MOMENT
    float cloth[3];  /* colour, 0 to 1 */
    uint32_t backdrop; /* key of what is behind */
} fsh_moment;

/* The person with this number in the population that seed names. */
fsh_person fsh_person_draw(uint64_t seed, uint64_t number);

/* The moment of this picture of that person. */
fsh_moment fsh_moment_draw(uint64_t seed, uint64_t number, uint32_t picture);

#endif

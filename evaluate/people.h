/* The people of a gallery: its names, each once, and who a probe is said to be.
 *
 * A probe's name is that of a person where it is equal, or equal without a `_DIGITS` at its end:
 * mask-set calls the probes of NAME NAME_1, NAME_2, ... Whoever's name is not in the gallery is an
 * outside person. */
#ifndef FSH_EVALUATE_PEOPLE_H
#define FSH_EVALUATE_PEOPLE_H

#include <stdint.h>

#include "base/status.h"

enum { FSH_PEOPLE_NONE = UINT32_MAX };

typedef struct fsh_people {
    const char **names; /* n, in byte order; borrowed from the rows */
    uint32_t n;
    uint32_t *of_rows; /* the person of each row */
} fsh_people;

/* Borrows the names of rows_n rows until fsh_people_fini. */
fsh_status fsh_people_init(fsh_people *people, char *const *names, uint32_t rows_n, fsh_err *err);
void fsh_people_fini(fsh_people *people);

/* The person that a probe with this name is, or NONE. */
uint32_t fsh_people_find(const fsh_people *people, const char *name);

#endif

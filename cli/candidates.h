/* The people of an input in an order drawn by lot, and the photographs of each likewise: whoever
 * wants so many of them goes along it. The order depends on the seed and on the names alone. */
#ifndef FSH_CLI_CANDIDATES_H
#define FSH_CLI_CANDIDATES_H

#include "datasets/reader.h"

typedef struct fsh_candidate {
    char *name;
    char **sources; /* of its photographs, below the input */
    uint32_t n, room;
    uint64_t lot;
} fsh_candidate;

typedef struct fsh_candidates {
    fsh_candidate *at;
    uint32_t n, room;
    uint32_t small_n; /* people who are left out for having too few photographs */
    const fsh_reader *reader;
    uint64_t seed;
} fsh_candidates;

/* Scans the input; people with fewer than `least` photographs are left out. Free with
 * fsh_candidates_fini, also after a failure. */
fsh_status fsh_candidates_draw(const char *input, const fsh_reader *reader, uint64_t seed,
                               uint32_t least, fsh_candidates *out, fsh_err *err);

/* The place of photograph k in a folder of people: its source or, where that has no folder, the
 * name of the person and the source. */
fsh_status fsh_candidate_place(const fsh_candidate *person, uint32_t k, char path[FSH_PATH_BYTES],
                               fsh_err *err);

void fsh_candidates_fini(fsh_candidates *candidates);

#endif

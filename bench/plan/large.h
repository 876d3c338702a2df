/* Large files of pictures that are none: as many samples and bytes as are asked for, in each format that is
 * read by place. Pictures are the letter A. */
#ifndef FSH_BENCH_PLAN_LARGE_H
#define FSH_BENCH_PLAN_LARGE_H

#include <stdint.h>

typedef struct large_plan {
    uint64_t samples, identities;
    uint64_t bytes; /* of a picture, as it is stored */
} large_plan;

/* Each writes what the reader of its name takes, ends the program where it cannot, and says how many bytes. */
uint64_t large_tsv(const char *path, const large_plan *plan);
uint64_t large_records(const char *folder, const large_plan *plan); /* shuffled, with train.idx */
uint64_t large_list(const char *path, const large_plan *plan); /* shuffled; bytes of a path, at least */
uint64_t large_tar(const char *path, const large_plan *plan);

#endif

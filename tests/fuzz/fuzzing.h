/* What every fuzz target includes. A target is one function that takes bytes and must survive them:
 * libFuzzer calls it in the `fuzz` preset, replay.c with the files of corpus/NAME in all others. What must
 * hold is said with FUZZ_CHECK. */
#ifndef FSH_TESTS_FUZZ_FUZZING_H
#define FSH_TESTS_FUZZ_FUZZING_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define FUZZ_CHECK(what)                                                                           \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Bytes as a sequence of choices; when they have run out, all that follow are 0. */
typedef struct fuzz_choices {
    const uint8_t *at, *end;
} fuzz_choices;

static inline uint32_t
fuzz_choose(fuzz_choices *choices, uint32_t n)
{
    uint32_t value = 0, i;

    for (i = 0; i < 4 && (n - 1) >> 8 * i && choices->at < choices->end; i++)
        value |= (uint32_t)*choices->at++ << 8 * i;
    return value % n;
}

/* A new file with these bytes, in memory where there is such a file system (HDF5 wants one with a path). Its path
 * goes into path; remove it. */
static inline void
fuzz_file(const uint8_t *data, size_t bytes, char path[64])
{
    int file;

    snprintf(path, 64, "%s/faceshard-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    file = mkstemp(path);
    FUZZ_CHECK(file >= 0);
    FUZZ_CHECK(bytes == 0 || write(file, data, bytes) == (ssize_t)bytes);
    close(file);
}

#endif

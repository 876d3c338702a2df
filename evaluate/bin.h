/* Picture sets as insightface distributes them (lfw.bin, agedb_30.bin, cfp_fp.bin): a pickle of
 * (pictures, same), where pictures 2k and 2k + 1 are pair k and `same` says whether that is one
 * person.
 *
 * A pickle is a program, and Python's reader does whatever it says. This one knows nothing but
 * lists, tuples, bytes and truth values (evaluate/bin_opcodes.def); another opcode is refused by
 * name and offset. Memory is bounded by the size of the file and by FSH_BIN_VALUES_MAX values of 24
 * bytes.
 *
 *     fsh_bin_read("lfw.bin", &set, &err);
 *     fsh_bin_pairs(&set, &pairs, &err);            // in ten folds by position
 *     fsh_bin_unpack(&set, folder, &err);           // pictures as 00000/0000000.jpg, ...
 *     fsh_bin_fini(&set);
 */
#ifndef FSH_EVALUATE_BIN_H
#define FSH_EVALUATE_BIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "evaluate/pairs.h"

enum {
    FSH_BIN_VALUES_MAX = 2 << 20,
    FSH_BIN_FOLDER = 64 /* pictures that are unpacked into one folder: more folders, more workers */
};

typedef struct fsh_bin_picture {
    const uint8_t *data; /* an encoded picture; inside the file */
    size_t bytes;
} fsh_bin_picture;

typedef struct fsh_bin {
    fsh_bin_picture *pictures; /* 2 a pair */
    bool *same;
    uint32_t pairs_n;
    uint8_t *file; /* what pictures point into */
} fsh_bin;

/* Whether a file is to be read as such a set: its name ends with .bin. */
bool fsh_bin_is(const char *path);

/* Reads a set of at most 1 GiB. What it refuses is FORMAT and names file, opcode and offset. */
fsh_status fsh_bin_read(const char *path, fsh_bin *set, fsh_err *err);

/* The same from memory, which stays the caller's and is borrowed until fsh_bin_fini; name stands in
 * error texts. */
fsh_status fsh_bin_parse(const char *name, const uint8_t *data, size_t bytes, fsh_bin *set,
                         fsh_err *err);

void fsh_bin_fini(fsh_bin *set);

/* The pairs of the set; its pictures are called 0000000, 0000001, ... in their order. */
fsh_status fsh_bin_pairs(const fsh_bin *set, fsh_pairs *pairs, fsh_err *err);

/* Writes every picture below the folder, FSH_BIN_FOLDER in a folder of their own:
 * 00000/0000000.jpg, or .png, by what it begins with. */
fsh_status fsh_bin_unpack(const fsh_bin *set, const char *folder, fsh_err *err);

#endif

/* Inside of the reader of picture sets: the machine that runs the opcodes (bin_pickle.c) and what
 * is made of its result (bin.c). */
#ifndef FSH_EVALUATE_BIN_PARTS_H
#define FSH_EVALUATE_BIN_PARTS_H

#include "evaluate/bin.h"

typedef enum fsh_bin_kind {
    FSH_BIN_NOTHING, /* a place of the memo that was never written */
    FSH_BIN_BYTES,   /* at, n: where in the file, and how many */
    FSH_BIN_TEXT,    /* the same; Unicode, so no picture */
    FSH_BIN_TRUTH,   /* n: 0 or 1 */
    FSH_BIN_LIST,    /* at: which list of the machine */
    FSH_BIN_TUPLE,   /* the same */
    FSH_BIN_KINDS
} fsh_bin_kind;

typedef struct fsh_bin_value {
    fsh_bin_kind kind;
    size_t at, n;
} fsh_bin_value;

typedef struct fsh_bin_values {
    fsh_bin_value *at;
    uint32_t n, capacity;
} fsh_bin_values;

enum { FSH_BIN_LISTS_MAX = 64, FSH_BIN_MARKS_MAX = 64 };

/* Only lists and tuples that were made hold memory; there are few, and none is ever freed before
 * the end. */
typedef struct fsh_bin_machine {
    const char *name;
    const uint8_t *data;
    size_t bytes, at;
    size_t opcode_at; /* where the current opcode is */
    fsh_bin_values stack, memo;
    fsh_bin_values lists[FSH_BIN_LISTS_MAX];
    uint32_t lists_n;
    uint32_t marks[FSH_BIN_MARKS_MAX]; /* heights of the stack */
    uint32_t marks_n;
    uint64_t values_n; /* that there is memory for, in all of the above */
} fsh_bin_machine;

/* Runs to STOP, which must be the last byte; *result is what stands on the stack, alone. */
fsh_status fsh_bin_run(fsh_bin_machine *machine, fsh_bin_value *result, fsh_err *err);

void fsh_bin_machine_fini(fsh_bin_machine *machine);

#endif

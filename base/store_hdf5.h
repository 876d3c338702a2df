/* What store.c, column.c, column_read.c and store_join.c share. Not for anybody else: they would have to include
 * HDF5. */
#ifndef FSH_BASE_STORE_HDF5_H
#define FSH_BASE_STORE_HDF5_H

#include <hdf5.h>

#include "base/store.h"

struct fsh_store {
    hid_t file;
    char *path;
    bool writing;
    hid_t driver;    /* when writing */
    int write_errno; /* of the first write that failed; set by the driver */
};

/* Fails with what HDF5 has left on its error stack: "PATH: WHAT: reason". Call it right after the
 * call that failed. status is used where HDF5 names no errno value. */
fsh_status fsh_store_fail(const fsh_store *store, fsh_status status, fsh_err *err,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The failure of an earlier write, or OK. */
fsh_status fsh_store_check(const fsh_store *store, fsh_err *err);

/* The type as it is stored; close with H5Tclose. Negative on failure. */
hid_t fsh_cell_type(fsh_cell cell);

/* Makes an empty or virtual dataset of spec with this space and creation list, and the group that
 * it is in. */
hid_t fsh_store_make_set(fsh_store *store, const fsh_column_spec *spec, hid_t space, hid_t how);

/* ---- column.c, for column_read.c ---- */

struct fsh_column {
    fsh_store *store; /* borrowed */
    char *name;
    hid_t set, type;
    fsh_cell cell;
    uint32_t rank;
    hsize_t dims[1 + FSH_COLUMN_RANK_MAX]; /* of the dataset as it stands; dims[0] rows */
    uint64_t rows;                         /* appended, or there when reading */
    size_t row_bytes;                      /* in memory */
    uint32_t chunk_rows;
    uint8_t
        *chunk; /* rows that are gathered; NULL when reading, for one-row chunks, TEXT and BYTES */
};

static inline bool
fsh_cell_is_variable(fsh_cell cell)
{
    return cell == FSH_CELL_TEXT || cell == FSH_CELL_BYTES;
}

/* Without its dataset; NULL: out of memory. */
fsh_column *fsh_column_new(fsh_store *store, const fsh_column_spec *spec);

/* Selects n rows in the file; *memory becomes a space of the same size. */
hid_t fsh_column_select(const fsh_column *column, uint64_t first, size_t n, hid_t *memory);

#endif

/* An HDF5 file as a set of columns: the only place of the program that calls HDF5. A column is a
 * dataset whose first dimension is the row. Files hold no time stamps, so the same calls give the
 * same bytes; they are read by HDF5 1.10 and later. HDF5 is called from one thread at a time.
 *
 *     fsh_store_create("new.h5", &store, &err);
 *     fsh_store_set_text(store, "version", "0.1.0", &err);
 *     fsh_column_create(store, &spec, &column, &err);
 *     fsh_column_append(column, rows, n, &err);      // as often as there are rows
 *     fsh_column_close(&column, &err);
 *     fsh_store_close(&store, &err);
 *
 * Errors name the file; a full disk or quota is FULL. */
#ifndef FSH_BASE_STORE_H
#define FSH_BASE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

typedef struct fsh_store fsh_store;
typedef struct fsh_column fsh_column;

/* What one cell is. Text is UTF-8 by name; the bytes are kept as they are. */
typedef enum fsh_cell {
    FSH_CELL_U8,
    FSH_CELL_I8,
    FSH_CELL_I32,
    FSH_CELL_I64,
    FSH_CELL_U64,
    FSH_CELL_F32,
    FSH_CELL_TEXT, /* variable-length string */
    FSH_CELL_BYTES /* variable-length bytes */
} fsh_cell;

enum { FSH_COLUMN_RANK_MAX = 3 };

typedef struct fsh_column_spec {
    const char *name; /* "label", "rejected/source": at most one group deep */
    fsh_cell cell;
    uint32_t rank;                      /* dimensions of one row; 0: one cell */
    uint32_t dims[FSH_COLUMN_RANK_MAX]; /* of one row */
    uint32_t chunk_rows;                /* rows that are stored and buffered together */
} fsh_column_spec;

/* Makes a new file, in place of one that is there. */
fsh_status fsh_store_create(const char *path, fsh_store **store, fsh_err *err);

/* Opens a file for reading. A file that is no HDF5 file fails with FORMAT. */
fsh_status fsh_store_open(const char *path, fsh_store **store, fsh_err *err);

/* Closes, frees and sets *store to NULL, also on failure. NULL is fine. A failed write of any
 * earlier moment is told here at the latest. Columns are closed before their store. */
fsh_status fsh_store_close(fsh_store **store, fsh_err *err);

const char *fsh_store_path(const fsh_store *store);

/* Attributes of the file. */
fsh_status fsh_store_set_text(fsh_store *store, const char *name, const char *text, fsh_err *err);
fsh_status fsh_store_set_number(fsh_store *store, const char *name, uint64_t number, fsh_err *err);

/* Appends a text attribute to *text; sets *number. One that is missing or of another kind is
 * FORMAT. */
fsh_status fsh_store_get_text(fsh_store *store, const char *name, fsh_text *text, fsh_err *err);
fsh_status fsh_store_get_number(fsh_store *store, const char *name, uint64_t *number, fsh_err *err);

/* Whether there is a dataset of this name. */
bool fsh_store_has(fsh_store *store, const char *name);

/* Makes an empty column that grows; its group is made when it is the first in it. */
fsh_status fsh_column_create(fsh_store *store, const fsh_column_spec *spec, fsh_column **column,
                             fsh_err *err);

/* Opens a column for reading. One that is missing, or whose cells or row shape are not those of
 * spec, is FORMAT. */
fsh_status fsh_column_open(fsh_store *store, const fsh_column_spec *spec, fsh_column **column,
                           fsh_err *err);

/* Writes what is buffered, frees, sets *column to NULL, also on failure. NULL is fine. */
fsh_status fsh_column_close(fsh_column **column, fsh_err *err);

/* Frees without writing what is buffered. NULL is fine. */
void fsh_column_abandon(fsh_column **column);

uint64_t fsh_column_rows(const fsh_column *column);

/* Appends n rows of fixed size, one after the other in memory. */
fsh_status fsh_column_append(fsh_column *column, const void *rows, size_t n, fsh_err *err);

/* Appends one row of TEXT or of BYTES. */
fsh_status fsh_column_append_text(fsh_column *column, const char *text, fsh_err *err);
fsh_status fsh_column_append_bytes(fsh_column *column, const void *data, size_t bytes,
                                   fsh_err *err);

/* Appends all rows of a column of the same kind, not BYTES, of another file. */
fsh_status fsh_column_append_column(fsh_column *column, fsh_column *from, fsh_err *err);

/* Reads rows first to first + n - 1 of fixed size into rows; a range past the end is FORMAT. */
fsh_status fsh_column_read(fsh_column *column, uint64_t first, size_t n, void *rows, fsh_err *err);

/* Reads n rows of TEXT: *texts (caller frees with one free) is n strings, in one piece of memory.
 */
fsh_status fsh_column_read_texts(fsh_column *column, uint64_t first, size_t n, char ***texts,
                                 fsh_err *err);

/* Reads one row of BYTES into *data (caller frees). */
fsh_status fsh_column_read_bytes(fsh_column *column, uint64_t row, uint8_t **data, size_t *bytes,
                                 fsh_err *err);

/* One file whose column is a part of a joined column. */
typedef struct fsh_store_part {
    const char *path; /* relative to the folder of the joining file */
    uint64_t rows;
} fsh_store_part;

/* Makes a virtual column: the rows of the same column of all parts, one after the other. Nothing is
 * copied. Parts that are missing, or that HDF5 may not open later because too many files are open,
 * read as zeros, without an error; as NaN where cells are F32. */
fsh_status fsh_store_join(fsh_store *store, const fsh_column_spec *spec,
                          const fsh_store_part *parts, uint32_t n, fsh_err *err);

#endif

/* Reading shards and index.h5, which has the same columns and some more.
 *
 *     fsh_shard_open("shards/shard-000007.h5", &file, &err);
 *     n = fsh_shard_get_info(file)->rows[FSH_TABLE_ROWS];
 *     fsh_shard_read(file, FSH_COLUMN_LABEL, 0, n, labels, &err);
 *     fsh_shard_close(&file);
 */
#ifndef FSH_SHARDS_READ_H
#define FSH_SHARDS_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "shards/layout.h"
#include "shards/shard.h"

typedef struct fsh_shard_file fsh_shard_file;

typedef struct fsh_shard_info {
    bool index;                 /* index.h5: meta.unit is the number of units */
    fsh_shard_meta meta;        /* strings live as long as the file is open */
    uint64_t rows[FSH_TABLE_N]; /* of each table; in a shard, those of index.h5 have none */
} fsh_shard_info;

/* Opens a file and checks that its columns are those of this format, and of one length in each
 * table. Errors are FORMAT, and IO where the file cannot be read. */
fsh_status fsh_shard_open(const char *path, fsh_shard_file **file, fsh_err *err);

/* Closes, frees and sets *file to NULL; NULL is fine. */
void fsh_shard_close(fsh_shard_file **file);

const fsh_shard_info *fsh_shard_get_info(const fsh_shard_file *file);

/* Reads rows first to first + n - 1 of a column of fixed size: cells as columns.def says, row after
 * row. A column that the file does not have, and a range past the end, are FORMAT. */
fsh_status fsh_shard_read(fsh_shard_file *file, fsh_shard_column column, uint64_t first, size_t n,
                          void *rows, fsh_err *err);

/* Reads n strings; *texts (caller frees with one free) and what it points to are one piece of
 * memory. */
fsh_status fsh_shard_read_texts(fsh_shard_file *file, fsh_shard_column column, uint64_t first,
                                size_t n, char ***texts, fsh_err *err);

/* Appends all rows of a column to a column of another file. */
fsh_status fsh_shard_copy(fsh_shard_file *file, fsh_shard_column column, fsh_column *to,
                          fsh_err *err);

/* Reads the picture of one row into *data (caller frees): size * size * 3 RGB bytes, or the encoded
 * file. A file without pictures is FORMAT. */
fsh_status fsh_shard_read_picture(fsh_shard_file *file, uint64_t row, uint8_t **data, size_t *bytes,
                                  fsh_err *err);

#endif

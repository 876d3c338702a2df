/* Columns that are read. */
#include <stdlib.h>
#include <string.h>

#include "base/store_hdf5.h"

uint64_t
fsh_column_rows(const fsh_column *column)
{
    return column->rows;
}

/* Sets the number of rows; false where rows or cells are not what the column expects. */
static bool
take_shape(fsh_column *column)
{
    hid_t space = H5Dget_space(column->set), type = H5Dget_type(column->set);
    hsize_t dims[1 + FSH_COLUMN_RANK_MAX] = {0};
    bool fits = H5Sget_simple_extent_ndims(space) == (int)column->rank + 1 &&
                H5Tget_class(type) == H5Tget_class(column->type) &&
                H5Tis_variable_str(type) == H5Tis_variable_str(column->type) &&
                (fsh_cell_is_variable(column->cell) || H5Tequal(type, column->type) > 0);

    if (fits) {
        H5Sget_simple_extent_dims(space, dims, NULL);
        column->rows = dims[0];
        column->dims[0] = dims[0];
        fits = memcmp(dims, column->dims, sizeof dims) == 0;
    }
    H5Tclose(type);
    H5Sclose(space);
    return fits;
}

fsh_status
fsh_column_open(fsh_store *store, const fsh_column_spec *spec, fsh_column **out, fsh_err *err)
{
    fsh_column *column = fsh_column_new(store, spec);
    fsh_status status = FSH_OK;

    if (!column)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", store->path);
    column->set = H5Dopen2(store->file, spec->name, H5P_DEFAULT);
    if (column->set < 0)
        status = fsh_store_fail(store, FSH_FORMAT, err, "/%s cannot be opened", spec->name);
    else if (!take_shape(column))
        status = fsh_fail(err, FSH_FORMAT, "%s: /%s is of another kind or shape than it should be",
                          store->path, spec->name);
    if (status)
        fsh_column_abandon(&column);
    else
        *out = column;
    return status;
}

fsh_status
fsh_column_read(fsh_column *column, uint64_t first, size_t n, void *rows, fsh_err *err)
{
    hid_t memory, space;
    fsh_status status = FSH_OK;

    if (first > column->rows || n > column->rows - first)
        return fsh_fail(err, FSH_FORMAT, "%s: /%s has %llu rows, row %llu was asked for",
                        column->store->path, column->name, (unsigned long long)column->rows,
                        (unsigned long long)(first + n));
    if (n == 0)
        return FSH_OK;
    space = fsh_column_select(column, first, n, &memory);
    if (H5Dread(column->set, column->type, memory, space, H5P_DEFAULT, rows) < 0)
        status = fsh_store_fail(column->store, FSH_FORMAT, err, "/%s cannot be read", column->name);
    H5Sclose(memory);
    H5Sclose(space);
    return status;
}

/* Copies n strings behind their pointers, into one piece of memory. */
static char **
pack_texts(char *const *cells, size_t n)
{
    size_t i, bytes = n * sizeof(char *) + 1;
    char **packed, *at;

    for (i = 0; i < n; i++)
        bytes += (cells[i] ? strlen(cells[i]) : 0) + 1;
    packed = malloc(bytes);
    at = packed ? (char *)(packed + n) : NULL;
    for (i = 0; packed && i < n; i++) {
        packed[i] = at;
        at = stpcpy(at, cells[i] ? cells[i] : "") + 1;
    }
    return packed;
}

fsh_status
fsh_column_read_texts(fsh_column *column, uint64_t first, size_t n, char ***texts, fsh_err *err)
{
    char **cells = calloc(n + 1, sizeof *cells), **packed;
    fsh_status status;
    size_t i;

    if (!cells)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", column->store->path);
    status = fsh_column_read(column, first, n, cells, err);
    packed = status ? NULL : pack_texts(cells, n);
    for (i = 0; i < n; i++)
        H5free_memory(cells[i]);
    free(cells);
    if (status)
        return status;
    *texts = packed;
    return packed ? FSH_OK : fsh_fail(err, FSH_MEMORY, "%s: out of memory", column->store->path);
}

fsh_status
fsh_column_read_bytes(fsh_column *column, uint64_t row, uint8_t **data, size_t *bytes, fsh_err *err)
{
    hvl_t cell = {0, NULL};
    fsh_status status = fsh_column_read(column, row, 1, &cell, err);
    uint8_t *copy;

    if (status)
        return status;
    copy = malloc(cell.len + 1);
    if (copy && cell.len)
        memcpy(copy, cell.p, cell.len);
    H5free_memory(cell.p);
    if (!copy)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", column->store->path);
    *data = copy;
    *bytes = cell.len;
    return FSH_OK;
}

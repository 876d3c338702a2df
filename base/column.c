/* Columns: datasets that grow by rows. Rows of fixed size are gathered until a chunk is full and
 * then stored as that chunk, past HDF5's own conversion and cache; the last chunk is filled up with
 * zeros. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/store_hdf5.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "chunks are stored as they lie in memory");

static hid_t
text_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);

    if (H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

hid_t
fsh_cell_type(fsh_cell cell)
{
    switch (cell) {
    case FSH_CELL_U8: return H5Tcopy(H5T_STD_U8LE);
    case FSH_CELL_I8: return H5Tcopy(H5T_STD_I8LE);
    case FSH_CELL_I32: return H5Tcopy(H5T_STD_I32LE);
    case FSH_CELL_I64: return H5Tcopy(H5T_STD_I64LE);
    case FSH_CELL_U64: return H5Tcopy(H5T_STD_U64LE);
    case FSH_CELL_F32: return H5Tcopy(H5T_IEEE_F32LE);
    case FSH_CELL_BYTES: return H5Tvlen_create(H5T_STD_U8LE);
    case FSH_CELL_TEXT: return text_type();
    }
    return H5I_INVALID_HID;
}

/* Makes the group that stands before the slash of a name, without a time stamp. */
static herr_t
make_group(fsh_store *store, const char *name)
{
    const char *slash = strchr(name, '/');
    char *group = slash ? strndup(name, (size_t)(slash - name)) : NULL;
    hid_t how, made;
    htri_t there;

    if (!slash)
        return 0;
    there = group ? H5Lexists(store->file, group, H5P_DEFAULT) : -1;
    if (there == 0) {
        how = H5Pcreate(H5P_GROUP_CREATE);
        H5Pset_obj_track_times(how, false);
        made = H5Gcreate2(store->file, group, H5P_DEFAULT, how, H5P_DEFAULT);
        there = made < 0 ? -1 : 1;
        H5Gclose(made);
        H5Pclose(how);
    }
    free(group);
    return there > 0 ? 0 : -1;
}

hid_t
fsh_store_make_set(fsh_store *store, const fsh_column_spec *spec, hid_t space, hid_t how)
{
    hid_t type, set = H5I_INVALID_HID;

    if (make_group(store, spec->name) < 0 || H5Pset_obj_track_times(how, false) < 0)
        return set;
    type = fsh_cell_type(spec->cell);
    set = H5Dcreate2(store->file, spec->name, type, space, H5P_DEFAULT, how, H5P_DEFAULT);
    H5Tclose(type);
    return set;
}

fsh_column *
fsh_column_new(fsh_store *store, const fsh_column_spec *spec)
{
    fsh_column *column = calloc(1, sizeof *column);
    uint32_t i;

    if (!column || !(column->name = strdup(spec->name))) {
        free(column);
        return NULL;
    }
    column->store = store;
    column->set = H5I_INVALID_HID;
    column->type = fsh_cell_type(spec->cell);
    column->cell = spec->cell;
    column->rank = spec->rank;
    column->chunk_rows = spec->chunk_rows;
    column->row_bytes = fsh_cell_is_variable(spec->cell) ? 0 : H5Tget_size(column->type);
    for (i = 0; i < spec->rank; i++) {
        column->dims[1 + i] = spec->dims[i];
        column->row_bytes *= spec->dims[i];
    }
    return column;
}

void
fsh_column_abandon(fsh_column **column)
{
    if (!*column)
        return;
    H5Dclose((*column)->set);
    H5Tclose((*column)->type);
    free((*column)->chunk);
    free((*column)->name);
    free(*column);
    *column = NULL;
}

static hid_t
make_growing_set(fsh_store *store, const fsh_column_spec *spec, const hsize_t *dims)
{
    hsize_t most[1 + FSH_COLUMN_RANK_MAX], chunk[1 + FSH_COLUMN_RANK_MAX];
    hid_t how = H5Pcreate(H5P_DATASET_CREATE), space, set = H5I_INVALID_HID;

    memcpy(most, dims, sizeof most);
    memcpy(chunk, dims, sizeof chunk);
    most[0] = H5S_UNLIMITED;
    chunk[0] = spec->chunk_rows;
    space = H5Screate_simple((int)spec->rank + 1, dims, most);
    if (H5Pset_chunk(how, (int)spec->rank + 1, chunk) >= 0 &&
        (fsh_cell_is_variable(spec->cell) || H5Pset_fill_time(how, H5D_FILL_TIME_NEVER) >= 0))
        set = fsh_store_make_set(store, spec, space, how);
    H5Sclose(space);
    H5Pclose(how);
    return set;
}

fsh_status
fsh_column_create(fsh_store *store, const fsh_column_spec *spec, fsh_column **out, fsh_err *err)
{
    fsh_column *column = fsh_column_new(store, spec);
    fsh_status status = FSH_OK;

    if (!column)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", store->path);
    if (!fsh_cell_is_variable(spec->cell) && spec->chunk_rows > 1 &&
        !(column->chunk = calloc(spec->chunk_rows, column->row_bytes)))
        status = fsh_fail(err, FSH_MEMORY, "%s: out of memory", store->path);
    if (!status && (column->set = make_growing_set(store, spec, column->dims)) < 0)
        status = fsh_store_fail(store, FSH_IO, err, "/%s cannot be made", spec->name);
    if (status)
        fsh_column_abandon(&column);
    else
        *out = column;
    return status;
}

/* Makes room for rows up to the end of the chunk that row lies in, so that growing is rare. */
static fsh_status
make_room(fsh_column *column, uint64_t row, fsh_err *err)
{
    if (row < column->dims[0])
        return FSH_OK;
    column->dims[0] = (row / column->chunk_rows + 1) * column->chunk_rows;
    if (H5Dset_extent(column->set, column->dims) < 0)
        return fsh_store_fail(column->store, FSH_IO, err, "/%s cannot grow", column->name);
    return FSH_OK;
}

/* Stores a whole chunk that begins at row. */
static fsh_status
write_chunk(fsh_column *column, uint64_t row, const void *chunk, fsh_err *err)
{
    hsize_t at[1 + FSH_COLUMN_RANK_MAX] = {row};
    fsh_status status = make_room(column, row, err);

    if (status)
        return status;
    if (H5Dwrite_chunk(column->set, H5P_DEFAULT, 0, at, column->row_bytes * column->chunk_rows,
                       chunk) < 0)
        return fsh_store_fail(column->store, FSH_IO, err, "/%s cannot be written", column->name);
    return fsh_store_check(column->store, err);
}

fsh_status
fsh_column_append(fsh_column *column, const void *rows, size_t n, fsh_err *err)
{
    const uint8_t *from = rows;
    fsh_status status = FSH_OK;

    while (n && !status) {
        size_t used = column->rows % column->chunk_rows, take = column->chunk_rows - used;

        take = take < n ? take : n;
        if (column->chunk)
            memcpy(column->chunk + used * column->row_bytes, from, take * column->row_bytes);
        if (used + take == column->chunk_rows)
            status =
                write_chunk(column, column->rows - used, column->chunk ? column->chunk : from, err);
        column->rows += take;
        from += take * column->row_bytes;
        n -= take;
    }
    return status;
}

hid_t
fsh_column_select(const fsh_column *column, uint64_t first, size_t n, hid_t *memory)
{
    hsize_t start[1 + FSH_COLUMN_RANK_MAX] = {first}, count[1 + FSH_COLUMN_RANK_MAX];
    hid_t space = H5Dget_space(column->set);

    memcpy(count, column->dims, sizeof count);
    count[0] = n;
    *memory = H5Screate_simple((int)column->rank + 1, count, NULL);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
    return space;
}

/* How one cell is written: HDF5 would otherwise take, clear and give back 2 MB to convert its 16 bytes. */
static hid_t
single_cell(void)
{
    hid_t how = H5Pcreate(H5P_DATASET_XFER);

    H5Pset_buffer(how, 4096, NULL, NULL);
    return how;
}

static fsh_status
write_variable(fsh_column *column, const void *cell, fsh_err *err)
{
    hid_t memory, space, how = single_cell();
    herr_t done;
    fsh_status status = make_room(column, column->rows, err);

    if (status) {
        H5Pclose(how);
        return status;
    }
    space = fsh_column_select(column, column->rows, 1, &memory);
    done = H5Dwrite(column->set, column->type, memory, space, how, cell);
    H5Pclose(how);
    if (done < 0)
        status = fsh_store_fail(column->store, FSH_IO, err, "/%s cannot be written", column->name);
    H5Sclose(memory);
    H5Sclose(space);
    column->rows++;
    return status ? status : fsh_store_check(column->store, err);
}

fsh_status
fsh_column_append_text(fsh_column *column, const char *text, fsh_err *err)
{
    return write_variable(column, &text, err);
}

fsh_status
fsh_column_append_bytes(fsh_column *column, const void *data, size_t bytes, fsh_err *err)
{
    hvl_t cell = {bytes, (void *)(uintptr_t)data};

    return write_variable(column, &cell, err);
}

/* Stores the last chunk, filled up with zeros, and sets the number of rows to what was appended. */
static fsh_status
finish(fsh_column *column, fsh_err *err)
{
    size_t used = column->rows % column->chunk_rows;
    fsh_status status = FSH_OK;

    if (column->chunk && used) {
        memset(column->chunk + used * column->row_bytes, 0,
               (column->chunk_rows - used) * column->row_bytes);
        status = write_chunk(column, column->rows - used, column->chunk, err);
    }
    if (status || column->dims[0] == column->rows)
        return status;
    column->dims[0] = column->rows;
    if (H5Dset_extent(column->set, column->dims) < 0)
        return fsh_store_fail(column->store, FSH_IO, err, "/%s cannot be cut", column->name);
    return fsh_store_check(column->store, err);
}

fsh_status
fsh_column_close(fsh_column **column, fsh_err *err)
{
    fsh_status status = FSH_OK;

    if (*column && (*column)->store->writing)
        status = finish(*column, err);
    fsh_column_abandon(column);
    return status;
}

static fsh_status
append_texts(fsh_column *column, fsh_column *from, uint64_t first, size_t n, fsh_err *err)
{
    char **texts = NULL;
    fsh_status status = fsh_column_read_texts(from, first, n, &texts, err);
    size_t i;

    for (i = 0; i < n && !status; i++)
        status = fsh_column_append_text(column, texts[i], err);
    free(texts);
    return status;
}

fsh_status
fsh_column_append_column(fsh_column *column, fsh_column *from, fsh_err *err)
{
    size_t n, batch = 4096;
    void *rows = malloc(batch * column->row_bytes + 1);
    fsh_status status = FSH_OK;
    uint64_t first;

    if (!rows)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", column->store->path);
    for (first = 0; first < from->rows && !status; first += n) {
        n = from->rows - first < batch ? (size_t)(from->rows - first) : batch;
        if (column->cell == FSH_CELL_TEXT) {
            status = append_texts(column, from, first, n, err);
            continue;
        }
        status = fsh_column_read(from, first, n, rows, err);
        if (!status)
            status = fsh_column_append(column, rows, n, err);
    }
    free(rows);
    return status;
}

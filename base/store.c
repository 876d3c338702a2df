/* The file itself: opening, closing, attributes and errors. */
#include "base/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/store_disk.h"
#include "base/store_hdf5.h"

/* The deepest entry of HDF5's error stack, and the errno value that any entry names. */
typedef struct cause {
    char text[256];
    int errno_value;
} cause;

static herr_t
collect_cause(unsigned n, const H5E_error2_t *entry, void *self)
{
    cause *found = self;
    const char *number = entry->desc ? strstr(entry->desc, "errno = ") : NULL;

    if (n == 0 && entry->desc)
        snprintf(found->text, sizeof found->text, "%s", entry->desc);
    if (number && !found->errno_value)
        found->errno_value = atoi(number + strlen("errno = "));
    return 0;
}

fsh_status
fsh_store_check(const fsh_store *store, fsh_err *err)
{
    if (!store->write_errno)
        return FSH_OK;
    return fsh_fail_errno(err, store->write_errno, "%s: cannot be written", store->path);
}

fsh_status
fsh_store_fail(const fsh_store *store, fsh_status status, fsh_err *err, const char *format, ...)
{
    cause found = {"", 0};
    char what[256];
    va_list args;

    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect_cause, &found);
    if (fsh_store_check(store, err))
        return fsh_store_check(store, err);
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (found.errno_value)
        return fsh_fail_errno(err, found.errno_value, "%s: %s", store->path, what);
    return fsh_fail(err, status, "%s: %s%s%s", store->path, what, found.text[0] ? ": " : "",
                    found.text);
}

static fsh_store *
store_new(const char *path)
{
    fsh_store *store = calloc(1, sizeof *store);

    /* HDF5 prints its errors to the terminal unless told not to. */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    if (store && !(store->path = strdup(path))) {
        free(store);
        return NULL;
    }
    if (store)
        store->file = store->driver = H5I_INVALID_HID;
    return store;
}

static void
store_free(fsh_store *store)
{
    if (store->driver >= 0)
        H5FDunregister(store->driver);
    free(store->path);
    free(store);
}

/* The fixed format bounds keep the bytes the same when a newer library writes them. Locks are off
 * because nobody opens a file that is being written (it is renamed when finished), and because they
 * fail on some network file systems. */
static hid_t
access_list(void)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);

    if (access >= 0 && (H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) < 0 ||
                        H5Pset_file_locking(access, false, true) < 0 ||
                        H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110) < 0)) {
        H5Pclose(access);
        return H5I_INVALID_HID;
    }
    return access;
}

fsh_status
fsh_store_create(const char *path, fsh_store **out, fsh_err *err)
{
    fsh_store *store = store_new(path);
    hid_t access, create;
    fsh_status status = FSH_OK;

    if (!store)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", path);
    store->writing = true;
    access = access_list();
    create = H5Pcreate(H5P_FILE_CREATE);
    store->driver = fsh_store_disk_use(access, &store->write_errno);
    if (store->driver >= 0 && H5Pset_obj_track_times(create, false) >= 0)
        store->file = H5Fcreate(path, H5F_ACC_TRUNC, create, access);
    if (store->file < 0)
        status = fsh_store_fail(store, FSH_IO, err, "cannot be created");
    H5Pclose(create);
    H5Pclose(access);
    if (status)
        store_free(store);
    else
        *out = store;
    return status;
}

fsh_status
fsh_store_open(const char *path, fsh_store **out, fsh_err *err)
{
    fsh_store *store = store_new(path);
    fsh_status status = FSH_OK;
    hid_t access;

    if (!store)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", path);
    access = access_list();
    store->file = H5Fopen(path, H5F_ACC_RDONLY, access);
    if (store->file < 0)
        status = fsh_store_fail(store, FSH_FORMAT, err, "cannot be opened as an HDF5 file");
    H5Pclose(access);
    if (status)
        store_free(store);
    else
        *out = store;
    return status;
}

fsh_status
fsh_store_close(fsh_store **store, fsh_err *err)
{
    fsh_status status = FSH_OK;

    if (!*store)
        return FSH_OK;
    if (H5Fclose((*store)->file) < 0)
        status = fsh_store_fail(*store, FSH_IO, err, "cannot be closed");
    if (!status)
        status = fsh_store_check(*store, err);
    store_free(*store);
    *store = NULL;
    return status;
}

const char *
fsh_store_path(const fsh_store *store)
{
    return store->path;
}

bool
fsh_store_has(fsh_store *store, const char *name)
{
    hid_t set = H5Dopen2(store->file, name, H5P_DEFAULT);

    if (set >= 0)
        H5Dclose(set);
    return set >= 0;
}

static fsh_status
set_attribute(fsh_store *store, const char *name, fsh_cell cell, const void *value, fsh_err *err)
{
    hid_t type = fsh_cell_type(cell), space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(store->file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    fsh_status status = FSH_OK;

    if (attribute < 0 || H5Awrite(attribute, type, value) < 0)
        status = fsh_store_fail(store, FSH_IO, err, "attribute %s cannot be written", name);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
    return status ? status : fsh_store_check(store, err);
}

fsh_status
fsh_store_set_text(fsh_store *store, const char *name, const char *text, fsh_err *err)
{
    return set_attribute(store, name, FSH_CELL_TEXT, &text, err);
}

fsh_status
fsh_store_set_number(fsh_store *store, const char *name, uint64_t number, fsh_err *err)
{
    return set_attribute(store, name, FSH_CELL_U64, &number, err);
}

/* Whether the attribute is one value of the wanted class, so that reading it stays within one cell.
 */
static bool
attribute_is_one(hid_t attribute, hid_t type)
{
    hid_t space = H5Aget_space(attribute), found = H5Aget_type(attribute);
    bool fits = H5Sget_simple_extent_npoints(space) == 1 &&
                H5Tget_class(found) == H5Tget_class(type) &&
                H5Tis_variable_str(found) == H5Tis_variable_str(type);

    H5Tclose(found);
    H5Sclose(space);
    return fits;
}

static fsh_status
get_attribute(fsh_store *store, const char *name, fsh_cell cell, void *value, fsh_err *err)
{
    hid_t type = fsh_cell_type(cell), attribute = H5Aopen(store->file, name, H5P_DEFAULT);
    fsh_status status = FSH_OK;

    if (attribute < 0)
        status = fsh_fail(err, FSH_FORMAT, "%s: has no attribute %s", store->path, name);
    else if (!attribute_is_one(attribute, type))
        status =
            fsh_fail(err, FSH_FORMAT, "%s: attribute %s is of another kind", store->path, name);
    else if (H5Aread(attribute, type, value) < 0)
        status = fsh_store_fail(store, FSH_FORMAT, err, "attribute %s cannot be read", name);
    H5Aclose(attribute);
    H5Tclose(type);
    return status;
}

fsh_status
fsh_store_get_text(fsh_store *store, const char *name, fsh_text *text, fsh_err *err)
{
    char *found = NULL;
    fsh_status status = get_attribute(store, name, FSH_CELL_TEXT, &found, err);

    if (status)
        return status;
    fsh_text_add(text, found ? found : "");
    H5free_memory(found);
    return fsh_text_ok(text) ? FSH_OK : fsh_fail(err, FSH_MEMORY, "%s: out of memory", store->path);
}

fsh_status
fsh_store_get_number(fsh_store *store, const char *name, uint64_t *number, fsh_err *err)
{
    return get_attribute(store, name, FSH_CELL_U64, number, err);
}

/* Virtual columns over the columns of other files. */
#include <math.h>
#include <string.h>

#include "base/store_hdf5.h"

/* Lays rows of one part at row `first` of the joined space. HDF5 finds a relative path from the
 * folder of the joining file. */
static herr_t
add_part(hid_t how, hid_t space, const fsh_column_spec *spec, const fsh_store_part *part,
         uint64_t first)
{
    hsize_t start[1 + FSH_COLUMN_RANK_MAX] = {first}, count[1 + FSH_COLUMN_RANK_MAX] = {part->rows};
    char name[256] = "/";
    hid_t source;
    herr_t status;
    uint32_t i;

    for (i = 0; i < spec->rank; i++)
        count[1 + i] = spec->dims[i];
    strncat(name, spec->name, sizeof name - 2);
    source = H5Screate_simple((int)spec->rank + 1, count, NULL);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
    status = H5Pset_virtual(how, space, part->path, name, source);
    H5Sclose(source);
    return status;
}

fsh_status
fsh_store_join(fsh_store *store, const fsh_column_spec *spec, const fsh_store_part *parts,
               uint32_t n, fsh_err *err)
{
    hid_t how = H5Pcreate(H5P_DATASET_CREATE), space, set = H5I_INVALID_HID;
    hsize_t dims[1 + FSH_COLUMN_RANK_MAX] = {0};
    fsh_status status = FSH_OK;
    uint64_t first = 0;
    herr_t done = 0;
    uint32_t i;

    for (i = 0; i < n; i++)
        dims[0] += parts[i].rows;
    for (i = 0; i < spec->rank; i++)
        dims[1 + i] = spec->dims[i];
    space = H5Screate_simple((int)spec->rank + 1, dims, NULL);
    if (spec->cell == FSH_CELL_F32)
        done = H5Pset_fill_value(how, H5T_NATIVE_FLOAT, &(float){NAN});
    /* A space without rows cannot be virtual. */
    for (i = 0; i < n && done >= 0; first += parts[i++].rows)
        if (parts[i].rows)
            done = add_part(how, space, spec, &parts[i], first);
    H5Sselect_all(space);
    if (done >= 0)
        set = fsh_store_make_set(store, spec, space, how);
    if (set < 0)
        status = fsh_store_fail(store, FSH_IO, err, "/%s cannot be joined", spec->name);
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(how);
    return status ? status : fsh_store_check(store, err);
}

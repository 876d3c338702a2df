/* The HDF5 file driver that new files are written with. */
#ifndef FSH_BASE_STORE_DISK_H
#define FSH_BASE_STORE_DISK_H

#include <hdf5.h>

/* Makes the access list write through our driver. A write that fails sets *write_errno, once, and
 * HDF5 is told that all went well: HDF5 1.10 cannot close a file whose writes fail (it keeps the
 * descriptor and tries again when the program ends). Returns the driver, which the caller gives
 * back with H5FDunregister after the file is closed (HDF5 reads its table once more after letting
 * go of it); negative on failure. *write_errno must live as long. */
hid_t fsh_store_disk_use(hid_t access, int *write_errno);

#endif

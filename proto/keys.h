/* Folders of CurveZMQ keys: who a coordinator is, who a worker is, and who may join.
 *
 *     coordinator.secret   0600, stays with the coordinator
 *     coordinator.public   workers know their coordinator by it
 *     worker.secret        0600, who a worker is
 *     worker.public        "KEY NAME": its line in the list
 *     allowed              the list of workers' keys (proto/allowed.h), stays with the coordinator
 *
 * A folder may be a coordinator's, a worker's, or both. All are text, one line a key.
 *
 *     fsh_keys_make_coordinator("keys", &err);          with a first worker's pair
 *     fsh_keys_make_worker("keys", "host-7", &err);      the folder keys/host-7, to be copied there
 *     fsh_keys_read("keys", FSH_KEYS_COORDINATOR, &keys, &err); */
#ifndef FSH_PROTO_KEYS_H
#define FSH_PROTO_KEYS_H

#include "base/files.h"
#include "proto/allowed.h"

#define FSH_KEYS_ALLOWED "allowed"

typedef enum fsh_keys_side { FSH_KEYS_COORDINATOR, FSH_KEYS_WORKER } fsh_keys_side;

/* What one side needs. Wipe it with fsh_keys_wipe when the connection is made. */
typedef struct fsh_keys {
    fsh_key own_public, own_secret;
    fsh_key coordinator;          /* a worker's: whom it trusts */
    char allowed[FSH_PATH_BYTES]; /* a coordinator's: path of its list */
} fsh_keys;

/* Makes the folder (0700) with the coordinator's pair, a pair for workers and the list with that
 * pair. Fails with USAGE where the folder has a coordinator's keys already: nothing is ever
 * overwritten. */
fsh_status fsh_keys_make_coordinator(const char *folder, fsh_err *err);

/* Makes the folder FOLDER/NAME (0700) for a further worker, with a pair of its own and
 * coordinator.public, and adds the pair to the list. A name has letters, digits, dots, - and _.
 * Fails with USAGE where it exists. */
fsh_status fsh_keys_make_worker(const char *folder, const char *name, fsh_err *err);

/* The lines of the files that a worker's folder holds, for sending them elsewhere. */
typedef struct fsh_keys_file {
    const char *name;
    char line[256];
} fsh_keys_file;
enum { FSH_KEYS_FILES = 3 };

/* Reads what fsh_keys_make_worker has made. Wipe it when it is sent. */
fsh_status fsh_keys_pack(const char *folder, fsh_keys_file files[FSH_KEYS_FILES], fsh_err *err);

/* Whether the folder has a coordinator's keys. */
bool fsh_keys_exist(const char *folder);

/* Fails with IO for missing files, FORMAT for what is no key, and USAGE, with the chmod to run, where
 * others may read a secret or write into the folder. */
fsh_status fsh_keys_read(const char *folder, fsh_keys_side side, fsh_keys *keys, fsh_err *err);

void fsh_keys_wipe(fsh_keys *keys);

#endif

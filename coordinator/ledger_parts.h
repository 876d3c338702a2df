/* What ledger.c and ledger_read.c share. Not for anybody else: they would have to include SQLite.
 */
#ifndef FSH_COORDINATOR_LEDGER_PARTS_H
#define FSH_COORDINATOR_LEDGER_PARTS_H

#include <sqlite3.h>

#include "base/files.h"
#include "base/text.h"
#include "coordinator/ledger.h"
#include "coordinator/lock.h"

enum {
    FSH_LEDGER_BUSY_MS = 10000
}; /* somebody who looks and somebody who begins wait for each other */

struct fsh_ledger {
    char path[FSH_PATH_BYTES];
    fsh_lock *lock;
    sqlite3 *database;
    sqlite3_stmt *insert;
    bool in_transaction;
    uint32_t epoch;
    fsh_text scratch;
};

/* The failure of the last call of SQLite, with what may mend it. */
fsh_status fsh_ledger_fail(const fsh_ledger *ledger, fsh_err *err);

#endif

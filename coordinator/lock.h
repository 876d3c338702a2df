/* One coordinator per output folder: whoever writes its plan, its ledger or its index holds this lock.
 *
 *     fsh_lock_take(output, &lock, &err);
 *     fsh_lock_release(&lock);
 */
#ifndef FSH_COORDINATOR_LOCK_H
#define FSH_COORDINATOR_LOCK_H

#include <stdbool.h>

#include "base/status.h"

typedef struct fsh_lock fsh_lock;

/* Makes OUT/state where it is missing. BUSY where another process has it, with who that is. Gone with
 * the process, however it ends. Not twice in one process: the first release frees both. */
fsh_status fsh_lock_take(const char *output, fsh_lock **lock, fsh_err *err);

/* Whether another process has it; changes nothing. Never in the process that has it: that would release it. */
bool fsh_lock_is_held(const char *output);

/* NULL is fine. */
void fsh_lock_release(fsh_lock **lock);

#endif

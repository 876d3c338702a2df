/* Runs something in a process of its own, so that a fault in a library costs that process and not this
 * one: HDF5 may crash, leak or spin on a damaged file. */
#ifndef FSH_BASE_APART_H
#define FSH_BASE_APART_H

#include <stdint.h>

#include "base/status.h"

/* Calls run(self, err) in a child and returns what it returns, with its text; what it prints appears, what
 * it changes in memory does not. A child that a signal ends, or that takes more than limit_s seconds of
 * processor time, is FORMAT, and the text blames `file`. Call it while there is one thread. */
fsh_status fsh_apart_run(fsh_status (*run)(void *self, fsh_err *err), void *self, const char *file,
                         uint32_t limit_s, fsh_err *err);

/* Lets allocations of this process fail above so many bytes of data; 0: no limit. Does nothing under sanitizers,
 * whose shadow memory counts as data and is larger than any limit. */
void fsh_apart_limit_memory(uint64_t bytes);

#endif

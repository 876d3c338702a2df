/* The process that makes pictures for the page: shards and photographs are anybody's bytes, and
 * HDF5 is for one thread. */
#ifndef FSH_PAGE_PICTURES_H
#define FSH_PAGE_PICTURES_H

#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

/* Reads numbers of units from standard input, a line each, and answers each on standard output with
 * the number of bytes that follow, in a line, and what fsh_pictures_print gives; nothing where the
 * shard cannot be read. Ends with the input. */
fsh_status fsh_pictures_serve(const char *output, const char *input, fsh_err *err);

/* Appends some samples of the unit's shard with all their variants, and some of what was rejected,
 * as JSON. */
fsh_status fsh_pictures_print(const char *output, const char *input, uint32_t unit, fsh_text *out,
                              fsh_err *err);

#endif

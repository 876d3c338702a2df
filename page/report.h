/* report.html: what came out of a job, on one page without outside parts. Made from the output
 * folder alone, so it can be made again at any time; at most some hundred small pictures, whatever
 * the job. */
#ifndef FSH_PAGE_REPORT_H
#define FSH_PAGE_REPORT_H

#include "base/listener.h"
#include "base/status.h"

/* Writes OUT/report.html of a finished job: USAGE where index.h5 is not there. Photographs are
 * decoded: anybody's bytes, so in a process of its own. fsh_vision_init was called before. Pictures
 * are told to steps, which may be NULL. */
fsh_status fsh_report_write(const char *output, const fsh_listener *steps, fsh_err *err);

#endif

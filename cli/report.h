/* report.html at the end of a job. */
#ifndef FSH_CLI_REPORT_H
#define FSH_CLI_REPORT_H

#include "base/status.h"

/* Has OUT/report.html made by a process of its own: photographs are anybody's bytes. That process
 * has said why where it fails; the job is no worse for it. */
fsh_status fsh_report_make(const char *output, fsh_err *err);

#endif

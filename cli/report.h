/* report.html at the end of a job. */
#ifndef FSH_CLI_REPORT_H
#define FSH_CLI_REPORT_H

#include "base/listener.h"
#include "base/status.h"

/* Has OUT/report.html made by a process of its own: photographs are anybody's bytes. That process
 * has said why where it fails; the job is no worse for it. What it tells of itself goes to steps. */
fsh_status fsh_report_make(const char *output, const fsh_listener *steps, fsh_err *err);

#endif

/* Where a job's coordinator is to be found: a small file in the output folder, so that workers
 * which see the folder need no address, and find it again when it has moved to another machine.
 *
 *     fsh_meeting_tell(output, "tcp://0.0.0.0:41033", "", &err);      the coordinator
 *     fsh_meeting_read(output, &meeting, &err);                       a worker
 *     fsh_meeting_end(output, &err);                                  the coordinator, when there
 * is no more work
 */
#ifndef FSH_JOB_MEETING_H
#define FSH_JOB_MEETING_H

#include "base/files.h"

typedef enum fsh_meeting_state {
    FSH_MEETING_NONE, /* nobody has told yet */
    FSH_MEETING_OPEN, /* address is where to go; whoever was there may be gone */
    FSH_MEETING_ENDED /* the job has come to an end */
} fsh_meeting_state;

enum { FSH_MEETING_BYTES = 512 };

typedef struct fsh_meeting {
    fsh_meeting_state state;
    char address[FSH_MEETING_BYTES]; /* "" unless OPEN */
} fsh_meeting;

/* Writes the address down. One that means every interface (0.0.0.0, [::], *) is told with the name
 * `host` in its place, or "", for this machine's own name. */
fsh_status fsh_meeting_tell(const char *output, const char *address, const char *host,
                            fsh_err *err);

/* Writes down that the job has ended. Nothing where nobody was told of it. */
fsh_status fsh_meeting_end(const char *output, fsh_err *err);

/* Takes an end away, before the job begins anew; an address stays. */
fsh_status fsh_meeting_reopen(const char *output, fsh_err *err);

/* A folder without such a file is NONE. */
fsh_status fsh_meeting_read(const char *output, fsh_meeting *meeting, fsh_err *err);

#endif

#include "job/meeting.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "job/paths.h"

#define ENDED "ended"

static fsh_status
write_line(const char *output, const char *line, fsh_err *err)
{
    fsh_text text = {0};
    fsh_status status;

    fsh_text_addf(&text, "%s\n", line);
    status = fsh_file_write_text(output, FSH_PATH_MEETING, &text, err);
    fsh_text_fini(&text);
    return status;
}

/* The port behind an address of every interface, or NULL. */
static const char *
find_open_port(const char *address)
{
    static const char *const every[] = {
        "tcp://0.0.0.0:", "tcp://[::ffff:0.0.0.0]:", "tcp://[::]:", "tcp://*:"};
    size_t i;

    for (i = 0; i < sizeof every / sizeof *every; i++)
        if (strncmp(address, every[i], strlen(every[i])) == 0)
            return address + strlen(every[i]);
    return NULL;
}

fsh_status
fsh_meeting_tell(const char *output, const char *address, const char *host, fsh_err *err)
{
    const char *port = find_open_port(address);
    char own[256] = "", line[FSH_MEETING_BYTES];

    gethostname(own, sizeof own - 1);
    if (port)
        snprintf(line, sizeof line, "tcp://%s:%s", host && host[0] ? host : own, port);
    else
        snprintf(line, sizeof line, "%s", address);
    return write_line(output, line, err);
}

fsh_status
fsh_meeting_read(const char *output, fsh_meeting *meeting, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    uint8_t *data;
    size_t bytes;
    fsh_status status = fsh_path_join(path, output, FSH_PATH_MEETING, err);

    *meeting = (fsh_meeting){FSH_MEETING_NONE, ""};
    if (status || !fsh_file_exists(path))
        return status;
    status = fsh_file_read(path, sizeof meeting->address - 1, &data, &bytes, err);
    if (status)
        return status;
    data[strcspn((char *)data, "\r\n")] = '\0';
    meeting->state = strcmp((char *)data, ENDED) == 0 ? FSH_MEETING_ENDED
                     : data[0]                        ? FSH_MEETING_OPEN
                                                      : FSH_MEETING_NONE;
    if (meeting->state == FSH_MEETING_OPEN)
        snprintf(meeting->address, sizeof meeting->address, "%s", (char *)data);
    free(data);
    return FSH_OK;
}

fsh_status
fsh_meeting_end(const char *output, fsh_err *err)
{
    fsh_meeting meeting;
    fsh_status status = fsh_meeting_read(output, &meeting, err);

    return status || meeting.state == FSH_MEETING_NONE ? status : write_line(output, ENDED, err);
}

fsh_status
fsh_meeting_reopen(const char *output, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_meeting meeting;
    fsh_status status = fsh_meeting_read(output, &meeting, err);

    if (status || meeting.state != FSH_MEETING_ENDED)
        return status;
    status = fsh_path_join(path, output, FSH_PATH_MEETING, err);
    if (!status && unlink(path) != 0 && errno != ENOENT)
        status = fsh_fail_errno(err, errno, "%s: cannot be removed", path);
    return status;
}

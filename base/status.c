#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *text;
    int exit_code;
} rows[] = {
#define STATUS(name, exit_code, text) {#name, text, exit_code},
#include "base/status.def"
#undef STATUS
};

const char *
fsh_status_name(fsh_status status)
{
    return (unsigned)status < FSH_STATUS_N ? rows[status].name : "UNKNOWN";
}

const char *
fsh_status_text(fsh_status status)
{
    return (unsigned)status < FSH_STATUS_N ? rows[status].text : "unknown status";
}

int
fsh_status_exit_code(fsh_status status)
{
    return (unsigned)status < FSH_STATUS_N ? rows[status].exit_code : 4;
}

static void
write_text(fsh_err *err, const char *format, va_list args)
{
    if (err)
        vsnprintf(err->text, sizeof err->text, format, args);
}

static void
append_text(fsh_err *err, const char *separator, const char *text)
{
    size_t used;

    if (!err)
        return;
    used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, "%s%s", separator, text);
}

fsh_status
fsh_fail(fsh_err *err, fsh_status status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_text(err, format, args);
    va_end(args);
    return status;
}

static fsh_status
status_of_errno(int errno_value)
{
    if (errno_value == ENOSPC || errno_value == EDQUOT)
        return FSH_FULL;
    return errno_value == ENOMEM ? FSH_MEMORY : FSH_IO;
}

fsh_status
fsh_fail_errno(fsh_err *err, int errno_value, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_text(err, format, args);
    va_end(args);
    append_text(err, ": ", strerror(errno_value));
    return status_of_errno(errno_value);
}

fsh_status
fsh_fail_within(fsh_err *err, fsh_status status, const char *prefix, ...)
{
    fsh_err inner;
    va_list args;

    if (!err)
        return status;
    inner = *err;
    va_start(args, prefix);
    write_text(err, prefix, args);
    va_end(args);
    append_text(err, ": ", inner.text);
    return status;
}

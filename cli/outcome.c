#include "cli/outcome.h"

#include <stdio.h>
#include <unistd.h>

#include "base/files.h"

fsh_log_mode
fsh_outcome_mode(int32_t log)
{
    if (log == FSH_LOG_AUTO)
        return isatty(STDERR_FILENO) ? FSH_LOG_BAR : FSH_LOG_QUIET;
    return (fsh_log_mode)log;
}

/* The object as an event: line feeds stand between its fields only, strings have them escaped. */
static void
print_event(const fsh_text *json)
{
    size_t i;

    printf("{\"event\":\"done\",");
    for (i = 1; i < json->bytes; i++)
        if (json->data[i] != '\n')
            putchar(json->data[i]);
    putchar('\n');
}

fsh_status
fsh_outcome_tell(fsh_log_mode mode, const fsh_text *table, const fsh_text *json, const char *file,
                 fsh_err *err)
{
    fsh_status status = FSH_OK;

    if (!fsh_text_ok(table) || !fsh_text_ok(json))
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    if (file[0])
        status = fsh_file_write(file, json->data, json->bytes, err);
    if (!status && mode == FSH_LOG_JSON)
        print_event(json);
    else if (!status)
        printf("%s", fsh_text_get(table));
    return status;
}

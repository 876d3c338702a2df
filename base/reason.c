#include "base/reason.h"

#include <string.h>

static const struct {
    const char *code, *text;
} rows[] = {
#define REASON(name, code, text) {code, text},
#include "base/reason.def"
#undef REASON
};

const char *
fsh_reason_code(fsh_reason reason)
{
    return (unsigned)reason < FSH_REASON_N ? rows[reason].code : "unknown";
}

const char *
fsh_reason_text(fsh_reason reason)
{
    return (unsigned)reason < FSH_REASON_N ? rows[reason].text : "unknown reason";
}

fsh_reason
fsh_reason_from_code(const char *code)
{
    unsigned i;

    for (i = 0; i < FSH_REASON_N; i++)
        if (strcmp(rows[i].code, code) == 0)
            break;
    return (fsh_reason)i;
}

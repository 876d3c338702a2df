#include "stages/cleaning/robust.h"

static const struct {
    const char *code, *text;
    fsh_verdict verdict;
} rows[] = {
#define FINDING(name, code, verdict, text) {code, text, FSH_VERDICT_##verdict},
#include "stages/cleaning/findings.def"
#undef FINDING
};

fsh_verdict
fsh_finding_verdict(fsh_finding finding)
{
    return rows[finding].verdict;
}

const char *
fsh_finding_code(fsh_finding finding)
{
    return rows[finding].code;
}

const char *
fsh_finding_text(fsh_finding finding)
{
    return rows[finding].text;
}

const char *
fsh_verdict_name(fsh_verdict verdict)
{
    static const char *const names[] = {"keep", "remove", "unsure"};

    return names[verdict];
}

#include "base/template.h"

#include <string.h>

static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* The length of "@NAME@" at the beginning of text, or 0. */
static size_t
word_at(const char *text)
{
    size_t n = text[0] == '@' ? strspn(text + 1, capitals) : 0;

    return n > 0 && text[n + 1] == '@' ? n + 2 : 0;
}

static const char *
find_value(const fsh_template_word *words, const char *name, size_t n)
{
    for (; words->name; words++)
        if (strlen(words->name) == n && strncmp(words->name, name, n) == 0)
            return words->value;
    return NULL;
}

fsh_status
fsh_template_fill(const char *script, const fsh_template_word *words, fsh_text *out, fsh_err *err)
{
    while (*script) {
        size_t plain = strcspn(script, "@"), n;
        bool begins_line;
        const char *value;

        fsh_text_add_bytes(out, script, plain);
        script += plain;
        n = word_at(script);
        if (n == 0) {
            fsh_text_add_bytes(out, script, *script != '\0');
            script += *script != '\0';
            continue;
        }
        value = find_value(words, script + 1, n - 2);
        if (!value)
            return fsh_fail(err, FSH_INTERNAL, "%.*s: nothing is known to put there", (int)n,
                            script);
        begins_line = out->bytes == 0 || out->data[out->bytes - 1] == '\n';
        fsh_text_add(out, value);
        script += n;
        script += begins_line && !value[0] && *script == '\n';
    }
    return fsh_text_ok(out) ? FSH_OK : fsh_fail(err, FSH_MEMORY, "out of memory for a script");
}

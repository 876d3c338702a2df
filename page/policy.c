#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "page/inside.h"

/* Appends 'sha256-...' of what stands between the two tags of the page. */
static void
add_sum(fsh_text *policy, const char *open, const char *close)
{
    const char *from = strstr(fsh_page_html, open), *to = from ? strstr(from, close) : NULL;
    fsh_hash sum;

    if (!to)
        return;
    from += strlen(open);
    sum = fsh_hash_of(from, (size_t)(to - from));
    fsh_text_add(policy, "'sha256-");
    fsh_text_add_base64(policy, sum.bytes, sizeof sum.bytes);
    fsh_text_add(policy, "'");
}

void
fsh_page_policy(char *policy, size_t bytes)
{
    fsh_text text = {0};

    fsh_text_add(&text, "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; "
                        "form-action 'none'; "
                        "frame-ancestors 'none'; script-src ");
    add_sum(&text, "<script>", "</script>");
    fsh_text_add(&text, "; style-src ");
    add_sum(&text, "<style>", "</style>");
    snprintf(policy, bytes, "%s", fsh_text_get(&text));
    fsh_text_fini(&text);
}

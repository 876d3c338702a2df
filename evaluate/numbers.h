/* Numbers in JSON: as few digits as give the same double when read again; null for what has no
 * value. */
#ifndef FSH_EVALUATE_NUMBERS_H
#define FSH_EVALUATE_NUMBERS_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

static inline void
fsh_json_number(double number, fsh_text *out)
{
    char text[32];
    int digits = 15;

    if (!isfinite(number)) {
        fsh_text_add(out, "null");
        return;
    }
    do
        snprintf(text, sizeof text, "%.*g", digits, number);
    while (digits++ < 17 && strtod(text, NULL) != number);
    fsh_text_add(out, text);
}

/* Appends "name": number and what separates it from the next. */
static inline void
fsh_json_field(const char *name, double number, const char *separator, fsh_text *out)
{
    fsh_text_addf(out, "\"%s\": ", name);
    fsh_json_number(number, out);
    fsh_text_add(out, separator);
}

#endif

#include "base/args.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void *
field(const fsh_arg *row, void *params)
{
    return (char *)params + row->offset;
}

static const void *
const_field(const fsh_arg *row, const void *params)
{
    return (const char *)params + row->offset;
}

/* "on" is 1, "off" is 0, anything else -1. YAML's own words and ours. */
static int
parse_switch(const char *text)
{
    static const char *const words[] = {"off", "on", "false", "true", "no", "yes"};
    int i;

    for (i = 0; i < 6; i++)
        if (strcasecmp(text, words[i]) == 0)
            return i & 1;
    return -1;
}

static bool
parse_real(const char *text, double *value)
{
    char *end;

    *value = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*value);
}

static bool
set_int(const fsh_arg *row, void *params, const char *text)
{
    char *end;
    long long value;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (end == text || *end || errno || value < row->low || value > row->high)
        return false;
    *(int64_t *)field(row, params) = value;
    return true;
}

static bool
set_real(const fsh_arg *row, void *params, const char *text)
{
    double value;
    int word = parse_switch(text);

    if (row->choices && strcmp(text, row->choices) == 0)
        value = NAN;
    else if (word >= 0)
        value = word;
    else if (!parse_real(text, &value))
        return false;
    if (value < row->low || value > row->high)
        return false;
    *(double *)field(row, params) = value;
    return true;
}

/* The place of a word in "first|second|third", -1 where it is not there. */
static int
find_choice(const char *choices, const char *text)
{
    size_t n = strlen(text);
    int place = 0;

    for (; *choices; place++) {
        size_t length = strcspn(choices, "|");

        if (length == n && memcmp(choices, text, n) == 0)
            return place;
        choices += length + (choices[length] == '|');
    }
    return -1;
}

static bool
set_choice(const fsh_arg *row, void *params, const char *text)
{
    int place = find_choice(row->choices, text);

    if (place >= 0)
        *(int32_t *)field(row, params) = place;
    return place >= 0;
}

static bool
set_bool(const fsh_arg *row, void *params, const char *text)
{
    int value = parse_switch(text);

    if (value >= 0)
        *(bool *)field(row, params) = value;
    return value >= 0;
}

static bool
set_text(const fsh_arg *row, void *params, const char *text)
{
    if (strlen(text) >= FSH_ARG_TEXT_BYTES)
        return false;
    strcpy(field(row, params), text);
    return true;
}

/* Numbers separated by commas or blanks. */
static bool
set_reals(const fsh_arg *row, void *params, const char *text)
{
    fsh_reals list = {0, {0}};
    char *end;

    for (;;) {
        text += strspn(text, " ,");
        if (!*text)
            break;
        if (list.n == FSH_ARG_REALS_MAX)
            return false;
        list.at[list.n++] = strtod(text, &end);
        if (end == text)
            return false;
        text = end;
    }
    *(fsh_reals *)field(row, params) = list;
    return true;
}

static bool
set(const fsh_arg *row, void *params, const char *text)
{
    switch (row->type) {
    case FSH_ARG_TYPE_INT:
        return set_int(row, params, text);
    case FSH_ARG_TYPE_REAL:
        return set_real(row, params, text);
    case FSH_ARG_TYPE_BOOL:
        return set_bool(row, params, text);
    case FSH_ARG_TYPE_CHOICE:
        return set_choice(row, params, text);
    case FSH_ARG_TYPE_TEXT:
        return set_text(row, params, text);
    case FSH_ARG_TYPE_REALS:
        return set_reals(row, params, text);
    }
    return false;
}

fsh_status
fsh_arg_set(const fsh_arg *row, void *params, const char *text, fsh_err *err)
{
    fsh_text allowed = {0};

    if (set(row, params, text))
        return FSH_OK;
    fsh_arg_print_allowed(row, &allowed);
    fsh_fail(err, FSH_USAGE, "%s: found '%.100s', expected %s", row->name, text, fsh_text_get(&allowed));
    fsh_text_fini(&allowed);
    return FSH_USAGE;
}

fsh_status
fsh_args_defaults(const fsh_arg *rows, void *params, fsh_err *err)
{
    for (; rows->name; rows++)
        if (fsh_arg_set(rows, params, rows->fallback, err))
            return fsh_fail_within(err, FSH_INTERNAL, "default");
    return FSH_OK;
}

static fsh_status
unknown_key(const fsh_arg *rows, const fsh_node *entry, const char *file, fsh_err *err)
{
    fsh_text names = {0};

    for (; rows->name; rows++)
        fsh_text_addf(&names, "%s%s", names.bytes ? ", " : "", rows->name);
    fsh_fail(err, FSH_USAGE, "%s:%u: unknown key '%s'; allowed here: %s", file, entry->line, entry->key,
             names.bytes ? fsh_text_get(&names) : "nothing");
    fsh_text_fini(&names);
    return FSH_USAGE;
}

/* A list of scalars as one text with commas, for REALS; false for anything nested or too long. */
static bool
join_list(const fsh_node *list, char text[FSH_ARG_TEXT_BYTES])
{
    const fsh_node *item;
    size_t used = 0;

    text[0] = '\0';
    for (item = list->child; item; item = item->next) {
        int n;

        if (item->kind != FSH_NODE_SCALAR)
            return false;
        n = snprintf(text + used, FSH_ARG_TEXT_BYTES - used, "%s%s", used ? "," : "", item->text);
        if (n < 0 || (used += (size_t)n) >= FSH_ARG_TEXT_BYTES)
            return false;
    }
    return true;
}

static fsh_status
read_entry(const fsh_arg *row, void *params, const fsh_node *entry, const char *file, fsh_err *err)
{
    char joined[FSH_ARG_TEXT_BYTES];
    const char *text = entry->text;
    fsh_status status;

    if (entry->kind == FSH_NODE_LIST &&
        (row->type == FSH_ARG_TYPE_REALS || row->type == FSH_ARG_TYPE_TEXT) && join_list(entry, joined))
        text = joined;
    if (!text)
        text = entry->kind == FSH_NODE_LIST ? "a list" : "keys and values";
    status = entry->kind == FSH_NODE_MAP ? FSH_USAGE : fsh_arg_set(row, params, text, err);
    if (entry->kind == FSH_NODE_MAP)
        fsh_fail(err, FSH_USAGE, "%s: found keys and values, expected one value", row->name);
    return status ? fsh_fail_within(err, FSH_USAGE, "%s:%u", file, entry->line) : FSH_OK;
}

fsh_status
fsh_args_read(const fsh_arg *rows, void *params, const fsh_node *map, const char *file, fsh_err *err)
{
    const fsh_node *entry;

    if (!map || (map->kind == FSH_NODE_SCALAR && !map->text[0]))
        return FSH_OK;
    if (map->kind != FSH_NODE_MAP)
        return fsh_fail(err, FSH_USAGE, "%s:%u: found %s, expected 'key: value' entries", file, map->line,
                        map->kind == FSH_NODE_LIST ? "a list" : map->text);
    for (entry = map->child; entry; entry = entry->next) {
        const fsh_arg *row = rows;
        fsh_status status;

        while (row->name && strcmp(row->name, entry->key) != 0)
            row++;
        status = row->name ? read_entry(row, params, entry, file, err)
                           : unknown_key(rows, entry, file, err);
        if (status)
            return status;
    }
    return FSH_OK;
}

static void
print_choice(const char *choices, int32_t place, fsh_text *out)
{
    while (place-- > 0)
        choices += strcspn(choices, "|") + 1;
    fsh_text_add_bytes(out, choices, strcspn(choices, "|"));
}

/* A YAML scalar: quoted as JSON unless it is plainly a word or path. */
static void
print_word(const char *text, fsh_text *out)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/.+-";

    if (text[0] && text[strspn(text, plain)] == '\0')
        fsh_text_add(out, text);
    else
        fsh_text_add_json(out, text);
}

static void
print_reals(const fsh_reals *list, fsh_text *out)
{
    uint32_t i;

    fsh_text_add(out, "[");
    for (i = 0; i < list->n; i++)
        fsh_text_addf(out, "%s%.17g", i ? ", " : "", list->at[i]);
    fsh_text_add(out, "]");
}

/* The shortest decimal that reads back as the same number. */
static void
print_real(double value, fsh_text *out)
{
    char text[40];
    int digits;

    for (digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    fsh_text_add(out, isnan(value) ? "auto" : text);
}

void
fsh_arg_print(const fsh_arg *row, const void *params, fsh_text *out)
{
    const void *value = const_field(row, params);

    switch (row->type) {
    case FSH_ARG_TYPE_INT:
        fsh_text_addf(out, "%lld", (long long)*(const int64_t *)value);
        break;
    case FSH_ARG_TYPE_REAL:
        print_real(*(const double *)value, out);
        break;
    case FSH_ARG_TYPE_BOOL:
        fsh_text_add(out, *(const bool *)value ? "true" : "false");
        break;
    case FSH_ARG_TYPE_CHOICE:
        print_choice(row->choices, *(const int32_t *)value, out);
        break;
    case FSH_ARG_TYPE_TEXT:
        print_word(value, out);
        break;
    case FSH_ARG_TYPE_REALS:
        print_reals(value, out);
        break;
    }
}

void
fsh_arg_print_allowed(const fsh_arg *row, fsh_text *out)
{
    const char *choices = row->choices ? row->choices : "";

    switch (row->type) {
    case FSH_ARG_TYPE_INT:
        fsh_text_addf(out, "a whole number from %.0f to %.0f", row->low, row->high);
        break;
    case FSH_ARG_TYPE_REAL:
        fsh_text_addf(out, "%sa number from %g to %g", *choices ? "auto or " : "", row->low, row->high);
        break;
    case FSH_ARG_TYPE_BOOL:
        fsh_text_add(out, "true or false");
        break;
    case FSH_ARG_TYPE_CHOICE:
        for (fsh_text_add(out, "one of "); *choices; choices++)
            fsh_text_add_bytes(out, *choices == '|' ? ", " : choices, *choices == '|' ? 2 : 1);
        break;
    case FSH_ARG_TYPE_TEXT:
        fsh_text_addf(out, "a text of less than %d bytes", FSH_ARG_TEXT_BYTES);
        break;
    case FSH_ARG_TYPE_REALS:
        fsh_text_addf(out, "a list of up to %d numbers", FSH_ARG_REALS_MAX);
        break;
    }
}

void
fsh_args_print(const fsh_arg *rows, const void *params, fsh_text *out)
{
    const char *separator = "";

    fsh_text_add(out, "{");
    for (; rows->name; rows++) {
        fsh_text_addf(out, "%s%s: ", separator, rows->name);
        fsh_arg_print(rows, params, out);
        separator = ", ";
    }
    fsh_text_add(out, "}");
}

/* Parameters as rows: name, type, where they are stored, limits, default, help. The parser of job files
 * and model cards, the job hash, `faceshard stages` and the documents all read the same rows.
 *
 *     static const fsh_arg rows[] = {
 *         FSH_ARG_INT(params, margin, 0, 4096, "44", "px that the crop is larger than the face"),
 *         FSH_ARG_END};
 */
#ifndef FSH_BASE_ARGS_H
#define FSH_BASE_ARGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "base/tree.h"

typedef enum fsh_arg_type {
    FSH_ARG_TYPE_INT,    /* int64_t, low to high */
    FSH_ARG_TYPE_REAL,   /* double, low to high; "on" and "off" are 1 and 0, "auto" is NaN where allowed */
    FSH_ARG_TYPE_BOOL,   /* bool: true/false, yes/no, on/off */
    FSH_ARG_TYPE_CHOICE, /* int32_t: place in the words of `choices`, separated by | */
    FSH_ARG_TYPE_TEXT,   /* char[FSH_ARG_TEXT_BYTES] */
    FSH_ARG_TYPE_REALS   /* fsh_reals: a list of up to FSH_ARG_REALS_MAX numbers */
} fsh_arg_type;

enum { FSH_ARG_TEXT_BYTES = 512, FSH_ARG_REALS_MAX = 64 };

typedef struct fsh_reals {
    uint32_t n;
    double at[FSH_ARG_REALS_MAX];
} fsh_reals;

typedef struct fsh_arg {
    const char *name; /* NULL in the row that ends a table */
    fsh_arg_type type;
    size_t offset;       /* of the value in the parameter struct */
    double low, high;    /* INT and REAL: both ends allowed */
    const char *choices; /* CHOICE: the words, separated by |; REAL: "auto" where that is allowed */
    const char *fallback; /* the default, as it would stand in a file */
    const char *help;     /* one line, with the unit */
} fsh_arg;

#define FSH_ARG_INT(type, field, low, high, fallback, help) \
    {#field, FSH_ARG_TYPE_INT, offsetof(type, field), low, high, NULL, fallback, help}
#define FSH_ARG_REAL(type, field, low, high, fallback, help) \
    {#field, FSH_ARG_TYPE_REAL, offsetof(type, field), low, high, NULL, fallback, help}
#define FSH_ARG_REAL_AUTO(type, field, low, high, fallback, help) \
    {#field, FSH_ARG_TYPE_REAL, offsetof(type, field), low, high, "auto", fallback, help}
#define FSH_ARG_BOOL(type, field, fallback, help) \
    {#field, FSH_ARG_TYPE_BOOL, offsetof(type, field), 0, 0, NULL, fallback, help}
#define FSH_ARG_CHOICE(type, field, choices, fallback, help) \
    {#field, FSH_ARG_TYPE_CHOICE, offsetof(type, field), 0, 0, choices, fallback, help}
#define FSH_ARG_TEXT(type, field, fallback, help) \
    {#field, FSH_ARG_TYPE_TEXT, offsetof(type, field), 0, 0, NULL, fallback, help}
#define FSH_ARG_REALS(type, field, fallback, help) \
    {#field, FSH_ARG_TYPE_REALS, offsetof(type, field), 0, 0, NULL, fallback, help}
#define FSH_ARG_END {NULL, FSH_ARG_TYPE_INT, 0, 0, 0, NULL, NULL, NULL}

/* Fills params with the defaults of all rows. A default that its own row refuses is INTERNAL. */
fsh_status fsh_args_defaults(const fsh_arg *rows, void *params, fsh_err *err);

/* Sets params from the entries of map (NULL: nothing to set). An unknown key, a wrong type or a value
 * out of range fails with USAGE and names file, line, key, what was found and what is allowed. */
fsh_status fsh_args_read(const fsh_arg *rows, void *params, const fsh_node *map, const char *file,
                         fsh_err *err);

/* Sets one row from text, for command lines and tests. */
fsh_status fsh_arg_set(const fsh_arg *row, void *params, const char *text, fsh_err *err);

/* Appends the value as it would stand in a file (numbers with all their digits). */
void fsh_arg_print(const fsh_arg *row, const void *params, fsh_text *out);

/* Appends what is allowed: "a whole number from 0 to 4096", "one of largest, centre, all". */
void fsh_arg_print_allowed(const fsh_arg *row, fsh_text *out);

/* Appends "{name: value, ...}" of all rows, defaults included: canonical, the same text for the same
 * meaning. */
void fsh_args_print(const fsh_arg *rows, const void *params, fsh_text *out);

#endif

#include "evaluate/pairs.h"

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/text.h"

enum {
    FIELDS_MAX = 4,
    NAME_BYTES_MAX = 255,
    NUMBER_DIGITS_MAX = 9,
    LIST_BYTES_MAX = 256 << 20,
    LINES_MAX = 16 << 20
};

/* A line, taken apart: fields point into the text and have lengths instead of ends. */
typedef struct fields {
    const char *at[FIELDS_MAX + 1];
    size_t bytes[FIELDS_MAX + 1];
    uint32_t n; /* FIELDS_MAX + 1: too many */
} fields;

/* Pictures are gathered twice a pair, as offsets into names, until all are known. */
typedef struct reading {
    const char *name;
    uint32_t line;
    fsh_pair *at;
    size_t *offsets; /* 2 a pair */
    uint32_t n, capacity;
    uint32_t folds_n, fold_pairs; /* of the header; 0: there is none */
    fsh_text names;
} reading;

static fsh_status
fail_memory(const reading *of, fsh_err *err)
{
    return fsh_fail(err, FSH_MEMORY, "%s: out of memory", of->name);
}

static fields
split(const char *line, size_t bytes)
{
    const char *separators = memchr(line, '\t', bytes) ? "\t" : " ", *end = line + bytes;
    fields found = {.n = 0};

    while (line < end) {
        const char *from = line;

        while (line < end && *line != *separators)
            line++;
        if (line > from && found.n <= FIELDS_MAX) {
            found.at[found.n] = from;
            found.bytes[found.n++] = (size_t)(line - from);
        }
        line += line < end;
    }
    return found;
}

/* A whole number of at most nine digits. */
static bool
read_number(const fields *line, uint32_t i, uint32_t *number)
{
    uint32_t value = 0;
    size_t k;

    if (line->bytes[i] > NUMBER_DIGITS_MAX)
        return false;
    for (k = 0; k < line->bytes[i]; k++) {
        if (line->at[i][k] < '0' || line->at[i][k] > '9')
            return false;
        value = value * 10 + (uint32_t)(line->at[i][k] - '0');
    }
    *number = value;
    return true;
}

/* A name becomes part of a path below the pictures' folder, and must not lead out of it. */
static bool
is_name(const fields *line, uint32_t i)
{
    const char *at = line->at[i];
    size_t bytes = line->bytes[i];

    return bytes <= NAME_BYTES_MAX && !memchr(at, '/', bytes) && !memchr(at, '\0', bytes) &&
           !(bytes == 1 && at[0] == '.') && !(bytes == 2 && memcmp(at, "..", 2) == 0);
}

static bool
is_same_name(const fields *line, uint32_t other)
{
    return line->bytes[0] == line->bytes[other] &&
           memcmp(line->at[0], line->at[other], line->bytes[0]) == 0;
}

static void
add_picture(reading *of, size_t which, const fields *line, uint32_t name, uint32_t number)
{
    of->offsets[which] = of->names.bytes;
    fsh_text_add_bytes(&of->names, line->at[name], line->bytes[name]);
    fsh_text_add(&of->names, "/");
    fsh_text_add_bytes(&of->names, line->at[name], line->bytes[name]);
    fsh_text_addf(&of->names, "_%04u", number);
    fsh_text_add_bytes(&of->names, "", 1);
}

static bool
make_room(reading *of)
{
    uint32_t capacity = of->capacity ? 2 * of->capacity : 1024;
    fsh_pair *at;
    size_t *offsets;

    if (of->n < of->capacity)
        return true;
    if ((at = realloc(of->at, capacity * sizeof *at)))
        of->at = at;
    if ((offsets = realloc(of->offsets, 2 * (size_t)capacity * sizeof *offsets)))
        of->offsets = offsets;
    if (!at || !offsets)
        return false;
    of->capacity = capacity;
    return true;
}

static fsh_status
read_header(reading *of, const fields *line, fsh_err *err)
{
    uint32_t folds = 1, pairs = 0;

    if ((line->n == 2 && !read_number(line, 0, &folds)) ||
        !read_number(line, line->n - 1, &pairs) || !folds || !pairs ||
        (uint64_t)folds * pairs > LINES_MAX / 2)
        return fsh_fail(
            err, FSH_FORMAT,
            "%s: line %u: %u field%s: expected a header (folds, pairs of a fold), or a pair: "
            "name n1 n2, or name1 n1 name2 n2",
            of->name, of->line, line->n, line->n == 1 ? "" : "s");
    of->folds_n = folds;
    of->fold_pairs = 2 * pairs;
    return FSH_OK;
}

static fsh_status
read_pair(reading *of, const fields *line, fsh_err *err)
{
    uint32_t second = line->n == 3 ? 0 : 2, numbers[2];

    if (line->n != 3 && line->n != 4)
        return fsh_fail(err, FSH_FORMAT,
                        "%s: line %u: %s fields: expected name n1 n2, or name1 n1 name2 n2",
                        of->name, of->line, line->n < 3 ? "too few" : "too many");
    if (!read_number(line, 1, &numbers[0]) || !read_number(line, line->n - 1, &numbers[1]))
        return fsh_fail(err, FSH_FORMAT,
                        "%s: line %u: the number of a picture is not a whole number", of->name,
                        of->line);
    if (!is_name(line, 0) || !is_name(line, second))
        return fsh_fail(err, FSH_FORMAT, "%s: line %u: a name that is no name of a folder",
                        of->name, of->line);
    if (of->n == LINES_MAX)
        return fsh_fail(err, FSH_FORMAT, "%s: line %u: more than %d pairs", of->name, of->line,
                        LINES_MAX);
    if (!make_room(of))
        return fail_memory(of, err);
    add_picture(of, 2 * (size_t)of->n, line, 0, numbers[0]);
    add_picture(of, 2 * (size_t)of->n + 1, line, second, numbers[1]);
    of->at[of->n++] = (fsh_pair){.line = of->line, .same = is_same_name(line, second)};
    return FSH_OK;
}

static fsh_status
read_line(reading *of, const char *text, size_t bytes, fsh_err *err)
{
    fields line;

    of->line++;
    if (bytes && text[bytes - 1] == '\r')
        bytes--;
    line = split(text, bytes);
    if (!line.n)
        return FSH_OK;
    if (line.n < 3 && !of->n && !of->folds_n)
        return read_header(of, &line, err);
    return read_pair(of, &line, err);
}

static fsh_status
read_lines(reading *of, const char *text, size_t bytes, fsh_err *err)
{
    const char *end = text + bytes;
    fsh_status status = FSH_OK;

    while (text < end && !status) {
        const char *feed = memchr(text, '\n', (size_t)(end - text));
        const char *stop = feed ? feed : end;

        status = read_line(of, text, (size_t)(stop - text), err);
        text = stop + 1;
    }
    if (!status && !fsh_text_ok(&of->names))
        status = fail_memory(of, err);
    return status;
}

uint32_t
fsh_pairs_fold(uint32_t i, uint32_t n, uint32_t folds)
{
    uint32_t small = n / folds, larger_n = n % folds, first_n = larger_n * (small + 1);

    return i < first_n ? i / (small + 1) : larger_n + (i - first_n) / small;
}

static fsh_status
cut_folds(const reading *of, fsh_pairs *pairs, fsh_err *err)
{
    uint32_t i;

    if (!of->n)
        return fsh_fail(err, FSH_FORMAT, "%s: holds no pair", of->name);
    if (of->folds_n && (uint64_t)of->folds_n * of->fold_pairs != of->n)
        return fsh_fail(err, FSH_FORMAT,
                        "%s: %u pairs, where its header says %u x (%u + %u) = %llu", of->name,
                        of->n, of->folds_n, of->fold_pairs / 2, of->fold_pairs / 2,
                        (unsigned long long)of->folds_n * of->fold_pairs);
    pairs->folds_n = of->folds_n ? of->folds_n : of->n < FSH_PAIRS_FOLDS ? of->n : FSH_PAIRS_FOLDS;
    for (i = 0; i < of->n; i++)
        of->at[i].fold = fsh_pairs_fold(i, of->n, pairs->folds_n);
    return FSH_OK;
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts the names and keeps each once; pictures has room for two a pair. */
static void
gather(const reading *of, fsh_pairs *pairs)
{
    uint32_t i, n = 0;

    for (i = 0; i < 2 * of->n; i++)
        pairs->pictures[i] = of->names.data + of->offsets[i];
    qsort(pairs->pictures, 2 * (size_t)of->n, sizeof *pairs->pictures, compare_names);
    for (i = 0; i < 2 * of->n; i++)
        if (!n || strcmp(pairs->pictures[i], pairs->pictures[n - 1]) != 0)
            pairs->pictures[n++] = pairs->pictures[i];
    pairs->pictures_n = n;
}

static uint32_t
find_picture(const fsh_pairs *pairs, const char *name)
{
    char *const *found =
        bsearch(&name, pairs->pictures, pairs->pictures_n, sizeof *pairs->pictures, compare_names);

    return (uint32_t)(found - pairs->pictures);
}

static fsh_status
finish(reading *of, fsh_pairs *pairs, fsh_err *err)
{
    fsh_status status = cut_folds(of, pairs, err);
    uint32_t i;

    if (status)
        return status;
    pairs->pictures = malloc(2 * (size_t)of->n * sizeof *pairs->pictures);
    if (!pairs->pictures)
        return fail_memory(of, err);
    gather(of, pairs);
    for (i = 0; i < of->n; i++) {
        of->at[i].first = find_picture(pairs, of->names.data + of->offsets[2 * i]);
        of->at[i].second = find_picture(pairs, of->names.data + of->offsets[2 * i + 1]);
    }
    pairs->at = of->at;
    pairs->n = of->n;
    pairs->memory = of->names.data;
    of->at = NULL;
    of->names = (fsh_text){0};
    return FSH_OK;
}

fsh_status
fsh_pairs_parse(const char *name, const char *text, size_t bytes, fsh_pairs *out, fsh_err *err)
{
    reading of = {.name = name};
    fsh_pairs pairs = {0};
    fsh_status status = read_lines(&of, text, bytes, err);

    if (!status)
        status = finish(&of, &pairs, err);
    free(of.at);
    free(of.offsets);
    fsh_text_fini(&of.names);
    if (status)
        fsh_pairs_fini(&pairs);
    else
        *out = pairs;
    return status;
}

fsh_status
fsh_pairs_read(const char *path, fsh_pairs *pairs, fsh_err *err)
{
    uint8_t *data = NULL;
    size_t bytes = 0;
    fsh_status status = fsh_file_read(path, LIST_BYTES_MAX, &data, &bytes, err);

    if (!status)
        status = fsh_pairs_parse(path, (const char *)data, bytes, pairs, err);
    free(data);
    return status;
}

void
fsh_pairs_fini(fsh_pairs *pairs)
{
    free(pairs->at);
    free(pairs->pictures);
    free(pairs->memory);
    *pairs = (fsh_pairs){0};
}
